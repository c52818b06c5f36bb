//! Langfuse's exports: observations as its API lists them, in camel or in snake case, and traces with their observations.
//!
//! Fields get the names of the attributes that Langfuse itself sends by OpenTelemetry. Not here: what those mean
//! (`quipu_model::dialect`).

use super::dialect::{Dialect, Each};
use super::plain::{Origin, PlainSpan, decimal, instant, made_id, plain_id, put, put_all, put_as_text};
use quipu_model::Value;
use quipu_model::recorded::parse_json;
use quipu_otlp::attributes::Object;
use quipu_otlp::fields::{field, list, same, text};
use quipu_otlp::rows::Rows;

pub(super) const DIALECT: Dialect = Dialect {
    name: "traces of Langfuse",
    content: "an observation of Langfuse",
    lists: &[],
    signs: &[
        (&["observations"], "traces"),
        (&["id", "traceId", "startTime", "type"], "observation"),
        (&["id", "timestamp", "projectId", "sessionId"], "traces"),
    ],
    start: |_| Box::new(Each(take)),
};

fn take(rows: &mut Rows, list_name: &str, item: &Value) {
    if list_name == "observation" {
        return observation(rows, item, &Value::Null);
    }
    // The page's own download has the trace beside its observations.
    let trace = field(item, "trace").unwrap_or(item);
    let observations: Vec<&Value> = list(item, "observations").iter().filter(|it| matches!(it, Value::Map(_))).collect();
    if observations.is_empty() {
        return bare_trace(rows, trace);
    }
    observations.into_iter().for_each(|it| observation(rows, it, trace));
}

/// Where each field of an observation goes. The others go below `langfuse.observation.`, under their names in snake case.
const FIELDS: [(&str, &str); 12] = [
    ("model", "langfuse.observation.model.name"),
    ("providedModelName", "langfuse.observation.model.name"),
    ("modelParameters", "langfuse.observation.model.parameters"),
    ("input", "langfuse.observation.input"),
    ("output", "langfuse.observation.output"),
    ("promptName", "langfuse.observation.prompt.name"),
    ("promptVersion", "langfuse.observation.prompt.version"),
    ("version", "langfuse.version"),
    ("environment", "langfuse.environment"),
    ("sessionId", "langfuse.session.id"),
    ("userId", "user.id"),
    ("release", "langfuse.release"),
];

/// Fields that have columns of their own, or are told by others.
const COLUMNS: [&str; 11] = [
    "id",
    "traceId",
    "type",
    "name",
    "startTime",
    "endTime",
    "parentObservationId",
    "statusMessage",
    "trace",
    "observations",
    "projectId",
];

fn observation(rows: &mut Rows, item: &Value, trace: &Value) {
    let trace_id = plain_id(field(item, "traceId").or_else(|| field(trace, "id")), 16);
    let (Some(trace_id), Some(span_id)) = (trace_id, plain_id(field(item, "id"), 8)) else {
        return rows.problem("an observation in it has no id of its own or of its trace");
    };
    let kind = text(item, "type").unwrap_or_default().to_ascii_lowercase();
    let parent = plain_id(field(item, "parentObservationId"), 8);
    let mut attributes = Object::new();
    attributes.put_text("langfuse.observation.type", &kind);
    put_fields(&mut attributes, item, "langfuse.observation.");
    put_usage(&mut attributes, item);
    if parent.is_none() {
        put_trace(&mut attributes, trace);
    }
    let (start, end) = (instant(field(item, "startTime")), instant(field(item, "endTime")));
    let level = text(item, "level").unwrap_or_default();
    let span = PlainSpan {
        trace_id,
        span_id,
        parent,
        name: text(item, "name"),
        start,
        // An event has no length.
        end: end.or(start.filter(|_| kind == "event")),
        status: level.eq_ignore_ascii_case("ERROR").then_some("ERROR"),
        status_message: text(item, "statusMessage"),
        attributes,
        ..PlainSpan::default()
    };
    span.add(origin(item), rows);
}

/// A trace whose observations are not in the export becomes one span.
fn bare_trace(rows: &mut Rows, trace: &Value) {
    let Some(trace_id) = plain_id(field(trace, "id"), 16) else { return rows.problem("a trace in it has no id") };
    let mut attributes = Object::new();
    put_trace(&mut attributes, trace);
    let start = instant(field(trace, "timestamp"));
    let seconds = match field(trace, "latency") {
        Some(Value::Number(number)) => decimal(&number.0, 9),
        _ => None,
    };
    let span = PlainSpan {
        span_id: made_id(&[&trace_id, "trace"], 8),
        trace_id,
        name: text(trace, "name"),
        start,
        end: start.zip(seconds).map(|(start, nanos)| start.saturating_add(nanos)),
        attributes,
        ..PlainSpan::default()
    };
    span.add(origin(trace), rows);
}

