//! The page of metrics: tokens, requests and durations of a part of the file's time, PromQL, and prices.
//!
//! Modules: `page` puts it together, `chart` draws by the chart library, `query` is a box for PromQL,
//! `behind` lists the spans behind a point, `part` draws tables, `prices` is the reader's table. What is not here: what is counted and how it is arranged, which
//! are the core's `metrics`, `view` and `sheet`.

mod behind;
mod chart;
mod page;
mod part;
mod prices;
mod query;

pub(super) use page::MetricsPage;
