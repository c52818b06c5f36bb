//! Which log records a filter matches: decided from memory where that is possible, otherwise by reading the record.
//!
//! Words, texts and attributes are asked of the record, as are `name`, `start`, `service`, `scope` and the ids; everything else is a
//! condition on its trace.

use super::{Entry, Logs, OTHER_NAME};
use crate::index::filter::{attribute_holds, decide};
use crate::index::{Bits, Decided, Index, NO_SPAN, NO_TIME};
use crate::search::TextMatcher;
use quipu_model::LogSeverity;
use quipu_model::dialect::{Says, says};
use quipu_model::recorded::entries;
use quipu_protocol::filter::expression::{Compare, Condition, Expression, Test};
use quipu_protocol::filter::fields::{IdField, NumberField, TextField};
use quipu_protocol::filter::pattern::TextTest;
use quipu_protocol::filter::{AttributeTest, Filter};

/// A filter, prepared for many records.
pub(super) enum LogTest {
    All(Vec<LogTest>),
    Any(Vec<LogTest>),
    Not(Box<LogTest>),
    Start(Compare),
    /// By the number of a name; the test is for names that have none.
    Name(Bits, TextTest),
    Service(Bits),
    Scope(Bits),
    Traces(Bits),
    Severity([bool; 7]),
    /// What the record contains.
    Holds(Vec<TextMatcher>),
    Attribute(AttributeTest),
    /// An attribute of an OTLP record that has one of these meanings.
    Says(&'static [Says], TextTest),
    Id {
        of: IdField,
        text: String,
        whole: bool,
    },
    Always,
}

/// What is read of a record for what memory does not decide.
pub(super) struct Texts<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: &'a [u8],
    pub(super) trace_id: &'a str,
    pub(super) span_id: &'a str,
}

impl LogTest {
    /// Prepares a filter.
    ///
    /// # Errors
    /// A sentence about what can't be asked of log records.
    pub(super) fn prepare(filter: &Filter, logs: &Logs, index: &Index) -> Result<LogTest, String> {
        prepare(&filter.expression, logs, index)
    }

    /// Whether a record matches, as far as memory tells; with its texts it always tells.
    pub(super) fn holds(&self, logs: &Logs, index: &Index, entry: &Entry, texts: Option<&Texts<'_>>) -> Option<bool> {
        let of = |part: &LogTest| part.holds(logs, index, entry, texts);
        match self {
            LogTest::All(parts) => decided(parts.iter().map(of), false),
            LogTest::Any(parts) => decided(parts.iter().map(of), true),
            LogTest::Not(inner) => of(inner).map(|holds| !holds),
            LogTest::Start(compare) => Some(entry.time != NO_TIME && compare.holds(entry.time)),
            LogTest::Name(_, test) if entry.name == OTHER_NAME => texts.map(|texts| test.matcher().holds(texts.name)),
            LogTest::Name(numbers, _) => Some(numbers.has(entry.name)),
            LogTest::Service(numbers) => Some(logs.service_of(index, entry).is_some_and(|number| numbers.has(number))),
            LogTest::Scope(numbers) => Some(logs.scope_of(index, entry).is_some_and(|number| numbers.has(number))),
            LogTest::Traces(traces) => Some(logs.trace_of(index, entry).is_some_and(|trace| traces.has(trace))),
            LogTest::Severity(those) => those.get(usize::from(entry.severity)).copied(),
            LogTest::Holds(matchers) => {
                let texts = texts?;
                Some(matchers.iter().all(|matcher| {
                    let is_id = |id: &str| !id.is_empty() && matcher.is_in_name(id);
                    matcher.is_in_name(texts.name)
                        || matcher.is_in_attributes(texts.attributes)
                        || is_id(texts.trace_id)
                        || is_id(texts.span_id)
                }))
            }
            LogTest::Attribute(test) => texts.map(|texts| attribute_holds(test, texts.attributes)),
            LogTest::Says(..) if !entry.is_record => Some(false),
            LogTest::Says(meanings, test) => {
                let texts = texts?;
                let matcher = test.matcher();
                let is_one = |key: &str| says(key).is_some_and(|says| meanings.contains(&says));
                let found = entries(texts.attributes).flatten().filter(|(key, _)| is_one(key));
                Some(found.filter_map(|(_, value)| value.as_str()).any(|text| matcher.holds(&text)))
            }
            LogTest::Id { of, text, whole } => {
                let holds = |id: &str| if *whole { id == text } else { id.starts_with(text.as_str()) };
                match (of, entry.row, texts) {
                    (IdField::Span, row, _) if row != NO_SPAN => Some(holds(&index.span_id_of(row))),
                    (IdField::Trace, row, _) if row != NO_SPAN => Some(holds(&index.trace_id_of(row))),
                    // Only records of OTLP name a span or a trace that is not in the file.
                    (_, _, None) if !entry.is_record => Some(false),
                    (IdField::Span, _, texts) => texts.map(|texts| holds(texts.span_id)),
                    (IdField::Trace, _, texts) => texts.map(|texts| holds(texts.trace_id)),
                }
            }
            LogTest::Always => Some(true),
        }
    }
}

