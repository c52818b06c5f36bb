//! Questions about the metrics of a file, and their answers. Times are milliseconds since 1970, UTC, unless a field says otherwise.
//!
//! Not here: how it is answered (`metrics`, `promql`).

use super::Packed;
use crate::markup::Node;
use quipu_model::PriceTable;
use serde::{Deserialize, Serialize};

/// How the records of a file become series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricOptions {
    /// Milliseconds between two scrapes, as if Prometheus had scraped the server; at least 1.
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
    /// PromQL, as the user wrote it.
    pub query: String,
    /// The time of an instant query, or the last step of a range query; `None` for the file's end.
    pub end: Option<i64>,
    /// The first step of a range query; `None` for the file's beginning if there is a step. Without both, the query is instant.
    pub start: Option<i64>,
    /// Milliseconds between steps; `None` for about 250 steps if there is a start.
    pub step: Option<i64>,
    /// What the query runs on.
    pub options: MetricOptions,
}

/// A point of an answer, of which the spans or amounts are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointQuery {
    /// The query that was answered.
    pub query: String,
    /// The labels of the point's series; empty for all series.
    pub labels: Vec<(String, String)>,
    /// The point's time.
    pub at_millis: i64,
    /// How far back a selector without a range looks, in milliseconds: the step of the chart.
    pub step_millis: i64,
    /// Maximum number of items in the answer; `total` counts the others.
    pub limit: u32,
    /// Those of the query.
    pub options: MetricOptions,
}

/// A span that contributes to a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointSpan {
    /// `spans.rowid`.
    pub rowid: i64,
    /// As recorded.
    pub trace_id: String,
    /// As recorded.
    pub span_id: String,
    /// As recorded.
    pub name: String,
    /// When the counter rose by the amount.
    pub at_millis: i64,
    /// What the span added: tokens, 1 for a count, seconds for a sum of durations.
    pub amount: f64,
    /// The labels of the counter that rose, as Prometheus writes them.
    pub series: String,
}

/// The spans that contribute to a point, latest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PointSpans {
    /// [`PointQuery::limit`] of them at most.
    pub spans: Vec<PointSpan>,
    /// Number of all amounts, listed or not.
    pub total: u64,
    /// Number of amounts that belong to no span of the file, such as imported points.
    pub without_span: u64,
}

/// Asks for the exemplars of series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemplarQuery {
    /// PromQL; the series of all its selectors are meant, whatever is computed from them.
    pub query: String,
    /// Only exemplars of this time or later.
    pub start: Option<i64>,
    /// Only exemplars of this time or earlier.
    pub end: Option<i64>,
    /// Maximum number of items in the answer; `total` counts the others.
    pub limit: u32,
    /// Those of the query.
    pub options: MetricOptions,
}

/// A measurement that a point of a series counts, with the span during which it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exemplar {
    /// The labels of its series. For a classic histogram that is its bucket, if the query selects it.
    pub labels: Vec<(String, String)>,
    /// When it was measured.
    pub at_millis: i64,
    /// What was measured.
    pub value: f64,
    /// As recorded; empty if it names none.
    pub trace_id: String,
    /// As recorded; empty if it names none.
    pub span_id: String,
    /// Whether its trace is in the file.
    pub has_trace: bool,
}

/// Exemplars, latest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exemplars {
    /// [`ExemplarQuery::limit`] of them at most.
    pub list: Vec<Exemplar>,
    /// Number of all exemplars, listed or not.
    pub total: u64,
}

/// The type of a metric, as in OpenMetrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetricKind {
    /// Never falls, except when the server restarts.
    Counter,
    /// A series of a classic histogram: its buckets, count or sum.
    Histogram,
    /// Rises and falls.
    Gauge,
}

/// A metric of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricInfo {
    /// As PromQL writes it: `total_tokens`.
    pub name: String,
    /// The functions that suit it: `rate` for a counter, `histogram_quantile` for a histogram.
    pub kind: MetricKind,
    /// What it counts, in a few words.
    pub help: String,
    /// Names of the labels that any of its series has, without `__name__`.
    pub labels: Vec<String>,
}

/// A label and its values in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCompletion {
    /// As PromQL writes it: `model_id`.
    pub name: String,
    /// The distinct values in any series, at most a thousand.
    pub values: Vec<String>,
}

