//! What is asked about the metrics of a file, and what is answered. Times are milliseconds since 1970, UTC.
//!
//! Not here: how it is answered (`metrics`, `promql`).

use super::{Failure, MetricsResponse, Packed};
use crate::markup::Node;
use quipu_model::PriceTable;
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
pub struct PointSpan {
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
pub struct PointSpans {
    /// As many as were asked for.
    pub spans: Vec<PointSpan>,
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

/// An amount that is part of a point, and the row of its span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointAmount {
    /// The span's row in the index.
    pub row: u32,
    /// When it was counted.
    pub at_millis: i64,
    /// What it added to the series: tokens, 1 for a count, seconds for a sum of durations.
    pub amount: f64,
    /// The labels of the series it was added to, as Prometheus writes them.
    pub series: String,
}

/// Amounts that are part of a point, latest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PointAmounts {
    /// As many as were asked for, all of spans of the file.
    pub amounts: Vec<PointAmount>,
    /// How many there are in all.
    pub total: u64,
    /// How many of them belong to no span of the file.
    pub without_span: u64,
}

/// Which span a row is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSpan {
    /// The row in the index.
    pub row: u32,
    /// `spans.rowid`.
    pub rowid: i64,
    /// As recorded.
    pub trace_id: String,
    /// As recorded.
    pub span_id: String,
    /// As recorded.
    pub name: String,
}

/// By what tokens are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokensBy {
    /// The label `model_id`.
    #[default]
    Model,
    /// The label `provider_id`.
    Provider,
}

/// Asks for what the page of metrics shows first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewQuery {
    /// The part of the file's time `(from, to]` that is looked at; all of it where there is none.
    pub window: Option<(i64, i64)>,
    /// How many bars the charts have at most; at least 1.
    pub bars: u32,
    /// By what tokens are told apart.
    pub by: TokensBy,
    /// How the file is read.
    pub options: MetricOptions,
}

/// Tokens of one model or provider within a window. A count that no request has is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenShare {
    /// The model or provider; empty where nothing in the file tells it.
    pub name: String,
    /// Prompt tokens.
    pub prompt: Option<f64>,
    /// Completion tokens.
    pub completion: Option<f64>,
    /// Both together, as recorded or derived.
    pub total: Option<f64>,
    /// Inference requests; `None` by provider, which requests do not tell.
    pub requests: Option<u64>,
    /// Those of them that failed.
    pub failed: Option<u64>,
    /// Those of them with a count of tokens.
    pub counted: Option<u64>,
    /// In each bar prompt tokens, completion tokens and all.
    pub bars: [Vec<f64>; 3],
}

/// Requests to one route within a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRequests {
    /// The name of the request's span.
    pub route: String,
    /// Requests.
    pub requests: u64,
    /// Those that failed.
    pub failed: u64,
}

/// How long spans of one name took within a window, nearest rank; nanoseconds. `None` without a span that has a duration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// The spans' name.
    pub name: String,
    /// Spans, those without a duration among them.
    pub spans: u64,
    /// Those that failed.
    pub failed: u64,
    /// Half of them took no longer.
    pub median: Option<u64>,
    /// 95 in 100 took no longer.
    pub p95: Option<u64>,
    /// 99 in 100 took no longer.
    pub p99: Option<u64>,
    /// The longest.
    pub max: Option<u64>,
}

/// What the page of metrics shows first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// First and last scrape of the file; `None` where it holds nothing with a time.
    pub extent: Option<(i64, i64)>,
    /// The part that is looked at, `(from, to]`.
    pub window: (i64, i64),
    /// Milliseconds of a bar.
    pub step_millis: i64,
    /// Where each bar ends.
    pub ends: Vec<i64>,
    /// Most tokens first.
    pub tokens: Vec<TokenShare>,
    /// Requests that went well and requests that failed, in each bar.
    pub requests: [Vec<f64>; 2],
    /// Most requests first.
    pub routes: Vec<RouteRequests>,
    /// Most time spent first.
    pub latencies: Vec<Latency>,
    /// Inference requests of the window by whether their tokens are known.
    pub counted: CountedRequests,
}

