//! OTLP's messages, as far as they are read and written: numbers, names and kinds of their fields, by opentelemetry-proto 1.x.
//!
//! A table instead of generated code: reading and writing walk it, and what they make has the names OTLP/JSON has.

#![expect(missing_docs, reason = "fields and kinds have the names of OTLP's messages")]

/// How a field is written.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A message of its own.
    Message(&'static [Field]),
    Text,
    /// An id: bytes, shown as hex digits.
    Id,
    /// Bytes, shown as base64.
    Bytes,
    Bool,
    /// A variable-length integer without sign, an enumeration's among them.
    Unsigned,
    /// A variable-length integer with sign, in two's complement.
    Signed,
    /// The same in zigzag.
    ZigZag,
    Fixed32,
    Fixed64,
    SignedFixed64,
    Double,
}

/// A field of a message.
#[derive(Clone, Copy)]
pub struct Field {
    pub number: u32,
    pub name: &'static str,
    pub kind: Kind,
    pub repeated: bool,
}

const fn one(number: u32, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, repeated: false }
}

const fn many(number: u32, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, repeated: true }
}

use Kind::{Bool, Bytes, Double, Fixed32, Fixed64, Id, Message, Signed, SignedFixed64, Text, Unsigned, ZigZag};

static ANY_VALUE: [Field; 7] = [
    one(1, "stringValue", Text),
    one(2, "boolValue", Bool),
    one(3, "intValue", Signed),
    one(4, "doubleValue", Double),
    one(5, "arrayValue", Message(&ARRAY)),
    one(6, "kvlistValue", Message(&KEY_VALUES)),
    one(7, "bytesValue", Bytes),
];
static ARRAY: [Field; 1] = [many(1, "values", Message(&ANY_VALUE))];
static KEY_VALUES: [Field; 1] = [many(1, "values", Message(&KEY_VALUE))];
static KEY_VALUE: [Field; 2] = [one(1, "key", Text), one(2, "value", Message(&ANY_VALUE))];
static RESOURCE: [Field; 1] = [many(1, "attributes", Message(&KEY_VALUE))];
static SCOPE: [Field; 3] = [one(1, "name", Text), one(2, "version", Text), many(3, "attributes", Message(&KEY_VALUE))];
static STATUS: [Field; 2] = [one(2, "message", Text), one(3, "code", Unsigned)];
static EVENT: [Field; 3] = [one(1, "timeUnixNano", Fixed64), one(2, "name", Text), many(3, "attributes", Message(&KEY_VALUE))];
static LINK: [Field; 4] = [
    one(1, "traceId", Id),
    one(2, "spanId", Id),
    one(3, "traceState", Text),
    many(4, "attributes", Message(&KEY_VALUE)),
];
static SPAN: [Field; 13] = [
    one(1, "traceId", Id),
    one(2, "spanId", Id),
    one(3, "traceState", Text),
    one(4, "parentSpanId", Id),
    one(5, "name", Text),
    one(6, "kind", Unsigned),
    one(7, "startTimeUnixNano", Fixed64),
    one(8, "endTimeUnixNano", Fixed64),
    many(9, "attributes", Message(&KEY_VALUE)),
    many(11, "events", Message(&EVENT)),
    many(13, "links", Message(&LINK)),
    one(15, "status", Message(&STATUS)),
    one(16, "flags", Fixed32),
];
static SCOPE_SPANS: [Field; 2] = [one(1, "scope", Message(&SCOPE)), many(2, "spans", Message(&SPAN))];
/// Spans of one resource.
pub static RESOURCE_SPANS: [Field; 2] = [one(1, "resource", Message(&RESOURCE)), many(2, "scopeSpans", Message(&SCOPE_SPANS))];

