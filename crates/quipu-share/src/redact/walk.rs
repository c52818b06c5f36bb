//! Redacts values: attributes at any depth, texts, names, ids and times.
//!
//! `detect` has the shapes of keys and paths, `classify` the meaning of keys. Not here: the rows (`rows`).

use super::assigned::says_nothing;
use super::classify::{by_role, nested};
use super::detect::{find, find_escaped};
use super::names::{Wants, wanted};
use super::pairs::{has_probability, secret_places};
use super::pseudonyms::Pseudonyms;
use super::shapes::looks_like_key;
use super::sweep::{MIN_BYTES, Sweep};
use super::vocabulary::{self, is_count_key, is_measure, is_small_number, is_structural_key, known_name};
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::{RecordedAttribute, attributes, json_text, python_text};
use quipu_model::tokens::from_output;
use quipu_model::{Encoding, RecordedTime, Timestamp, TokenRecord, Value};
use quipu_protocol::{KindReport, KindSet, PrivateKind, RedactExample};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Maximum number of examples per kind.
const MAX_EXAMPLES: usize = 3;

/// Maximum length of an example in characters.
const EXAMPLE_LETTERS: usize = 80;

pub(super) struct Walker {
    pub(super) out: KindSet,
    /// Collects redacted text in the first pass.
    pub(super) learned: Option<Vec<(String, PrivateKind)>>,
    pub(super) sweep: Sweep,
    pub(super) ids: Pseudonyms,
    names: Pseudonyms,
    /// Whether times are shifted, and from where.
    pub(super) shifts: bool,
    pub(super) origin: Option<Timestamp>,
    /// Whether the `value` of the current row is a measurement.
    pub(super) measures: bool,
    pub(super) kinds: Vec<KindReport>,
    /// Cache of known words: the same keys occur again and again.
    known: RefCell<BTreeMap<String, bool>>,
    /// The current row and attribute, for examples.
    pub(super) row: String,
    pub(super) attribute: String,
}

impl Walker {
    pub(super) fn new(out: KindSet) -> Walker {
        let report = |kind| KindReport { kind, taken_out: out.has(kind), places: 0, bytes: 0, examples: Vec::new() };
        Walker {
            out,
            learned: None,
            sweep: Sweep::default(),
            ids: Pseudonyms::default(),
            names: Pseudonyms::default(),
            shifts: false,
            origin: None,
            measures: false,
            kinds: PrivateKind::ALL.map(report).into(),
            known: RefCell::default(),
            row: String::new(),
            attribute: String::new(),
        }
    }

    pub(super) fn attributes(&mut self, text: &str, kind_of: impl Fn(&str) -> PrivateKind) -> String {
        self.attribute = "attributes".into();
        let Ok(entries) = attributes(text.as_bytes()) else {
            return self.leaf(text, PrivateKind::Others).unwrap_or_else(|| text.to_owned());
        };
        let mut written = String::with_capacity(text.len());
        for entry in &entries {
            written.push_str(if written.is_empty() { "{" } else { ", " });
            self.attribute = "key".into();
            let key = self.key(&entry.key);
            self.attribute.clone_from(key.as_ref().unwrap_or(&entry.key));
            json_string(key.as_ref().unwrap_or(&entry.key), &mut written);
            written.push_str(": ");
            match self.entry(entry, kind_of(&entry.key)) {
                Some(json) => written.push_str(&json),
                None if entry.is_string => json_string(&entry.text, &mut written),
                None => written.push_str(&entry.text),
            }
        }
        written.push_str(if written.is_empty() { "{}" } else { "}" });
        // Without redactions, the text stays identical.
        if attributes(written.as_bytes()).is_ok_and(|same| same == entries) { text.to_owned() } else { written }
    }

