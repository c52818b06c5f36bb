//! What OpenTelemetry records beyond the reference's three tables: resources and scopes, links, status messages, nanoseconds, logs of no
//! span, and measured points.
//!
//! What is not here: their tables (`store`), and the formats they come from (`transfer`).

/// A span's facts beyond its row. Times in nanoseconds since 1970; `None` where nothing was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanExtra {
    /// The span.
    pub span_id: String,
    /// When it started.
    pub start_nanos: Option<u64>,
    /// When it ended.
    pub end_nanos: Option<u64>,
    /// The description beside its status.
    pub status_message: Option<String>,
    /// W3C `tracestate`.
    pub trace_state: Option<String>,
    /// A JSON list of objects `{"trace_id", "span_id", "attributes"}`.
    pub links: Option<String>,
    /// A JSON list of the times of its events, in the order they came.
    pub event_nanos: Option<String>,
    /// The resource and scope it came from.
    pub source: Option<i64>,
}

/// A log record that belongs to no span of the file, or waits for its span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRecord {
    /// The trace it names.
    pub trace_id: Option<String>,
    /// The span it names.
    pub span_id: Option<String>,
    /// Its event's name.
    pub name: Option<String>,
    /// When it happened, or was seen, as the reference writes times.
    pub timestamp: Option<String>,
    /// The same in nanoseconds since 1970.
    pub time_nanos: Option<u64>,
    /// A JSON object: `message`, `severity`, then its own attributes.
    pub attributes: Option<String>,
    /// The resource and scope it came from.
    pub source: Option<i64>,
}

/// One point of a metric. Times in nanoseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricPoint {
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    pub unit: Option<String>,
    /// `sum`, `gauge`, `histogram`, `exponential_histogram` or `summary`.
    pub kind: String,
    /// Whether a value counts since the start (true) or since the point before (false); `None` where it counts neither.
    pub cumulative: Option<bool>,
    /// Whether a sum never falls.
    pub monotonic: Option<bool>,
    /// Since when it counts.
    pub start_nanos: Option<u64>,
    /// When it was measured.
    pub time_nanos: Option<u64>,
    /// Its labels, a JSON object.
    pub attributes: String,
    /// The number; of histograms and summaries the sum of what was observed.
    pub value: Option<f64>,
    /// How many observations a histogram or summary holds.
    pub count: Option<u64>,
    /// The rest of a histogram or summary as a JSON object: `bounds` and `counts`, `min`, `max`, `quantiles`, as far as recorded.
    pub detail: Option<String>,
    /// The resource and scope it came from.
    pub source: Option<i64>,
}