static LOG: [Field; 9] = [
    one(1, "timeUnixNano", Fixed64),
    one(2, "severityNumber", Unsigned),
    one(3, "severityText", Text),
    one(5, "body", Message(&ANY_VALUE)),
    many(6, "attributes", Message(&KEY_VALUE)),
    one(9, "traceId", Id),
    one(10, "spanId", Id),
    one(11, "observedTimeUnixNano", Fixed64),
    one(12, "eventName", Text),
];
static SCOPE_LOGS: [Field; 2] = [one(1, "scope", Message(&SCOPE)), many(2, "logRecords", Message(&LOG))];
/// Log records of one resource.
pub static RESOURCE_LOGS: [Field; 2] = [one(1, "resource", Message(&RESOURCE)), many(2, "scopeLogs", Message(&SCOPE_LOGS))];

static NUMBER_POINT: [Field; 6] = [
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "asDouble", Double),
    one(6, "asInt", SignedFixed64),
    many(7, "attributes", Message(&KEY_VALUE)),
    one(8, "flags", Unsigned),
];
static HISTOGRAM_POINT: [Field; 10] = [
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "count", Fixed64),
    one(5, "sum", Double),
    many(6, "bucketCounts", Fixed64),
    many(7, "explicitBounds", Double),
    many(9, "attributes", Message(&KEY_VALUE)),
    one(10, "flags", Unsigned),
    one(11, "min", Double),
    one(12, "max", Double),
];
static BUCKETS: [Field; 2] = [one(1, "offset", ZigZag), many(2, "bucketCounts", Unsigned)];
static EXPONENTIAL_POINT: [Field; 12] = [
    many(1, "attributes", Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "count", Fixed64),
    one(5, "sum", Double),
    one(6, "scale", ZigZag),
    one(7, "zeroCount", Fixed64),
    one(8, "positive", Message(&BUCKETS)),
    one(9, "negative", Message(&BUCKETS)),
    one(10, "flags", Unsigned),
    one(12, "min", Double),
    one(13, "max", Double),
];
static QUANTILE: [Field; 2] = [one(1, "quantile", Double), one(2, "value", Double)];
static SUMMARY_POINT: [Field; 7] = [
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "count", Fixed64),
    one(5, "sum", Double),
    many(6, "quantileValues", Message(&QUANTILE)),
    many(7, "attributes", Message(&KEY_VALUE)),
    one(8, "flags", Unsigned),
];
static GAUGE: [Field; 1] = [many(1, "dataPoints", Message(&NUMBER_POINT))];
static SUM: [Field; 3] = [
    many(1, "dataPoints", Message(&NUMBER_POINT)),
    one(2, "aggregationTemporality", Unsigned),
    one(3, "isMonotonic", Bool),
];
static HISTOGRAM: [Field; 2] = [many(1, "dataPoints", Message(&HISTOGRAM_POINT)), one(2, "aggregationTemporality", Unsigned)];
static EXPONENTIAL: [Field; 2] = [many(1, "dataPoints", Message(&EXPONENTIAL_POINT)), one(2, "aggregationTemporality", Unsigned)];
static SUMMARY: [Field; 1] = [many(1, "dataPoints", Message(&SUMMARY_POINT))];
static METRIC: [Field; 8] = [
    one(1, "name", Text),
    one(2, "description", Text),
    one(3, "unit", Text),
    one(5, "gauge", Message(&GAUGE)),
    one(7, "sum", Message(&SUM)),
    one(9, "histogram", Message(&HISTOGRAM)),
    one(10, "exponentialHistogram", Message(&EXPONENTIAL)),
    one(11, "summary", Message(&SUMMARY)),
];
static SCOPE_METRICS: [Field; 2] = [one(1, "scope", Message(&SCOPE)), many(2, "metrics", Message(&METRIC))];
/// Metrics of one resource.
pub static RESOURCE_METRICS: [Field; 2] = [one(1, "resource", Message(&RESOURCE)), many(2, "scopeMetrics", Message(&SCOPE_METRICS))];

static PARTIAL: [Field; 2] = [one(1, "rejectedSpans", Signed), one(2, "errorMessage", Text)];
/// What a collector answers; of metrics and logs the first field of what it refused has another name and the same number.
pub static EXPORT_ANSWER: [Field; 1] = [one(1, "partialSuccess", Message(&PARTIAL))];
/// `google.rpc.Status`, as far as people read it.
pub static RPC_STATUS: [Field; 2] = [one(1, "code", Signed), one(2, "message", Text)];
