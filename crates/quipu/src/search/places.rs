//! Finds all matches in one span, each with some context.
//!
//! Not here: whether a span matches at all, which `matcher` decides faster.

use super::matcher::{MAX_INSIDE_BYTES, TextMatcher};
use crate::index::Index;
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::{decode, entries};
use quipu_model::{Encoding, RecordedTime, Value};
use quipu_protocol::{MatchPlace, SpanMatch};
use quipu_store::{Database, StoreError, TextTable, event_row, scan_texts};
use std::ops::ControlFlow;

/// Characters of context before and after a match, and of the match itself.
const BEFORE: usize = 60;
const AFTER: usize = 120;
const MATCHED: usize = 400;
/// Maximum number of events searched per span.
const MAX_EVENTS: usize = 20_000;

/// The strings to find in a span.
pub(crate) struct SearchTerms(Vec<TextMatcher>);

impl SearchTerms {
    /// Matches any of these strings; empty ones match nothing.
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a String>) -> SearchTerms {
        SearchTerms(texts.into_iter().filter_map(|text| TextMatcher::new(text)).collect())
    }
}

/// Collects the matches in a span.
#[derive(Default)]
struct MatchCollector {
    matches: Vec<SpanMatch>,
    /// Maximum number of matches, overall and per place.
    limit: usize,
    limit_in_place: usize,
    /// Number of places with a match.
    places: u32,
    bytes: usize,
}

/// Up to `limit` matches in the span of `row`, in the order the span shows them.
///
/// # Errors
/// When the span can't be read.
pub(crate) fn places(
    database: &Database,
    index: &Index,
    row: u32,
    texts: &SearchTerms,
    limit: usize,
) -> Result<Vec<SpanMatch>, StoreError> {
    let mut found = MatchCollector { limit, limit_in_place: limit, ..MatchCollector::default() };
    found.read_span(database, index, row, texts)?;
    // The span shows events in order of time.
    let mut matches = found.matches;
    let first_event = matches.iter().position(|found| matches!(found.place, MatchPlace::Event { .. })).unwrap_or(matches.len());
    let mut times: Vec<(i64, Option<RecordedTime>)> = Vec::new();
    for found in matches.get(first_event..).unwrap_or_default() {
        if let MatchPlace::Event { id, .. } = found.place
            && times.last().is_none_or(|(last, _)| *last != id)
        {
            let text = event_row(database.connection(), database.schema(), id)?.and_then(|event| event.timestamp);
            times.push((id, text.and_then(|text| RecordedTime::parse(&text).ok())));
        }
    }
    let time_of = |found: &SpanMatch| match found.place {
        MatchPlace::Event { id, .. } => times.iter().find(|(of, _)| *of == id).map(|(id, time)| (time.map(|time| time.at), *id)),
        _ => None,
    };
    let mut of_events = matches.split_off(first_event.min(matches.len()));
    sort_by_key(&mut of_events, time_of);
    matches.extend(of_events);
    Ok(matches)
}

/// The first match in the span of `row`, the number of further places with a match, and the number of bytes read. If the match lies beyond
/// the limits, the span's name takes its place.
///
/// # Errors
/// When the span can't be read.
pub(crate) fn snippet(database: &Database, index: &Index, row: u32, texts: &SearchTerms) -> Result<(SpanMatch, u32, usize), StoreError> {
    let mut found = MatchCollector { limit: 1, limit_in_place: 1, ..MatchCollector::default() };
    found.read_span(database, index, row, texts)?;
    let nowhere =
        || SpanMatch { place: MatchPlace::Name, before: index.name_of(row).to_owned(), matched: String::new(), after: String::new() };
    Ok((found.matches.into_iter().next().unwrap_or_else(nowhere), found.places.saturating_sub(1), found.bytes))
}

