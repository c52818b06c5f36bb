//! What the console exporters of OpenTelemetry's SDKs print: Python's JSON, and JavaScript's objects once they are JSON
//! (`unpack::literals`).
//!
//! Metrics and log records that Python prints among the spans are left out, and counted.

use super::dialect::{Dialect, Reader};
use super::plain::{Origin, PlainEvent, PlainSpan, instant, plain_id, put, put_all, scaled};
use quipu_model::{SPAN_KINDS, Value};
use quipu_otlp::attributes::Object;
use quipu_otlp::fields::{field, list, text};
use quipu_otlp::rows::Rows;

pub(super) const DIALECT: Dialect = Dialect {
    name: "the output of a console exporter",
    content: "a span of a console exporter",
    lists: &[],
    signs: &[
        (&["context", "kind", "start_time"], PYTHON),
        (&["traceId", "id", "timestamp", "attributes", "status"], JAVASCRIPT),
        (&["body", "severityNumber", "attributes"], LOG),
        (&["descriptor", "dataPoints"], METRIC),
    ],
    start: |_| Box::<Console>::default(),
};

const PYTHON: &str = "python";
const JAVASCRIPT: &str = "javascript";
const LOG: &str = "log";
const METRIC: &str = "metric";

#[derive(Default)]
struct Console {
    logs: u64,
    metrics: u64,
}

impl Reader for Console {
    fn take(&mut self, rows: &mut Rows, list: &str, item: &Value) {
        let read = match list {
            PYTHON => python(item),
            JAVASCRIPT => javascript(item),
            LOG => return self.logs += 1,
            _ => return self.metrics += 1,
        };
        match read {
            Some((span, origin)) => span.add(origin, rows),
            None => rows.problem("a span in it has no id of its own or of its trace"),
        }
    }

    fn finish(&mut self, _: &mut Rows) -> Vec<String> {
        let counted = |count: u64, one: &str, many: &str| {
            let what = quipu_model::format::counted(Some(count), one, many);
            (count > 0).then(|| format!("{what} of a console exporter left out; they are read as OTLP"))
        };
        [counted(self.logs, "log record", "log records"), counted(self.metrics, "metric", "metrics")].into_iter().flatten().collect()
    }
}

fn python(item: &Value) -> Option<(PlainSpan, Origin)> {
    let context = field(item, "context")?;
    let status = field(item, "status").unwrap_or(&Value::Null);
    let kind = text(item, "kind").map(|kind| kind.rsplit('.').next().unwrap_or_default().to_ascii_uppercase());
    let span = PlainSpan {
        trace_id: plain_id(field(context, "traceId"), 16)?,
        span_id: plain_id(field(context, "spanId"), 8)?,
        parent: plain_id(field(item, "parentId"), 8),
        name: text(item, "name"),
        kind,
        start: instant(field(item, "startTime")),
        end: instant(field(item, "endTime")),
        status: status_of(field(status, "statusCode")),
        status_message: text(status, "description"),
        trace_state: trace_state(context),
        attributes: attributes_of(item),
        events: events(item, "timestamp"),
        links: links(item),
    };
    Some((span, origin(item)))
}

fn javascript(item: &Value) -> Option<(PlainSpan, Origin)> {
    let parent = field(item, "parentSpanContext").and_then(|parent| field(parent, "spanId")).or_else(|| field(item, "parentId"));
    let status = field(item, "status").unwrap_or(&Value::Null);
    // Numbered from 0; OTLP numbers from 1.
    let kind = scaled(field(item, "kind"), 0).and_then(|kind| SPAN_KINDS.get(usize::try_from(kind).ok()? + 1));
    let start = scaled(field(item, "timestamp"), 3);
    let span = PlainSpan {
        trace_id: plain_id(field(item, "traceId"), 16)?,
        span_id: plain_id(field(item, "id"), 8)?,
        parent: plain_id(parent, 8),
        name: text(item, "name"),
        kind: kind.map(|kind| (*kind).to_owned()),
        start,
        end: start.zip(scaled(field(item, "duration"), 3)).map(|(start, duration)| start.saturating_add(duration)),
        status: status_of(field(status, "code")),
        status_message: text(status, "message"),
        trace_state: text(item, "traceState"),
        attributes: attributes_of(item),
        events: events(item, "time"),
        links: links(item),
    };
    Some((span, origin(item)))
}

/// A status, by its name or number.
pub(super) fn status_of(code: Option<&Value>) -> Option<&'static str> {
    let code = quipu_otlp::fields::number_of(code, &quipu_model::STATUS_CODES)?;
    quipu_model::STATUS_CODES.get(code).copied()
}

/// Python prints the entries as a list in a text: `[]`, or `['a=b']`.
fn trace_state(context: &Value) -> Option<String> {
    text(context, "traceState").filter(|state| !matches!(state.as_str(), "[]" | "{}"))
}

fn attributes_of(item: &Value) -> Object {
    let mut object = Object::new();
    put_all(&mut object, "", field(item, "attributes").unwrap_or(&Value::Null));
    object
}

/// The events of a span, with the time under this name.
pub(super) fn events(item: &Value, time: &str) -> Vec<PlainEvent> {
    let event = |event: &Value| PlainEvent {
        name: text(event, "name").unwrap_or_default(),
        time: instant(field(event, time)),
        attributes: attributes_of(event),
    };
    list(item, "events").iter().map(event).collect()
}

fn links(item: &Value) -> Vec<String> {
    let mut links = Vec::new();
    for link in list(item, "links") {
        let context = field(link, "context").unwrap_or(link);
        let mut object = Object::new();
        for (name, key, bytes) in [("traceId", "trace_id", 16), ("spanId", "span_id", 8)] {
            if let Some(id) = plain_id(field(context, name), bytes) {
                object.put_text(key, &id);
            }
        }
        let attributes = field(link, "attributes").unwrap_or(&Value::Null);
        if matches!(attributes, Value::Map(entries) if !entries.is_empty()) {
            put(&mut object, "attributes", attributes);
        }
        links.push(object.finish());
    }
    links
}

fn origin(item: &Value) -> Origin {
    let resource = field(item, "resource").unwrap_or(&Value::Null);
    let mut origin = Origin::of_resource(field(resource, "attributes").unwrap_or(&Value::Null));
    let scope = field(item, "instrumentationScope").or_else(|| field(item, "instrumentationLibrary")).unwrap_or(&Value::Null);
    for key in ["name", "version"] {
        if let Some(value) = text(scope, key) {
            origin.scope.put_text(key, &value);
        }
    }
    origin
}