/// All parts hold, or with `any` one of them, where some may be unknown.
fn decided(parts: impl Iterator<Item = Option<bool>>, any: bool) -> Option<bool> {
    let mut whole = Some(!any);
    for part in parts {
        match part {
            Some(holds) if holds == any => return Some(any),
            Some(_) => {}
            None => whole = None,
        }
    }
    whole
}

fn prepare(expression: &Expression, logs: &Logs, index: &Index) -> Result<LogTest, String> {
    let all = |parts: &[Expression]| parts.iter().map(|part| prepare(part, logs, index)).collect::<Result<Vec<_>, _>>();
    Ok(match expression {
        Expression::All(parts) => LogTest::All(all(parts)?),
        Expression::Any(parts) => LogTest::Any(all(parts)?),
        Expression::Not(inner) => LogTest::Not(Box::new(prepare(inner, logs, index)?)),
        Expression::Span(_) => of_traces(expression, index)?,
        Expression::Test(test) if test.root => of_traces(expression, index)?,
        Expression::Test(Test { condition, .. }) => match condition {
            Condition::Number(NumberField::Start, compare) => LogTest::Start(*compare),
            Condition::Text(TextField::Name, test) => {
                let matcher = test.matcher();
                let matching = Bits::collect(logs.names().len(), logs.names().iter().map(|name| matcher.holds(name)));
                LogTest::Name(matching, test.clone())
            }
            Condition::Text(TextField::Service, test) => LogTest::Service(matching(index.services().texts(), test)),
            Condition::Text(TextField::Scope, test) => LogTest::Scope(matching(index.scopes().texts(), test)),
            Condition::Id { of, text, whole } => LogTest::Id { of: *of, text: text.clone(), whole: *whole },
            Condition::Attribute(test) => severity_test(test).map_or_else(|| LogTest::Attribute(test.clone()), LogTest::Severity),
            Condition::Word(pattern) => LogTest::Holds(pattern.parts.iter().filter_map(|part| TextMatcher::new(part)).collect()),
            Condition::Holds(text) => TextMatcher::new(text).map_or(LogTest::Always, |matcher| LogTest::Holds(vec![matcher])),
            Condition::Text(field, test) => {
                let of_trace = of_traces(expression, index)?;
                match meanings(*field) {
                    Some(meanings) => LogTest::Any(vec![of_trace, LogTest::Says(meanings, test.clone())]),
                    None => of_trace,
                }
            }
            Condition::Number(..) | Condition::Kind { .. } | Condition::Failed(_) => of_traces(expression, index)?,
        },
    })
}

/// The meanings of attributes in which records of OTLP state a field themselves.
fn meanings(field: TextField) -> Option<&'static [Says]> {
    match field {
        TextField::Model => Some(&[Says::Model, Says::ResponseModel]),
        TextField::Tool => Some(&[Says::Tool]),
        TextField::Session => Some(&[Says::Session]),
        TextField::Turn => Some(&[Says::Turn]),
        TextField::Agent => Some(&[Says::AgentName, Says::AgentId]),
        TextField::Name | TextField::Status | TextField::Service | TextField::Scope => None,
    }
}

fn matching<'a>(values: impl Iterator<Item = &'a str>, test: &TextTest) -> Bits {
    let matcher = test.matcher();
    let holds: Vec<bool> = values.map(|value| matcher.holds(value)).collect();
    Bits::collect(holds.len(), holds.into_iter())
}

/// The traces a condition holds for.
fn of_traces(expression: &Expression, index: &Index) -> Result<LogTest, String> {
    let mut is_read = false;
    let filter = Filter { expression: expression.clone() };
    let found = decide(&filter, index, &mut |_| {
        is_read = true;
        Decided::unknown(index.span_count())
    });
    if is_read {
        return Err(format!(
            "{filter} has to be searched for in spans, which a list of log records can't do. Write it without braces and root."
        ));
    }
    Ok(LogTest::Traces(found.yes))
}

/// `severity:warn`, where the severity is known by its name; `None` for other attributes.
fn severity_test(test: &AttributeTest) -> Option<[bool; 7]> {
    use quipu_protocol::filter::attribute::ValueTest;
    let ValueTest::Text(text) = &test.test else { return None };
    if test.key != "severity" {
        return None;
    }
    let matcher = text.matcher();
    let mut those = [false; 7];
    for (place, severity) in those.iter_mut().zip(LogSeverity::ALL) {
        *place = matcher.holds(severity.label());
    }
    // Other names, and records without a severity, have to be read.
    let of_known = matches!(text, TextTest::Is(name) if LogSeverity::from_recorded(name).is_some()) || those.contains(&true);
    (of_known && !matches!(text, TextTest::Present | TextTest::IsNot(_))).then_some(those)
}
