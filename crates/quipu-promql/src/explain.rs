//! Finds out where and why a query is invalid. A second parser, used only for queries that promql-parser rejected, because its errors have
//! neither.
//!
//! Not here: building a tree. If this parser accepts a query, the original message is kept.

use super::error::{PromqlError, TextRange};
use super::functions::{Function, find};
use super::lex::{Token, TokenKind};
use super::matcher::Pattern;
use super::operator::Operator;
use super::value_type::ValueType;

/// The error in a query that was rejected with `message`.
pub(super) fn explain(query: &str, tokens: &[Token], message: &str) -> PromqlError {
    let mut reading = Reading { query, tokens, next: 0 };
    let outcome = reading.expr(0).and_then(|_| match reading.peek() {
        None => Ok(()),
        Some(token) => Err(reading.unexpected(token, "an operator or the end of the query")),
    });
    let whole = TextRange { start: 0, end: query.len() };
    outcome.err().unwrap_or_else(|| PromqlError::parse(format!("The query is not understood: {message}."), whole))
}

struct Reading<'q> {
    query: &'q str,
    tokens: &'q [Token],
    next: usize,
}

type Read<T> = Result<T, PromqlError>;

/// Operator precedence; a higher number binds tighter.
fn precedence(operator: Operator) -> u8 {
    match operator {
        Operator::Or => 1,
        Operator::And | Operator::Unless => 2,
        operator if operator.compares() => 3,
        Operator::Add | Operator::Subtract => 4,
        Operator::Power => 6,
        _ => 5,
    }
}

