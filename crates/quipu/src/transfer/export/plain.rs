//! Spans as JSON lines and as CSV: rows as they were recorded, for scripts.

use quipu_model::Value;
use quipu_otlp::values::{FullSpan, FullTrace};
use quipu_otlp::values::{attributes, list, map, print, text};

pub(super) const HEADING: &str = "trace_id,span_id,parent_span_id,name,start_time,end_time,status,kind,attributes\r\n";

pub(super) fn json_lines(trace: &FullTrace) -> String {
    trace.spans.iter().map(|span| print(&one(span, trace)) + "\n").collect()
}

fn one(full: &FullSpan, trace: &FullTrace) -> Value {
    let span = &full.span;
    let of = |value: &Option<String>| Some(value.clone().map_or(Value::Null, Value::Text));
    let events = full.events.iter().map(|event| {
        map([
            ("name", of(&event.name)),
            ("timestamp", of(&event.timestamp)),
            ("attributes", Some(Value::Map(attributes(event.attributes.as_deref())))),
        ])
    });
    map([
        ("trace_id", text(trace.trace_id.as_str())),
        ("span_id", text(span.span_id.as_str())),
        ("parent_span_id", of(&span.parent_span_id)),
        ("name", of(&span.name)),
        ("start_time", of(&span.start_time)),
        ("end_time", of(&span.end_time)),
        ("status", of(&span.status)),
        ("kind", of(&span.kind)),
        ("attributes", Some(Value::Map(attributes(span.attributes.as_deref())))),
        ("events", list(events.collect())),
    ])
}

/// By RFC 4180. What is missing is an empty field, and a text that is empty one in quotes.
pub(super) fn csv(trace: &FullTrace) -> String {
    let field = |value: Option<&str>| match value {
        None => String::new(),
        Some(text) if text.is_empty() || text.contains(['"', ',', '\n', '\r']) => format!("\"{}\"", text.replace('"', "\"\"")),
        Some(text) => text.to_owned(),
    };
    let row = |full: &FullSpan| {
        let span = &full.span;
        let fields = [
            Some(trace.trace_id.as_str()),
            Some(span.span_id.as_str()),
            span.parent_span_id.as_deref(),
            span.name.as_deref(),
            span.start_time.as_deref(),
            span.end_time.as_deref(),
            span.status.as_deref(),
            span.kind.as_deref(),
            span.attributes.as_deref(),
        ];
        fields.map(field).join(",") + "\r\n"
    };
    trace.spans.iter().map(row).collect()
}
