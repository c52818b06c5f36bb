//! The Metrics screen: tokens, requests and durations of a time range, PromQL, and prices.
//!
//! Modules: `page` is the screen, `chart` draws with the chart library, `query` is a PromQL box, `point_list` lists the spans of a point,
//! `part` draws tables, `prices` is the reader's table. Not here: computing and arranging numbers (the metrics worker).

mod chart;
mod page;
mod part;
mod point_list;
mod prices;
mod query;

pub(super) use page::MetricsPage;