impl<'q> Reading<'q> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.next).copied()
    }

    fn text(&self) -> &'q str {
        self.peek().map_or("", |token| token.text(self.query))
    }

    fn is(&self, wanted: &str) -> bool {
        self.text().eq_ignore_ascii_case(wanted)
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.is(wanted);
        self.next += usize::from(found);
        found
    }

    fn location(&self) -> TextRange {
        let end = TextRange { start: self.query.len(), end: self.query.len() };
        self.peek().map_or(end, |token| token.location)
    }

    fn unexpected(&self, token: Token, expected: &str) -> PromqlError {
        let text = token.text(self.query);
        if token.kind == TokenKind::Text && !(text.len() > 1 && text.ends_with(text.get(..1).unwrap_or("\""))) {
            return PromqlError::parse("This string has no closing quote.", token.location);
        }
        PromqlError::parse(format!("Expected {expected}, found `{text}`."), token.location)
    }

    fn missing(&self, expected: &str) -> PromqlError {
        match self.peek() {
            Some(token) => self.unexpected(token, expected),
            None => PromqlError::parse(format!("Expected {expected}, found the end of the query."), self.location()),
        }
    }

    fn expect(&mut self, wanted: &str) -> Read<()> {
        if self.take(wanted) { Ok(()) } else { Err(self.missing(&format!("`{wanted}`"))) }
    }

    fn expr(&mut self, min_precedence: u8) -> Read<ValueType> {
        let mut left = self.unary()?;
        while let Some(operator) = Operator::from_text(self.text()) {
            let binds = precedence(operator);
            if binds < min_precedence {
                break;
            }
            let location = self.location();
            self.next += 1;
            let is_bool = self.take("bool");
            self.modifiers()?;
            let right = self.expr(if operator == Operator::Power { binds } else { binds + 1 })?;
            left = binary(operator, is_bool, left, right, location)?;
        }
        Ok(left)
    }

    fn modifiers(&mut self) -> Read<()> {
        if self.take("on") || self.take("ignoring") {
            self.label_list()?;
        }
        if (self.take("group_left") || self.take("group_right")) && self.is("(") {
            self.label_list()?;
        }
        Ok(())
    }

    fn label_list(&mut self) -> Read<()> {
        self.expect("(")?;
        while !self.take(")") {
            let is_label = self.peek().is_some_and(|token| !matches!(token.kind, TokenKind::Mark | TokenKind::Number | TokenKind::Unknown));
            if !is_label {
                return Err(self.missing("a label name or `)`"));
            }
            self.next += 1;
            if !self.is(")") && !self.take(",") {
                return Err(self.missing("`,` or `)`"));
            }
        }
        Ok(())
    }

    fn unary(&mut self) -> Read<ValueType> {
        let location = self.location();
        if !self.take("-") && !self.take("+") {
            return self.postfix();
        }
        match self.expr(precedence(Operator::Multiply))? {
            found @ (ValueType::Scalar | ValueType::Vector) => Ok(found),
            found => Err(PromqlError::parse(format!("A sign needs a scalar or an instant vector, not {}.", found.words()), location)),
        }
    }

    fn postfix(&mut self) -> Read<ValueType> {
        let begin = self.next;
        let mut found = self.primary()?;
        loop {
            let location = self.location();
            if self.is("[") {
                found = self.range(begin, found)?;
            } else if self.take("offset") {
                if !self.take("-") {
                    self.take("+");
                }
                self.duration("a duration such as 5m")?;
                self.check_modifier(found, "offset", location)?;
            } else if self.take("@") {
                let is_negative = self.take("-") || self.take("+");
                if !is_negative && (self.take("start") || self.take("end")) {
                    self.expect("(")?;
                    self.expect(")")?;
                } else if self.peek().is_some_and(|token| token.kind == TokenKind::Number) {
                    self.next += 1;
                } else {
                    return Err(self.missing("a time in seconds, `start()` or `end()`"));
                }
                self.check_modifier(found, "@", location)?;
            } else {
                return Ok(found);
            }
        }
    }

    /// Checks that `offset` or `@` follows a selector or subquery.
    fn check_modifier(&self, found: ValueType, word: &str, location: TextRange) -> Read<()> {
        match found {
            ValueType::Vector | ValueType::Matrix => Ok(()),
            _ => Err(PromqlError::parse(format!("`{word}` must follow a selector or a subquery, not {}.", found.words()), location)),
        }
    }

    fn duration(&mut self, expected: &str) -> Read<()> {
        let is_duration = self.peek().is_some_and(|token| matches!(token.kind, TokenKind::Duration | TokenKind::Number));
        if !is_duration {
            return Err(self.missing(expected));
        }
        self.next += 1;
        Ok(())
    }

    fn range(&mut self, begin: usize, found: ValueType) -> Read<ValueType> {
        let location = self.location();
        self.expect("[")?;
        self.duration("a duration such as 5m")?;
        let is_subquery = self.take(":");
        if is_subquery && !self.is("]") {
            self.duration("the subquery's step, a duration such as 1m, or `]`")?;
        }
        self.expect("]")?;
        let is_plain = self.tokens.get(begin).is_some_and(|token| {
            let text = token.text(self.query);
            text == "{" || token.kind == TokenKind::Name && self.tokens.get(begin + 1).is_none_or(|next| next.text(self.query) != "(")
        });
        if found != ValueType::Vector {
            let problem = format!("A range must follow an instant vector, not {}.", found.words());
            return Err(PromqlError::parse(problem, location));
        }
        if !is_subquery && !is_plain {
            let problem = "A range must directly follow a selector. For an expression, use a subquery: [5m:1m] or [5m:].";
            return Err(PromqlError::parse(problem, location));
        }
        Ok(ValueType::Matrix)
    }

    fn primary(&mut self) -> Read<ValueType> {
        let Some(token) = self.peek() else { return Err(self.missing("an expression")) };
        let text = token.text(self.query);
        let is_call = self.tokens.get(self.next + 1).is_some_and(|next| next.text(self.query) == "(");
        match token.kind {
            TokenKind::Number | TokenKind::Duration => {
                self.next += 1;
                Ok(ValueType::Scalar)
            }
            TokenKind::Text if text.len() > 1 && text.ends_with(text.get(..1).unwrap_or("\"")) => {
                self.next += 1;
                Ok(ValueType::Text)
            }
            TokenKind::Mark if text == "(" => {
                self.next += 1;
                let found = self.expr(0)?;
                self.expect(")")?;
                Ok(found)
            }
            TokenKind::Mark if text == "{" => self.matchers(true),
            TokenKind::Aggregation if is_call || self.has_grouping() => self.aggregation(text),
            TokenKind::Name if is_call => self.call(text, token.location),
            TokenKind::Name | TokenKind::Aggregation | TokenKind::Keyword => {
                self.next += 1;
                if self.is("{") { self.matchers(false) } else { Ok(ValueType::Vector) }
            }
            _ => Err(self.unexpected(token, "a metric, a function, a number or `(`")),
        }
    }

    fn has_grouping(&self) -> bool {
        let next = self.tokens.get(self.next + 1).map_or("", |token| token.text(self.query));
        next.eq_ignore_ascii_case("by") || next.eq_ignore_ascii_case("without")
    }

    fn matchers(&mut self, alone: bool) -> Read<ValueType> {
        let start = self.location().start;
        self.expect("{")?;
        let mut says_something = !alone;
        while !self.take("}") {
            let is_name = self.peek().is_some_and(|token| !matches!(token.kind, TokenKind::Mark | TokenKind::Number | TokenKind::Unknown));
            if !is_name {
                return Err(self.missing("a label name or `}`"));
            }
            let is_text = self.peek().is_some_and(|token| token.kind == TokenKind::Text);
            self.next += 1;
            if is_text && (self.is(",") || self.is("}")) {
                says_something = true;
            } else {
                says_something |= self.matcher()?;
            }
            if !self.is("}") && !self.take(",") {
                return Err(self.missing("`,` or `}`"));
            }
        }
        if !says_something {
            let end = self.tokens.get(self.next.saturating_sub(1)).map_or(start, |token| token.location.end);
            let problem = "This selector matches every series. At least one matcher must not match an absent label, such as a metric name.";
            return Err(PromqlError::parse(problem, TextRange { start, end }));
        }
        Ok(ValueType::Vector)
    }

    /// Reads operator and value of a matcher. Returns whether it rejects an absent label.
    fn matcher(&mut self) -> Read<bool> {
        let operator = self.text();
        if !["=", "!=", "=~", "!~"].contains(&operator) {
            return Err(self.missing("`=`, `!=`, `=~` or `!~`"));
        }
        self.next += 1;
        let Some(token) = self.peek().filter(|token| token.kind == TokenKind::Text) else {
            return Err(self.missing("a quoted string"));
        };
        let text = token.text(self.query);
        let inside = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        if text.len() < 2 || !text.ends_with(text.get(..1).unwrap_or("\"")) {
            return Err(self.unexpected(token, "a string"));
        }
        self.next += 1;
        let pattern = operator.ends_with('~').then(|| Pattern::whole(inside));
        match pattern {
            None => Ok((operator == "=") != inside.is_empty()),
            // Unescaping is left to the main parser, so patterns with escapes are not checked here.
            Some(None) if !inside.contains('\\') => {
                Err(PromqlError::parse(format!("{text} is not a supported regular expression."), token.location))
            }
            Some(None) => Ok(true),
            Some(Some(pattern)) => Ok(pattern.regex.is_match("") != (operator == "=~")),
        }
    }

    fn aggregation(&mut self, name: &str) -> Read<ValueType> {
        self.next += 1;
        let is_grouped = self.grouping()?;
        self.expect("(")?;
        let wants = match name.to_ascii_lowercase().as_str() {
            "topk" | "bottomk" | "quantile" | "limitk" | "limit_ratio" => Some(ValueType::Scalar),
            "count_values" => Some(ValueType::Text),
            _ => None,
        };
        let mut types = wants.into_iter().chain([ValueType::Vector]).peekable();
        while let Some(wanted) = types.next() {
            self.argument(name, wanted)?;
            if types.peek().is_some() {
                self.expect(",")?;
            }
        }
        self.expect(")")?;
        if !is_grouped {
            self.grouping()?;
        }
        Ok(ValueType::Vector)
    }

    fn grouping(&mut self) -> Read<bool> {
        let found = self.take("by") || self.take("without");
        if found {
            self.label_list()?;
        }
        Ok(found)
    }

    fn argument(&mut self, name: &str, wanted: ValueType) -> Read<()> {
        let start = self.location().start;
        let found = self.expr(0)?;
        if found == wanted {
            return Ok(());
        }
        let end = self.tokens.get(self.next.saturating_sub(1)).map_or(start, |token| token.location.end);
        let hint = match (wanted, found) {
            (ValueType::Matrix, ValueType::Vector) => " Add a range after the metric: [5m].",
            (ValueType::Vector, ValueType::Matrix) => " Remove the range, or wrap it in a function such as rate().",
            _ => "",
        };
        let problem = format!("{name} takes {} here, not {}.{hint}", wanted.words(), found.words());
        Err(PromqlError::parse(problem, TextRange { start, end }))
    }

    fn call(&mut self, name: &str, location: TextRange) -> Read<ValueType> {
        let Some(function) = find(name) else {
            return Err(PromqlError::parse(format!("There is no function {name}.{}", similar(name)), location));
        };
        self.next += 1;
        self.expect("(")?;
        let mut count = 0;
        while !self.take(")") {
            if count > 0 && !self.take(",") {
                return Err(self.missing("`,` or `)`"));
            }
            let Some(wanted) = wanted(function, count) else { return Err(too_many(function, location)) };
            self.argument(name, wanted)?;
            count += 1;
        }
        let min = function.arguments.len() - usize::from(function.optional != 0 && !function.arguments.is_empty());
        if count < min {
            let bound = if function.optional == 0 { "" } else { "at least " };
            let problem = format!("{name} takes {bound}{min} arguments, found {count}.");
            return Err(PromqlError::parse(problem, location));
        }
        Ok(function.answers)
    }
}