    /// The JSON of a redacted attribute value; `None` if it is unchanged.
    fn entry(&mut self, entry: &RecordedAttribute, kind: PrivateKind) -> Option<String> {
        if self.stays(&entry.key, &entry.text, entry.is_string) {
            return None;
        }
        if kind == PrivateKind::Services && entry.is_string {
            let name = if names_somebody(&entry.text) { self.named(&entry.text, kind, "service") } else { return None };
            return (name != entry.text).then(|| {
                let mut json = String::new();
                json_string(&name, &mut json);
                json
            });
        }
        let decoded = entry.decoded();
        let mut value = decoded.value;
        // Counts of tokens stay, so that a reader does not take them for missing.
        let counts = if matches!(entry.key.as_str(), "output" | "output.value") { from_output(&value) } else { TokenRecord::default() };
        let kind = self.kind_of_value(&entry.key, &value, kind);
        // Neither tells anything; what was a number is a text by now, so this is asked first.
        let is_plain = matches!(value, Value::Bool(_) | Value::Null) || entry.text.is_empty();
        let changed = self.value(&mut value, kind, &entry.key);
        let text = if self.out == KindSet::ALL {
            // Its type is not revealed either.
            if is_plain {
                return None;
            }
            if counts.is_empty() { kind.marker().to_owned() } else { counted_marker(kind, &counts) }
        } else if !changed {
            return None;
        } else if !entry.is_string {
            return Some(json_text(&value));
        } else {
            encode(&value, decoded.encoding)
        };
        let mut json = String::new();
        json_string(&text, &mut json);
        Some(json)
    }

    /// The kind of a value, for names that may mean a key.
    fn kind_of_value(&self, key: &str, value: &Value, kind: PrivateKind) -> PrivateKind {
        let text = match value {
            Value::Text(text) => text,
            Value::Number(number) => &number.0,
            _ => return kind,
        };
        if kind == PrivateKind::Secrets && says_nothing(text.trim().as_bytes()) {
            return PrivateKind::Others;
        }
        let is_secret = match wanted(key) {
            Some(Wants::Key) => looks_like_key(text.as_bytes()),
            Some(Wants::Digit) => (3..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' '),
            _ => false,
        };
        if is_secret { PrivateKind::Secrets } else { kind }
    }

    /// Redacts a value in place; returns whether it changed.
    pub(super) fn value(&mut self, value: &mut Value, kind: PrivateKind, key: &str) -> bool {
        match value {
            Value::Null | Value::Bool(_) => false,
            Value::Number(number) => {
                if kind != PrivateKind::Secrets && self.is_count(key, &number.0) {
                    return false;
                }
                let text = number.0.clone();
                match self.leaf(&text, kind) {
                    Some(left) => *value = Value::Text(left),
                    None => return false,
                }
                true
            }
            Value::Text(text) => {
                if kind != PrivateKind::Secrets && is_structural_key(key) && self.is_known(text) {
                    return false;
                }
                match self.leaf(text, kind) {
                    Some(left) => *text = left,
                    None => return false,
                }
                true
            }
            Value::Opaque(text) => match self.leaf(text, kind) {
                Some(left) => {
                    *value = Value::Text(left);
                    true
                }
                None => false,
            },
            Value::Nested { raw, encoding, value } => {
                let changed = self.value(value, kind, key);
                if changed {
                    *raw = encode(value, *encoding);
                }
                changed
            }
            Value::List(items) => {
                let secret = secret_places(items);
                let mut changed = false;
                for (place, item) in items.iter_mut().enumerate() {
                    let kind = if secret.contains(&place) { PrivateKind::Secrets } else { kind };
                    changed |= self.value(item, kind, key);
                }
                changed
            }
            Value::Tagged { tag, value } => {
                let mut changed = self.value(value, kind, key);
                if let Some(left) = self.key(tag) {
                    // The name of a call must stay a valid name.
                    *tag = left.replace('-', "_");
                    changed = true;
                }
                changed
            }
            Value::Map(entries) => self.map(entries, kind),
        }
    }

