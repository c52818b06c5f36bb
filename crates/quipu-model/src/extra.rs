//! OpenTelemetry data that the reference's three tables have no columns for: resources and scopes, links, status messages, nanosecond
//! times, log records without a span, and metric points.
//!
//! Not here: the tables that store it (`store`), and the formats it comes from (`transfer`).

use crate::recording::Recording;

/// The further fields of OTLP that are kept as JSON objects; their values are numbers.
pub const FURTHER_FIELDS: [&str; 4] = ["flags", "dropped_attributes_count", "dropped_events_count", "dropped_links_count"];

/// Additional data of a span. Times are nanoseconds since 1970, UTC; `None` means not recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanExtra {
    /// Id of the span.
    pub span_id: String,
    /// Start time.
    pub start_nanos: Option<u64>,
    /// End time.
    pub end_nanos: Option<u64>,
    /// The status description (OTLP `status.message`).
    pub status_message: Option<String>,
    /// W3C `tracestate`, as recorded.
    pub trace_state: Option<String>,
    /// A JSON list of objects `{"trace_id", "span_id", "attributes"}`.
    pub links: Option<String>,
    /// A JSON list with the time of each event, in recorded order.
    pub event_nanos: Option<String>,
    /// A JSON object with [`FURTHER_FIELDS`], and more.
    pub more: Option<String>,
    /// The same of each event, as a JSON list of objects and nulls.
    pub event_more: Option<String>,
    /// Row id of the resource and scope.
    pub source: Option<i64>,
}

/// A log record without a span in the file, or one whose span has not arrived yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRecord {
    /// Trace id in the record.
    pub trace_id: Option<String>,
    /// Span id in the record.
    pub span_id: Option<String>,
    /// OTLP `eventName`.
    pub name: Option<String>,
    /// Time of the event, or else the observed time, in the reference's text format.
    pub timestamp: Option<String>,
    /// The same time in nanoseconds since 1970, UTC.
    pub time_nanos: Option<u64>,
    /// A JSON object: `message`, `severity`, then the record's own attributes.
    pub attributes: Option<String>,
    /// What these do not tell, as a JSON object: `severity_number`, `severity_text`, `observed_time_unix_nano`, `flags`,
    /// `dropped_attributes_count`; a `body` that is neither text nor fields; `no_time` if the time is the observed one, `no_event_name` if
    /// the name is that of an attribute.
    pub more: Option<String>,
    /// Row id of the resource and scope.
    pub source: Option<i64>,
}

/// A data point of a metric. Times are nanoseconds since 1970, UTC.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricPoint {
    /// Metric name.
    pub metric: String,
    /// Unit, as recorded.
    pub unit: Option<String>,
    /// `sum`, `gauge`, `histogram`, `exponential_histogram` or `summary`.
    pub kind: String,
    /// Aggregation temporality: cumulative (true) or delta (false). `None` for kinds without one.
    pub cumulative: Option<bool>,
    /// Whether a sum is monotonic. `None` for other kinds.
    pub monotonic: Option<bool>,
    /// Start of the interval it covers.
    pub start_nanos: Option<u64>,
    /// Time of the measurement.
    pub time_nanos: Option<u64>,
    /// Labels, as a JSON object.
    pub attributes: String,
    /// Value of a sum or gauge; sum of the observations of a histogram or summary.
    pub value: Option<f64>,
    /// Number of observations of a histogram or summary.
    pub count: Option<u64>,
    /// Other fields of a point, as a JSON object: of a histogram or summary `bounds` and `counts`, `min`, `max`, `quantiles`, as recorded;
    /// `exemplars`; `int` for an integer that a double rounds, `double` for a whole number sent as a double, `nan`.
    pub detail: Option<String>,
    /// What is said about the metric, as a JSON object: `description`, `metadata`.
    pub about: Option<String>,
    /// Row id of the resource and scope.
    pub source: Option<i64>,
}

/// The rows of some traces with everything that is known about them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WholeRows {
    /// The rows. Events are in the order of their spans.
    pub recording: Recording,
    /// One for each span, in the same order. A `source` is a place in `sources`.
    pub extras: Vec<SpanExtra>,
    /// The number of events of each span, in the same order.
    pub event_counts: Vec<u32>,
    /// Resources and scopes, each a JSON object.
    pub sources: Vec<(String, String)>,
    /// Log records.
    pub logs: Vec<LogRecord>,
    /// Metric points.
    pub points: Vec<MetricPoint>,
}
