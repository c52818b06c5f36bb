//! Redacts the rows of a recording.
//!
//! If text of kinds that are kept may repeat redacted text, there are two passes: the first collects the redacted text and ids, the second
//! writes. `detect` has the shapes of keys and paths, `classify` the meaning of keys.

use super::classify::{by_role, nested, span_attribute};
use super::detect::{find, find_escaped};
use super::pseudonyms::Pseudonyms;
use super::sweep::{MIN_BYTES, Sweep};
use super::vocabulary::{self, is_small_number, is_structural_key, is_token_key, known_name};
use quipu_model::failure::is_error_severity;
use quipu_model::recorded::{RecordedAttribute, attributes, json_text, python_text};
use quipu_model::{Encoding, EventRecord, RecordedTime, Recording, SpanKind, SpanRecord, Timestamp, TraceRecord, Value};
use quipu_protocol::{KindReport, KindSet, PrivateKind, RedactExample, RedactOptions, RedactReport};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Maximum number of examples per kind.
const MAX_EXAMPLES: usize = 3;

/// Maximum length of an example in characters.
const EXAMPLE_LETTERS: usize = 80;

pub(super) fn redact(recording: &Recording, options: RedactOptions) -> (Recording, RedactReport) {
    let mut walker = Walker::new(options.take_out);
    // If everything is removed, nothing can repeat it.
    if options.take_out != KindSet::NONE && options.take_out != KindSet::ALL {
        let mut learned = Vec::new();
        walker.learned = Some(&mut learned);
        walker.recording(recording);
        walker = Walker::new(options.take_out);
        walker.sweep = Sweep::new(learned);
    }
    if options.shift_times {
        walker.origin = Some(earliest(recording));
    }
    let redacted = walker.recording(recording);
    let counts = [recording.spans.len(), recording.events.len()].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let kinds = walker.kinds.into_iter().filter(|report| report.places > 0).collect();
    (redacted, RedactReport { kinds, spans: counts[0], events: counts[1] })
}

/// The earliest time in the rows.
fn earliest(recording: &Recording) -> Timestamp {
    let of_traces = recording.traces.iter().flat_map(|row| [&row.start_time, &row.end_time, &row.created_at]);
    let of_spans = recording.spans.iter().flat_map(|row| [&row.start_time, &row.end_time]);
    let texts = of_traces.chain(of_spans).chain(recording.events.iter().map(|row| &row.timestamp));
    let earliest = texts.flatten().filter_map(|text| RecordedTime::parse(text).ok()).map(|time| time.at).min();
    earliest.unwrap_or(Timestamp(0))
}

struct Walker<'a> {
    out: KindSet,
    /// Collects redacted text in the first pass.
    learned: Option<&'a mut Vec<(String, PrivateKind)>>,
    sweep: Sweep,
    ids: Pseudonyms,
    names: Pseudonyms,
    origin: Option<Timestamp>,
    kinds: Vec<KindReport>,
    /// Cache of known words: the same keys occur again and again.
    known: RefCell<BTreeMap<String, bool>>,
    /// The current row and attribute, for examples.
    row: String,
    attribute: String,
}