    fn map(&mut self, entries: &mut [(String, Value)], kind: PrivateKind) -> bool {
        let role = entries.iter().find(|(key, _)| key == "role").and_then(|(_, role)| role.as_str());
        let around = if kind == PrivateKind::Secrets { kind } else { role.and_then(by_role).unwrap_or(kind) };
        let pair = super::pairs::secret_value(entries);
        // A piece of a model's text is called a token, too.
        let has_pieces = has_probability(entries);
        // {'metric': 'prompt_tokens', 'value': 13}
        let metric = entries.iter().find(|(key, _)| key == "metric").and_then(|(_, name)| name.as_str());
        let is_measured = metric.is_some_and(|name| is_measure(&format!("metric.{name}")) && self.is_known(name));
        let measures = self.measures;
        self.measures |= is_measured;
        let mut changed = false;
        for (place, (key, item)) in entries.iter_mut().enumerate() {
            let mut kind = nested(key, around);
            if kind == PrivateKind::Secrets && kind != around && has_pieces && key == "token" {
                kind = around;
            }
            kind = if pair == Some(place) { PrivateKind::Secrets } else { self.kind_of_value(key, item, kind) };
            changed |= self.value(item, kind, key);
            if let Some(left) = self.key(key) {
                *key = left;
                changed = true;
            }
        }
        self.measures = measures;
        changed
    }

    /// The redacted string; `None` if it is unchanged.
    pub(super) fn leaf(&mut self, text: &str, kind: PrivateKind) -> Option<String> {
        // What was taken out before is not there.
        if text.trim().is_empty() || is_marker(text) {
            return None;
        }
        self.count(kind, text.len());
        if !self.out.has(kind) {
            let left = self.scrub(text, kind);
            self.example(kind, left.as_deref().unwrap_or(text));
            return left;
        }
        self.learn(text, kind);
        let left = if kind == PrivateKind::Ids { self.ids.of_id(text) } else { kind.marker().to_owned() };
        self.example(kind, &left);
        Some(left)
    }

    /// Redacts private parts of a string that is kept; `None` if there are none.
    fn scrub(&mut self, text: &str, around: PrivateKind) -> Option<String> {
        let mut found = find(text, &self.sweep);
        let known = found.len();
        // If something only shows after undoing escapes, the whole text is removed.
        if self.out != KindSet::NONE
            && let Some(kind) = find_escaped(text, &self.sweep, self.out, &mut found)
        {
            self.count(kind, text.len());
            self.learn(text, kind);
            return Some(kind.marker().to_owned());
        }
        if found.len() > known {
            sort_by_key(&mut found, |finding| (finding.start, usize::MAX - finding.end));
        }
        let mut left = String::new();
        let mut passed = 0;
        for (place, finding) in found.iter().enumerate() {
            // A whole id counts as the kind of its field.
            if finding.kind != around {
                self.count(finding.kind, finding.end - finding.start);
            }
            if !self.out.has(finding.kind) {
                // Private parts can be nested in parts that are kept.
                let mut inside = found.iter().skip(place + 1).take_while(|other| other.start < finding.end);
                if passed <= finding.start && !inside.any(|other| self.out.has(other.kind)) {
                    self.example(finding.kind, text.get(finding.start..finding.end).unwrap_or_default());
                }
                continue;
            }
            if finding.end <= passed {
                continue;
            }
            let start = finding.start.max(passed);
            let part = text.get(start..finding.end).unwrap_or_default();
            self.learn(part, finding.kind);
            left.push_str(text.get(passed..start).unwrap_or_default());
            match finding.kind {
                PrivateKind::Ids if start == finding.start => left.push_str(&self.ids.of_id(part)),
                kind => left.push_str(kind.marker()),
            }
            passed = finding.end;
        }
        if passed == 0 {
            return None;
        }
        left.push_str(text.get(passed..).unwrap_or_default());
        for finding in &found {
            if self.out.has(finding.kind) {
                self.example(finding.kind, &left);
            }
        }
        Some(left)
    }

