//! Metrics of a file: its token counts, requests, failures and durations as series that PromQL is asked of.
//!
//! The file is read as if the server had been scraped at regular times. Nothing is laid out in advance: amounts are kept as they were
//! recorded, and a counter is computed at the times of scrapes that a window needs. docs/metrics.md tells names, labels and times.
//!
//! Modules: `readings` are what a file has to be counted, which crosses the wire from the worker that read the file to the one that counts;
//! `read` takes them from an index, `points` reads imported points, `measured` makes series of them and `beside`
//! keeps what both count from being counted twice. [`Metrics`] (`engine`) is the door to what is made of them: `amounts` are added up over time, `spans` are
//! ends and durations by name, `catalogue` is what there is by name, `prepare` makes counters, `source` answers selectors, `behind` finds
//! the amounts a point is made of, `overview` is what the page shows first, `complete` how a query may go on.
//! What is not here: names of metrics and labels (`prometheus`), PromQL (`promql`), how counts are read (`tokens`), what is asked and answered (`protocol`).

#[cfg(feature = "promql")]
mod amounts;
#[cfg(feature = "promql")]
mod behind;
#[cfg(feature = "promql")]
mod beside;
#[cfg(feature = "promql")]
mod catalogue;
#[cfg(feature = "promql")]
mod complete;
#[cfg(feature = "promql")]
mod engine;
#[cfg(feature = "promql")]
mod measured;
#[cfg(feature = "promql")]
mod overview;
#[cfg(feature = "store")]
mod points;
#[cfg(feature = "promql")]
mod prepare;
#[cfg(feature = "store")]
mod read;
mod readings;
#[cfg(feature = "promql")]
mod source;
#[cfg(feature = "promql")]
mod spans;
mod streams;

pub use crate::protocol::{
    AmountBehind, AmountsBehind, CountedRequests, LabelCompletion, Latency, MetricCatalog, MetricInfo, MetricKind, MetricOptions, Overview,
    OverviewQuery, PointQuery, PromqlQuery, RouteRequests, SpanBehind, SpansBehind, TokenShare, TokensBy,
};
#[cfg(feature = "promql")]
pub use engine::Metrics;
#[cfg(feature = "store")]
pub(crate) use points::Collector;
#[cfg(feature = "store")]
pub use points::point_labels;
#[cfg(feature = "store")]
pub(crate) use read::{each_request, read};
pub use readings::Readings;
#[cfg(feature = "store")]
pub(crate) use streams::Measured;
