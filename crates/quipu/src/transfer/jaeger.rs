//! Parses Jaeger JSON: traces with their spans and the processes these refer to, single spans, those of its protobuf as JSON, and the
//! documents that it stores in Elasticsearch.
//!
//! Not here: reading bytes, and Jaeger's protobuf.

use super::dialect::{Dialect, Each};
use super::plain::{duration, instant, put, scaled};
use quipu_model::{EventRecord, SpanExtra, SpanRecord, Value, reference_time};
use quipu_otlp::attributes::{Object, write_plain};
use quipu_otlp::fields::{field, list, text};
use quipu_otlp::numbers::{id, python_float, real};
use quipu_otlp::otlp::ReadSpan;
use quipu_otlp::rows::Rows;
use std::borrow::Cow;

/// A trace of Jaeger's, in the answer of its server or alone, or a span.
pub(super) const DIALECT: Dialect = Dialect {
    name: "Jaeger's JSON",
    content: "a trace of Jaeger's",
    lists: &[],
    signs: &[(&["spans"], TRACE), (&["spanID", "traceID", "operationName"], "span")],
    start: |_| Box::new(Each(take)),
};

const TRACE: &str = "trace";

fn take(rows: &mut Rows, list_name: &str, item: &Value) {
    let spans = list(item, "spans");
    if spans.first().is_some_and(|span| field(span, "startTimeUnixNano").is_some()) {
        // Spans of OTLP, without a resource.
        rows.take_spans(&Value::Map(vec![("scopeSpans".to_owned(), Value::List(vec![item.clone()]))]));
    } else if list_name == TRACE {
        take_jaeger(rows, item);
    } else {
        take_jaeger(rows, &Value::Map(vec![("spans".to_owned(), Value::List(vec![item.clone()]))]));
    }
}

fn take_jaeger(rows: &mut Rows, trace: &Value) {
    for span in list(trace, "spans") {
        let span = with_tags(span);
        let span = &*span;
        let process = field(span, "process").or_else(|| {
            let number = field(span, "processId")?.as_str()?;
            field(trace, "processes")?.get(number)
        });
        let process = with_tags(process.unwrap_or(&Value::Null));
        let process = &*process;
        let Some(read) = read_span(span, trace) else {
            rows.problem("a span in it has no id of its own or of its trace");
            continue;
        };
        let mut resource = Object::new();
        if let Some(service) = text(process, "serviceName") {
            resource.put_text("service.name", &service);
        }
        put_tags(&mut resource, list(process, "tags"), &[]);
        let scope = tag(span, "otel.scope.name").or_else(|| tag(span, "otel.library.name")).map(|name| {
            let mut scope = Object::new();
            scope.put_text("name", name);
            scope.finish()
        });
        let is_plain_scope = scope.is_none();
        let resource = rows.resource(resource.finish());
        let source = rows.source(resource, scope.unwrap_or_else(|| "{}".into()));
        let is_plain = is_plain_scope && rows.is_plain_resource(resource);
        rows.add_span(read.into_row(source, is_plain, text(process, "serviceName").map(Into::into)));
    }
}

/// Tags that have columns of their own.
const COLUMNS: [&str; 7] = [
    "span.kind",
    "otel.status_code",
    "otel.status_description",
    "otel.scope.name",
    "otel.library.name",
    "internal.span.format",
    "w3c.tracestate",
];