impl MatchCollector {
    fn read_span(&mut self, database: &Database, index: &Index, row: u32, texts: &SearchTerms) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let rowid = index.rowid_of(row);
        scan_texts(connection, schema, TextTable::Spans, (rowid, rowid), |_, name, attributes| {
            self.take(&MatchPlace::Name, texts, name.as_deref().unwrap_or_default());
            self.take_attributes(texts, attributes, MatchPlace::Attribute);
            ControlFlow::Continue(())
        })?;
        for id in index.event_ids(row).take(MAX_EVENTS) {
            if self.is_full() {
                break;
            }
            scan_texts(connection, schema, TextTable::Events, (id, id), |_, name, attributes| {
                self.take(&MatchPlace::Event { id, key: None }, texts, name.as_deref().unwrap_or_default());
                self.take_attributes(texts, attributes, |key| MatchPlace::Event { id, key: Some(key) });
                ControlFlow::Continue(())
            })?;
        }
        Ok(())
    }

    /// The match limit applies to lists of all matches; if only the first match is wanted, places are still counted.
    fn is_full(&self) -> bool {
        self.limit > 1 && self.matches.len() >= self.limit
    }

    fn take_attributes(&mut self, texts: &SearchTerms, attributes: &[u8], place: impl Fn(String) -> MatchPlace) {
        self.bytes += attributes.len();
        if !texts.0.iter().any(|text| text.is_in_attributes(attributes)) {
            return;
        }
        if entries(attributes).any(|entry| entry.is_err()) {
            // The attributes are not a JSON object: their text is searched as a whole, without a key.
            self.take_value(&place(String::new()), texts, "", &String::from_utf8_lossy(attributes));
            return;
        }
        for (key, value) in entries(attributes).flatten() {
            if self.is_full() {
                return;
            }
            self.take_value(&place(key.to_string()), texts, &key, &value.as_str().unwrap_or_else(|| value.as_written()));
        }
    }

    /// Collects matches in a key and its value: in the strings inside if the value is a document, else in its text.
    fn take_value(&mut self, place: &MatchPlace, texts: &SearchTerms, key: &str, value: &str) {
        let before = self.matches.len();
        let mut any = self.take_text(place, texts, key, before);
        if texts.0.iter().any(|text| text.is_in_text(value)) {
            let decoded = (value.len() <= MAX_INSIDE_BYTES).then(|| decode(value)).filter(|decoded| decoded.encoding != Encoding::Text);
            let inside = decoded.is_some_and(|decoded| self.take_inside(place, texts, &decoded.value, before));
            any |= inside || self.take_text(place, texts, value, before);
        }
        self.places += u32::from(any);
    }

    fn take_inside(&mut self, place: &MatchPlace, texts: &SearchTerms, value: &Value, before: usize) -> bool {
        match value {
            Value::Text(text) => self.take_text(place, texts, text, before),
            Value::Number(number) => self.take_text(place, texts, &number.0, before),
            Value::Opaque(text) => self.take_text(place, texts, text, before),
            Value::Nested { raw, value, .. } => self.take_inside(place, texts, value, before) || self.take_text(place, texts, raw, before),
            Value::List(items) => items.iter().fold(false, |any, item| self.take_inside(place, texts, item, before) | any),
            Value::Map(entries) => entries.iter().fold(false, |any, (key, item)| {
                self.take_text(place, texts, key, before) | self.take_inside(place, texts, item, before) | any
            }),
            Value::Tagged { value, .. } => self.take_inside(place, texts, value, before),
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// Collects the matches in a string that is a place of its own.
    fn take(&mut self, place: &MatchPlace, texts: &SearchTerms, text: &str) {
        self.bytes += text.len();
        let before = self.matches.len();
        self.places += u32::from(self.take_text(place, texts, text, before));
    }

    /// Collects the matches in a string. `before` is the number of matches there were before this place.
    fn take_text(&mut self, place: &MatchPlace, texts: &SearchTerms, text: &str, before: usize) -> bool {
        let mut any = false;
        for matcher in &texts.0 {
            for range in matcher.needle.find_all(text) {
                any = true;
                if self.matches.len() >= self.limit || self.matches.len() - before >= self.limit_in_place {
                    break;
                }
                let (head, tail) = (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
                self.matches.push(SpanMatch {
                    place: place.clone(),
                    before: last_letters(head, BEFORE),
                    matched: first_letters(text.get(range).unwrap_or_default(), MATCHED),
                    after: first_letters(tail, AFTER) + if tail.chars().nth(AFTER).is_some() { "…" } else { "" },
                });
            }
        }
        any
    }
}

fn blank(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

fn first_letters(text: &str, count: usize) -> String {
    text.chars().take(count).map(blank).collect()
}

/// The last `count` characters, after an ellipsis if any were cut off.
fn last_letters(text: &str, count: usize) -> String {
    let start = text.char_indices().rev().nth(count.saturating_sub(1)).map_or(0, |(at, _)| at);
    let more = (start > 0).then_some('…');
    more.into_iter().chain(text.get(start..).unwrap_or_default().chars().map(blank)).collect()
}
