//! Converts OTLP spans to rows, and reads resources and scopes of all signals.
//!
//! Not here: logs and metrics, and decoding bytes.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use super::attributes::{Object, any_json, has, is_true, object, text_of};
use super::fields::{field, list, list_of, number_of, text};
use super::numbers::{id, unsigned};
use super::rest;
use super::rows::{NewSpan, Rows, Sourced, SpanExact};
use quipu_model::recorded::{entries, json_text};
use quipu_model::{EventRecord, SPAN_KINDS, STATUS_CODES, SpanExtra, SpanRecord, Value, reference_time};
use std::borrow::Borrow;
use std::sync::Arc;

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

/// Whether OTLP/JSON has a list of resources with this name.
pub fn is_list(name: &str) -> bool {
    LISTS.iter().any(|(known, _)| *known == name)
}

/// A decoded span, with times in nanoseconds.
#[derive(Default)]
pub struct ReadSpan {
    pub span: SpanRecord,
    pub events: Vec<EventRecord>,
    /// Times of the events.
    pub event_nanos: Vec<u64>,
    pub is_root: bool,
    pub extra: SpanExtra,
    /// What only Quipu's own layout holds, as JSON objects: of the span, and of each of its events.
    pub more: Option<String>,
    pub event_more: Vec<Option<String>>,
}

impl Rows {
    /// Reads one item of the list with this name, if it is one of OTLP.
    pub fn take(&mut self, list: &str, value: &Value) {
        if let Some((_, reader)) = LISTS.iter().find(|(name, _)| *name == list) {
            reader(self, value);
        }
    }

    pub fn take_spans(&mut self, resource: &Value) {
        let scopes = list_of(resource, &["scopeSpans", "instrumentationLibrarySpans"]);
        self.take_scopes(resource, scopes.iter().map(|scope| (scope, list(scope, "spans").iter().map(read_span))));
    }

    /// Adds the spans of a resource: of each of its scopes, in order. A span without ids is `None`.
    pub(crate) fn take_scopes<V, S>(&mut self, resource: &Value, scopes: impl Iterator<Item = (V, S)>)
    where
        V: Borrow<Value>,
        S: Iterator<Item = Option<ReadSpan>>,
    {
        let service = service_name(resource);
        let of = self.resource_of(resource);
        let only_service = self.is_plain_resource(of);
        for (scope, spans) in scopes {
            let source = self.source_of(of, resource, scope.borrow());
            let is_plain = only_service && source.and_then(|at| self.sources.get(at)).is_none_or(|(_, scope)| &**scope == "{}");
            for span in spans {
                match span {
                    Some(span) => self.add_span(span.into_row(source, is_plain, service.clone())),
                    None => self.problem("a span in it has no id of its own or of its trace"),
                }
            }
        }
    }

    /// Whether a resource has no more than a service name, which the table `traces` has a column for.
    pub fn is_plain_resource(&self, resource: usize) -> bool {
        let attributes = self.resources.get(resource).map_or("{}", |attributes| attributes);
        entries(attributes.as_bytes()).all(|entry| entry.is_ok_and(|(key, _)| key == "service.name"))
    }

    /// Index of a resource.
    pub fn resource_of(&mut self, whole: &Value) -> usize {
        self.resource(object(resource_attributes(whole)))
    }

    /// Index of a resource and scope, given the resource's index and what it says beside its attributes.
    pub fn source_of(&mut self, resource: usize, whole: &Value, entry: &Value) -> Option<usize> {
        let scope = entry;
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
        rest::put(&mut said, scope, &rest::SOURCE);
        if let Some(url) = text(entry, "schemaUrl") {
            said.put_text("schema_url", &url);
        }
        let about_resource = about_resource(whole);
        if !about_resource.is_empty() {
            said.put_json("resource", &about_resource.finish());
        }
        self.source(resource, said.finish())
    }
}

/// What a resource says beside its attributes, which is kept in the object of its scope.
fn about_resource(whole: &Value) -> Object {
    let mut said = Object::new();
    let resource = field(whole, "resource").unwrap_or(&Value::Null);
    rest::put(&mut said, resource, &rest::SOURCE);
    if let Some(url) = text(whole, "schemaUrl") {
        said.put_text("schema_url", &url);
    }
    let entities: Vec<String> = list(resource, "entityRefs").iter().map(json_text).collect();
    if !entities.is_empty() {
        said.put_json("entity_refs", &format!("[{}]", entities.join(", ")));
    }
    said
}

