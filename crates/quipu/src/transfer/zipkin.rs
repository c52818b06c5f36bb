//! Zipkin's JSON: lists of spans in version 2, and version 1, whose tags are binary annotations.
//!
//! A client and its server may share one span id; the server's half then becomes a span below the client's. Not here: Zipkin's protobuf
//! and Thrift.

use super::dialect::{Dialect, Reader};
use super::plain::{Origin, PlainEvent, PlainSpan, made_id, plain_id, put, scaled};
use quipu_model::Value;
use quipu_otlp::attributes::Object;
use quipu_otlp::fields::{field, list, text};
use quipu_otlp::rows::Rows;
use std::collections::HashSet;

pub(super) const DIALECT: Dialect = Dialect {
    name: "Zipkin's JSON",
    content: "a span of Zipkin's",
    lists: &[],
    signs: &[
        (&["traceId", "id", "localEndpoint"], "zipkin"),
        (&["traceId", "id", "timestamp"], "zipkin"),
        (&["traceId", "id", "binaryAnnotations"], "zipkin"),
        (&["traceId", "id", "name"], "zipkin"),
        (&["traceId", "id", "tags"], "zipkin"),
    ],
    start: |_| Box::<Zipkin>::default(),
};

/// Ids that are remembered, to recognize those that are shared.
const REMEMBERED: usize = 1 << 20;
/// Halves of servers that wait for the end of the input.
const WAITING: usize = 1 << 16;

#[derive(Default)]
pub(super) struct Zipkin {
    /// Ids of spans that share theirs with no other so far, of their trace.
    known: HashSet<(String, String)>,
    waiting: Vec<(PlainSpan, Origin)>,
}

impl Reader for Zipkin {
    fn take(&mut self, rows: &mut Rows, _: &str, item: &Value) {
        let Some((span, origin)) = read(item) else { return rows.problem("a span in it has no id of its own or of its trace") };
        let is_shared = matches!(field(item, "shared"), Some(Value::Bool(true)));
        if is_shared && self.waiting.len() < WAITING {
            self.waiting.push((span, origin));
            return;
        }
        if self.known.len() < REMEMBERED {
            self.known.insert((span.trace_id.clone(), span.span_id.clone()));
        }
        span.add(origin, rows);
    }

    fn finish(&mut self, rows: &mut Rows) -> Vec<String> {
        for (mut span, origin) in std::mem::take(&mut self.waiting) {
            let key = (span.trace_id, span.span_id);
            let is_known = self.known.contains(&key);
            (span.trace_id, span.span_id) = key;
            if is_known {
                let own = made_id(&[&span.trace_id, &span.span_id, "server"], 8);
                span.parent = Some(std::mem::replace(&mut span.span_id, own));
            }
            span.add(origin, rows);
        }
        Vec::new()
    }
}

/// Tags that have columns of their own.
const COLUMNS: [&str; 8] = [
    "otel.status_code",
    "otel.status_description",
    "otel.scope.name",
    "otel.scope.version",
    "otel.library.name",
    "otel.library.version",
    "w3c.tracestate",
    "service.name",
];

fn read(item: &Value) -> Option<(PlainSpan, Origin)> {
    let span_id = plain_id(field(item, "id"), 8)?;
    let trace_id = plain_id(field(item, "traceId"), 16)?;
    let none = Value::Map(Vec::new());
    let mut tags: Vec<(String, Value)> = match field(item, "tags") {
        Some(Value::Map(tags)) => tags.clone(),
        _ => Vec::new(),
    };
    let mut endpoint = field(item, "localEndpoint");
    let (mut kind, mut events) = (text(item, "kind").map(|kind| kind.to_ascii_uppercase()), Vec::new());
    for annotation in list(item, "annotations") {
        let value = text(annotation, "value").unwrap_or_default();
        endpoint = endpoint.or(field(annotation, "endpoint"));
        // The names that version 1 has for the ends of calls.
        match value.as_str() {
            "cs" | "cr" => kind = kind.or(Some("CLIENT".into())),
            "ss" | "sr" => kind = kind.or(Some("SERVER".into())),
            _ => {}
        }
        events.push(PlainEvent { name: value, time: scaled(field(annotation, "timestamp"), 3), attributes: Object::new() });
    }
    for annotation in list(item, "binaryAnnotations") {
        endpoint = endpoint.or(field(annotation, "endpoint"));
        if let (Some(key), Some(value)) = (text(annotation, "key"), field(annotation, "value")) {
            tags.push((key, value.clone()));
        }
    }
    let tag = |key: &str| tags.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let said = |key: &str| tag(key).and_then(Value::as_str).map(str::to_owned);
    let mut attributes = Object::new();
    for (key, value) in tags.iter().filter(|(key, _)| !COLUMNS.contains(&key.as_str())) {
        put(&mut attributes, key, value);
    }
    for (side, prefix) in [(endpoint, "net.host"), (field(item, "remoteEndpoint"), "net.peer")] {
        let side = side.unwrap_or(&none);
        if let Some(name) = text(side, "serviceName").filter(|_| prefix == "net.peer") {
            attributes.put_text("peer.service", &name);
        }
        if let Some(address) = text(side, "ipv4").or_else(|| text(side, "ipv6")) {
            attributes.put_text(&format!("{prefix}.ip"), &address);
        }
        if let Some(port) = field(side, "port").filter(|port| !matches!(port, Value::Null)) {
            put(&mut attributes, &format!("{prefix}.port"), port);
        }
    }
    for (name, key) in [("shared", "zipkin.shared"), ("debug", "zipkin.debug")] {
        if let Some(Value::Bool(true)) = field(item, name) {
            attributes.put_json(key, "true");
        }
    }
    let start = scaled(field(item, "timestamp"), 3);
    let error = tag("error");
    let status = match said("otel.status_code").map(|code| code.to_ascii_uppercase()).as_deref() {
        Some("OK") => Some("OK"),
        Some("ERROR") => Some("ERROR"),
        _ => error.filter(|error| error.as_str() != Some("false")).map(|_| "ERROR"),
    };
    let error_text = error.and_then(Value::as_str).filter(|text| !matches!(*text, "" | "true" | "false"));
    let mut origin = Origin::of_service(endpoint.and_then(|endpoint| text(endpoint, "serviceName")).or_else(|| said("service.name")));
    for (name, keys) in [
        ("name", ["otel.scope.name", "otel.library.name"]),
        ("version", ["otel.scope.version", "otel.library.version"]),
    ] {
        if let Some(value) = keys.iter().find_map(|key| said(key)) {
            origin.scope.put_text(name, &value);
        }
    }
    let span = PlainSpan {
        trace_id,
        span_id,
        parent: plain_id(field(item, "parentId"), 8),
        name: text(item, "name"),
        kind,
        start,
        end: start.zip(scaled(field(item, "duration"), 3)).map(|(start, duration)| start.saturating_add(duration)),
        status,
        status_message: said("otel.status_description").or_else(|| error_text.map(str::to_owned)),
        trace_state: said("w3c.tracestate"),
        attributes,
        events,
        links: Vec::new(),
    };
    Some((span, origin))
}
