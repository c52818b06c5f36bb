//! Spans as JSON lines and as CSV, for scripts: rows as they were recorded, and in JSON lines what the rows cannot hold.

use super::TraceWriter;
use quipu_model::Value;
use quipu_model::csv;
use quipu_otlp::values::{FullSpan, FullTrace};
use quipu_otlp::values::{attributes, list, map, number, print, text};
use quipu_protocol::FileFormat;

pub(super) fn writer(format: FileFormat, raw: bool) -> Option<Box<dyn TraceWriter>> {
    match format {
        FileFormat::JsonLines => Some(Box::new(JsonLines)),
        FileFormat::Csv => Some(Box::new(Csv { raw })),
        _ => None,
    }
}

struct JsonLines;

impl TraceWriter for JsonLines {
    fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        trace.spans.iter().map(|span| print(&one(span, trace)) + "\n").collect::<String>().into_bytes()
    }
}

struct Csv {
    /// Whether cells may be formulas.
    raw: bool,
}

impl Csv {
    fn push(&self, rows: &mut String, fields: [Option<&str>; 9]) {
        if self.raw { csv::push_raw_row(rows, fields) } else { csv::push_row(rows, fields) }
    }
}

impl TraceWriter for Csv {
    fn head(&self) -> String {
        let mut heading = String::new();
        self.push(&mut heading, COLUMNS.map(Some));
        heading
    }

    fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        let mut rows = String::new();
        trace.spans.iter().for_each(|span| self.push(&mut rows, fields(span, trace)));
        rows.into_bytes()
    }
}

const COLUMNS: [&str; 9] = [
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "start_time",
    "end_time",
    "status",
    "kind",
    "attributes",
];

fn fields<'t>(full: &'t FullSpan, trace: &'t FullTrace) -> [Option<&'t str>; 9] {
    let span = &full.span;
    [
        Some(trace.trace_id.as_str()),
        Some(span.span_id.as_str()),
        span.parent_span_id.as_deref(),
        span.name.as_deref(),
        span.start_time.as_deref(),
        span.end_time.as_deref(),
        span.status.as_deref(),
        span.kind.as_deref(),
        span.attributes.as_deref(),
    ]
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
        // The times above are rounded to microseconds.
        ("start_time_unix_nano", full.extra.start_nanos.and_then(number)),
        ("end_time_unix_nano", full.extra.end_nanos.and_then(number)),
        ("status_message", full.extra.status_message.clone().map(Value::Text)),
        ("trace_state", full.extra.trace_state.clone().map(Value::Text)),
        ("links", list(full.links())),
        ("resource", some(full.resource(trace))),
        ("scope", some(full.scope())),
    ])
}

fn some(entries: Vec<(String, Value)>) -> Option<Value> {
    (!entries.is_empty()).then_some(Value::Map(entries))
}
