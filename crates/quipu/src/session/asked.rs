//! The user's question in each trace of a list page: one line each, read for visible rows only.
//!
//! Not here: the conversation (`conversation`), which reads the whole trace.

use crate::index::Index;
use quipu_model::dialect::{Says, says, speaks};
use quipu_model::llm::{event_attributes, is_message_event, last_user_message, said};
use quipu_model::recorded::{RecordedAttribute, attributes, entries};
use quipu_model::{SpanKind, Timestamp};
use quipu_store::{Database, StoreError, event_row, small_attributes_at};
use std::cmp::Reverse;

/// Maximum number of characters in a line.
const MAX_LETTERS: usize = 160;
/// Attributes with more bytes are not read, because a page has many rows.
const MAX_BYTES: u32 = 64 * 1024;
/// Maximum number of spans examined, and read, per trace.
const MAX_SPANS: usize = 4_096;
const MAX_READ: usize = 3;
/// Maximum number of events read per span.
const MAX_EVENTS: usize = 64;

/// Reads the questions for one page.
pub(super) struct Asked<'a> {
    database: &'a Database,
    index: &'a Index,
    /// By profile: whether its spans recorded an input.
    has_input: Vec<bool>,
    /// By profile: whether its spans follow conventions that may put inputs into events.
    may_say_in_events: Vec<bool>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(database: &'a Database, index: &'a Index) -> Asked<'a> {
        let has_input = index.profiles().with_keys(is_input);
        let may_say_in_events = index.profiles().with_keys(speaks);
        Asked { database, index, has_input, may_say_in_events }
    }

    /// The user's words that started the trace, on one line: those of an agent's turn; otherwise the last user message sent to the first
    /// model, since earlier messages are history. `None` if none was recorded, or only in large attributes.
    pub(super) fn line(&self, trace: u32) -> Option<String> {
        let mut wanted: Vec<(u8, Option<Timestamp>, u32)> = Vec::new();
        // Spans are in order of their ends, so outer spans are among the last.
        for row in self.index.trace_rows(trace).iter().rev().take(MAX_SPANS).copied() {
            let rank = match self.index.flags_of(row).1 {
                SpanKind::Turn => 0,
                SpanKind::Inference => 1,
                SpanKind::Request => 2,
                _ => continue,
            };
            let profile = usize::from(self.index.profiles().of(row));
            let of = |list: &[bool]| list.get(profile).copied().unwrap_or(false);
            if of(&self.has_input) || (of(&self.may_say_in_events) && self.index.event_ids(row).len() > 0) {
                wanted.push((rank, self.index.start_of(row), row));
            }
        }
        for _ in 0..MAX_READ {
            let at = (0..wanted.len()).min_by_key(|at| wanted.get(*at).map(|(rank, start, row)| (*rank, *start, Reverse(*row))))?;
            let (_, _, row) = wanted.swap_remove(at);
            if let Some(words) = self.words(row).or_else(|| self.words_in_events(row)) {
                return Some(one_line(&words, MAX_LETTERS));
            }
        }
        None
    }

    fn words(&self, row: u32) -> Option<String> {
        let read = |text: &[u8]| {
            let read = |(key, value): (std::borrow::Cow<'_, str>, quipu_model::recorded::RawJson<'_>)| RecordedAttribute {
                key: key.into_owned(),
                text: value.as_str().unwrap_or_else(|| value.as_written()).into_owned(),
                is_string: value.is_string(),
            };
            let inputs: Vec<RecordedAttribute> = entries(text).flatten().filter(|(key, _)| is_input(key)).map(read).collect();
            let direct = inputs.iter().filter(|input| says(&input.key) != Some(Says::FlatInput));
            direct.clone().find_map(|input| last_user_message(&input.decoded().value)).or_else(|| {
                let fields: Vec<_> = inputs.iter().map(|input| (input.key.clone(), input.nested())).collect();
                said(&fields).input.into_iter().rev().find(|message| message.role == "user").map(|message| message.text)
            })
        };
        let (connection, schema) = (self.database.connection(), self.database.schema());
        // Opening the trace reports rows that can't be read.
        let found = self.database.bounded(|| small_attributes_at(connection, schema, self.index.rowid_of(row), MAX_BYTES, read));
        found.ok().flatten().flatten()
    }
}

impl Asked<'_> {
    /// Like `words`, from the events of the span: the last user message.
    fn words_in_events(&self, row: u32) -> Option<String> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let read = || -> Result<Option<String>, StoreError> {
            let mut last = None;
            for id in self.index.event_ids(row).take(MAX_EVENTS) {
                let Some(event) = event_row(connection, schema, id)? else { continue };
                let name = event.name.unwrap_or_default();
                let text = event.attributes.filter(|text| is_message_event(&name) && text.len() <= MAX_BYTES as usize);
                let recorded = attributes(text.unwrap_or_default().as_bytes()).unwrap_or_default();
                let decoded = recorded.into_iter().map(|attribute| (attribute.key.clone(), attribute.decoded().value));
                let told = event_attributes(&name, decoded.collect());
                let input = told.iter().filter(|(key, _)| is_input(key)).find_map(|(_, value)| last_user_message(value));
                last = input.or(last);
            }
            Ok(last)
        };
        self.database.bounded(read).ok().flatten()
    }
}

/// Whether the attribute holds an input, or a field of one.
fn is_input(key: &str) -> bool {
    says(key).and_then(Says::input_rank).is_some()
}

/// The text on one line of at most so many letters, and an ellipsis if it is longer.
pub(super) fn one_line(text: &str, letters: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() > 4 * letters {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match quipu_ui::view::clip(&line, letters) {
        Some(head) => format!("{head}…"),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_truncated_line() {
        assert_eq!(one_line("  What is\n\tthe tallest   mountain? ", MAX_LETTERS), "What is the tallest mountain?");
        let long = one_line(&"wörd ".repeat(10_000), MAX_LETTERS);
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_LETTERS + 1, true));
        assert_eq!(one_line(&"x".repeat(1_000_000), MAX_LETTERS).chars().count(), MAX_LETTERS + 1);
    }
}
