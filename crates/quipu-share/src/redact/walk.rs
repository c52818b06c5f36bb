//! Redacts the rows of a recording.
//!
//! If text of kinds that are kept may repeat redacted text, there are two passes: the first collects the redacted text and ids, the second
//! writes. `detect` has the shapes of keys and paths, `classify` the meaning of keys.

use super::assigned::says_nothing;
use super::classify::{by_role, nested, resource_attribute, span_attribute};
use super::detect::{find, find_escaped};
use super::names::{Wants, wanted};
use super::pairs::{has_probability, secret_places};
use super::pseudonyms::Pseudonyms;
use super::shapes::looks_like_key;
use super::sweep::{MIN_BYTES, Sweep};
use super::vocabulary::{self, is_count_key, is_measure, is_small_number, is_structural_key, known_name};
use quipu_model::dialect::kind_of_name;
use quipu_model::failure::is_error_severity;
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::{RecordedAttribute, attributes, json_text, parse_json, python_text};
use quipu_model::tokens::from_output;
use quipu_model::{
    Encoding, EventRecord, FURTHER_FIELDS, LogRecord, MetricPoint, RecordedTime, Recording, SpanExtra, SpanKind, SpanRecord,
};
use quipu_model::{Timestamp, TokenRecord, TraceRecord, Value};
use quipu_protocol::{KindReport, KindSet, PrivateKind, RedactExample, RedactOptions, RedactReport};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of examples per kind.
const MAX_EXAMPLES: usize = 3;

/// Maximum length of an example in characters.
const EXAMPLE_LETTERS: usize = 80;

/// How many secrets of earlier parts are remembered.
const MAX_REMEMBERED: usize = 1_000;

/// Redacts a recording, or parts of one, one after the other. Ids and names have the same pseudonym in all of them; of the texts that were
/// taken out of earlier parts, only keys and passwords are found again.
pub struct Redactor {
    walker: Walker,
    secrets: BTreeSet<String>,
    spans: u32,
    events: u32,
}

/// The rows of some traces, and what is known about their spans beyond them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholeRows {
    /// The rows.
    pub recording: Recording,
    /// One for each span, in the same order.
    pub extras: Vec<SpanExtra>,
    /// Resources and scopes, each a JSON object.
    pub sources: Vec<(String, String)>,
}

impl Redactor {
    /// Nothing is redacted yet. `origin` becomes 1970-01-01T00:00:00 if times are shifted; without it, the earliest time of the first part
    /// does.
    pub fn new(options: RedactOptions, origin: Option<Timestamp>) -> Redactor {
        let mut walker = Walker::new(options.take_out);
        walker.shifts = options.shift_times;
        walker.origin = origin.filter(|_| options.shift_times);
        Redactor { walker, secrets: BTreeSet::new(), spans: 0, events: 0 }
    }

    /// The redacted rows, in the same order.
    pub fn recording(&mut self, recording: &Recording) -> Recording {
        self.begin(recording);
        self.twice(|walker| walker.recording(recording))
    }

    /// The redacted rows with everything that belongs to them, in the same order.
    pub fn whole(&mut self, rows: &WholeRows) -> WholeRows {
        self.begin(&rows.recording);
        self.twice(|walker| WholeRows {
            recording: walker.recording(&rows.recording),
            extras: rows.extras.iter().map(|extra| walker.extra(extra)).collect(),
            sources: rows.sources.iter().map(|(resource, scope)| (walker.resource(resource), walker.resource(scope))).collect(),
        })
    }

    /// A redacted log record that belongs to no span.
    pub fn log(&mut self, record: &LogRecord) -> LogRecord {
        self.twice(|walker| walker.log(record))
    }

    /// A redacted metric point. A measurement stays if its name says that it is a count or a duration.
    pub fn point(&mut self, point: &MetricPoint) -> MetricPoint {
        self.twice(|walker| walker.point(point))
    }

    /// A redacted resource and its scope.
    pub fn source(&mut self, (resource, scope): &(String, String)) -> (String, String) {
        self.twice(|walker| (walker.resource(resource), walker.resource(scope)))
    }

    /// The redacted key of an attribute.
    pub fn key(&mut self, key: &str) -> String {
        self.walker.key(key).unwrap_or_else(|| key.to_owned())
    }

    /// What was found and taken out so far.
    pub fn report(&self) -> RedactReport {
        let kinds = self.walker.kinds.iter().filter(|report| report.places > 0).cloned().collect();
        RedactReport { kinds, spans: self.spans, events: self.events }
    }

    fn begin(&mut self, recording: &Recording) {
        let count = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
        self.spans = self.spans.saturating_add(count(recording.spans.len()));
        self.events = self.events.saturating_add(count(recording.events.len()));
        if self.walker.shifts && self.walker.origin.is_none() {
            self.walker.origin = Some(earliest(recording));
        }
    }

