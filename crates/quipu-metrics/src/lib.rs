//! Metrics of a file: token counts, requests, failures and durations as series for PromQL.
//!
//! The series look as if the server had been scraped at regular times, but no samples are stored: amounts are kept as recorded, and the
//! values of a counter are computed at those scrape times that a query needs. docs/metrics.md lists names, labels and times.
//!
//! Modules: `metrics_input` has the columns that everything is computed from, sent from the worker that read the file to the one that
//! computes; `streams` holds imported points, `measured` converts them to series, and `dedup` avoids counting tokens twice. [`Metrics`]
//! (`engine`) is the entry point: `amounts` sums up over time, `spans` has ends and durations by name, `prepare` builds counters,
//! `catalogue` lists metrics, `source` selects series, `point_amounts` finds the amounts in a point, `overview` computes the page's charts,
//! `complete` suggests completions. Not here: PromQL (`quipu-promql`), reading token counts (`quipu_model::tokens`), requests and responses
//! (`quipu-protocol`).

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
mod measured;
pub mod metrics_input;
#[cfg(feature = "engine")]
mod overview;
#[cfg(feature = "engine")]
mod point_amounts;
#[cfg(feature = "engine")]
mod prepare;
#[cfg(feature = "engine")]
mod source;
#[cfg(feature = "engine")]
mod spans;
pub mod streams;

#[cfg(feature = "engine")]
pub use engine::Metrics;
pub use metrics_input::MetricsInput;
pub use streams::Measured;
