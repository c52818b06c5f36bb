//! The fields a filter knows: names, meanings, and where each can be asked.
//!
//! What is not here: attributes. Every other name is the key of one.

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

use super::expression::{IdField, NumberField, TextField};

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Number(NumberField),
    Text(TextField),
    Kind,
    Error,
    Id(IdField),
}

/// What is asked about: a trace, all its spans one by one; one span in braces; the root span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Trace,
    Braces,
    Root,
}

/// A field's name, and what it means.
pub struct FieldName {
    pub name: &'static str,
    pub field: Field,
    /// In a few words; empty for a second name of a field.
    pub meaning: &'static str,
}

const fn of(name: &'static str, field: Field, meaning: &'static str) -> FieldName {
    FieldName { name, field, meaning }
}

/// Every field, in the order they are suggested; the first name of a field is the one that is printed.
pub const FIELDS: [FieldName; 26] = [
    of("duration", Field::Number(NumberField::Duration), "how long a span took, like >2s"),
    of("error", Field::Error, "true: a span failed; false: none did"),
    of("name", Field::Text(TextField::Name), "a span's name"),
    of("kind", Field::Kind, "what a span is: request, inference, tool"),
    of("model", Field::Text(TextField::Model), "the model of an inference"),
    of("tool", Field::Text(TextField::Tool), "a tool that was called"),
    of("session", Field::Text(TextField::Session), "an agent's session"),
    of("turn", Field::Text(TextField::Turn), "an agent's turn"),
    of("tokens", Field::Number(NumberField::Tokens), "the trace's tokens, like >1000"),
    of("tokens.prompt", Field::Number(NumberField::PromptTokens), "tokens of its prompts"),
    of("tokens.completion", Field::Number(NumberField::CompletionTokens), "tokens of its completions"),
    of("spans", Field::Number(NumberField::Spans), "how many spans the trace has"),
    of("failed", Field::Number(NumberField::Failures), "how many of its spans failed"),
    of("requests", Field::Number(NumberField::Requests), "how many requests it holds"),
    of("start", Field::Number(NumberField::Start), "when it started, UTC, like >2026-03-01T10:00"),
    of("trace.duration", Field::Number(NumberField::TraceDuration), "how long the whole trace took"),
    of("agent", Field::Text(TextField::Agent), "an agent, by name or else by id"),
    of("status", Field::Text(TextField::Status), "a span's recorded status"),
    of("service", Field::Text(TextField::Service), "the service that wrote the trace"),
    of("trace", Field::Id(IdField::Trace), "a trace's id, or its beginning"),
    of("span", Field::Id(IdField::Span), "a span's id, or its beginning"),
    of("time", Field::Number(NumberField::Start), ""),
    of("tokens.total", Field::Number(NumberField::Tokens), ""),
    of("errors", Field::Number(NumberField::Failures), ""),
    of("trace.start", Field::Number(NumberField::Start), ""),
    of("trace.tokens", Field::Number(NumberField::Tokens), ""),
];

/// The field with this name.
pub fn find(name: &str) -> Option<Field> {
    FIELDS.iter().find(|field| field.name == name).map(|field| field.field)
}

/// The name a field is printed by.
pub fn name_of(field: Field) -> &'static str {
    FIELDS.iter().find(|known| known.field == field).map_or("", |known| known.name)
}

/// Whether one span has this, and not only the whole trace.
pub fn is_of_spans(field: Field) -> bool {
    use NumberField::{Failures, Requests, Spans, TraceDuration};
    !matches!(
        field,
        Field::Number(TraceDuration | Spans | Failures | Requests) | Field::Text(TextField::Service) | Field::Id(IdField::Trace)
    )
}