    /// If text that is kept may repeat text that is taken out, a first pass collects what is taken out.
    fn twice<T>(&mut self, work: impl Fn(&mut Walker) -> T) -> T {
        let out = self.walker.out;
        // If everything is removed, nothing can repeat it.
        if out != KindSet::NONE && out != KindSet::ALL {
            let mut first = Walker::new(out);
            first.learned = Some(Vec::new());
            work(&mut first);
            let mut learned = first.learned.unwrap_or_default();
            for (text, _) in learned.iter().filter(|(_, kind)| *kind == PrivateKind::Secrets) {
                if self.secrets.len() < MAX_REMEMBERED && !self.secrets.contains(text) {
                    self.secrets.insert(text.clone());
                }
            }
            learned.extend(self.secrets.iter().map(|text| (text.clone(), PrivateKind::Secrets)));
            self.walker.sweep = Sweep::new(learned);
        }
        work(&mut self.walker)
    }
}

pub(super) fn redact(recording: &Recording, options: RedactOptions) -> (Recording, RedactReport) {
    let mut redactor = Redactor::new(options, None);
    let redacted = redactor.recording(recording);
    (redacted, redactor.report())
}

/// The earliest time in the rows.
fn earliest(recording: &Recording) -> Timestamp {
    let of_traces = recording.traces.iter().flat_map(|row| [&row.start_time, &row.end_time, &row.created_at]);
    let of_spans = recording.spans.iter().flat_map(|row| [&row.start_time, &row.end_time]);
    let texts = of_traces.chain(of_spans).chain(recording.events.iter().map(|row| &row.timestamp));
    let earliest = texts.flatten().filter_map(|text| RecordedTime::parse(text).ok()).map(|time| time.at).min();
    earliest.unwrap_or(Timestamp(0))
}

struct Walker {
    out: KindSet,
    /// Collects redacted text in the first pass.
    learned: Option<Vec<(String, PrivateKind)>>,
    sweep: Sweep,
    ids: Pseudonyms,
    names: Pseudonyms,
    /// Whether times are shifted, and from where.
    shifts: bool,
    origin: Option<Timestamp>,
    /// Whether the `value` of the current row is a measurement.
    measures: bool,
    kinds: Vec<KindReport>,
    /// Cache of known words: the same keys occur again and again.
    known: RefCell<BTreeMap<String, bool>>,
    /// The current row and attribute, for examples.
    row: String,
    attribute: String,
}

impl Walker {
    fn new(out: KindSet) -> Walker {
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
        self.attribute = "service_name".into();
        let service_name = match row.service_name.as_ref().filter(|name| names_somebody(name)) {
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
        let kind = row.name.as_deref().map_or(SpanKind::Other, kind_of_name);
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
        let name = row.name.as_deref().map(|name| self.name(name, "event"));
        self.measures = row.name.as_deref().is_some_and(|name| is_measure(name) && self.is_known(name));
        let attributes = row.attributes.as_deref().map(|text| self.attributes(text, kind_of));
        self.measures = false;
        EventRecord { span_id, name, timestamp: self.time(&row.timestamp), attributes }
    }

    /// What is recorded about a span beyond its row.
    fn extra(&mut self, extra: &SpanExtra) -> SpanExtra {
        self.row = "span".into();
        let span_id = self.id(&extra.span_id, "span_id");
        self.row = format!("span {span_id}");
        let origin = self.origin;
        let shifted = |nanos: Option<u64>| nanos.map(|nanos| since(nanos, origin));
        let mut said = |text: &Option<String>, what: &str, kind: PrivateKind| {
            self.attribute = what.into();
            text.as_deref().map(|text| self.leaf(text, kind).unwrap_or_else(|| text.to_owned()))
        };
        let status_message = said(&extra.status_message, "status message", PrivateKind::Errors);
        let trace_state = said(&extra.trace_state, "tracestate", PrivateKind::Others);
        self.attribute = "links".into();
        let links = extra.links.as_deref().map(|text| match parse_json(text) {
            Some(mut value) => {
                if self.value(&mut value, PrivateKind::Others, "links") {
                    json_text(&value)
                } else {
                    text.to_owned()
                }
            }
            None => self.leaf(text, PrivateKind::Others).unwrap_or_else(|| text.to_owned()),
        });
        let is_times = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || b"[], null".contains(&byte));
        let event_nanos = extra.event_nanos.as_deref().filter(is_times).filter(|_| origin.is_none()).map(str::to_owned);
        SpanExtra {
            span_id,
            start_nanos: shifted(extra.start_nanos),
            end_nanos: shifted(extra.end_nanos),
            status_message,
            trace_state,
            links,
            event_nanos,
            source: extra.source,
            more: extra.more.as_deref().and_then(parse_json).as_ref().and_then(counts).map(|counts| json_text(&counts)),
            event_more: extra.event_more.as_deref().and_then(parse_json).and_then(|list| {
                let each = list.items()?.iter().map(|more| counts(more).unwrap_or(Value::Null));
                Some(json_text(&Value::List(each.collect())))
            }),
        }
    }

