//! Extracts the input of the metrics engine from the index and the imported points.
//!
//! Not here: the computation (`quipu-metrics`).

mod exponential;
mod points;
mod read;

pub(crate) use points::Collector;
pub use points::point_labels;
#[cfg(feature = "promql")]
pub use quipu_metrics::Metrics;
pub use quipu_metrics::metrics_input::MetricsInput;
pub use quipu_protocol::{
    CountedRequests, Exemplar, ExemplarQuery, Exemplars, LabelCompletion, Latency, MetricCatalog, MetricInfo, MetricKind, MetricOptions,
    Overview, OverviewQuery, PointAmount, PointAmounts, PointQuery, PointSpan, PointSpans, PromqlQuery, RouteRequests, TokenShare,
    TokensBy,
};
pub(crate) use read::{each_request, read};
