//! Redacts the rows of each table. Which part of a row is of which kind is decided here, or by `classify` for keys of attributes.
//!
//! Not here: the values of attributes and texts (`walk`).

use super::classify::{resource_attribute, span_attribute};
use super::vocabulary::is_measure;
use super::walk::{Walker, names_somebody};
use quipu_model::dialect::kind_of_name;
use quipu_model::failure::is_error_severity;
use quipu_model::recorded::{attributes, json_text, parse_json};
use quipu_model::{
    EventRecord, FURTHER_FIELDS, LogRecord, MetricPoint, Recording, SpanExtra, SpanKind, SpanRecord, Timestamp, TraceRecord, Value,
};
use quipu_protocol::PrivateKind;

impl Walker {
    pub(super) fn recording(&mut self, recording: &Recording) -> Recording {
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
    pub(super) fn extra(&mut self, extra: &SpanExtra) -> SpanExtra {
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

    pub(super) fn log(&mut self, record: &LogRecord) -> LogRecord {
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

    pub(super) fn point(&mut self, point: &MetricPoint) -> MetricPoint {
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
    pub(super) fn resource(&mut self, text: &str) -> String {
        self.row = "resource".into();
        self.attributes(text, resource_attribute)
    }
}

/// A time relative to `origin`.
fn since(nanos: u64, origin: Option<Timestamp>) -> u64 {
    origin.map_or(nanos, |origin| nanos.saturating_sub(u64::try_from(origin.0).unwrap_or(0)))
}

fn severity(text: &str) -> Option<String> {
    attributes(text.as_bytes()).ok()?.into_iter().find(|entry| entry.key == "severity").map(|entry| entry.text)
}

/// The numbers among the further fields of OTLP; nothing else leaves of them.
fn counts(more: &Value) -> Option<Value> {
    let Value::Map(entries) = more else { return None };
    let known = |(key, value): &&(String, Value)| FURTHER_FIELDS.contains(&key.as_str()) && matches!(value, Value::Number(_));
    Some(Value::Map(entries.iter().filter(known).cloned().collect()))
}
