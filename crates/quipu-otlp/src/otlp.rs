//! Converts OTLP spans to rows, and reads resources and scopes of all signals.
//!
//! Not here: logs and metrics, and decoding bytes.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use super::attributes::{Object, any_json, has, is_true, object, text_of};
use super::fields::{field, list, list_of, number_of, text};
use super::numbers::{id, unsigned};
use super::rows::{NewSpan, Rows, Sourced};
use quipu_model::{EventRecord, SpanExtra, SpanRecord, Value, reference_time};
use std::sync::Arc;

pub const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
pub const STATUSES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// Converts an item of a list to rows. Items that can't be kept are added to the problems.
pub type ListReader = fn(&mut Rows, &Value);

/// The lists of OTLP/JSON with the reader of their items. `batches` is Grafana Tempo's name of the list of spans; names with underscores
/// are those of protobuf.
pub const LISTS: &[(&str, ListReader)] = &[
    ("resourceSpans", Rows::take_spans),
    ("resource_spans", Rows::take_spans),
    ("batches", Rows::take_spans),
    ("resourceLogs", Rows::take_logs),
    ("resource_logs", Rows::take_logs),
    ("resourceMetrics", Rows::take_metrics),
    ("resource_metrics", Rows::take_metrics),
];

/// A decoded span, with times in nanoseconds.
#[derive(Default)]
pub struct ReadSpan {
    pub span: SpanRecord,
    pub events: Vec<EventRecord>,
    /// Times of the events.
    pub event_nanos: Vec<u64>,
    pub is_root: bool,
    pub extra: SpanExtra,
}

impl Rows {
    /// Reads one item of the list with this name, if it is one of OTLP.
    pub fn take(&mut self, list: &str, value: &Value) {
        if let Some((_, reader)) = LISTS.iter().find(|(name, _)| *name == list) {
            reader(self, value);
        }
    }

    pub fn take_spans(&mut self, resource: &Value) {
        let service = service_name(resource);
        for scope in list_of(resource, &["scopeSpans", "instrumentationLibrarySpans"]) {
            let source = self.source_of_spans(resource, scope);
            for span in list(scope, "spans") {
                match read_span(span) {
                    Some(span) => self.spans.push(span.into_row(source, service.clone())),
                    None => self.problem("a span in it has no id of its own or of its trace"),
                }
            }
        }
    }

    /// Index of the resource and scope of an entry of `scopeSpans`. `None` if there is only a service name, which is in `traces`.
    pub fn source_of_spans(&mut self, resource: &Value, scope: &Value) -> Option<usize> {
        let attributes = resource_attributes(resource);
        let only_service = attributes.iter().all(|attribute| field(attribute, "key").and_then(Value::as_str) == Some("service.name"));
        self.source_with(if only_service { "{}".to_owned() } else { object(attributes) }, scope)
    }

    /// Index of the resource and scope of data without a trace.
    pub fn source_of(&mut self, resource: &Value, scope: &Value) -> Option<usize> {
        self.source_with(object(resource_attributes(resource)), scope)
    }

    fn source_with(&mut self, resource: String, scope: &Value) -> Option<usize> {
        let scope = field(scope, "scope").or_else(|| field(scope, "instrumentationLibrary")).unwrap_or(&Value::Null);
        let mut said = Object::new();
        for name in ["name", "version"] {
            if let Some(text) = text(scope, name) {
                said.put_text(name, &text);
            }
        }
        let attributes = list(scope, "attributes");
        if !attributes.is_empty() {
            said.put_json("attributes", &object(attributes));
        }
        self.source(resource, said.finish())
    }
}

impl ReadSpan {
    /// Converts the span to rows and additional data.
    pub fn into_row(self, source: Option<usize>, service_name: Option<Arc<str>>) -> NewSpan {
        let ReadSpan { mut span, events, event_nanos, is_root, mut extra } = self;
        let (start, end) = (extra.start_nanos, extra.end_nanos);
        span.start_time = start.map(reference_time);
        span.end_time = end.map(reference_time);
        // The reference creates the row of a trace when its first span ends.
        let created = end.or(start).map(|nanos| reference_time(nanos - nanos % 1_000_000_000));
        let created = created.and_then(|text| Some(text.get(..19)?.replace('T', " ")));
        let created_at = created.unwrap_or_else(|| "1970-01-01 00:00:00".into());
        // Times in whole microseconds are exact in the row.
        let told = |nanos: Option<u64>| nanos.is_none_or(|nanos| nanos.is_multiple_of(1_000));
        if told(start) && told(end) {
            (extra.start_nanos, extra.end_nanos) = (None, None);
        }
        if !event_nanos.iter().all(|nanos| told(Some(*nanos))) {
            let nanos: Vec<String> = event_nanos.iter().map(u64::to_string).collect();
            extra.event_nanos = Some(format!("[{}]", nanos.join(", ")));
        }
        let has_extra = source.is_some() || extra != SpanExtra::default();
        extra.span_id.clone_from(&span.span_id);
        let extra = has_extra.then_some(Sourced { it: extra, source });
        NewSpan { span, events, service_name, is_root, is_repeated: false, created_at, extra }
    }
}

