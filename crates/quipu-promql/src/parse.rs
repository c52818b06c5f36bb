//! Parses a query with promql-parser and converts its tree. No type of that crate leaves this module.
//!
//! The crate's tree has no locations, and its errors often no explanation: `explain` provides both. Queries that would make the crate panic
//! or overflow the stack are rejected beforehand.

use super::ast::{Aggregate, At, Binary, Cardinality, Expr, ExprKind, Grouping, Selector, Subquery, Timing};
use super::error::{PromqlError, TextRange};
use super::explain::explain;
use super::functions::{Form, find};
use super::lex::{Token, TokenKind, tokens};
use super::matcher::{MatchOperator, Matcher};
use super::operator::Operator;
use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser as upstream;
use std::borrow::Cow;
use std::sync::Once;
use std::time::{Duration, SystemTime};

/// Limits on the length, nested brackets and operators of a query, because trees are processed recursively.
const MAX_BYTES: usize = 10_000;
const MAX_DEPTH: usize = 50;
const MAX_OPERATORS: usize = 250;
/// Upper limit of a duration in seconds: a thousand years.
const MAX_SECONDS: f64 = 3.2e10;

/// Parses a query.
///
/// # Errors
/// If the query is not valid; with a location.
pub(crate) fn parse(query: &str) -> Result<Expr, PromqlError> {
    let tokens = tokens(query);
    check_size(query, &tokens)?;
    // Prometheus 3 knows it under a new name only, but dashboards use the old one.
    static OLD_NAMES: Once = Once::new();
    OLD_NAMES.call_once(|| {
        use upstream::value::ValueType::{Matrix, Scalar, Vector};
        let function = upstream::Function::new("holt_winters", vec![Matrix, Scalar, Scalar], 0, Vector, false);
        // Fails only if the crate starts to support the name.
        upstream::register_extra_functions(vec![function]).ok();
    });
    let parsed = upstream::parse(&without_trims(query, &tokens)).map_err(|message| explain(query, &tokens, &message))?;
    let mut reader = Reader { query, tokens: &tokens, next: 0 };
    reader.expr(parsed)
}

/// The query with `==` for the operators that cut histograms, which the crate does not know. They bind as tightly and are as long.
fn without_trims<'q>(query: &'q str, tokens: &[Token]) -> Cow<'q, str> {
    let mut changed = Cow::Borrowed(query);
    for token in tokens.iter().filter(|token| Operator::from_text(token.text(query)).is_some_and(Operator::trims)) {
        changed.to_mut().replace_range(token.location.start..token.location.end, "==");
    }
    changed
}

fn check_size(query: &str, tokens: &[Token]) -> Result<(), PromqlError> {
    let whole = TextRange { start: 0, end: query.len() };
    if query.trim().is_empty() {
        return Err(PromqlError::parse("The query is empty. Write the name of a metric, or an expression.", whole));
    }
    if query.len() > MAX_BYTES {
        return Err(PromqlError::parse(format!("The query is longer than {MAX_BYTES} bytes."), whole));
    }
    let (mut depth, mut operators, mut in_brackets) = (0_usize, 0_usize, false);
    let mut before = "";
    for token in tokens {
        let text = token.text(query);
        match text {
            "(" | "{" | "[" => depth += 1,
            ")" | "}" | "]" => depth = depth.saturating_sub(1),
            _ => operators += usize::from(token.kind == TokenKind::Operator),
        }
        in_brackets = (in_brackets || text == "[") && text != "]";
        if depth > MAX_DEPTH || operators > MAX_OPERATORS {
            let problem = format!("The query is too complex: at most {MAX_DEPTH} nested brackets and {MAX_OPERATORS} operators.");
            return Err(PromqlError::parse(problem, token.location));
        }
        let is_duration = in_brackets || before.eq_ignore_ascii_case("offset");
        if is_duration && text.parse::<f64>().is_ok_and(|seconds| !(0.0..MAX_SECONDS).contains(&seconds)) {
            return Err(PromqlError::parse(format!("{text} is not a supported duration in seconds."), token.location));
        }
        if text != "-" && text != "+" {
            before = text;
        }
    }
    Ok(())
}

/// Walks the crate's tree along with the tokens, which are in the same order.
struct Reader<'q> {
    query: &'q str,
    tokens: &'q [Token],
    next: usize,
}

