//! Completions for a filter that is being typed: field names, and values from the file, the most frequent first.
//!
//! Not here: finding the name or value at the cursor (`cursor`).

use super::cursor::{CursorContext, Name, cursor_context};
use super::sources::{TextSource, texts};
use crate::index::{Facet, Index};
use hashbrown::HashMap;
use quipu_model::fold::folded as fold;
use quipu_model::number::narrow;
use quipu_model::recorded::RawJson;
use quipu_model::{SpanFlags, SpanKind};
use quipu_protocol::filter::fields::{FIELDS, Field, FieldInfo, TextField, find, name_of};
use quipu_protocol::filter::lex::Sign;
use quipu_protocol::filter::print::{key_text, value_text};
use quipu_protocol::{Suggestion, Suggestions};
use std::cmp::Reverse;

/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 12;

/// Numbers of spans per name and kind, counted once over the whole index.
#[derive(Default)]
pub(crate) struct Counts {
    /// By name number.
    names: Vec<u64>,
    kinds: Vec<u64>,
    profiles: Vec<u64>,
    keys: Vec<(Box<str>, u64)>,
    failed: u64,
    spans: u64,
}

impl Counts {
    /// Counts over a complete index.
    pub(crate) fn of(index: &Index) -> Counts {
        let mut counts = Counts { spans: index.span_count() as u64, ..Counts::default() };
        counts.names = tally(index.span_names().len(), index.name_numbers().map(|number| number as usize));
        counts.kinds = tally(SpanKind::ALL.len(), index.kinds().map(|kind| kind as usize));
        let profiles = index.profiles();
        counts.profiles = tally(profiles.len(), profiles.iter().map(usize::from));
        counts.failed = index.all_flags().filter(|flags| flags.has(SpanFlags::FAILED)).count() as u64;
        let mut keys: HashMap<&str, u64> = HashMap::new();
        for (profile, spans) in counts.profiles.iter().enumerate() {
            for entry in profiles.entries(u16::try_from(profile).unwrap_or_default()) {
                *keys.entry(entry.key).or_default() += spans;
            }
        }
        counts.keys = keys.into_iter().map(|(key, spans)| (key.into(), spans)).collect();
        counts
    }
}

fn tally(len: usize, numbers: impl Iterator<Item = usize>) -> Vec<u64> {
    let mut counts = vec![0; len];
    for number in numbers {
        if let Some(count) = counts.get_mut(number) {
            *count += 1;
        }
    }
    counts
}

/// Completions of `filter` at byte offset `cursor`. Without a complete index only those of the language itself.
pub(crate) fn suggest(filter: &str, cursor: usize, known: Option<(&Index, &Counts)>) -> Suggestions {
    let mut cursor = cursor.min(filter.len());
    while !filter.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let Some(context) = cursor_context(filter, cursor) else { return Suggestions::default() };
    let items = match &context.of {
        None => names(&context.typed, known),
        Some((_, Sign::Order(_))) => Vec::new(),
        Some((name, _)) => values(name, &context, known),
    };
    Suggestions { start: narrow(context.start), end: narrow(context.end), items }
}

/// Fields, then attribute keys, then span names.
fn names(typed: &str, known: Option<(&Index, &Counts)>) -> Vec<Suggestion> {
    let folded = fold(typed);
    let mut items: Vec<Suggestion> = Vec::new();
    for starts in [true, false] {
        let fields = FIELDS.iter().filter(|info| info.name.starts_with(&folded) == starts && info.name.contains(&folded));
        items.extend(fields.map(of_field));
    }
    if let (Some((index, counts)), false) = (known, typed.is_empty()) {
        let key = folded.strip_prefix("attr.").unwrap_or(&folded);
        let mut best = Best::new(key, MAX_SUGGESTIONS.saturating_sub(items.len()));
        counts.keys.iter().for_each(|(key, spans)| best.offer(key, *spans));
        items.extend(best.items("attribute", |key| format!("{}:", key_text(key))));
        let mut best = Best::new(&folded, MAX_SUGGESTIONS.saturating_sub(items.len()));
        index.span_names().zip(&counts.names).for_each(|(name, spans)| best.offer(name, *spans));
        items.extend(best.items("spans of this name", |name| format!("name={}", value_text(name))));
    }
    items.truncate(MAX_SUGGESTIONS);
    items
}

/// A field with its most common operator, and an example if its values can't be suggested.
fn of_field(info: &FieldInfo) -> Suggestion {
    let (sign, has_values) = match info.field {
        Field::Number(_) => ('>', false),
        Field::Id(_) => (':', false),
        Field::Text(_) | Field::Kind | Field::Error => (':', true),
    };
    let meaning = if has_values { info.meaning.to_owned() } else { format!("{} Example: {}", info.meaning, info.example) };
    Suggestion { text: format!("{}{sign}", info.name), meaning, spans: None }
}