    /// An id in a column.
    pub(super) fn id(&mut self, id: &str, column: &str) -> String {
        self.attribute.clear();
        self.attribute.push_str(column);
        self.count(PrivateKind::Ids, id.len());
        if !self.out.has(PrivateKind::Ids) {
            // An id stays distinguishable, whatever else it contains.
            return if self.scrub(id, PrivateKind::Ids).is_some() { self.ids.of_id(id) } else { id.to_owned() };
        }
        self.learn(id, PrivateKind::Ids);
        let left = self.ids.of_id(id);
        self.example(PrivateKind::Ids, &left);
        left
    }

    pub(super) fn optional_id(&mut self, id: &Option<String>, column: &str) -> Option<String> {
        id.as_deref().map(|id| self.id(id, column))
    }

    /// The name of a span or event.
    pub(super) fn name(&mut self, name: &str, word: &str) -> String {
        if self.is_known(name) {
            return name.to_owned();
        }
        if let Some(known) = known_name(name).filter(|_| self.out.has(PrivateKind::Names)) {
            self.count(PrivateKind::Names, name.len());
            return known.to_owned();
        }
        self.named(name, PrivateKind::Names, word)
    }

    /// A name chosen by a user.
    pub(super) fn named(&mut self, name: &str, kind: PrivateKind, word: &str) -> String {
        self.count(kind, name.len());
        let left = if self.out.has(kind) {
            self.learn(name, kind);
            self.names.of_name(name, word)
        } else {
            self.scrub(name, kind).unwrap_or_else(|| name.to_owned())
        };
        self.example(kind, &left);
        left
    }

    /// The redacted key; `None` if it is unchanged.
    pub(super) fn key(&mut self, key: &str) -> Option<String> {
        if self.is_known(key) {
            return None;
        }
        self.count(PrivateKind::Names, key.len());
        let goes = self.out.has(PrivateKind::Names) || self.scrub(key, PrivateKind::Names).is_some();
        let left = goes.then(|| self.names.of_name(key, "key"));
        self.example(PrivateKind::Names, left.as_deref().unwrap_or(key));
        left
    }

    /// A status or kind: one of few words.
    pub(super) fn word(&mut self, text: &str) -> String {
        if matches!(text, "OK" | "ERROR" | "UNSET") || self.is_known(text) {
            return text.to_owned();
        }
        self.leaf(text, PrivateKind::Others).unwrap_or_else(|| text.to_owned())
    }

    pub(super) fn time(&mut self, text: &Option<String>) -> Option<String> {
        let text = text.as_deref()?;
        // Not more than nanoseconds.
        let is_short = |text: &str| text.split_once('.').is_none_or(|(_, part)| part.bytes().take_while(u8::is_ascii_digit).count() <= 9);
        let is_plain =
            |text: &str| text.len() <= 35 && is_short(text) && text.bytes().all(|byte| byte.is_ascii_digit() || b"T:+-. Z".contains(&byte));
        match (RecordedTime::parse(text), self.origin) {
            (Ok(time), Some(origin)) => Some(shifted(time, origin, text)),
            (Ok(_), None) if is_plain(text) => Some(text.to_owned()),
            _ => {
                self.attribute = "time".into();
                self.leaf(text, PrivateKind::Others).or_else(|| Some(text.to_owned()))
            }
        }
    }

    pub(super) fn count(&mut self, kind: PrivateKind, bytes: usize) {
        if let Some(report) = self.kinds.get_mut(kind as usize) {
            report.places = report.places.saturating_add(1);
            report.bytes += bytes as u64;
        }
    }

    fn example(&mut self, kind: PrivateKind, leaving: &str) {
        let Some(report) = self.kinds.get_mut(kind as usize) else { return };
        if self.learned.is_some()
            || report.examples.len() >= MAX_EXAMPLES
            || report.examples.iter().any(|example| same(&example.text, leaving))
        {
            return;
        }
        report.examples.push(RedactExample { place: format!("{}, {}", self.row, self.attribute), text: shortened(leaving) });
    }

