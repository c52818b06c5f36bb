//! Metrics of a file: its token counts, requests, failures and durations as series that PromQL is asked of.
//!
//! The file is read as if the server had been scraped at regular times. Nothing is laid out in advance: amounts are kept as they were
//! recorded, and a counter is computed at the times of scrapes that a window needs. docs/metrics.md tells names, labels and times.
//!
//! Modules: `readings` are what a file has to be counted, which crosses the wire from the worker that read the file to the one that counts;
//! `read` takes them from an index, `points` reads imported points with names from `prometheus`, `measured` makes series of them and `beside`
//! keeps what both count from being counted twice. [`Metrics`] (`engine`) is the door to what is made of them: `amounts` are added up over time, `spans` are
//! ends and durations by name, `catalogue` is what there is by name, `prepare` makes counters, `source` answers selectors, `behind` finds
//! the amounts a point is made of, `overview` is what the page shows first, `complete` how a query may go on.
//! What is not here: PromQL (`promql`), how counts are read (`tokens`), what is asked and answered (`protocol`).

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