impl ReadSpan {
    /// Converts the span to rows and additional data. `is_plain` says that its resource and scope have no more than a service name.
    pub fn into_row(self, source: Option<usize>, is_plain: bool, service_name: Option<Arc<str>>) -> NewSpan {
        let ReadSpan { span, events, event_nanos, is_root, mut extra, more, event_more } = self;
        let (start, end) = (extra.start_nanos, extra.end_nanos);
        // Times in whole microseconds are exact in the row.
        let told = |nanos: Option<u64>| nanos.is_none_or(|nanos| nanos.is_multiple_of(1_000));
        if told(start) && told(end) {
            (extra.start_nanos, extra.end_nanos) = (None, None);
        }
        if !event_nanos.iter().all(|nanos| told(Some(*nanos))) {
            let nanos: Vec<String> = event_nanos.iter().map(u64::to_string).collect();
            extra.event_nanos = Some(format!("[{}]", nanos.join(", ")));
        }
        let has_extra = !is_plain || extra != SpanExtra::default();
        let extra = has_extra.then(|| {
            extra.span_id.clone_from(&span.span_id);
            Box::new(Sourced { it: extra, source: source.filter(|_| !is_plain) })
        });
        let exact = SpanExact { start, end, events: event_nanos, more, event_more };
        NewSpan { span, events, service_name, is_root, is_repeated: false, created_at: String::new(), extra, source, exact }
    }
}

fn resource_attributes(resource: &Value) -> &[Value] {
    field(resource, "resource").map(|resource| list(resource, "attributes")).unwrap_or_default()
}

/// The service name in a resource.
pub fn service_name(resource: &Value) -> Option<Arc<str>> {
    text_of(resource_attributes(resource), "service.name").map(Arc::from)
}

pub(crate) fn read_span(span: &Value) -> Option<ReadSpan> {
    let span_id = id(field(span, "spanId"), 8)?;
    let trace_id = id(field(span, "traceId"), 16)?;
    let parent = id(field(span, "parentSpanId"), 8);
    let attributes = list(span, "attributes");
    let status = field(span, "status").unwrap_or(&Value::Null);
    let (mut events, mut event_nanos, mut event_more) = (Vec::new(), Vec::new(), Vec::new());
    for event in list(span, "events") {
        let nanos = unsigned(field(event, "timeUnixNano"));
        event_nanos.push(nanos.unwrap_or(0));
        events.push(EventRecord {
            span_id: Some(span_id.clone()),
            name: field(event, "name").and_then(Value::as_str).map(str::to_owned),
            timestamp: event_time(nanos),
            attributes: Some(object(list(event, "attributes"))),
        });
        let mut more = Object::new();
        rest::put(&mut more, event, &rest::EVENT);
        event_more.push((!more.is_empty()).then(|| more.finish()));
    }
    let mut more = Object::new();
    rest::put(&mut more, span, &rest::SPAN);
    let extra = SpanExtra {
        start_nanos: unsigned(field(span, "startTimeUnixNano")).filter(|nanos| *nanos > 0),
        end_nanos: unsigned(field(span, "endTimeUnixNano")).filter(|nanos| *nanos > 0),
        status_message: text(status, "message"),
        trace_state: text(span, "traceState"),
        links: links(list(span, "links")),
        ..SpanExtra::default()
    };
    Some(ReadSpan {
        more: (!more.is_empty()).then(|| more.finish()),
        event_more,
        is_root: is_root(has(attributes, TIME_TO_LIVE).then(|| is_true(attributes, LOCAL_ROOT)), parent.is_none()),
        span: SpanRecord {
            span_id,
            trace_id: Some(trace_id),
            parent_span_id: parent,
            name: field(span, "name").and_then(Value::as_str).map(str::to_owned),
            attributes: Some(object(attributes)),
            status: status_name(number_of(field(status, "code"), &STATUS_CODES)),
            kind: kind_name(number_of(field(span, "kind"), &SPAN_KINDS)),
            ..SpanRecord::default()
        },
        events,
        event_nanos,
        extra,
    })
}

pub(crate) const TIME_TO_LIVE: &str = "__ttl__";
pub(crate) const LOCAL_ROOT: &str = "__local_root_span__";

/// Whether the reference would take a span for the root of its trace. Llama Stack's spans say so, and all of them have a time to live;
/// other programs' roots are spans without a parent.
pub(crate) fn is_root(said: Option<bool>, without_parent: bool) -> bool {
    said.unwrap_or(without_parent)
}

/// The time of an event as the reference writes it, if it differs from what [`NewSpan::write_times`] makes of it.
pub(crate) fn event_time(nanos: Option<u64>) -> Option<String> {
    nanos.filter(|nanos| *nanos == 0).map(reference_time)
}

pub(crate) fn kind_name(number: Option<usize>) -> Option<String> {
    number.filter(|kind| *kind > 0).and_then(|kind| SPAN_KINDS.get(kind)).map(|kind| (*kind).to_owned())
}

pub(crate) fn status_name(number: Option<usize>) -> Option<String> {
    STATUS_CODES.get(number.unwrap_or(0)).map(|status| (*status).to_owned())
}

pub(crate) fn links(links: &[Value]) -> Option<String> {
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
        rest::put(&mut object, link, &rest::LINK);
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