    fn learn(&mut self, text: &str, kind: PrivateKind) {
        let text = text.trim();
        if self.learned.is_none() || text.len() < MIN_BYTES || self.is_known(text) {
            return;
        }
        if let Some(learned) = &mut self.learned {
            learned.push((text.to_owned(), kind));
        }
    }

    pub(super) fn is_known(&self, text: &str) -> bool {
        if text.len() > 64 {
            return vocabulary::is_known(text);
        }
        if let Some(known) = self.known.borrow().get(text) {
            return *known;
        }
        let is_known = vocabulary::is_known(text);
        self.known.borrow_mut().insert(text.to_owned(), is_known);
        is_known
    }

    /// Whether the value of a key describes the row rather than its content: a mark, a count, one of few words.
    fn stays(&self, key: &str, text: &str, is_string: bool) -> bool {
        let is_mark =
            is_structural_key(key) && (text.is_empty() || self.is_known(text) && (is_string || matches!(text, "true" | "false" | "null")));
        is_mark || self.is_count(key, text)
    }

    /// Whether a value is a count, a duration, or a measurement.
    fn is_count(&self, key: &str, text: &str) -> bool {
        is_small_number(text) && (is_count_key(key) && self.is_known(key) || self.measures && key == "value")
    }
}

/// What is left of an output with counts of tokens.
fn counted_marker(kind: PrivateKind, counts: &TokenRecord) -> String {
    let parts = [
        ("prompt_tokens", counts.prompt),
        ("completion_tokens", counts.completion),
        ("total_tokens", counts.total),
    ];
    let known = parts.iter().filter_map(|(key, count)| Some(format!("\"{key}\": {}", (*count)?.tokens)));
    let known = known.collect::<Vec<_>>().join(", ");
    format!("{{\"role\": \"assistant\", \"content\": \"{}\", \"usage\": {{{known}}}}}", kind.marker())
}

/// Whether the name of a service says more than that it is a Llama Stack.
pub(super) fn names_somebody(name: &str) -> bool {
    !matches!(name.trim(), "" | "\u{200b}" | "llama-stack" | "llama_stack")
}

/// Whether a text is nothing but what redaction leaves.
fn is_marker(text: &str) -> bool {
    text.starts_with('[') && PrivateKind::ALL.iter().any(|kind| kind.marker() == text)
}

fn encode(value: &Value, encoding: Encoding) -> String {
    match (encoding, value) {
        (Encoding::Text, Value::Text(text)) => text.clone(),
        (Encoding::Python, _) => python_text(value),
        _ => json_text(value),
    }
}

fn json_string(text: &str, out: &mut String) {
    quipu_model::recorded::write_json_string(text, out);
}

fn same(example: &str, leaving: &str) -> bool {
    example == leaving || example.strip_suffix('…').is_some_and(|head| leaving.starts_with(head))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(EXAMPLE_LETTERS) {
        Some((at, _)) => text.get(..at).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}

/// The time relative to `origin`, in the format it was recorded in.
fn shifted(time: RecordedTime, origin: Timestamp, text: &str) -> String {
    // In seconds if it was recorded so; never before the origin.
    let nanos = time.at.nanos_since(origin).max(0);
    let civil = Timestamp(nanos).civil(0);
    let (date, clock) = civil.split_once(' ').unwrap_or((&civil, ""));
    if !text.contains('T') {
        return format!("{date} {}", clock.get(..8).unwrap_or(clock));
    }
    let zone = if time.zoned { "+00:00" } else { "" };
    match nanos % 1_000_000_000 {
        0 => format!("{date}T{}{zone}", clock.get(..8).unwrap_or(clock)),
        part => format!("{date}T{}.{:06}{zone}", clock.get(..8).unwrap_or(clock), part / 1_000),
    }
}
