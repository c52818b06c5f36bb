//! Metrics of a telemetry file: token counts, requests, errors and durations as series that PromQL can query.
//!
//! The file is read as if the server had been scraped at regular times. Nothing is computed in advance: amounts are kept as recorded, and a
//! counter is evaluated at the scrape times that a window needs. docs/metrics.md lists names, labels and times.
//!
//! [`metrics_input`] and [`streams`] are the input, plain data passed from the worker that reads the file to the one that evaluates metrics. `Metrics`
//! (`engine`) answers queries over it. Other modules: `measured` and `histograms` make series of imported points, and `dedup` keeps them from being
//! counted twice; `amounts` sums over time, `spans` groups ends and durations by name, `names` has the names of computed metrics, `prepare` makes
//! counters, `source` answers selectors, `series_list` lists series by selector, `catalogue` lists the metrics there are, `point_amounts` finds the amounts that make up a point, `exemplar_series` and `exemplars` find exemplars, `overview`
//! is the first view of the page, `complete` suggests how a query may continue.
//!
//! Not here: PromQL (`quipu-promql`), how token counts are read (`quipu_model::tokens`), taking the input from an index (`quipu`).

#[cfg(feature = "engine")]
mod amounts;
#[cfg(feature = "engine")]
mod catalogue;
#[cfg(feature = "engine")]
mod complete;
#[cfg(feature = "engine")]
mod dedup;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "engine")]
mod exemplar_series;
#[cfg(feature = "engine")]
mod exemplars;
#[cfg(feature = "engine")]
mod histograms;
#[cfg(feature = "engine")]
mod measured;
pub mod metrics_input;
#[cfg(feature = "engine")]
mod names;
#[cfg(feature = "engine")]
mod overview;
#[cfg(feature = "engine")]
mod point_amounts;
#[cfg(feature = "engine")]
mod prepare;
#[cfg(feature = "engine")]
mod series_list;
#[cfg(feature = "engine")]
mod source;
#[cfg(feature = "engine")]
mod spans;
pub mod streams;

#[cfg(feature = "engine")]
pub use engine::Metrics;
pub use metrics_input::MetricsInput;
#[cfg(feature = "engine")]
pub use series_list::{SeriesLabels, SeriesQuery};
pub use streams::Measured;

/// Runs the example of README.md.
#[cfg(all(doctest, feature = "engine"))]
#[doc = include_str!("../README.md")]
struct Readme;
