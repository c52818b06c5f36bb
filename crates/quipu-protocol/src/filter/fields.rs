//! The fields of the filter language, one row each in [`FIELDS`]. The parser, printer, help, suggestions and `docs/filter.md` all use this
//! table.
//!
//! To add a field, add a variant of [`NumberField`] or [`TextField`], a row here, and an arm in the core's `sources`, which reads it from
//! the index. All other names are attribute keys.

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

/// The type of a field, which determines how its values are parsed and completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Numbers. Values are not completed; suggestions show the example instead.
    Number(NumberField),
    /// Strings. Completed with values from the file.
    Text(TextField),
    /// One of [`quipu_model::SpanKind::ALL`].
    Kind,
    /// `true` or `false`.
    Error,
    /// An id or its beginning. Not completed.
    Id(IdField),
}

/// Numeric fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberField {
    Duration,
    TraceDuration,
    Start,
    Tokens,
    PromptTokens,
    CompletionTokens,
    CachedTokens,
    ReasoningTokens,
    FirstPart,
    Spans,
    Failures,
    Requests,
    Inferences,
}

/// String fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    Name,
    Model,
    Tool,
    Session,
    Turn,
    Agent,
    Status,
    Service,
    Scope,
}

/// Which id a field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdField {
    Trace,
    Span,
}

/// How numbers of a field are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Duration,
    Time,
    Count,
}

/// What an expression is about: a trace with all its spans, one span (in braces), or the root span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Trace,
    Braces,
    Root,
}

/// Which objects have a value for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldLevel {
    /// Spans. A trace matches if one of its spans does.
    Span,
    /// The trace as a whole. Not allowed in braces and after `root.`.
    Trace,
    /// The trace as a whole; in braces and after `root.`, the span.
    TraceOrSpan,
}

/// Description of a field.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// Canonical name.
    pub name: &'static str,
    /// Other names for the same field.
    pub aliases: &'static [&'static str],
    /// Whether spans or traces have it.
    pub level: FieldLevel,
    /// An example condition.
    pub example: &'static str,
    /// A one-sentence description.
    pub meaning: &'static str,
    pub field: Field,
    /// The unit of its numbers; [`Unit::Count`] for other fields.
    unit: Unit,
}

/// Creates a row of the table.
const fn row(field: Field, name: &'static str, level: FieldLevel, example: &'static str, meaning: &'static str) -> FieldInfo {
    FieldInfo { name, aliases: &[], level, example, meaning, field, unit: Unit::Count }
}

impl FieldInfo {
    const fn or(self, aliases: &'static [&'static str]) -> FieldInfo {
        FieldInfo { aliases, ..self }
    }

    const fn of(self, unit: Unit) -> FieldInfo {
        FieldInfo { unit, ..self }
    }
}

use Field::{Error, Id, Kind, Number, Text};
use FieldLevel::{Span, Trace, TraceOrSpan};
use NumberField::{
    CachedTokens, CompletionTokens, Duration, Failures, FirstPart, Inferences, PromptTokens, ReasoningTokens, Requests, Spans, Start,
    Tokens, TraceDuration,
};
use TextField::{Agent, Model, Name, Service, Session, Status, Tool, Turn};

