//! What is asked about metrics and what is answered, as plain types that can cross the worker's wire.

use serde::{Deserialize, Serialize};

/// How a file is read as series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricOptions {
    /// Milliseconds between two scrapes; at least 1.
    pub scrape_millis: i64,
    /// Whether `vllm/llama` and `llama` of the provider `vllm` are one model.
    pub merge_labels: bool,
    /// Whether increases and rates are what was added within the window, without Prometheus's extrapolation.
    pub exact: bool,
}

impl Default for MetricOptions {
    /// A scrape every 15 seconds, labels as recorded, increases as Prometheus computes them.
    fn default() -> MetricOptions {
        MetricOptions { scrape_millis: 15_000, merge_labels: false, exact: false }
    }
}

/// A PromQL query over a file. Times are milliseconds since 1970, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromqlQuery {
    /// The query.
    pub query: String,
    /// When an instant query looks, or the last step; the file's end where there is none.
    pub end: Option<i64>,
    /// The first step of a query over time; the file's beginning where there is a step but no start. Without both the query is instant.
    pub start: Option<i64>,
    /// Milliseconds between steps; where there is a start but no step, so many that there are some 250.
    pub step: Option<i64>,
    /// How the file is read.
    pub options: MetricOptions,
}

/// Asks for the spans behind a point of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointQuery {
    /// The query.
    pub query: String,
    /// The labels of the point's series.
    pub labels: Vec<(String, String)>,
    /// The point's time in milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// How far back a selector without a range is taken to look, in milliseconds: the step of the chart.
    pub step_millis: i64,
    /// How many spans at most.
    pub limit: u32,
    /// How the file is read.
    pub options: MetricOptions,
}

/// A span that is part of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanBehind {
    /// The span's row in `spans`.
    pub rowid: i64,
    /// The trace it belongs to.
    pub trace_id: String,
    /// Its id.
    pub span_id: String,
    /// Its name.
    pub name: String,
    /// When its amount was counted: milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// What it added to the series: tokens, 1 for a count, seconds for a sum of durations.
    pub amount: f64,
    /// The labels of the series it was added to, as Prometheus writes them.
    pub series: String,
}

/// Spans that are part of a point, latest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpansBehind {
    /// As many as were asked for.
    pub spans: Vec<SpanBehind>,
    /// How many amounts there are in all.
    pub total: u64,
    /// How many of them belong to no span of the file.
    pub without_span: u64,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetricKind {
    /// Only rises.
    Counter,
    /// A part of a classic histogram.
    Histogram,
    /// Rises and falls.
    Gauge,
}

/// A metric of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricInfo {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: MetricKind,
    /// What it counts, in a few words.
    pub help: String,
    /// The names of its labels.
    pub labels: Vec<String>,
}

/// A label and its values in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCompletion {
    /// Its name.
    pub name: String,
    /// Its values, at most a thousand.
    pub values: Vec<String>,
}

/// How many inference requests have a count, and from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedRequests {
    /// Inference requests with at least one recorded metric event.
    pub recorded: u64,
    /// Those with counts from elsewhere only.
    pub derived: u64,
    /// Those without any count.
    pub uncounted: u64,
}

/// What there is to ask for in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricCatalog {
    /// Metrics by name.
    pub metrics: Vec<MetricInfo>,
    /// Labels by name.
    pub labels: Vec<LabelCompletion>,
    /// First and last scrape of any series: milliseconds since 1970, UTC.
    pub extent: Option<(i64, i64)>,
    /// Inference requests by whether their tokens are known.
    pub requests: CountedRequests,
}