impl Reader<'_> {
    /// Advances to the next token that satisfies `wanted`, and returns its location.
    fn find(&mut self, wanted: &dyn Fn(&str) -> bool) -> TextRange {
        let rest = self.tokens.get(self.next..).unwrap_or_default();
        match rest.iter().position(|token| wanted(token.text(self.query))) {
            Some(at) => {
                self.next += at + 1;
                rest.get(at).map_or(TextRange::default(), |token| token.location)
            }
            None => TextRange { start: 0, end: self.query.len() },
        }
    }

    /// Advances past the bracket that closes the current one.
    fn skip_braces(&mut self) -> Option<TextRange> {
        let token = self.tokens.get(self.next).filter(|token| token.text(self.query) == "{")?;
        let start = token.location;
        let end = self.find(&|text| text == "}");
        Some(TextRange { start: start.start, end: end.end })
    }

    fn expr(&mut self, expr: upstream::Expr) -> Result<Expr, PromqlError> {
        let start = self.next;
        Ok(match expr {
            upstream::Expr::NumberLiteral(number) => {
                let location = self.find(&|text| text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '.'));
                Expr { kind: ExprKind::Number(number.val), location }
            }
            upstream::Expr::StringLiteral(text) => {
                let location = self.find(&|text| text.starts_with(['"', '\'', '`']));
                if self.query.get(location.start..location.end).is_some_and(writes_bytes) {
                    let problem = "\\x80 and above are bytes, of which alone no text is made. Write letters as they are, or as \\u00e9.";
                    return Err(PromqlError::parse(problem, location));
                }
                Expr { kind: ExprKind::Text(text.val), location }
            }
            upstream::Expr::VectorSelector(selector) => {
                let (selector, location) = self.selector(selector)?;
                Expr { kind: ExprKind::Select(selector), location }
            }
            upstream::Expr::MatrixSelector(matrix) => {
                let (selector, location) = self.selector(matrix.vs)?;
                Expr { kind: ExprKind::Range(selector, millis(matrix.range)), location }
            }
            upstream::Expr::Paren(paren) => {
                let location = self.find(&|text| text == "(");
                Expr { kind: ExprKind::Paren(Box::new(self.expr(*paren.expr)?)), location }
            }
            upstream::Expr::Unary(unary) => {
                let location = self.find(&|text| text == "-");
                Expr { kind: ExprKind::Negate(Box::new(self.expr(*unary.expr)?)), location }
            }
            upstream::Expr::Subquery(subquery) => {
                let expr = self.expr(*subquery.expr)?;
                let location = self.find(&|text| text == "[");
                let (range, step) = (millis(subquery.range), subquery.step.map(millis));
                let timing = timing(subquery.at, subquery.offset);
                if step == Some(0) {
                    return Err(PromqlError::parse("The step of a subquery must be at least one millisecond.", location));
                }
                Expr { kind: ExprKind::Subquery(Box::new(Subquery { expr, range, step, timing })), location }
            }
            upstream::Expr::Call(call) => self.call(call)?,
            upstream::Expr::Aggregate(aggregate) => self.aggregate(aggregate)?,
            upstream::Expr::Binary(binary) => self.binary(binary)?,
            upstream::Expr::Extension(_) => {
                let location = self.tokens.get(start).map_or(TextRange::default(), |token| token.location);
                return Err(PromqlError::parse("This expression is not supported.", location));
            }
        })
    }

    fn call(&mut self, call: upstream::Call) -> Result<Expr, PromqlError> {
        let name = call.func.name;
        let location = self.find(&|text| text == name);
        let function = find(name).ok_or_else(|| PromqlError::parse(format!("The function {name} is not supported."), location))?;
        let problem = match function.form {
            Form::Unsupported => Some("is an experimental function of Prometheus and not supported"),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(PromqlError::parse(format!("{name} {problem}."), location));
        }
        let arguments = call.args.args.into_iter().map(|argument| self.expr(*argument)).collect::<Result<_, _>>()?;
        Ok(Expr { kind: ExprKind::Call(function, arguments), location })
    }

    fn aggregate(&mut self, aggregate: upstream::AggregateExpr) -> Result<Expr, PromqlError> {
        let operator = aggregate.op.to_string().to_ascii_lowercase();
        let location = self.find(&|text| text.eq_ignore_ascii_case(&operator));
        if operator == "limit_ratio" {
            return Err(PromqlError::parse("limit_ratio is an experimental aggregation of Prometheus and not supported.", location));
        }
        let param = aggregate.param.map(|param| self.expr(*param)).transpose()?;
        let expr = self.expr(*aggregate.expr)?;
        let grouping = aggregate.modifier.map_or(Grouping::Only(Vec::new()), grouping);
        Ok(Expr { kind: ExprKind::Aggregate(Box::new(Aggregate { operator, grouping, param, expr })), location })
    }

    fn binary(&mut self, binary: upstream::BinaryExpr) -> Result<Expr, PromqlError> {
        let left = self.expr(*binary.lhs)?;
        let text = binary.op.to_string();
        let stands_for_trim = |found: &str| text == "==" && Operator::from_text(found).is_some_and(Operator::trims);
        let location = self.find(&|found| found.eq_ignore_ascii_case(&text) || stands_for_trim(found));
        let written = self.query.get(location.start..location.end).filter(|found| stands_for_trim(found)).unwrap_or(&text);
        let operator =
            Operator::from_text(written).ok_or_else(|| PromqlError::parse(format!("The operator {text} is not supported."), location))?;
        let modifier = binary.modifier.unwrap_or_default();
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(PromqlError::parse("fill is an experimental modifier of Prometheus and not supported.", location));
        }
        let right = self.expr(*binary.rhs)?;
        let cardinality = match modifier.card {
            upstream::VectorMatchCardinality::ManyToOne(labels) => Cardinality::ManyToOne(labels.labels),
            upstream::VectorMatchCardinality::OneToMany(labels) => Cardinality::OneToMany(labels.labels),
            _ => Cardinality::OneToOne,
        };
        let matching = modifier.matching.map_or(Grouping::Without(Vec::new()), grouping);
        let binary = Binary { operator, left, right, matching, cardinality, is_bool: modifier.return_bool };
        Ok(Expr { kind: ExprKind::Binary(Box::new(binary)), location })
    }

    fn selector(&mut self, selector: upstream::VectorSelector) -> Result<(Selector, TextRange), PromqlError> {
        let mut location = match &selector.name {
            Some(name) if self.names_metric(name) => self.find(&|text| text == name),
            _ => TextRange::default(),
        };
        while self.next < self.tokens.len() && location == TextRange::default() {
            match self.skip_braces() {
                Some(braces) => location = braces,
                None => self.next += 1,
            }
        }
        if let Some(braces) = self.skip_braces() {
            location.end = braces.end;
        }
        let mut matchers = Vec::new();
        if let Some(name) = &selector.name {
            matchers.push(Matcher::new(super::labels::METRIC_NAME, MatchOperator::Is, name, location)?);
        }
        let Matchers { matchers: list, or_matchers } = selector.matchers;
        if !or_matchers.is_empty() {
            return Err(PromqlError::parse("Matchers are separated by commas; `or` is not supported.", location));
        }
        for matcher in list {
            let operator = match matcher.op {
                MatchOp::Equal => MatchOperator::Is,
                MatchOp::NotEqual => MatchOperator::IsNot,
                MatchOp::Re(_) => MatchOperator::Matches,
                MatchOp::NotRe(_) => MatchOperator::MatchesNot,
            };
            matchers.push(Matcher::new(&matcher.name, operator, &matcher.value, location)?);
        }
        Ok((Selector { matchers, timing: timing(selector.at, selector.offset) }, location))
    }

    /// Whether the metric name is before the braces rather than inside.
    fn names_metric(&self, name: &str) -> bool {
        let rest = self.tokens.get(self.next..).unwrap_or_default();
        let location = |wanted: &str| rest.iter().position(|token| token.text(self.query) == wanted).unwrap_or(usize::MAX);
        location(name) < location("{")
    }
}

/// Whether a quoted string has an escape for a byte that is not a character.
fn writes_bytes(quoted: &str) -> bool {
    let mut escapes = quoted.split("\\\\").flat_map(|part| part.split('\\').skip(1));
    !quoted.starts_with('`')
        && escapes.any(|escape| matches!(escape.as_bytes(), [b'x', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] | [b'2' | b'3', ..]))
}

fn grouping(modifier: upstream::LabelModifier) -> Grouping {
    match modifier {
        upstream::LabelModifier::Include(labels) => Grouping::Only(labels.labels),
        upstream::LabelModifier::Exclude(labels) => Grouping::Without(labels.labels),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn timing(at: Option<upstream::AtModifier>, offset: Option<upstream::Offset>) -> Timing {
    let at = at.map(|at| match at {
        upstream::AtModifier::Start => At::Start,
        upstream::AtModifier::End => At::End,
        upstream::AtModifier::At(time) => At::Time(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        }),
    });
    let offset = match offset {
        None => 0,
        Some(upstream::Offset::Pos(back)) => millis(back),
        Some(upstream::Offset::Neg(ahead)) => -millis(ahead),
    };
    Timing { at, offset }
}