    fn log(&mut self, record: &LogRecord) -> LogRecord {
        let row = EventRecord {
            span_id: record.span_id.clone(),
            name: record.name.clone(),
            timestamp: record.timestamp.clone(),
            attributes: record.attributes.clone(),
        };
        let EventRecord { span_id, name, timestamp, attributes } = self.event(&row);
        let origin = self.origin;
        let time_nanos = record.time_nanos.map(|nanos| since(nanos, origin));
        LogRecord {
            trace_id: self.optional_id(&record.trace_id, "trace_id"),
            span_id,
            name,
            timestamp,
            time_nanos,
            attributes,
            more: record.more.as_deref().map(|text| self.further(text)),
            source: record.source,
        }
    }

    /// What the columns of a log record do not tell.
    fn further(&mut self, text: &str) -> String {
        let Some(Value::Map(mut entries)) = parse_json(text) else { return "{}".to_owned() };
        entries.retain_mut(|(key, value)| match (key.as_str(), &mut *value) {
            ("severity_number" | "no_time" | "no_event_name", Value::Number(_) | Value::Bool(_)) => true,
            (key, Value::Number(_)) if FURTHER_FIELDS.contains(&key) => true,
            ("observed_time_unix_nano", Value::Number(_)) => self.origin.is_none(),
            ("severity_text", value) => {
                self.value(value, PrivateKind::Others, "severity_text");
                true
            }
            ("body", value) => {
                self.value(value, PrivateKind::Logs, "body");
                true
            }
            _ => false,
        });
        json_text(&Value::Map(entries))
    }

    fn point(&mut self, point: &MetricPoint) -> MetricPoint {
        self.row = "metric".into();
        self.attribute = "name".into();
        let stays = !self.out.has(PrivateKind::Others) || is_measure(&format!("metric.{}", point.metric)) && self.is_known(&point.metric);
        let origin = self.origin;
        if !stays {
            self.count(PrivateKind::Others, 8);
        }
        MetricPoint {
            metric: self.name(&point.metric, "metric"),
            unit: point.unit.as_deref().map(|text| self.word(text)),
            kind: point.kind.clone(),
            start_nanos: point.start_nanos.map(|nanos| since(nanos, origin)),
            time_nanos: point.time_nanos.map(|nanos| since(nanos, origin)),
            attributes: self.attributes(&point.attributes, |key| span_attribute(key, SpanKind::Other)),
            value: point.value.filter(|_| stays),
            count: point.count.filter(|_| stays),
            detail: point.detail.as_deref().filter(|_| stays).map(|text| self.detail(text)),
            about: point.about.as_deref().map(|text| self.attributes(text, |_| PrivateKind::Others)),
            cumulative: point.cumulative,
            monotonic: point.monotonic,
            source: point.source,
        }
    }

    /// The numbers of a point. Exemplars name traces and hold attributes, so they leave only where both may.
    fn detail(&mut self, text: &str) -> String {
        let Some(Value::Map(mut entries)) = parse_json(text) else { return text.to_owned() };
        let Some(place) = entries.iter().position(|(key, _)| key == "exemplars") else { return text.to_owned() };
        if self.out.has(PrivateKind::Others) || self.out.has(PrivateKind::Ids) {
            entries.remove(place);
            self.count(PrivateKind::Others, text.len());
        } else if let Some((_, exemplars)) = entries.get_mut(place) {
            self.attribute = "exemplars".into();
            self.value(exemplars, PrivateKind::Others, "exemplars");
        }
        json_text(&Value::Map(entries))
    }

    /// A resource or scope.
    fn resource(&mut self, text: &str) -> String {
        self.row = "resource".into();
        self.attributes(text, resource_attribute)
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
    fn value(&mut self, value: &mut Value, kind: PrivateKind, key: &str) -> bool {
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
    fn leaf(&mut self, text: &str, kind: PrivateKind) -> Option<String> {
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

/// A time relative to `origin`.
fn since(nanos: u64, origin: Option<Timestamp>) -> u64 {
    origin.map_or(nanos, |origin| nanos.saturating_sub(u64::try_from(origin.0).unwrap_or(0)))
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
fn names_somebody(name: &str) -> bool {
    !matches!(name.trim(), "" | "\u{200b}" | "llama-stack" | "llama_stack")
}

/// Whether a text is nothing but what redaction leaves.
fn is_marker(text: &str) -> bool {
    text.starts_with('[') && PrivateKind::ALL.iter().any(|kind| kind.marker() == text)
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

/// The numbers among the further fields of OTLP; nothing else leaves of them.
fn counts(more: &Value) -> Option<Value> {
    let Value::Map(entries) = more else { return None };
    let known = |(key, value): &&(String, Value)| FURTHER_FIELDS.contains(&key.as_str()) && matches!(value, Value::Number(_));
    Some(Value::Map(entries.iter().filter(known).cloned().collect()))
}