fn values(name: &Name<'_>, context: &CursorContext<'_>, known: Option<(&Index, &Counts)>) -> Vec<Suggestion> {
    let typed = fold(&context.typed);
    let mut best = Best::new(&typed, MAX_SUGGESTIONS);
    let field = find(&name.text).filter(|_| !name.is_key);
    let meaning = match field {
        Some(Field::Error) => {
            best.offer_maybe("true", known.map(|(_, counts)| counts.failed));
            best.offer_maybe("false", known.map(|(_, counts)| counts.spans.saturating_sub(counts.failed)));
            ""
        }
        Some(Field::Kind) => {
            for (number, kind) in SpanKind::ALL.into_iter().enumerate() {
                match known.and_then(|(_, counts)| counts.kinds.get(number)) {
                    Some(spans) => best.offer(kind.label(), *spans),
                    None => best.offer_maybe(kind.label(), None),
                }
            }
            "kind of span"
        }
        Some(Field::Number(_) | Field::Id(_)) => "",
        Some(Field::Text(field)) => {
            if let Some((index, counts)) = known {
                offer_texts(field, index, counts, &mut best);
            }
            name_of(Field::Text(field))
        }
        None => {
            if let Some((index, counts)) = known {
                attribute_values(&name.text, index, counts, &mut best);
            }
            "value"
        }
    };
    best.items(meaning, value_text)
}

fn offer_texts(field: TextField, index: &Index, counts: &Counts, best: &mut Best) {
    match texts(field, index) {
        TextSource::Names => index.span_names().zip(&counts.names).for_each(|(name, spans)| best.offer(name, *spans)),
        TextSource::Facet(facet) => offer_values(facet, best),
        TextSource::Exceptions { facet, usual } => {
            best.offer(usual, counts.spans.saturating_sub(facet.rows().count() as u64));
            offer_values(facet, best);
        }
        TextSource::OfSpans { values, number } => {
            let rows = 0..narrow(index.span_count());
            let spans = tally(values.len(), rows.filter_map(|row| number(index, row)).map(|number| number as usize));
            values.texts().zip(spans).filter(|(value, _)| !value.is_empty()).for_each(|(value, spans)| best.offer(value, spans));
        }
    }
}

fn offer_values(facet: &Facet, best: &mut Best) {
    let spans = tally(facet.values.len(), facet.rows().map(|(_, number)| number as usize));
    facet.values.texts().zip(spans).filter(|(value, _)| !value.is_empty()).for_each(|(value, spans)| best.offer(value, spans));
}

/// Values of a low-cardinality attribute, from the profiles.
fn attribute_values(key: &str, index: &Index, counts: &Counts, best: &mut Best) {
    let mut values: HashMap<&[u8], u64> = HashMap::new();
    for (profile, spans) in counts.profiles.iter().enumerate() {
        let entries = index.profiles().entries(u16::try_from(profile).unwrap_or_default());
        for value in entries.filter(|entry| entry.key == key).filter_map(|entry| entry.value) {
            *values.entry(value).or_default() += spans;
        }
    }
    for (value, spans) in values {
        let value = RawJson::from_written(value);
        best.offer(&value.as_str().unwrap_or_else(|| value.as_written()), spans);
    }
}

/// The best suggestions that contain the typed text: those that start with it first, then the most frequent.
struct Best<'a> {
    typed: &'a str,
    most: usize,
    found: Vec<(bool, Reverse<Option<u64>>, String)>,
}

impl<'a> Best<'a> {
    fn new(typed: &'a str, most: usize) -> Best<'a> {
        Best { typed, most, found: Vec::new() }
    }

    fn offer(&mut self, text: &str, spans: u64) {
        if spans > 0 {
            self.offer_maybe(text, Some(spans));
        }
    }

    fn offer_maybe(&mut self, text: &str, spans: Option<u64>) {
        let folded = fold(text);
        let Some(at) = folded.find(self.typed) else { return };
        let rank = (at > 0, Reverse(spans));
        let is_better = |last: &(bool, Reverse<Option<u64>>, String)| (rank.0, rank.1, text) < (last.0, last.1, last.2.as_str());
        if self.found.len() < self.most || self.found.last().is_some_and(is_better) {
            let item = (rank.0, rank.1, text.to_owned());
            let place = self.found.partition_point(|known| *known < item);
            self.found.insert(place, item);
            self.found.truncate(self.most);
        }
    }

    fn items(self, meaning: &str, text: impl Fn(&str) -> String) -> Vec<Suggestion> {
        let item = |(_, Reverse(spans), found): (bool, Reverse<Option<u64>>, String)| Suggestion {
            text: text(&found),
            meaning: meaning.to_owned(),
            spans,
        };
        self.found.into_iter().map(item).collect()
    }
}
