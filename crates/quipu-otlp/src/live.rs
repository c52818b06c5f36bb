//! OTLP requests of what a program says itself: its spans, and sums of what it measured.
//!
//! What is not here: spans that stand in a file (`otlp`), and where requests go.

use super::values::{list, map, number, text};
use crate::messages::{RESOURCE_METRICS, RESOURCE_SPANS};
use crate::numbers::python_float;
use crate::spans::key_values;
use crate::wire::encode;
use quipu_model::{Attributes, MetricValue, Number, Primitive, SpanStatus, Timestamp, Value};

/// Who speaks: the attributes of the resource, and the name of the scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtlpSource {
    /// `service.name` and the like.
    pub resource: Attributes,
    /// The library whose code made the spans.
    pub scope: String,
}

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSpan {
    /// 32 hex digits; see [`otlp_id`].
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// 16 hex digits.
    pub parent_span_id: Option<String>,
    /// Whether that span is of another process.
    pub has_remote_parent: bool,
    /// What came with the context of another process, as W3C's `tracestate`.
    pub trace_state: Option<String>,
    /// Its name.
    pub name: String,
    /// When it started.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Its attributes.
    pub attributes: Attributes,
    /// How it went.
    pub status: SpanStatus,
    /// What happened in it: name, time, attributes.
    pub events: Vec<(String, Timestamp, Attributes)>,
}

/// A sum over everything that was measured since `start`.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSum {
    /// Its name: `prompt_tokens`.
    pub name: String,
    /// One sentence or none.
    pub description: String,
    /// What is counted: `tokens`.
    pub unit: String,
    /// Whether it never falls.
    pub is_monotonic: bool,
    /// One for each set of labels.
    pub points: Vec<OtlpPoint>,
}

/// A sum at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpPoint {
    /// Its labels.
    pub attributes: Attributes,
    /// Since when it is summed up.
    pub start: Timestamp,
    /// When it was so much.
    pub at: Timestamp,
    /// How much.
    pub value: MetricValue,
}

/// An id as OTLP takes it: hex digits for so many bytes, lower case, filled up with zeros as the reference reads numbers; `None` where the
/// text is no such number, or zero.
pub fn otlp_id(id: &str, bytes: usize) -> Option<String> {
    let digits = id.trim_start_matches('0');
    let is_number = !digits.is_empty() && digits.len() <= bytes * 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| format!("{:0>width$}", digits.to_ascii_lowercase(), width = bytes * 2))
}

/// An `ExportTraceServiceRequest` in protobuf.
pub fn traces_request(source: &OtlpSource, spans: &[OtlpSpan]) -> Vec<u8> {
    request(source, "scopeSpans", "spans", spans.iter().map(span).collect(), &RESOURCE_SPANS)
}

/// An `ExportMetricsServiceRequest` in protobuf. The sums are cumulative.
pub fn metrics_request(source: &OtlpSource, sums: &[OtlpSum]) -> Vec<u8> {
    request(source, "scopeMetrics", "metrics", sums.iter().map(sum).collect(), &RESOURCE_METRICS)
}

fn request(source: &OtlpSource, scopes: &str, entries: &str, items: Vec<Value>, fields: &'static [crate::messages::Field]) -> Vec<u8> {
    let scope = map([("scope", Some(map([("name", text(source.scope.as_str()))]))), (entries, Some(Value::List(items)))]);
    let resource = map([("attributes", key_values(values(&source.resource)))]);
    let resource = map([("resource", Some(resource)), (scopes, Some(Value::List(vec![scope])))]);
    let mut bytes = Vec::new();
    encode(1, &resource, fields, &mut bytes);
    bytes
}

fn span(span: &OtlpSpan) -> Value {
    let event = |(name, at, attributes): &(String, Timestamp, Attributes)| {
        map([
            ("timeUnixNano", nanos(*at)),
            ("name", text(name.as_str())),
            ("attributes", key_values(values(attributes))),
        ])
    };
    let code = match span.status {
        SpanStatus::Ok => 1,
        SpanStatus::Error => 2,
    };
    map([
        ("traceId", text(span.trace_id.as_str())),
        ("spanId", text(span.span_id.as_str())),
        ("traceState", span.trace_state.as_deref().and_then(text)),
        ("parentSpanId", span.parent_span_id.as_deref().and_then(text)),
        // The first of these bits says that the second is known.
        ("flags", number(if span.has_remote_parent { 0x300 } else { 0x100 })),
        ("name", text(span.name.as_str())),
        ("kind", number(1)),
        ("startTimeUnixNano", nanos(span.start)),
        ("endTimeUnixNano", nanos(span.end)),
        ("attributes", key_values(values(&span.attributes))),
        ("events", list(span.events.iter().map(event).collect())),
        ("status", Some(map([("code", number(code))]))),
    ])
}

fn sum(sum: &OtlpSum) -> Value {
    let point = |point: &OtlpPoint| {
        let (whole, real) = match point.value {
            MetricValue::Integer(whole) => (number(whole), None),
            MetricValue::Float(real) => (None, number(python_float(real))),
        };
        map([
            ("startTimeUnixNano", nanos(point.start)),
            ("timeUnixNano", nanos(point.at)),
            ("asDouble", real),
            ("asInt", whole),
            ("attributes", key_values(values(&point.attributes))),
        ])
    };
    let points = map([
        ("dataPoints", Some(Value::List(sum.points.iter().map(point).collect()))),
        // Cumulative.
        ("aggregationTemporality", number(2)),
        ("isMonotonic", sum.is_monotonic.then_some(Value::Bool(true))),
    ]);
    map([
        ("name", text(sum.name.as_str())),
        ("description", text(sum.description.as_str())),
        ("unit", text(sum.unit.as_str())),
        ("sum", Some(points)),
    ])
}

/// Nanoseconds since 1970, which nothing lies before.
fn nanos(at: Timestamp) -> Option<Value> {
    number(at.0.max(0))
}

fn values(attributes: &Attributes) -> Vec<(String, Value)> {
    let value = |primitive: &Primitive| match primitive {
        Primitive::Null => Value::Null,
        Primitive::Bool(truth) => Value::Bool(*truth),
        Primitive::Integer(number) => Value::Number(Number(number.to_string())),
        Primitive::Float(number) => Value::Number(Number(python_float(*number))),
        Primitive::Text(text) => Value::Text(text.clone()),
    };
    attributes.0.iter().map(|(key, primitive)| (key.clone(), value(primitive))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_of_a_width() {
        assert_eq!(otlp_id("ABC", 8).as_deref(), Some("0000000000000abc"));
        assert_eq!(otlp_id("00f067aa0ba902b7", 8).as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!(otlp_id("000000000000f067aa0ba902b7", 8).as_deref(), Some("00f067aa0ba902b7"), "leading zeros do not count");
        for wrong in ["", "0", "0000000000000000", "span-1", "1f067aa0ba902b7ff"] {
            assert_eq!(otlp_id(wrong, 8), None, "{wrong}");
        }
    }
}
