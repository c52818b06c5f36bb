//! OTLP's messages as far as they are used: numbers, names and types of their fields, from opentelemetry-proto 1.x.
//!
//! A table that encoder and decoder interpret, instead of generated code. Names are those of OTLP/JSON.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

/// Type of a field.
#[derive(Clone, Copy)]
pub enum Kind {
    /// An embedded message.
    Message(&'static [Field]),
    Text,
    /// An id: bytes, represented as hexadecimal digits.
    Id,
    /// Bytes, represented as base64.
    Bytes,
    Bool,
    /// An unsigned varint, including enumerations.
    Unsigned,
    /// A signed varint in two's complement.
    Signed,
    /// A signed varint in zigzag encoding.
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
static ENTITY: [Field; 4] = [
    one(1, "schemaUrl", Text),
    one(2, "type", Text),
    many(3, "idKeys", Text),
    many(4, "descriptionKeys", Text),
];
static RESOURCE: [Field; 3] = [
    many(1, "attributes", Message(&KEY_VALUE)),
    one(2, "droppedAttributesCount", Unsigned),
    many(3, "entityRefs", Message(&ENTITY)),
];
static SCOPE: [Field; 4] = [
    one(1, "name", Text),
    one(2, "version", Text),
    many(3, "attributes", Message(&KEY_VALUE)),
    one(4, "droppedAttributesCount", Unsigned),
];
static STATUS: [Field; 2] = [one(2, "message", Text), one(3, "code", Unsigned)];
static EVENT: [Field; 4] = [
    one(1, "timeUnixNano", Fixed64),
    one(2, "name", Text),
    many(3, "attributes", Message(&KEY_VALUE)),
    one(4, "droppedAttributesCount", Unsigned),
];
pub(crate) static LINK: [Field; 6] = [
    one(1, "traceId", Id),
    one(2, "spanId", Id),
    one(3, "traceState", Text),
    many(4, "attributes", Message(&KEY_VALUE)),
    one(5, "droppedAttributesCount", Unsigned),
    one(6, "flags", Fixed32),
];
static SPAN: [Field; 16] = [
    one(1, "traceId", Id),
    one(2, "spanId", Id),
    one(3, "traceState", Text),
    one(4, "parentSpanId", Id),
    one(5, "name", Text),
    one(6, "kind", Unsigned),
    one(7, "startTimeUnixNano", Fixed64),
    one(8, "endTimeUnixNano", Fixed64),
    many(9, "attributes", Message(&KEY_VALUE)),
    one(10, "droppedAttributesCount", Unsigned),
    many(11, "events", Message(&EVENT)),
    one(12, "droppedEventsCount", Unsigned),
    many(13, "links", Message(&LINK)),
    one(14, "droppedLinksCount", Unsigned),
    one(15, "status", Message(&STATUS)),
    one(16, "flags", Fixed32),
];
static SCOPE_SPANS: [Field; 3] = [one(1, "scope", Message(&SCOPE)), many(2, "spans", Message(&SPAN)), one(3, "schemaUrl", Text)];
/// Spans of one resource (`ResourceSpans`).
pub static RESOURCE_SPANS: [Field; 3] = [
    one(1, "resource", Message(&RESOURCE)),
    many(2, "scopeSpans", Message(&SCOPE_SPANS)),
    one(3, "schemaUrl", Text),
];

static LOG: [Field; 11] = [
    one(1, "timeUnixNano", Fixed64),
    one(2, "severityNumber", Unsigned),
    one(3, "severityText", Text),
    one(5, "body", Message(&ANY_VALUE)),
    many(6, "attributes", Message(&KEY_VALUE)),
    one(7, "droppedAttributesCount", Unsigned),
    one(8, "flags", Fixed32),
    one(9, "traceId", Id),
    one(10, "spanId", Id),
    one(11, "observedTimeUnixNano", Fixed64),
    one(12, "eventName", Text),
];
static SCOPE_LOGS: [Field; 3] = [one(1, "scope", Message(&SCOPE)), many(2, "logRecords", Message(&LOG)), one(3, "schemaUrl", Text)];
/// Log records of one resource (`ResourceLogs`).
pub static RESOURCE_LOGS: [Field; 3] = [
    one(1, "resource", Message(&RESOURCE)),
    many(2, "scopeLogs", Message(&SCOPE_LOGS)),
    one(3, "schemaUrl", Text),
];

static EXEMPLAR: [Field; 6] = [
    one(2, "timeUnixNano", Fixed64),
    one(3, "asDouble", Double),
    one(4, "spanId", Id),
    one(5, "traceId", Id),
    one(6, "asInt", SignedFixed64),
    many(7, "filteredAttributes", Message(&KEY_VALUE)),
];
static NUMBER_POINT: [Field; 7] = [
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "asDouble", Double),
    many(5, "exemplars", Message(&EXEMPLAR)),
    one(6, "asInt", SignedFixed64),
    many(7, "attributes", Message(&KEY_VALUE)),
    one(8, "flags", Unsigned),
];
static HISTOGRAM_POINT: [Field; 11] = [
    one(2, "startTimeUnixNano", Fixed64),
    one(3, "timeUnixNano", Fixed64),
    one(4, "count", Fixed64),
    one(5, "sum", Double),
    many(6, "bucketCounts", Fixed64),
    many(7, "explicitBounds", Double),
    many(8, "exemplars", Message(&EXEMPLAR)),
    many(9, "attributes", Message(&KEY_VALUE)),
    one(10, "flags", Unsigned),
    one(11, "min", Double),
    one(12, "max", Double),
];
static BUCKETS: [Field; 2] = [one(1, "offset", ZigZag), many(2, "bucketCounts", Unsigned)];
static EXPONENTIAL_POINT: [Field; 14] = [
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
    many(11, "exemplars", Message(&EXEMPLAR)),
    one(12, "min", Double),
    one(13, "max", Double),
    one(14, "zeroThreshold", Double),
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
static METRIC: [Field; 9] = [
    one(1, "name", Text),
    one(2, "description", Text),
    one(3, "unit", Text),
    one(5, "gauge", Message(&GAUGE)),
    one(7, "sum", Message(&SUM)),
    one(9, "histogram", Message(&HISTOGRAM)),
    one(10, "exponentialHistogram", Message(&EXPONENTIAL)),
    one(11, "summary", Message(&SUMMARY)),
    many(12, "metadata", Message(&KEY_VALUE)),
];
static SCOPE_METRICS: [Field; 3] = [one(1, "scope", Message(&SCOPE)), many(2, "metrics", Message(&METRIC)), one(3, "schemaUrl", Text)];
/// Metrics of one resource (`ResourceMetrics`).
pub static RESOURCE_METRICS: [Field; 3] = [
    one(1, "resource", Message(&RESOURCE)),
    many(2, "scopeMetrics", Message(&SCOPE_METRICS)),
    one(3, "schemaUrl", Text),
];

static PARTIAL: [Field; 2] = [one(1, "rejectedSpans", Signed), one(2, "errorMessage", Text)];
/// Response of a collector. For metrics and logs the first field of `partial_success` has another name, but the same number.
pub static EXPORT_ANSWER: [Field; 1] = [one(1, "partialSuccess", Message(&PARTIAL))];
/// `google.rpc.Status`, without details.
pub static RPC_STATUS: [Field; 2] = [one(1, "code", Signed), one(2, "message", Text)];