fn put_fields(attributes: &mut Object, item: &Value, prefix: &str) {
    let Value::Map(entries) = item else { return };
    for (key, value) in entries.iter().filter(|(_, value)| !matches!(value, Value::Null)) {
        if COLUMNS.iter().any(|column| same(key, column)) {
            continue;
        }
        match FIELDS.iter().find(|(name, _)| same(key, name)) {
            Some((_, known)) => put_as_text(attributes, known, Some(value)),
            None if matches!(value, Value::Map(_) | Value::List(_)) => {
                put_as_text(attributes, &(prefix.to_owned() + &snake(key)), Some(value))
            }
            None => put(attributes, &(prefix.to_owned() + &snake(key)), value),
        }
    }
}

/// What a trace says, on each of its roots.
fn put_trace(attributes: &mut Object, trace: &Value) {
    let Value::Map(entries) = trace else { return };
    for (key, value) in entries.iter().filter(|(_, value)| !matches!(value, Value::Null)) {
        match snake(key).as_str() {
            "id" | "observations" | "project_id" | "environment" | "html_path" => {}
            "session_id" => put_as_text(attributes, "langfuse.session.id", Some(value)),
            "user_id" => put_as_text(attributes, "user.id", Some(value)),
            "release" => put_as_text(attributes, "langfuse.release", Some(value)),
            key => put_as_text(attributes, &format!("langfuse.trace.{key}"), Some(value)),
        }
    }
}

/// Counts of tokens. Each kind of input counts on its own in `usageDetails`, and together in `usage`.
fn put_usage(attributes: &mut Object, item: &Value) {
    let details = match field(item, "usageDetails") {
        Some(details @ Value::Map(entries)) if !entries.is_empty() => Some(details),
        _ => field(item, "usage").filter(|usage| matches!(usage, Value::Map(_))),
    };
    let none = Vec::new();
    let counts = match details {
        Some(Value::Map(entries)) => entries,
        _ => &none,
    };
    let whole = |value: &Value| match value {
        Value::Number(number) => decimal(&number.0, 0),
        Value::Text(text) => decimal(text, 0),
        _ => None,
    };
    let sum = |is_it: &dyn Fn(&str) -> bool| {
        let found = counts.iter().filter(|(key, _)| is_it(&snake(key)) && !key.to_ascii_lowercase().contains("cost"));
        found.filter_map(|(_, value)| whole(value)).fold(None, |sum: Option<u64>, count| Some(sum.unwrap_or(0).saturating_add(count)))
    };
    let alone = |name: &str| field(item, name).and_then(whole);
    let is_input = |key: &str| key.contains("input") || key.starts_with("prompt");
    let is_output = |key: &str| key.contains("output") || key.starts_with("completion");
    let is_written = |key: &str| key.contains("cache") && (key.contains("creation") || key.contains("write"));
    for (key, count) in [
        ("gen_ai.usage.input_tokens", sum(&is_input).or_else(|| alone("promptTokens"))),
        ("gen_ai.usage.output_tokens", sum(&is_output).or_else(|| alone("completionTokens"))),
        ("gen_ai.usage.cache_read.input_tokens", sum(&|key: &str| key.contains("cache") && !is_written(key))),
        ("gen_ai.usage.cache_creation.input_tokens", sum(&is_written)),
        ("gen_ai.usage.reasoning.output_tokens", sum(&|key: &str| key.contains("reasoning"))),
    ] {
        if let Some(count) = count {
            attributes.put_json(key, &count.to_string());
        }
    }
}

/// What Langfuse kept of a span that reached it by OpenTelemetry.
fn origin(item: &Value) -> Origin {
    let metadata = match field(item, "metadata") {
        // The page's own download has it as text.
        Some(Value::Text(text)) => parse_json(text),
        other => other.cloned(),
    };
    let metadata = metadata.unwrap_or(Value::Null);
    let resource = metadata.get("resourceAttributes").unwrap_or(&Value::Null);
    let mut origin = Origin::of_resource(resource.unwrapped());
    if let Some(scope) = metadata.get("scope") {
        let mut known = Object::new();
        for key in ["name", "version"] {
            if let Some(value) = text(scope.unwrapped(), key) {
                known.put_text(key, &value);
            }
        }
        if let Some(attributes @ Value::Map(entries)) = scope.get("attributes")
            && !entries.is_empty()
        {
            let mut object = Object::new();
            put_all(&mut object, "", attributes);
            known.put_json("attributes", &object.finish());
        }
        origin.scope = known;
    }
    origin
}

/// A name in camel case, in snake case.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
