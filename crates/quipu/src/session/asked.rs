//! What was asked in the traces of a page of a list: one line each, read for the rows that are shown and no others.
//!
//! What is not here: the conversation (`conversation`), which takes in the whole trace.

use crate::index::Index;
use crate::llm::{asked_in, input_key};
use crate::model::{SpanKind, Timestamp};
use crate::recorded::{RecordedAttribute, entries};
use crate::store::{Database, small_attributes_at};
use std::cmp::Reverse;

/// Characters of a line.
const MAX_LETTERS: usize = 160;
/// Attributes that take more bytes are not read: a page has many rows.
const MAX_BYTES: u32 = 64 * 1024;
/// Spans of a trace that are looked at, and read.
const MAX_SPANS: usize = 4_096;
const MAX_READ: usize = 3;

/// Reads what was asked in traces; for one page.
pub(super) struct Asked<'a> {
    database: &'a Database,
    index: &'a Index,
    /// By profile: whether its spans recorded an input.
    has_input: Vec<bool>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(database: &'a Database, index: &'a Index) -> Asked<'a> {
        let has_input = index.profiles().with_keys(|key| input_key(std::iter::once(key)).is_some());
        Asked { database, index, has_input }
    }

    /// The words of the user that a trace began with, on one line: those of an agent's turn, else the last ones that went to the first
    /// model that was asked, since what stands before them is from earlier. `None` where none were recorded, or only in large attributes.
    pub(super) fn line(&self, trace: u32) -> Option<String> {
        let mut wanted: Vec<(u8, Option<Timestamp>, u32)> = Vec::new();
        // Spans stand in the order of their ends: what the others belong to is among the last.
        for row in self.index.trace_rows(trace).iter().rev().take(MAX_SPANS).copied() {
            let rank = match self.index.marks_of(row).1 {
                SpanKind::Turn => 0,
                SpanKind::Inference => 1,
                SpanKind::Request => 2,
                _ => continue,
            };
            if self.has_input.get(usize::from(self.index.profiles().of(row))).copied().unwrap_or(false) {
                wanted.push((rank, self.index.start_of(row), row));
            }
        }
        for _ in 0..MAX_READ {
            let at = (0..wanted.len()).min_by_key(|at| wanted.get(*at).map(|(rank, start, row)| (*rank, *start, Reverse(*row))))?;
            let (_, _, row) = wanted.swap_remove(at);
            if let Some(words) = self.words(row) {
                return Some(one_line(&words));
            }
        }
        None
    }

    fn words(&self, row: u32) -> Option<String> {
        let read = |text: &[u8]| {
            let read = |(key, value): (std::borrow::Cow<'_, str>, crate::recorded::RawJson<'_>)| RecordedAttribute {
                key: key.into_owned(),
                text: value.as_str().unwrap_or_else(|| value.as_written()).into_owned(),
                is_string: value.is_string(),
            };
            let is_input = |key: &str| input_key(std::iter::once(key)).is_some();
            let inputs: Vec<RecordedAttribute> = entries(text).flatten().filter(|(key, _)| is_input(key)).map(read).collect();
            inputs.iter().find_map(|input| asked_in(&input.decoded().value))
        };
        let (connection, schema) = (self.database.connection(), self.database.schema());
        // A row that can't be read is told of where its trace is opened.
        let found = self.database.bounded(|| small_attributes_at(connection, schema, self.index.rowid_of(row), MAX_BYTES, read));
        found.ok().flatten().flatten()
    }
}

/// The text on one line, cut where it is long.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() > 4 * MAX_LETTERS {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match crate::view::clip(&line, MAX_LETTERS) {
        Some(head) => format!("{head}…"),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_breaks_and_an_end() {
        assert_eq!(one_line("  What is\n\tthe tallest   mountain? "), "What is the tallest mountain?");
        let long = one_line(&"wörd ".repeat(10_000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_LETTERS + 1, true));
        assert_eq!(one_line(&"x".repeat(1_000_000)).chars().count(), MAX_LETTERS + 1);
    }
}