impl<'a> Walker<'a> {
    fn new(out: KindSet) -> Walker<'a> {
        let report = |kind| KindReport { kind, taken_out: out.has(kind), places: 0, bytes: 0, examples: Vec::new() };
        Walker {
            out,
            learned: None,
            sweep: Sweep::default(),
            ids: Pseudonyms::default(),
            names: Pseudonyms::default(),
            origin: None,
            kinds: PrivateKind::ALL.map(report).into(),
            known: RefCell::default(),
            row: String::new(),
            attribute: String::new(),
        }
    }

    fn recording(&mut self, recording: &Recording) -> Recording {
        if self.out.has(PrivateKind::Ids) {
            // In row order, so that consecutive ids get consecutive pseudonyms.
            recording.spans.iter().for_each(|span| drop(self.ids.of_id(&span.span_id)));
        }
        Recording {
            traces: recording.traces.iter().map(|row| self.trace(row)).collect(),
            spans: recording.spans.iter().map(|row| self.span(row)).collect(),
            events: recording.events.iter().map(|row| self.event(row)).collect(),
        }
    }

    fn trace(&mut self, row: &TraceRecord) -> TraceRecord {
        self.row = "trace".into();
        let trace_id = self.id(&row.trace_id, "trace_id");
        self.row = format!("trace {trace_id}");
        let names_nobody = |name: &&String| !matches!(name.trim(), "" | "\u{200b}" | "llama-stack" | "llama_stack");
        self.attribute = "service_name".into();
        let service_name = match row.service_name.as_ref().filter(names_nobody) {
            Some(name) => Some(self.named(name, PrivateKind::Services, "service")),
            None => row.service_name.clone(),
        };
        TraceRecord {
            trace_id,
            service_name,
            root_span_id: self.optional_id(&row.root_span_id, "root_span_id"),
            start_time: self.time(&row.start_time),
            end_time: self.time(&row.end_time),
            created_at: self.time(&row.created_at),
        }
    }

    fn span(&mut self, row: &SpanRecord) -> SpanRecord {
        self.row = "span".into();
        let span_id = self.id(&row.span_id, "span_id");
        self.row = format!("span {span_id}");
        let kind = row.name.as_deref().map_or(SpanKind::Other, SpanKind::from_name);
        self.attribute = "name".into();
        SpanRecord {
            span_id,
            trace_id: self.optional_id(&row.trace_id, "trace_id"),
            parent_span_id: self.optional_id(&row.parent_span_id, "parent_span_id"),
            name: row.name.as_deref().map(|name| self.name(name, "span")),
            start_time: self.time(&row.start_time),
            end_time: self.time(&row.end_time),
            attributes: row.attributes.as_deref().map(|text| self.attributes(text, |key| span_attribute(key, kind))),
            status: row.status.as_deref().map(|text| self.word(text)),
            kind: row.kind.as_deref().map(|text| self.word(text)),
        }
    }

    fn event(&mut self, row: &EventRecord) -> EventRecord {
        self.row = "event".into();
        let span_id = self.optional_id(&row.span_id, "span_id");
        self.row = format!("event of span {}", span_id.as_deref().unwrap_or("?"));
        self.attribute = "name".into();
        let severity = row.attributes.as_deref().and_then(severity);
        let message = if is_error_severity(severity.as_deref()) { PrivateKind::Errors } else { PrivateKind::Logs };
        let kind_of = |key: &str| if key == "message" { message } else { span_attribute(key, SpanKind::Other) };
        EventRecord {
            span_id,
            name: row.name.as_deref().map(|name| self.name(name, "event")),
            timestamp: self.time(&row.timestamp),
            attributes: row.attributes.as_deref().map(|text| self.attributes(text, kind_of)),
        }
    }

    fn attributes(&mut self, text: &str, kind_of: impl Fn(&str) -> PrivateKind) -> String {
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
        if is_structural_key(&entry.key) && self.stays(&entry.text, entry.is_string) {
            return None;
        }
        let decoded = entry.decoded();
        let mut value = decoded.value;
        let changed = self.value(&mut value, kind, &entry.key);
        let text = if self.out == KindSet::ALL {
            // Its type is not revealed either.
            if matches!(value, Value::Bool(_) | Value::Null) || entry.text.is_empty() {
                return None;
            }
            kind.marker().to_owned()
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

    /// Redacts a value in place; returns whether it changed.
    fn value(&mut self, value: &mut Value, kind: PrivateKind, key: &str) -> bool {
        match value {
            Value::Null | Value::Bool(_) => false,
            Value::Number(number) => {
                if is_token_key(key) && is_small_number(&number.0) || key == "value" && is_small_number(&number.0) {
                    return false;
                }
                self.count(kind, number.0.len());
                if self.out.has(kind) {
                    *value = Value::Null;
                    return true;
                }
                match self.scrub(&number.0.clone(), kind) {
                    Some(text) => *value = Value::Text(text),
                    None => return false,
                }
                true
            }
            Value::Text(text) => {
                if is_structural_key(key) && self.is_known(text) {
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
                let mut changed = false;
                for item in items {
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
            Value::Map(entries) => {
                let role = entries.iter().find(|(key, _)| key == "role").and_then(|(_, role)| role.as_str());
                let around = role.and_then(by_role).unwrap_or(kind);
                let mut changed = false;
                for (key, item) in entries {
                    let kind = nested(key, around);
                    changed |= self.value(item, kind, key);
                    if let Some(left) = self.key(key) {
                        *key = left;
                        changed = true;
                    }
                }
                changed
            }
        }
    }

    /// The redacted string; `None` if it is unchanged.
    fn leaf(&mut self, text: &str, kind: PrivateKind) -> Option<String> {
        if text.trim().is_empty() {
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
        let found = find(text, &self.sweep);
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
        // If something only shows after undoing escapes, the whole rest is removed.
        let rest = if passed == 0 { text } else { text.get(passed..).unwrap_or_default() };
        if self.out != KindSet::NONE
            && let Some(kind) = find_escaped(text, &self.sweep, self.out)
        {
            self.count(kind, text.len());
            self.learn(text, kind);
            return Some(kind.marker().to_owned());
        }
        if passed == 0 {
            return None;
        }
        left.push_str(rest);
        for finding in &found {
            if self.out.has(finding.kind) {
                self.example(finding.kind, &left);
            }
        }
        Some(left)
    }

    /// An id in a column.
    fn id(&mut self, id: &str, column: &str) -> String {
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

    fn optional_id(&mut self, id: &Option<String>, column: &str) -> Option<String> {
        id.as_deref().map(|id| self.id(id, column))
    }

    /// The name of a span or event.
    fn name(&mut self, name: &str, word: &str) -> String {
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
    fn named(&mut self, name: &str, kind: PrivateKind, word: &str) -> String {
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
    fn key(&mut self, key: &str) -> Option<String> {
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
    fn word(&mut self, text: &str) -> String {
        if matches!(text, "OK" | "ERROR" | "UNSET") || self.is_known(text) {
            return text.to_owned();
        }
        self.leaf(text, PrivateKind::Others).unwrap_or_else(|| text.to_owned())
    }

    fn time(&mut self, text: &Option<String>) -> Option<String> {
        let text = text.as_deref()?;
        let is_plain = |text: &str| text.len() <= 35 && text.bytes().all(|byte| byte.is_ascii_digit() || b"T:+-. Z".contains(&byte));
        match (RecordedTime::parse(text), self.origin) {
            (Ok(time), Some(origin)) => Some(shifted(time, origin, text)),
            (Ok(_), None) if is_plain(text) => Some(text.to_owned()),
            _ => {
                self.attribute = "time".into();
                self.leaf(text, PrivateKind::Others).or_else(|| Some(text.to_owned()))
            }
        }
    }

    fn count(&mut self, kind: PrivateKind, bytes: usize) {
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

    fn is_known(&self, text: &str) -> bool {
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

    /// Whether the value of a structural key is harmless.
    fn stays(&self, text: &str, is_string: bool) -> bool {
        text.is_empty() || is_small_number(text) || self.is_known(text) && (is_string || matches!(text, "true" | "false" | "null"))
    }
}

fn severity(text: &str) -> Option<String> {
    attributes(text.as_bytes()).ok()?.into_iter().find(|entry| entry.key == "severity").map(|entry| entry.text)
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