/// What the numbers of a chart are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChartForm {
    /// Bars on top of each other, each from the end of the one before.
    Bars,
    /// A line a series.
    #[default]
    Lines,
}

/// One series of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChartSeries {
    /// What the legend says.
    pub name: String,
    /// Its labels, where it is a series of PromQL.
    pub labels: Vec<(String, String)>,
    /// What asks for the spans behind its points.
    pub query: String,
    /// Whether it is of failures.
    pub failed: bool,
    /// A value a time; no number where there is none.
    pub values: Packed<f64>,
}

/// A chart over time, ready to draw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// What it shows, in a few words.
    pub title: String,
    /// How.
    pub form: ChartForm,
    /// Seconds since 1970, UTC, rising.
    pub times: Packed<f64>,
    /// The series that are drawn.
    pub series: Vec<ChartSeries>,
    /// How many there are beside these.
    pub more: u32,
    /// Milliseconds between two times.
    pub step_millis: i64,
}

/// [`Overview`], ready to draw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OverviewPage {
    /// First and last scrape of the file; `None` where it holds nothing with a time.
    pub extent: Option<(i64, i64)>,
    /// The part that is looked at, `(from, to]`.
    pub window: (i64, i64),
    /// Tokens over time.
    pub tokens: Chart,
    /// Requests and failures over time.
    pub requests: Chart,
    /// What stands under the first chart: shares, costs, and where the numbers come from.
    pub shares: Vec<Node>,
    /// What stands under the second: routes and durations.
    pub routes: Vec<Node>,
}

/// An answer of PromQL, ready to draw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerPage {
    /// Over time; `None` for an instant.
    pub chart: Option<Chart>,
    /// The values as tables.
    pub table: Vec<Node>,
    /// The series of the tables.
    pub series: Vec<AnswerSeries>,
    /// Milliseconds between two values; for an instant so many that all that was before is behind it.
    pub step_millis: i64,
}

/// One series of an answer, and when its last value is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerSeries {
    /// As Prometheus writes it.
    pub name: String,
    /// Names and values of its labels.
    pub labels: Vec<(String, String)>,
    /// Milliseconds since 1970, UTC.
    pub last_millis: i64,
}

/// Loads the input that travels beside this message: the bytes of `quipu_metrics::MetricsInput`. All other questions are about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadMetricsInput;

/// Asks for the charts and tables that the page of metrics begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GetOverview {
    /// The part of the file, and how it is split.
    pub query: OverviewQuery,
    /// Which tokens are drawn.
    pub shown: TokensShown,
    /// What tokens cost.
    pub prices: PriceTable,
}

/// Evaluates a PromQL query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPromql {
    /// The query; times that it leaves out are the file's.
    pub query: PromqlQuery,
    /// Whether it is evaluated at every step of its range, rather than once at the end.
    pub over_time: bool,
}

/// Asks for the amounts that a point was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPointAmounts(pub PointQuery);

/// Asks for completions of a PromQL query that is being typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletePromql {
    /// The query so far.
    pub query: String,
    /// The cursor's position in it, in bytes.
    pub cursor: u32,
    /// How the file is read.
    pub options: MetricOptions,
}

/// What the metrics worker sends to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MetricsEvent {
    /// The worker is running.
    Ready {
        /// The build it belongs to; a page of another build says so and reloads.
        build: String,
    },
    /// The reply to a question.
    Reply {
        /// The number the page gave the question.
        id: u32,
        /// The answer.
        result: Result<MetricsResponse, Failure>,
    },
}

/// Which tokens are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokensShown {
    /// Prompt and completion together.
    #[default]
    All,
    /// Of prompts.
    Prompt,
    /// Of completions.
    Completion,
}

impl TokensShown {
    /// Every choice.
    pub const ALL: [TokensShown; 3] = [TokensShown::All, TokensShown::Prompt, TokensShown::Completion];

    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            TokensShown::All => "all",
            TokensShown::Prompt => "prompt",
            TokensShown::Completion => "completion",
        }
    }
}
