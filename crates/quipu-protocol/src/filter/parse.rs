//! The parser: text to filter, or an error with a position.
//!
//! Grammar: adjacent terms must all hold; `OR` binds weaker; `NOT` and `-` precede a term; `( … )` groups, `{ … }` is about one span.
//! `amount` parses amounts, `fields` has the field names.

use super::amount;
use super::attribute::{AttributeTest, Decimal, ValueTest};
use super::error::FilterError;
use super::expression::{Compare, Condition, Expression, Test};
use super::fields::{self, Field, NumberField, Scope, Unit};
use super::lex::{Piece, Sign, sign_at, value_at, word_end};
use super::order::Order;
use super::pattern::{Pattern, TextTest};
use quipu_model::SpanKind;

/// Maximum nesting of parentheses and braces, because the parser is recursive.
const MAX_DEPTH: usize = 32;
/// Maximum number of conditions: each costs a pass over a column.
const MAX_TESTS: usize = 200;
/// Maximum length of a filter in bytes.
const MAX_BYTES: usize = 16_384;

type Parsed<T> = Result<T, FilterError>;

/// A top-level term and its position.
pub(super) struct ParsedTerm {
    pub expression: Expression,
    pub start: usize,
    pub end: usize,
}

/// Parses a filter into its top-level terms. A filter with a top-level `OR` is a single term.
pub(super) fn parse(text: &str) -> Parsed<Vec<ParsedTerm>> {
    if text.len() > MAX_BYTES {
        return Err(FilterError::new(format!("The filter is longer than {MAX_BYTES} bytes."), MAX_BYTES, text.len()));
    }
    let mut parser = Parser { text, at: 0, depth: 0, tests: 0 };
    let mut choices = vec![parser.terms(Scope::Trace)?];
    while parser.take_or(&choices)? {
        choices.push(parser.terms(Scope::Trace)?);
    }
    if let Some(closing) = parser.peek() {
        let opening = if closing == ')' { '(' } else { '{' };
        let end = parser.at + closing.len_utf8();
        return Err(FilterError::new(format!("This {closing} has no matching {opening}."), parser.at, end));
    }
    if choices.len() == 1 {
        return Ok(choices.pop().unwrap_or_default());
    }
    let start = choices.first().and_then(|terms| terms.first()).map_or(0, |term| term.start);
    let end = choices.last().and_then(|terms| terms.last()).map_or(0, |term| term.end);
    Ok(vec![ParsedTerm { expression: one_of(choices), start, end }])
}

/// Combines the terms into one expression.
pub(super) fn joined(terms: Vec<ParsedTerm>) -> Expression {
    Expression::all(terms.into_iter().map(|term| term.expression).collect())
}

