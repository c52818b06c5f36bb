//! Phoenix's exports: spans as its REST API and its command line print them, with attributes as a tree or flat, and rows of a data frame,
//! whose columns are named `context.trace_id` or `attributes.llm.model_name`.
//!
//! Attributes get the flat names of OpenInference. Not here: what they mean (`quipu_model::dialect`).

use super::console::{events, status_of};
use super::dialect::{Dialect, Each};
use super::plain::{Origin, PlainSpan, instant, plain_id, put, put_as_text};
use quipu_model::Value;
use quipu_otlp::attributes::{MAX_NESTING, Object};
use quipu_otlp::fields::{field, text};
use quipu_otlp::rows::Rows;

pub(super) const DIALECT: Dialect = Dialect {
    name: "spans of Phoenix",
    content: "a span of Phoenix",
    lists: &[],
    signs: &[
        (&["context", "start_time"], "phoenix"),
        (&["context.trace_id", "context.span_id"], "phoenix"),
        // Rows of a query for spans alone.
        (&["span_kind", "span_id", "trace_id", "start_time"], "phoenix"),
    ],
    start: |_| Box::new(Each(take)),
};

/// Members that have columns of their own; all others become attributes.
const COLUMNS: [&str; 19] = [
    "context",
    "context.trace_id",
    "context.span_id",
    "trace_id",
    "span_id",
    "parent_id",
    "name",
    "span_kind",
    "start_time",
    "end_time",
    "status_code",
    "status_message",
    "status",
    "attributes",
    "events",
    "resource",
    "id",
    "index",
    "cumulative_error_count",
];

/// Values that OpenInference holds as the text of their JSON.
const TEXTS: [&str; 6] = [
    "metadata",
    "llm.invocation_parameters",
    "llm.prompt_template.variables",
    "tool.parameters",
    "tool.json_schema",
    "llm.function_call",
];

fn take(rows: &mut Rows, _: &str, item: &Value) {
    let context = field(item, "context").unwrap_or(item);
    let of = |name: &str, column: &str| item.get(column).or_else(|| field(context, name));
    let (Some(trace_id), Some(span_id)) = (plain_id(of("traceId", "context.trace_id"), 16), plain_id(of("spanId", "context.span_id"), 8))
    else {
        return rows.problem("a span in it has no id of its own or of its trace");
    };
    let mut attributes = Object::new();
    let mut has_kind = false;
    flatten(&mut attributes, "", field(item, "attributes").unwrap_or(&Value::Null), 0, &mut has_kind);
    if let Value::Map(entries) = item {
        // A data frame has a column for every attribute of any span: an empty one says nothing.
        for (key, value) in entries.iter().filter(|(key, value)| !COLUMNS.contains(&key.as_str()) && !matches!(value, Value::Null)) {
            match key.strip_prefix("attributes.") {
                Some(key) => flatten(&mut attributes, key, value, 0, &mut has_kind),
                None => put(&mut attributes, &format!("phoenix.{key}"), value),
            }
        }
    }
    if let Some(kind) = text(item, "spanKind").filter(|_| !has_kind) {
        attributes.put_text("openinference.span.kind", &kind);
    }
    let resource = field(item, "resource").unwrap_or(&Value::Null);
    let span = PlainSpan {
        trace_id,
        span_id,
        parent: plain_id(field(item, "parentId"), 8),
        name: text(item, "name"),
        start: instant(field(item, "startTime")),
        end: instant(field(item, "endTime")),
        status: status_of(field(item, "statusCode")),
        status_message: text(item, "statusMessage"),
        attributes,
        events: events(item, "timestamp"),
        ..PlainSpan::default()
    };
    span.add(Origin::of_resource(field(resource, "attributes").unwrap_or(resource)), rows);
}

/// Adds a tree of attributes under flat names, as `llm.input_messages.0.message.role`. Lists of plain values stay lists.
fn flatten(object: &mut Object, key: &str, value: &Value, depth: usize, has_kind: &mut bool) {
    let below = |part: &str| if key.is_empty() { part.to_owned() } else { format!("{key}.{part}") };
    let is_tree = |item: &Value| matches!(item, Value::Map(_) | Value::List(_));
    match value {
        Value::Null => {}
        Value::Map(_) if TEXTS.contains(&key) || key.starts_with("llm.tools.") => put_as_text(object, key, Some(value)),
        Value::Map(entries) if depth < MAX_NESTING && !entries.is_empty() => {
            entries.iter().for_each(|(part, value)| flatten(object, &below(part), value, depth + 1, has_kind));
        }
        Value::List(items) if depth < MAX_NESTING && items.iter().any(is_tree) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(object, &below(&at.to_string()), item, depth + 1, has_kind));
        }
        _ if key.is_empty() => {}
        _ => {
            *has_kind |= key == "openinference.span.kind";
            put(object, key, value);
        }
    }
}