/// All fields, in the order of suggestions.
#[rustfmt::skip]
pub static FIELDS: &[FieldInfo] = &[
    row(Number(Duration), "duration", Span, "duration>2s", "How long a span took.").of(Unit::Duration),
    row(Error, "error", Span, "error:true", "Whether a span failed; error:false finds traces without a failure."),
    row(Text(Name), "name", Span, "name:chat", "The name of a span."),
    row(Kind, "kind", Span, "kind:tool", "What a span does, like inference or tool."),
    row(Text(Model), "model", Span, "model:llama", "The model of an inference, from its arguments or a model attribute."),
    row(Text(Tool), "tool", Span, "tool:search", "The tool that was called."),
    row(Text(Session), "session", Span, "session:7a4e", "The agent session; it is recorded on the span of a turn."),
    row(Text(Turn), "turn", Span, "turn:f09c", "The agent's turn; it is recorded on the span of the turn."),
    row(Number(Tokens), "tokens", TraceOrSpan, "tokens>1000", "Tokens of the inference requests.").or(&["tokens.total", "trace.tokens"]),
    row(Number(PromptTokens), "tokens.prompt", TraceOrSpan, "tokens.prompt>500", "Prompt tokens of the inference requests."),
    row(Number(CompletionTokens), "tokens.completion", TraceOrSpan, "tokens.completion:1..9", "Completion tokens of the inference requests."),
    row(Number(Spans), "spans", Trace, "spans>50", "The number of spans."),
    row(Number(Failures), "failed", Trace, "failed>1", "The number of failed spans.").or(&["errors"]),
    row(Number(Requests), "requests", Trace, "requests>1", "The number of requests; concurrent ones can share a trace."),
    row(Number(Inferences), "inferences", Trace, "inferences>5", "The number of inference requests; many hint at a loop."),
    row(Number(Start), "start", TraceOrSpan, "start>2026-03-01T10:00", "The start, in UTC.").of(Unit::Time).or(&["time", "trace.start"]),
    row(Number(TraceDuration), "trace.duration", Trace, "trace.duration>5s", "The time from the first start to the last end.").of(Unit::Duration),
    row(Text(Agent), "agent", Span, "agent:weather", "The agent's name, or its id if it has none; on the span of a turn."),
    row(Text(Status), "status", Span, "status:error", "The recorded status, which rarely shows a failure."),
    row(Text(Service), "service", Span, "service:llama", "The service that wrote a span."),
    row(Text(TextField::Scope), "scope", Span, "scope:openai", "The instrumentation scope: the library that recorded a span."),
    row(Number(CachedTokens), "tokens.cached", TraceOrSpan, "tokens.cached>0", "Prompt tokens that came from a cache."),
    row(Number(ReasoningTokens), "tokens.reasoning", TraceOrSpan, "tokens.reasoning>0", "Completion tokens spent on reasoning."),
    row(Number(FirstPart), "first_part", Span, "first_part>1s", "The time to the first part of a model's stream.").of(Unit::Duration),
    row(Id(IdField::Trace), "trace", Trace, "trace:4bf92f", "The id of a trace, or its beginning; trace=… is the whole id."),
    row(Id(IdField::Span), "span", Span, "span:00f067", "The id of a span, or its beginning; span=… is the whole id."),
];

/// The field with this name or alias.
pub fn find(name: &str) -> Option<Field> {
    FIELDS.iter().find(|info| info.name == name || info.aliases.contains(&name)).map(|info| info.field)
}

/// The field whose name is meant by a name that is not one: two letters may be wrong, missing or too many, one of a short name.
pub fn meant(name: &str) -> Option<&'static str> {
    let most = if name.len() < 5 { 1 } else { 2 };
    let names = FIELDS.iter().flat_map(|info| [info.name].into_iter().chain(info.aliases.iter().copied()));
    names.map(|known| (distance(name, known), known)).filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known)
}

/// How many letters must be changed, added or removed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut before: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.bytes().enumerate() {
        let mut last = row + 1;
        let mut line = vec![last];
        for (wanted, pair) in other.bytes().zip(before.windows(2)) {
            let (diagonal, above) = (pair.first().copied().unwrap_or_default(), pair.last().copied().unwrap_or_default());
            last = (diagonal + usize::from(letter != wanted)).min(above + 1).min(last + 1);
            line.push(last);
        }
        before = line;
    }
    before.last().copied().unwrap_or_default()
}

fn info(field: Field) -> Option<&'static FieldInfo> {
    FIELDS.iter().find(|info| info.field == field)
}

/// The canonical name of a field.
pub fn name_of(field: Field) -> &'static str {
    info(field).map_or("", |info| info.name)
}

/// Whether single spans have the field, not only whole traces.
pub fn is_of_spans(field: Field) -> bool {
    info(field).is_some_and(|info| info.level != Trace)
}

impl NumberField {
    pub fn unit(self) -> Unit {
        info(Number(self)).map_or(Unit::Count, |info| info.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;

    #[test]
    fn names_and_aliases_are_unique_and_examples_use_their_field() {
        let names: Vec<&str> = FIELDS.iter().flat_map(|info| [info.name].into_iter().chain(info.aliases.iter().copied())).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} stands twice");
        }
        for info in FIELDS {
            assert!(FIELDS.iter().filter(|other| other.field == info.field).count() == 1, "{} has two rows", info.name);
            assert!(info.meaning.ends_with('.'), "{}", info.meaning);
            assert!(info.example.starts_with(info.name), "{}", info.example);
            assert!(Filter::parse(info.example).is_ok(), "{}", info.example);
            let in_braces = Filter::parse(&format!("{{{}}}", info.example));
            assert_eq!(in_braces.is_ok(), info.level != Trace, "{}", info.example);
            for alias in info.aliases {
                let written = info.example.replacen(info.name, alias, 1);
                assert_eq!(Filter::parse(&written), Filter::parse(info.example), "{alias} is {}", info.name);
            }
        }
    }
}