fn one_of(choices: Vec<Vec<ParsedTerm>>) -> Expression {
    Expression::any(choices.into_iter().map(joined).collect())
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    tests: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn error<T>(&self, message: impl Into<String>, start: usize) -> Parsed<T> {
        Err(FilterError::new(message, start, self.at))
    }

    /// Whether a keyword is next, not followed by an operator.
    fn keyword(&self, word: &str) -> bool {
        let end = self.at + word_end(self.rest(), false);
        self.text.get(self.at..end) == Some(word) && sign_at(self.text.get(end..).unwrap_or_default()).is_none()
    }

    fn take_keyword(&mut self, word: &str) -> bool {
        let found = self.keyword(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn take_or(&mut self, choices: &[Vec<ParsedTerm>]) -> Parsed<bool> {
        let start = self.at;
        if !self.take_keyword("OR") {
            return Ok(false);
        }
        if choices.last().is_some_and(Vec::is_empty) {
            return self.error("A term is missing before OR.", start);
        }
        let after = self.at;
        self.skip_blanks();
        if self.peek().is_none_or(|next| matches!(next, ')' | '}')) || self.keyword("OR") {
            return Err(FilterError::new("A term is missing after OR.", start, after));
        }
        Ok(true)
    }

    /// Parses adjacent terms up to an `OR`, a closing bracket or the end.
    fn terms(&mut self, scope: Scope) -> Parsed<Vec<ParsedTerm>> {
        let mut terms = Vec::new();
        loop {
            self.skip_blanks();
            let start = self.at;
            if self.peek().is_none_or(|next| matches!(next, ')' | '}')) || self.keyword("OR") {
                return Ok(terms);
            }
            if self.take_keyword("AND") {
                let after = self.at;
                self.skip_blanks();
                let missing = if terms.is_empty() {
                    "before"
                } else if self.peek().is_none_or(|next| matches!(next, ')' | '}')) || self.keyword("OR") || self.keyword("AND") {
                    "after"
                } else {
                    continue;
                };
                return Err(FilterError::new(format!("A term is missing {missing} AND."), start, after));
            }
            let expression = self.term(scope)?;
            terms.push(ParsedTerm { expression, start, end: self.at });
        }
    }

    /// Parses a term, including negations.
    fn term(&mut self, scope: Scope) -> Parsed<Expression> {
        let mut negated = false;
        loop {
            let start = self.at;
            let sign = if self.rest().starts_with('-') {
                self.at += 1;
                "-"
            } else if self.take_keyword("NOT") {
                self.skip_blanks();
                "NOT"
            } else {
                break;
            };
            negated = !negated;
            let is_missing = |next: char| next.is_whitespace() || matches!(next, ')' | '}');
            if self.peek().is_none_or(is_missing) || (sign == "NOT" && (self.keyword("OR") || self.keyword("AND"))) {
                return Err(FilterError::new(format!("A term is missing after {sign}."), start, start + sign.len()));
            }
        }
        let found = match self.peek() {
            Some('(') => self.group(scope, ')')?,
            Some('{') if scope == Scope::Trace => Expression::Span(Box::new(self.group(Scope::Braces, '}')?)),
            Some('{') => {
                let start = self.at;
                self.at += 1;
                return self.error("Braces can't be nested: each pair is about one span.", start);
            }
            _ => self.condition(scope)?,
        };
        Ok(if negated { found.negated() } else { found })
    }

    fn group(&mut self, scope: Scope, closing: char) -> Parsed<Expression> {
        let start = self.at;
        self.at += 1;
        if self.depth >= MAX_DEPTH {
            return self.error(format!("Parentheses and braces are nested more than {MAX_DEPTH} levels deep."), start);
        }
        self.depth += 1;
        let mut choices = vec![self.terms(scope)?];
        while self.take_or(&choices)? {
            choices.push(self.terms(scope)?);
        }
        self.depth -= 1;
        let (opening, what) = if closing == ')' { ('(', "parentheses") } else { ('{', "braces") };
        match self.peek() {
            Some(next) if next == closing => self.at += 1,
            Some(next) => {
                let at = self.at;
                self.at += next.len_utf8();
                return self.error(format!("Expected {closing} to close the last {opening}."), at);
            }
            None => return Err(FilterError::new(format!("This {opening} has no matching {closing}."), start, start + 1)),
        }
        if choices.iter().any(Vec::is_empty) {
            return self.error(format!("These {what} are empty."), start);
        }
        Ok(one_of(choices))
    }

    fn quoted(&mut self) -> Parsed<String> {
        let start = self.at;
        match super::lex::quoted(self.rest()) {
            Some((text, length)) => {
                self.at += length;
                Ok(text)
            }
            None => Err(FilterError::new("This quotation mark is not closed.", start, start + 1)),
        }
    }

    fn condition(&mut self, scope: Scope) -> Parsed<Expression> {
        let start = self.at;
        let root = self.rest().starts_with("root.");
        if root {
            self.at += "root.".len();
            if scope == Scope::Braces {
                return self.error("root. can't be used in braces, which match any span; move the condition outside.", start);
            }
        }
        let scope = if root { Scope::Root } else { scope };
        self.tests += 1;
        if self.tests > MAX_TESTS {
            self.at = self.text.len();
            return self.error(format!("A filter can have at most {MAX_TESTS} conditions."), start);
        }
        let condition = self.bare_condition(scope)?;
        Ok(Expression::Test(Test { root, condition }))
    }

    fn bare_condition(&mut self, scope: Scope) -> Parsed<Condition> {
        let start = self.at;
        let is_attribute = self.rest().starts_with("attr.") && {
            let end = word_end(self.rest(), false);
            self.rest().get(end..).is_some_and(|after| sign_at(after).is_some() || (end == 5 && after.starts_with('"')))
        };
        self.at += if is_attribute { 5 } else { 0 };
        let name_start = self.at;
        if self.rest().starts_with('"') {
            let text = self.quoted()?;
            if is_attribute || sign_at(self.rest()).is_some() {
                return self.attribute(text, start);
            }
            if text.trim().is_empty() {
                return self.error("These quotation marks are empty.", start);
            }
            return Ok(Condition::Holds(text));
        }
        self.at += word_end(self.rest(), false);
        let name = self.text.get(name_start..self.at).unwrap_or_default();
        if sign_at(self.rest()).is_none() {
            if name.is_empty() {
                return self.error("A condition is missing after root., such as root.error:true.", start);
            }
            return Ok(Condition::Word(word_pattern(name)));
        }
        if name.is_empty() {
            self.skip_blanks();
            let (_, length) = sign_at(self.rest()).unwrap_or((Sign::Has, 1));
            let sign = self.rest().get(..length).unwrap_or_default();
            self.at += length;
            return self.error(format!("The name of a field or attribute is missing before {sign}."), start);
        }
        if name.contains('*') {
            return self.error(format!("{name} can't be a name: * is only a wildcard in values. Put it in quotes if it is a key."), start);
        }
        match fields::find(name).filter(|_| !is_attribute) {
            None => self.attribute(name.to_owned(), start),
            Some(field) => {
                if scope != Scope::Trace && !fields::is_of_spans(field) {
                    let place = if scope == Scope::Root { "after root" } else { "in braces" };
                    return self.error(format!("{name} applies to the whole trace; it can't be used {place}."), start);
                }
                self.field(name, field)
            }
        }
    }

    /// Parses the operator and the value after a name. The value is required.
    fn sign_and_value(&mut self) -> Parsed<(Sign, Vec<Piece>, usize)> {
        let sign_start = self.at;
        self.skip_blanks();
        let Some((sign, length)) = sign_at(self.rest()) else { return self.error("Expected an operator such as : or >.", sign_start) };
        self.at += length;
        let sign_end = self.at;
        self.skip_blanks();
        let start = self.at;
        let (pieces, length) = value_at(self.rest()).map_err(|at| {
            let at = start + at;
            FilterError::new("This quotation mark is not closed.", at, at + 1)
        })?;
        if pieces.is_empty() {
            let before = self.text.get(..sign_end).unwrap_or_default();
            let name = before.rsplit(|letter: char| letter.is_whitespace() || "(){}".contains(letter)).next().unwrap_or_default();
            return Err(FilterError::new(format!("A value is missing after {name}."), sign_end, sign_end));
        }
        self.at += length;
        Ok((sign, pieces, start))
    }

    fn attribute(&mut self, key: String, start: usize) -> Parsed<Condition> {
        if key.is_empty() {
            return self.error("An attribute's key can't be empty.", start);
        }
        let name_start = start;
        let (sign, pieces, start) = self.sign_and_value()?;
        let test = match sign {
            Sign::Order(order) => {
                let text = plain(&pieces);
                let Some(number) = Decimal::read(&text) else {
                    let is_amount = [Unit::Duration, Unit::Count, Unit::Time].into_iter().any(|unit| amount::read(unit, &text).is_ok());
                    // A unit belongs to a field, so the name is the mistake.
                    return Err(match fields::meant(&key).filter(|_| is_amount) {
                        Some(meant) => {
                            FilterError::new(format!("There is no field {key}. Did you mean {meant}?"), name_start, name_start + key.len())
                        }
                        None => {
                            let words =
                                format!("{text} is not a number; {key} is an attribute, which {} compares with numbers.", order.sign());
                            FilterError::new(words, start, self.at)
                        }
                    });
                };
                ValueTest::Number(order, number)
            }
            sign => ValueTest::Text(self.text_test(sign, &pieces, &key, start)?),
        };
        Ok(Condition::Attribute(AttributeTest { key, test }))
    }

    fn text_test(&self, sign: Sign, pieces: &[Piece], name: &str, start: usize) -> Parsed<TextTest> {
        let is_star = matches!(pieces, [Piece::Star]);
        let all_quoted = pieces.iter().all(|piece| matches!(piece, Piece::Quoted(_)));
        Ok(match sign {
            Sign::Has | Sign::Is if is_star => TextTest::Present,
            Sign::Has if !all_quoted => match pattern(pieces) {
                found if found.parts.is_empty() => TextTest::Present,
                found => TextTest::Like(found),
            },
            Sign::Has | Sign::Is => TextTest::Is(plain(pieces)),
            Sign::Not if is_star => {
                return self.error(format!("To find spans without {name}, use -{name}=*."), start);
            }
            Sign::Not => TextTest::IsNot(plain(pieces)),
            Sign::Order(order) => {
                return self.error(format!("{name} is a string; it supports :, = and !=, but not {}.", order.sign()), start);
            }
        })
    }

    fn field(&mut self, name: &str, field: Field) -> Parsed<Condition> {
        let (mut sign, mut pieces, mut start) = self.sign_and_value()?;
        if let (Field::Number(_), Sign::Has, [Piece::Plain(value), ..]) = (field, sign, pieces.as_slice())
            && let Some((inner @ (Sign::Order(_) | Sign::Is | Sign::Not), _)) = sign_at(value)
        {
            // `duration:>2s`, the syntax of some other languages.
            self.at = start;
            (_, pieces, start) = self.sign_and_value()?;
            sign = inner;
        }
        if let Field::Text(text) = field {
            return Ok(Condition::Text(text, self.text_test(sign, &pieces, name, start)?));
        }
        let value = plain(&pieces);
        let is = match sign {
            Sign::Has | Sign::Is => true,
            Sign::Not => false,
            Sign::Order(order) if !matches!(field, Field::Number(_)) => {
                return self.error(format!("{name} supports :, = and !=, but not {}.", order.sign()), start);
            }
            Sign::Order(_) => true,
        };
        match field {
            Field::Number(number) => self.number(number, sign, &value, start).map(|compare| Condition::Number(number, compare)),
            Field::Error => match value.as_str() {
                "true" => Ok(Condition::Failed(is)),
                "false" => Ok(Condition::Failed(!is)),
                _ => self
                    .error(format!("error is true or false, not {value}. To match the text of an error, use attr.error:… instead."), start),
            },
            Field::Kind => match SpanKind::ALL.into_iter().find(|kind| kind.label().eq_ignore_ascii_case(&value)) {
                Some(kind) => Ok(Condition::Kind { kind, is }),
                None => {
                    let known = SpanKind::ALL.map(SpanKind::label).join(", ");
                    self.error(format!("{value} is not a span kind; kinds are {known}."), start)
                }
            },
            Field::Id(_) if !is => self.error(format!("{name} supports : and =; use -{name}:{value} for the opposite."), start),
            Field::Id(of) => Ok(Condition::Id { of, text: value, whole: sign == Sign::Is }),
            Field::Text(_) => self.error("This field is a string.", start),
        }
    }

    fn number(&self, field: NumberField, sign: Sign, value: &str, start: usize) -> Parsed<Compare> {
        let read = |text: &str| amount::read(field.unit(), text).or_else(|message| self.error(message, start));
        let order = match sign {
            Sign::Order(order) => return Ok(Compare::Order(order, read(value)?)),
            Sign::Not => return Ok(Compare::Not(read(value)?)),
            Sign::Has | Sign::Is => value.split_once(".."),
        };
        let Some((from, to)) = order else { return Ok(Compare::Is(read(value)?)) };
        let read = |text: &str| if text.is_empty() { Ok(None) } else { read(text).map(Some) };
        match (read(from)?, read(to)?) {
            (None, None) => self.error("A range needs at least one end, such as 1s..5s or ..5s.", start),
            (Some(one), Some(other)) if one.at > other.last() => {
                self.error(format!("{from}..{to} is empty; put the smaller value first."), start)
            }
            // Other forms are printed as comparisons.
            (Some(from), None) => Ok(Compare::Order(Order::AtLeast, from)),
            (None, Some(to)) if to.width == 1 => Ok(Compare::Order(Order::AtMost, to)),
            (from, to) => Ok(Compare::Between(from, to)),
        }
    }
}

/// Joins the pieces into one string.
fn plain(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Plain(text) | Piece::Quoted(text) => text.as_str(),
            Piece::Star => "*",
        })
        .collect()
}

/// Without a `*`, a pattern matches anywhere in a string.
fn pattern(pieces: &[Piece]) -> Pattern {
    let is_empty = |piece: &&Piece| **piece == Piece::Quoted(String::new());
    let pieces: Vec<&Piece> = pieces.iter().filter(|piece| !is_empty(piece)).collect();
    let has_star = pieces.contains(&&Piece::Star);
    let mut parts: Vec<String> = Vec::new();
    let mut goes_on = false;
    for piece in &pieces {
        match (*piece, parts.last_mut()) {
            (Piece::Star, _) => goes_on = false,
            (Piece::Plain(text) | Piece::Quoted(text), Some(last)) if goes_on => last.push_str(text),
            (Piece::Plain(text) | Piece::Quoted(text), _) => {
                parts.push(text.clone());
                goes_on = true;
            }
        }
    }
    let open = |piece: Option<&&Piece>| !has_star || piece == Some(&&Piece::Star);
    Pattern { parts, open_start: open(pieces.first()), open_end: open(pieces.last()) }
}

fn word_pattern(word: &str) -> Pattern {
    pattern(&super::lex::stars(word))
}