/// Number of inference requests by the source of their token counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedRequests {
    /// With at least one recorded metric event.
    pub recorded: u64,
    /// With counts from attributes or outputs only.
    pub derived: u64,
    /// Without any count.
    pub uncounted: u64,
}

/// The metrics and labels of a file, for completion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricCatalog {
    /// Sorted by name.
    pub metrics: Vec<MetricInfo>,
    /// Sorted by name.
    pub labels: Vec<LabelCompletion>,
    /// First and last scrape of any series; `None` if there is no series.
    pub extent: Option<(i64, i64)>,
    /// Of the whole file.
    pub requests: CountedRequests,
}

/// An amount that contributes to a point. The metrics engine knows spans by row only; [`NameSpans`](crate::NameSpans) names them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointAmount {
    /// The span's row in the index.
    pub row: u32,
    /// When the counter rose by the amount.
    pub at_millis: i64,
    /// What the span added: tokens, 1 for a count, seconds for a sum of durations.
    pub amount: f64,
    /// The labels of the counter that rose, as Prometheus writes them.
    pub series: String,
}

/// The amounts that contribute to a point, latest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PointAmounts {
    /// [`PointQuery::limit`] of them at most, without those that belong to no span.
    pub amounts: Vec<PointAmount>,
    /// Number of all amounts, listed or not.
    pub total: u64,
    /// Number of amounts that belong to no span of the file, such as imported points.
    pub without_span: u64,
}

/// The span in a row of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSpan {
    /// As asked: a row of the index, not of the file.
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

/// The label by which tokens are split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokensBy {
    /// The label `model_id`.
    #[default]
    Model,
    /// The label `provider_id`.
    Provider,
}

/// The part of the file that [`GetOverview`] is about, and how it is split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewQuery {
    /// The time range `(from, to]`; `None` for all of the file.
    pub window: Option<(i64, i64)>,
    /// Maximum number of bars in a chart; at least 1.
    pub bars: u32,
    /// One series of tokens for each model, or for each provider.
    pub by: TokensBy,
    /// Whether names are merged decides which models there are.
    pub options: MetricOptions,
}

/// Tokens of one model or provider in a time range. A count that no request has is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenShare {
    /// The model or provider; empty if the file does not say.
    pub name: String,
    /// Sum of prompt tokens.
    pub prompt: Option<f64>,
    /// Sum of completion tokens.
    pub completion: Option<f64>,
    /// Sum of total tokens, recorded or derived; need not be the sum of the other two.
    pub total: Option<f64>,
    /// Number of inference requests; `None` if split by provider, which requests do not name.
    pub requests: Option<u64>,
    /// Number of failed ones among `requests`.
    pub failed: Option<u64>,
    /// Number of those among `requests` that have a token count.
    pub counted: Option<u64>,
    /// Prompt, completion and total tokens, each with one value per bar.
    pub bars: [Vec<f64>; 3],
}

/// Requests to one route in a time range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRequests {
    /// The name of the root span: `/v1/chat/completions`.
    pub route: String,
    /// Number of requests counted in the range.
    pub requests: u64,
    /// Number of failed ones among them.
    pub failed: u64,
}

/// Durations of the spans of one name in a time range, in nanoseconds; percentiles by nearest rank. `None` if no span has a duration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// The name of the spans, as recorded.
    pub name: String,
    /// Number of spans, including those without a duration.
    pub spans: u64,
    /// Number of failed spans.
    pub failed: u64,
    /// Half of the spans took no longer.
    pub median: Option<u64>,
    /// 95 % of the spans took no longer.
    pub p95: Option<u64>,
    /// 99 % of the spans took no longer.
    pub p99: Option<u64>,
    /// Duration of the slowest span.
    pub max: Option<u64>,
}

/// Tokens, requests and durations in a time range, as numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// First and last scrape of the file; `None` if nothing in it has a time.
    pub extent: Option<(i64, i64)>,
    /// The time range, `(from, to]`.
    pub window: (i64, i64),
    /// Width of a bar in milliseconds.
    pub step_millis: i64,
    /// The end of each bar, ascending.
    pub ends: Vec<i64>,
    /// Sorted by tokens, descending.
    pub tokens: Vec<TokenShare>,
    /// Successful and failed requests, each with one value per bar.
    pub requests: [Vec<f64>; 2],
    /// Sorted by requests, descending.
    pub routes: Vec<RouteRequests>,
    /// Sorted by the sum of durations, descending.
    pub latencies: Vec<Latency>,
    /// Inference requests in the time range.
    pub counted: CountedRequests,
}