fn read_span(span: &Value, trace: &Value) -> Option<ReadSpan> {
    let span_id = id(field(span, "spanId"), 8)?;
    let trace_id = id(field(span, "traceId").or_else(|| field(trace, "traceId")), 16)?;
    let (mut parent, mut followed, mut links) = (id(field(span, "parentSpanId"), 8), None, Vec::new());
    for reference in list(span, "references") {
        let of_trace = id(field(reference, "traceId"), 16);
        let to = id(field(reference, "spanId"), 8);
        // Protobuf's JSON leaves out what is 0.
        let is_child = text(reference, "refType").is_none_or(|kind| kind == "CHILD_OF");
        let is_here = of_trace.as_deref().is_none_or(|found| found == trace_id);
        if is_child && parent.is_none() && is_here {
            parent = to;
            continue;
        }
        if is_here && followed.is_none() {
            followed.clone_from(&to);
        }
        if let (Some(of_trace), Some(to)) = (of_trace, to) {
            let mut link = Object::new();
            link.put_text("trace_id", &of_trace);
            link.put_text("span_id", &to);
            links.push(link.finish());
        }
    }
    // As in Jaeger's own view, a span that follows from another span of its trace becomes its child.
    let parent = parent.or(followed);
    let tags = list(span, "tags");
    let mut attributes = Object::new();
    put_tags(&mut attributes, tags, &COLUMNS);
    let warnings = list(span, "warnings");
    if !warnings.is_empty() {
        let mut json = String::new();
        write_plain(&Value::List(warnings.to_vec()), &mut json, 0);
        attributes.put_json("jaeger.warnings", &json);
    }
    let (mut events, mut event_nanos) = (Vec::new(), Vec::new());
    for log in list(span, "logs") {
        let nanos = nanos(field(log, "timestamp")).unwrap_or(0);
        let mut object = Object::new();
        let fields = list(log, "fields");
        put_tags(&mut object, fields, &["event"]);
        event_nanos.push(nanos);
        events.push(EventRecord {
            span_id: Some(span_id.clone()),
            name: Some(find(fields, "event").and_then(Value::as_str).unwrap_or("log").to_owned()),
            timestamp: Some(reference_time(nanos)),
            attributes: Some(object.finish()),
        });
    }
    let start = nanos(field(span, "startTime"));
    let duration = nanos(field(span, "duration"));
    let failed = matches!(find(tags, "error"), Some(Value::Bool(true))) || tag(span, "error") == Some("true");
    let status = match tag(span, "otel.status_code").map(str::to_ascii_uppercase) {
        Some(code) => code,
        None if failed => "ERROR".into(),
        None => "UNSET".into(),
    };
    Some(ReadSpan {
        is_root: parent.is_none(),
        span: SpanRecord {
            span_id,
            trace_id: Some(trace_id),
            parent_span_id: parent,
            name: text(span, "operationName"),
            attributes: Some(attributes.finish()),
            status: Some(status),
            kind: tag(span, "span.kind").map(str::to_ascii_uppercase),
            ..SpanRecord::default()
        },
        event_more: Vec::new(),
        more: None,
        events,
        event_nanos,
        extra: SpanExtra {
            start_nanos: start,
            end_nanos: start.zip(duration).map(|(start, duration)| start.saturating_add(duration)),
            status_message: tag(span, "otel.status_description").map(str::to_owned),
            trace_state: tag(span, "w3c.tracestate").map(str::to_owned),
            links: (!links.is_empty()).then(|| format!("[{}]", links.join(", "))),
            ..SpanExtra::default()
        },
    })
}

/// Converts microseconds, which some exporters write with a fraction, to nanoseconds; protobuf's JSON has times and lengths as text.
fn nanos(value: Option<&Value>) -> Option<u64> {
    if let Some(Value::Text(text)) = value
        && !text.bytes().all(|byte| byte.is_ascii_digit())
    {
        return duration(text).or_else(|| instant(value));
    }
    scaled(value, 3)
}

/// The value of a tag, also as protobuf's JSON has it: in a field for each type, and none for false, 0 and an empty text.
fn value_of(tag: &Value) -> &Value {
    const FIELDS: [&str; 5] = ["vStr", "vBool", "vInt64", "vFloat64", "vBinary"];
    let found = field(tag, "value").or_else(|| FIELDS.iter().find_map(|name| field(tag, name)));
    found.unwrap_or_else(|| match type_of(tag).as_str() {
        "bool" => &Value::Bool(false),
        _ => &Value::Null,
    })
}

/// The type of a tag, in small letters.
fn type_of(tag: &Value) -> String {
    text(tag, "type").or_else(|| text(tag, "vType")).unwrap_or_default().to_ascii_lowercase()
}

fn find<'v>(tags: &'v [Value], key: &str) -> Option<&'v Value> {
    Some(value_of(tags.iter().find(|tag| field(tag, "key").and_then(Value::as_str) == Some(key))?))
}

fn tag<'v>(span: &'v Value, key: &str) -> Option<&'v str> {
    find(list(span, "tags"), key)?.as_str()
}

/// Adds tags to an object, with the types they declare.
fn put_tags(object: &mut Object, tags: &[Value], but: &[&str]) {
    for tag in tags {
        let Some(key) = field(tag, "key").and_then(Value::as_str).filter(|key| !but.contains(key)) else { continue };
        match (type_of(tag).as_str(), value_of(tag)) {
            ("float64", Value::Null) => object.put_json(key, "0.0"),
            ("int64", Value::Null) => object.put_json(key, "0"),
            ("" | "string", Value::Null) => object.put_text(key, ""),
            ("float64", value) => object.put_json(key, &real(Some(value)).map_or_else(|| "null".into(), python_float)),
            ("int64", Value::Text(text)) if text.parse::<i64>().is_ok() => object.put_json(key, text),
            ("bool", Value::Text(text)) if text == "true" || text == "false" => object.put_json(key, text),
            (_, value) => put(object, key, value),
        }
    }
}

/// A span or process whose tags Elasticsearch has as the fields of an object, with another letter instead of dots: as a list again.
fn with_tags(of: &Value) -> Cow<'_, Value> {
    let (Value::Map(members), Some(Value::Map(fields))) = (of, field(of, "tag")) else { return Cow::Borrowed(of) };
    let tag = |(key, value): &(String, Value)| {
        Value::Map(vec![("key".to_owned(), Value::Text(key.replace('@', "."))), ("value".to_owned(), value.clone())])
    };
    let tags: Vec<Value> = list(of, "tags").iter().cloned().chain(fields.iter().map(tag)).collect();
    let mut members: Vec<_> = members.iter().filter(|(key, _)| !matches!(key.as_str(), "tag" | "tags")).cloned().collect();
    members.push(("tags".to_owned(), Value::List(tags)));
    Cow::Owned(Value::Map(members))
}
