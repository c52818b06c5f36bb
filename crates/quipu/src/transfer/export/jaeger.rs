//! A trace as Jaeger's query service returns it.

use super::TraceWriter;
use quipu_model::Value;
use quipu_otlp::values::{FullSpan, FullTrace};
use quipu_otlp::values::{attributes, map, number, print, text};
use quipu_protocol::FileFormat;

pub(super) fn writer(format: FileFormat, _: bool) -> Option<Box<dyn TraceWriter>> {
    (format == FileFormat::Jaeger).then(|| Box::new(Answer { begun: false }) as Box<dyn TraceWriter>)
}

/// One response with a list of all traces.
struct Answer {
    begun: bool,
}

impl TraceWriter for Answer {
    fn head(&self) -> String {
        "{\"data\": [".to_owned()
    }

    fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        let between = if std::mem::replace(&mut self.begun, true) { ",\n" } else { "\n" };
        (between.to_owned() + &print(&one_trace(trace))).into_bytes()
    }

    fn tail(&self) -> &'static str {
        "\n]}\n"
    }
}

fn one_trace(trace: &FullTrace) -> Value {
    // Processes, deduplicated by the resource of their spans.
    let mut processes: Vec<(String, Value)> = Vec::new();
    let mut spans = Vec::with_capacity(trace.spans.len());
    for span in &trace.spans {
        let process = process(span, trace);
        let at = processes.iter().position(|(_, known)| *known == process).unwrap_or_else(|| {
            processes.push((format!("p{}", processes.len() + 1), process));
            processes.len() - 1
        });
        let id = processes.get(at).map(|(id, _)| id.clone()).unwrap_or_default();
        spans.push(one(span, trace, &id));
    }
    map([
        ("traceID", text(trace.trace_id.as_str())),
        ("spans", Some(Value::List(spans))),
        ("processes", Some(Value::Map(processes))),
    ])
}

fn process(span: &FullSpan, trace: &FullTrace) -> Value {
    let resource = span.resource(trace);
    let name = resource.iter().find(|(key, _)| key == "service.name").and_then(|(_, value)| value.as_str()).unwrap_or_default();
    let tags = resource.iter().filter(|(key, _)| key != "service.name").map(|(key, value)| tag(key, value)).collect();
    map([("serviceName", text(name)), ("tags", Some(Value::List(tags)))])
}

fn one(full: &FullSpan, trace: &FullTrace, process: &str) -> Value {
    let span = &full.span;
    let (start, end) = (full.start_nanos(trace), full.end_nanos(trace));
    let micros = |nanos: u64| nanos / 1_000;
    let duration = start.zip(end).map(|(start, end)| micros(end).saturating_sub(micros(start)));
    let mut tags: Vec<Value> = attributes(span.attributes.as_deref()).iter().map(|(key, value)| tag(key, value)).collect();
    let mut said = |key: &str, value: Option<&str>| tags.extend(value.map(|value| tag(key, &Value::Text(value.to_owned()))));
    said("span.kind", span.kind.as_deref().map(str::to_ascii_lowercase).as_deref());
    said("otel.status_code", span.status.as_deref().filter(|status| *status != "UNSET"));
    said("otel.status_description", full.extra.status_message.as_deref());
    said("w3c.tracestate", full.extra.trace_state.as_deref());
    let scope = full.scope();
    said("otel.scope.name", scope.iter().find(|(key, _)| key == "name").and_then(|(_, name)| name.as_str()));
    if span.status.as_deref() == Some("ERROR") && !tags.iter().any(|tag| tag.get("key").and_then(Value::as_str) == Some("error")) {
        tags.push(tag("error", &Value::Bool(true)));
    }
    let reference = |kind: &str, trace_id: Option<&Value>, span_id: Option<&Value>| {
        map([("refType", text(kind)), ("traceID", trace_id.cloned()), ("spanID", span_id.cloned())])
    };
    let (of_trace, parent) = (Value::Text(trace.trace_id.clone()), span.parent_span_id.clone().map(Value::Text));
    let mut references: Vec<Value> = parent.iter().map(|parent| reference("CHILD_OF", Some(&of_trace), Some(parent))).collect();
    references.extend(full.links().iter().map(|link| reference("FOLLOWS_FROM", link.get("trace_id"), link.get("span_id"))));
    let logs = full.events.iter().zip(full.event_nanos(trace)).map(|(event, nanos)| {
        let mut fields = vec![tag("event", &Value::Text(event.name.clone().unwrap_or_default()))];
        fields.extend(attributes(event.attributes.as_deref()).iter().map(|(key, value)| tag(key, value)));
        map([("timestamp", number(micros(nanos.unwrap_or(0)))), ("fields", Some(Value::List(fields)))])
    });
    map([
        ("traceID", text(trace.trace_id.as_str())),
        ("spanID", text(span.span_id.as_str())),
        ("operationName", text(span.name.clone().unwrap_or_default())),
        ("references", Some(Value::List(references))),
        ("startTime", number(micros(start.unwrap_or(0)))),
        ("duration", number(duration.unwrap_or(0))),
        ("tags", Some(Value::List(tags))),
        ("logs", Some(Value::List(logs.collect()))),
        ("processID", text(process)),
        ("warnings", Some(Value::Null)),
    ])
}

/// A tag: string, boolean or number; any other value becomes its JSON.
fn tag(key: &str, value: &Value) -> Value {
    let (kind, value) = match value {
        Value::Bool(truth) => ("bool", Value::Bool(*truth)),
        Value::Number(number) if number.as_i64().is_some() => ("int64", value.clone()),
        Value::Number(_) => ("float64", value.clone()),
        Value::Text(text) | Value::Nested { raw: text, .. } => ("string", Value::Text(text.clone())),
        other => ("string", Value::Text(print(other))),
    };
    map([("key", text(key)), ("type", text(kind)), ("value", Some(value))])
}