/// How the series of a chart are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChartForm {
    /// Stacked bars; a value covers the time since the one before.
    Bars,
    /// One line per series; gaps where there is no value.
    #[default]
    Lines,
}

/// One series of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChartSeries {
    /// The text of the legend.
    pub name: String,
    /// Its labels in a result of PromQL; empty in other charts.
    pub labels: Vec<(String, String)>,
    /// The PromQL query to pass to [`ListPointAmounts`] for its points.
    pub query: String,
    /// Whether it counts failures, and has their colour.
    pub failed: bool,
    /// One for each of [`Chart::times`]; NaN where there is none.
    pub values: Packed<f64>,
}

/// A chart over time, ready to draw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// What it shows, in a few words.
    pub title: String,
    /// Bars for amounts, lines for results of PromQL.
    pub form: ChartForm,
    /// Seconds since 1970, UTC, ascending.
    pub times: Packed<f64>,
    /// Those that are drawn, in the order of the legend.
    pub series: Vec<ChartSeries>,
    /// Number of series that are left out.
    pub more: u32,
    /// Milliseconds between two of `times`.
    pub step_millis: i64,
}

/// [`Overview`] as charts and tables, ready to draw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OverviewPage {
    /// First and last scrape of the file; `None` if nothing in it has a time.
    pub extent: Option<(i64, i64)>,
    /// The time range, `(from, to]`.
    pub window: (i64, i64),
    /// Tokens over time; without series if there are none.
    pub tokens: Chart,
    /// Successful and failed requests over time.
    pub requests: Chart,
    /// Below the chart of tokens: shares, costs, and where the numbers come from.
    pub shares: Vec<Node>,
    /// Below the chart of requests: routes and durations.
    pub routes: Vec<Node>,
}

/// A result of PromQL, ready to draw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerPage {
    /// Of a range query; `None` for an instant.
    pub chart: Option<Chart>,
    /// The values as tables. A button in a row sets `point` to an index into `series`.
    pub table: Vec<Node>,
    /// The rows of the tables, in order.
    pub series: Vec<AnswerSeries>,
    /// Milliseconds between two values; for an instant the length of the file, so that all amounts before it contribute.
    pub step_millis: i64,
}

/// One series of a result, and the time of its last value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerSeries {
    /// Name and labels as Prometheus writes them.
    pub name: String,
    /// Names and values, for [`PointQuery::labels`].
    pub labels: Vec<(String, String)>,
    /// The time of the last value, for [`PointQuery::at_millis`].
    pub last_millis: i64,
}

/// Loads the input that travels beside this message: the bytes of `quipu_metrics::MetricsInput`. All other questions are about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadMetricsInput;

/// Asks for the charts and tables that the page of metrics begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GetOverview {
    /// The time range, and how tokens are split.
    pub query: OverviewQuery,
    /// The tokens of the chart; the table has all.
    pub shown: TokensShown,
    /// For the costs in the table; may be empty.
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
    /// The text in the box, which need not be complete or valid.
    pub query: String,
    /// The cursor's position in `query`, in bytes.
    pub cursor: u32,
    /// Decide which series there are, and so which labels are suggested.
    pub options: MetricOptions,
}

/// The tokens that the chart of tokens shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokensShown {
    /// Prompt and completion tokens together.
    #[default]
    All,
    /// Prompt tokens only.
    Prompt,
    /// Completion tokens only.
    Completion,
}

impl TokensShown {
    /// In the order of the page's buttons.
    pub const ALL: [TokensShown; 3] = [TokensShown::All, TokensShown::Prompt, TokensShown::Completion];

    /// The value of the parameter `tokens` in a URL.
    pub fn name(self) -> &'static str {
        match self {
            TokensShown::All => "all",
            TokensShown::Prompt => "prompt",
            TokensShown::Completion => "completion",
        }
    }
}
