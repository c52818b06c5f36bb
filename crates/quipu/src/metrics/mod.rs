//! Metrics of a file: its token counts, requests, failures and durations as series that PromQL is asked of.
//!
//! The file is read as if the server had been scraped at regular times. Nothing is laid out in advance: amounts are kept as they were
//! recorded, and a counter is computed at the times of scrapes that a window needs. docs/metrics.md tells names, labels and times.
//!
//! Modules: `amounts` are added up over time, `spans` are ends and durations by name, `catalogue` is what there is by name, `prepare` fills
//! both from the index. `points` reads imported points under the names of `naming`, `measured` makes series of them, `beside` keeps what
//! both count from being counted twice. `source` answers selectors, `behind` finds the spans a point is made of, `types` is what is asked
//! and answered.
//! What is not here: PromQL (`promql`), how counts are read (`tokens`).

mod amounts;
mod behind;
mod beside;
mod catalogue;
mod measured;
mod naming;
mod points;
mod prepare;
mod source;
mod spans;
mod types;

pub use types::{
    CountedRequests, LabelCompletion, MetricCatalog, MetricInfo, MetricKind, MetricOptions, PointQuery, PromqlQuery, SpanBehind,
    SpansBehind,
};

pub(crate) use behind::spans_behind;
pub(crate) use catalogue::catalog;
pub(crate) use measured::Measured;
pub(crate) use points::Collector;
pub(crate) use prepare::{Labelling, Prepared};
pub(crate) use source::FileSeries;
