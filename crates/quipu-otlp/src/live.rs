//! OTLP requests for a program's own telemetry: its spans, and sums of its measurements.
//!
//! Not here: spans read from a file (`otlp`), and sending requests.

use super::values::{list, map, number, text};
use crate::messages::{RESOURCE_METRICS, RESOURCE_SPANS};
use crate::numbers::python_float;
use crate::spans::key_values;
use crate::wire::encode;
use quipu_model::{Attributes, MetricValue, Number, Primitive, SpanStatus, Timestamp, Value};

/// The sender: resource attributes and scope name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtlpSource {
    /// Resource attributes, such as `service.name`.
    pub resource: Attributes,
    /// Name of the instrumentation scope.
    pub scope: String,
}

/// An ended span.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSpan {
    /// 32 hexadecimal digits; see [`otlp_id`].
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// 16 hexadecimal digits; `None` for a root.
    pub parent_span_id: Option<String>,
    /// Whether the parent belongs to another process.
    pub has_remote_parent: bool,
    /// W3C `tracestate` received from another process.
    pub trace_state: Option<String>,
    /// Span name.
    pub name: String,
    /// Start time.
    pub start: Timestamp,
    /// End time.
    pub end: Timestamp,
    /// Span attributes.
    pub attributes: Attributes,
    /// Status; without a description.
    pub status: SpanStatus,
    /// Span events: name, time, attributes.
    pub events: Vec<(String, Timestamp, Attributes)>,
}

/// A cumulative sum.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSum {
    /// Metric name, such as `prompt_tokens`.
    pub name: String,
    /// Description; may be empty.
    pub description: String,
    /// Unit, such as `tokens`.
    pub unit: String,
    /// Whether the sum is monotonic.
    pub is_monotonic: bool,
    /// One point per set of labels.
    pub points: Vec<OtlpPoint>,
}

/// A data point of a sum.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpPoint {
    /// Labels of the point.
    pub attributes: Attributes,
    /// Start of the accumulation.
    pub start: Timestamp,
    /// Time of the value.
    pub at: Timestamp,
    /// The sum.
    pub value: MetricValue,
}

/// Converts an id to OTLP's form: lower-case hexadecimal digits for this many bytes, padded with zeros like in the reference. `None` if it
/// is zero or not a hexadecimal number.
pub fn otlp_id(id: &str, bytes: usize) -> Option<String> {
    let digits = id.trim_start_matches('0');
    let is_number = !digits.is_empty() && digits.len() <= bytes * 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| format!("{:0>width$}", digits.to_ascii_lowercase(), width = bytes * 2))
}

/// Encodes an `ExportTraceServiceRequest` in protobuf.
pub fn traces_request(source: &OtlpSource, spans: &[OtlpSpan]) -> Vec<u8> {
    request(source, "scopeSpans", "spans", spans.iter().map(span).collect(), &RESOURCE_SPANS)
}

/// Encodes an `ExportMetricsServiceRequest` in protobuf, with cumulative sums.
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
        // SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE (0x100), and SPAN_FLAGS_CONTEXT_IS_REMOTE (0x200) for a remote parent.
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
        // AGGREGATION_TEMPORALITY_CUMULATIVE
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

/// Nanoseconds since 1970; earlier times become 1970.
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