fn wanted(function: &Function, index: usize) -> Option<ValueType> {
    match function.arguments.get(index) {
        Some(wanted) => Some(*wanted),
        None if function.optional < 0 => function.arguments.last().copied(),
        None => None,
    }
}

fn too_many(function: &Function, location: TextRange) -> PromqlError {
    let most = function.arguments.len();
    PromqlError::parse(format!("{} takes at most {most} arguments.", function.name), location)
}

/// Suggests a function with a similar name.
fn similar(name: &str) -> String {
    let same_start = |other: &str| other.bytes().zip(name.bytes()).take_while(|(one, other)| one == other).count();
    let best = super::functions::functions().max_by_key(|function| (same_start(function.name), std::cmp::Reverse(function.name.len())));
    match best.filter(|function| same_start(function.name) >= 3) {
        Some(function) => format!(" Did you mean {}?", function.name),
        None => String::new(),
    }
}

fn binary(operator: Operator, is_bool: bool, left: ValueType, right: ValueType, location: TextRange) -> Read<ValueType> {
    let scalars = usize::from(left == ValueType::Scalar) + usize::from(right == ValueType::Scalar);
    if let Some(odd) = [left, right].into_iter().find(|side| !matches!(side, ValueType::Scalar | ValueType::Vector)) {
        let problem = format!("Operators need scalars or instant vectors, not {}.", odd.words());
        return Err(PromqlError::parse(problem, location));
    }
    if is_bool && !operator.compares() {
        return Err(PromqlError::parse("`bool` must follow a comparison operator.", location));
    }
    if operator.is_set() && scalars > 0 {
        return Err(PromqlError::parse("`and`, `or` and `unless` need instant vectors, not scalars.", location));
    }
    if operator.compares() && scalars == 2 && !is_bool {
        return Err(PromqlError::parse("Comparing two scalars needs bool: == bool.", location));
    }
    Ok(if scalars == 2 { ValueType::Scalar } else { ValueType::Vector })
}