fn resource_attributes(resource: &Value) -> &[Value] {
    field(resource, "resource").map(|resource| list(resource, "attributes")).unwrap_or_default()
}

/// The service name in a resource.
pub fn service_name(resource: &Value) -> Option<Arc<str>> {
    text_of(resource_attributes(resource), "service.name").map(Arc::from)
}

fn read_span(span: &Value) -> Option<ReadSpan> {
    let span_id = id(field(span, "spanId"), 8)?;
    let trace_id = id(field(span, "traceId"), 16)?;
    let parent = id(field(span, "parentSpanId"), 8);
    let attributes = list(span, "attributes");
    let status = field(span, "status").unwrap_or(&Value::Null);
    let kind = number_of(field(span, "kind"), &KINDS).filter(|kind| *kind > 0).and_then(|kind| KINDS.get(kind));
    let code = number_of(field(status, "code"), &STATUSES).unwrap_or(0);
    let (mut events, mut event_nanos) = (Vec::new(), Vec::new());
    for event in list(span, "events") {
        let nanos = unsigned(field(event, "timeUnixNano"));
        event_nanos.push(nanos.unwrap_or(0));
        events.push(EventRecord {
            span_id: Some(span_id.clone()),
            name: field(event, "name").and_then(Value::as_str).map(str::to_owned),
            timestamp: nanos.map(reference_time),
            attributes: Some(object(list(event, "attributes"))),
        });
    }
    let extra = SpanExtra {
        start_nanos: unsigned(field(span, "startTimeUnixNano")).filter(|nanos| *nanos > 0),
        end_nanos: unsigned(field(span, "endTimeUnixNano")).filter(|nanos| *nanos > 0),
        status_message: text(status, "message"),
        trace_state: text(span, "traceState"),
        links: links(list(span, "links")),
        ..SpanExtra::default()
    };
    Some(ReadSpan {
        is_root: is_root(attributes, parent.is_none()),
        span: SpanRecord {
            span_id,
            trace_id: Some(trace_id),
            parent_span_id: parent,
            name: field(span, "name").and_then(Value::as_str).map(str::to_owned),
            attributes: Some(object(attributes)),
            status: STATUSES.get(code).map(|status| (*status).to_owned()),
            kind: kind.map(|kind| (*kind).to_owned()),
            ..SpanRecord::default()
        },
        events,
        event_nanos,
        extra,
    })
}

/// Whether the reference would take a span for the root of its trace. Llama Stack's spans say so, and all of them have a time to live;
/// other programs' roots are spans without a parent.
fn is_root(attributes: &[Value], without_parent: bool) -> bool {
    if has(attributes, "__ttl__") { is_true(attributes, "__local_root_span__") } else { without_parent }
}

fn links(links: &[Value]) -> Option<String> {
    let mut out = Vec::new();
    for link in links {
        let mut object = Object::new();
        for (name, key, bytes) in [("traceId", "trace_id", 16), ("spanId", "span_id", 8)] {
            if let Some(id) = id(field(link, name), bytes) {
                object.put_text(key, &id);
            }
        }
        if let Some(state) = text(link, "traceState") {
            object.put_text("trace_state", &state);
        }
        let attributes = list(link, "attributes");
        if !attributes.is_empty() {
            object.put_json("attributes", &super::attributes::object(attributes));
        }
        out.push(object.finish());
    }
    (!out.is_empty()).then(|| format!("[{}]", out.join(", ")))
}

/// A body or value as text: strings as they are, others as JSON.
pub fn plain_text(value: &Value) -> Option<String> {
    match field(value, "stringValue") {
        Some(text) => text.as_str().map(str::to_owned),
        None if matches!(value, Value::Null) => None,
        None => Some(any_json(value)),
    }
}
