//! Converts a trace to OTLP's tree, which is printed as JSON or encoded as protobuf.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use super::values::{attributes, find, list, map, text};
use crate::attributes::BYTES;
use crate::rest;
use crate::values::{FullSpan, FullTrace};
use quipu_model::recorded::parse_json;
use quipu_model::{Number, SPAN_KINDS, STATUS_CODES, Value};

/// One entry for each run of spans with the same resource and scope. Keeps the order of the file, which is the order in which spans ended.
pub fn resource_spans(trace: &FullTrace) -> Vec<Value> {
    let mut runs: Vec<(&FullSpan, Vec<Value>)> = Vec::new();
    for span in &trace.spans {
        match runs.last_mut().filter(|(first, _)| first.source == span.source) {
            Some((_, spans)) => spans.push(one(span, trace)),
            None => runs.push((span, vec![one(span, trace)])),
        }
    }
    let entry = |(first, spans): (&FullSpan, Vec<Value>)| of_source(first.resource(trace), first.scope(), ["scopeSpans", "spans"], spans);
    runs.into_iter().map(entry).collect()
}

/// Wraps items in the lists of a resource and a scope, whose field names are `lists`.
pub fn of_source(resource: Vec<(String, Value)>, scope: Vec<(String, Value)>, lists: [&str; 2], items: Vec<Value>) -> Value {
    let of = |key: &str| find(&scope, key).cloned();
    let attributes = match of("attributes") {
        Some(Value::Map(entries)) => key_values(entries),
        _ => None,
    };
    let about = of("resource");
    let said = Value::Map(scope.clone());
    let scope = map([("name", of("name")), ("version", of("version")), ("attributes", attributes)]);
    let scope = rest::extended(scope, rest::entries(Some(&said), &rest::SOURCE));
    let inside = map([("scope", Some(scope)), (lists[1], Some(Value::List(items))), ("schemaUrl", of("schema_url"))]);
    let about = about.as_ref();
    let attributes = map([
        ("attributes", key_values(resource)),
        ("entityRefs", about.and_then(|about| about.get("entity_refs")).cloned()),
    ]);
    let resource = rest::extended(attributes, rest::entries(about, &rest::SOURCE));
    map([
        ("resource", Some(resource)),
        (lists[0], Some(Value::List(vec![inside]))),
        ("schemaUrl", about.and_then(|about| about.get("schema_url")).cloned()),
    ])
}

fn one(full: &FullSpan, trace: &FullTrace) -> Value {
    let span = &full.span;
    let number = |names: &[&str], name: Option<&str>| {
        let at = names.iter().position(|known| Some(*known) == name)?;
        Some(Value::Number(Number(at.to_string())))
    };
    let time = |nanos: Option<u64>| nanos.map(|nanos| Value::Text(nanos.to_string()));
    let event_more = full.extra.event_more.as_deref().and_then(parse_json);
    let event_more = event_more.as_ref().and_then(Value::items).unwrap_or_default();
    let events = full.events.iter().zip(full.event_nanos(trace)).enumerate().map(|(at, (event, nanos))| {
        let read = map([
            ("timeUnixNano", time(nanos)),
            ("name", event.name.as_deref().and_then(text)),
            ("attributes", key_values(attributes(event.attributes.as_deref()))),
        ]);
        rest::extended(read, rest::entries(event_more.get(at), &rest::EVENT))
    });
    let links = full.links().into_iter().map(|link| {
        let attributes = match link.get("attributes") {
            Some(Value::Map(entries)) => key_values(entries.clone()),
            _ => None,
        };
        let read = map([
            ("traceId", link.get("trace_id").cloned()),
            ("spanId", link.get("span_id").cloned()),
            ("traceState", link.get("trace_state").cloned()),
            ("attributes", attributes),
        ]);
        rest::extended(read, rest::entries(Some(&link), &rest::LINK))
    });
    let status = map([
        ("message", full.extra.status_message.as_deref().and_then(text)),
        ("code", number(&STATUS_CODES, span.status.as_deref())),
    ]);
    let more = full.extra.more.as_deref().and_then(parse_json);
    let read = map([
        ("traceId", text(trace.trace_id.as_str())),
        ("spanId", text(span.span_id.as_str())),
        ("traceState", full.extra.trace_state.as_deref().and_then(text)),
        ("parentSpanId", span.parent_span_id.as_deref().and_then(text)),
        ("name", span.name.as_deref().and_then(text)),
        ("kind", number(&SPAN_KINDS, span.kind.as_deref())),
        ("startTimeUnixNano", time(full.start_nanos(trace))),
        ("endTimeUnixNano", time(full.end_nanos(trace))),
        ("attributes", key_values(attributes(span.attributes.as_deref()))),
        ("events", list(events.collect())),
        ("links", list(links.collect())),
        ("status", Some(status)),
    ]);
    rest::extended(read, rest::entries(more.as_ref(), &rest::SPAN))
}

pub fn key_values(entries: Vec<(String, Value)>) -> Option<Value> {
    list(entries.into_iter().map(|(key, value)| map([("key", text(key)), ("value", Some(any(value)))])).collect())
}

/// Converts a JSON value to an `AnyValue`. Integers within 64 bits stay integers.
pub fn any(value: Value) -> Value {
    let (kind, value) = match value {
        Value::Bool(truth) => ("boolValue", Value::Bool(truth)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => ("intValue", Value::Text(whole.to_string())),
            None => ("doubleValue", Value::Number(number)),
        },
        Value::Text(text) | Value::Nested { raw: text, .. } | Value::Opaque(text) => ("stringValue", Value::Text(text)),
        Value::List(items) => ("arrayValue", map([("values", Some(Value::List(items.into_iter().map(any).collect())))])),
        Value::Map(entries) if matches!(entries.as_slice(), [(key, Value::Text(_))] if key == BYTES) => {
            ("bytesValue", entries.into_iter().next().map_or(Value::Null, |(_, bytes)| bytes))
        }
        Value::Map(entries) => ("kvlistValue", map([("values", Some(key_values(entries).unwrap_or(Value::List(Vec::new()))))])),
        Value::Null | Value::Tagged { .. } => return Value::Map(Vec::new()),
    };
    Value::Map(vec![(kind.to_owned(), value)])
}
