//! The query API of Llama Stack's telemetry over an open file: attribute filters, traces, spans, trees, datasets, metrics.
//!
//! Answers equal those of the reference implementation (0.2.15; metrics 0.2.23), except for the deviations listed in docs/query.md.
//! Parameters and answers are JSON: the API's types are separate from the worker's. No input becomes part of an SQL statement: conditions
//! are evaluated here, by SQLite's rules. Not here: HTTP, the clock (the caller passes the time), SQL (`store`).
//!
//! Modules in reading order: `params`, `path` and `value` read requests; `condition` and `matching` find traces; `traces`, `tree`, `spans`,
//! `export` and `metrics` answer; `types` and `json` are the output.

mod condition;
mod error;
mod export;
mod json;
mod labels;
mod matching;
mod metrics;
mod params;
mod path;
mod releases;
mod spans;
mod traces;
mod tree;
mod types;
mod value;
mod writers;

pub use error::QueryError;
pub use json::{AttributeMap, JsonText};
pub use releases::ReleaseGuess;
pub use types::{
    Data, DatasetRow, MetricDataPoint, MetricLabel, MetricSeries, SavedDataset, Span, SpanEvent, SpanTree, SpanWithStatus, Trace,
};
pub use writers::{Writer, Writers};

pub(crate) use export::RowForm;
pub(crate) use matching::Source;
pub(crate) use metrics::model_of;
pub(crate) use releases::guess_releases;
pub(crate) use writers::writers;

use serde::Serialize;
use serde_json::Value as Json;

/// A method of the API; see docs/query.md for its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A page of traces that contain a span matching attribute filters.
    QueryTraces,
    /// One trace.
    GetTrace,
    /// One span.
    GetSpan,
    /// A span and its descendants.
    GetSpanTree,
    /// Chosen attributes of the spans of matching traces.
    QuerySpans,
    /// Like `QuerySpans`, as rows of a dataset.
    SaveSpansToDataset,
    /// A metric over time.
    QueryMetrics,
    /// Log lines and metrics of a span or a trace. The reference implementation has no such method.
    ListSpanEvents,
}

impl Method {
    /// The names of all methods, in the order of the documentation.
    pub const NAMES: [&'static str; 8] = [
        "query_traces",
        "get_trace",
        "get_span",
        "get_span_tree",
        "query_spans",
        "save_spans_to_dataset",
        "query_metrics",
        "list_span_events",
    ];

    /// The method with this name.
    ///
    /// # Errors
    /// [`QueryError::NoSuchMethod`], whose message lists the methods.
    pub fn from_name(name: &str) -> Result<Method, QueryError> {
        Ok(match name {
            "query_traces" => Method::QueryTraces,
            "get_trace" => Method::GetTrace,
            "get_span" => Method::GetSpan,
            "get_span_tree" => Method::GetSpanTree,
            "query_spans" => Method::QuerySpans,
            "save_spans_to_dataset" => Method::SaveSpansToDataset,
            "query_metrics" => Method::QueryMetrics,
            "list_span_events" => Method::ListSpanEvents,
            other => return Err(QueryError::NoSuchMethod(other.to_owned())),
        })
    }
}

/// Answers a call with JSON text. `params` is a JSON object, or empty for none; `now_seconds` is the current time in seconds since 1970.
pub(crate) fn answer(source: Source<'_>, method: &str, params: &str, now_seconds: Option<i64>) -> Result<String, QueryError> {
    let method = Method::from_name(method)?;
    let params = &read_params(params)?;
    match method {
        Method::QueryTraces => print(&Data { data: traces::query_traces(source, params)? }),
        Method::GetTrace => print(&traces::get_trace(source, params)?),
        Method::GetSpan => print(&spans::get_span(source, params)?),
        Method::GetSpanTree => print(&Data { data: tree::get_span_tree(source, params)? }),
        Method::QuerySpans => print(&Data { data: spans::query_spans(source, params)? }),
        Method::SaveSpansToDataset => print(&spans::save_spans_to_dataset(source, params)?),
        Method::QueryMetrics => print(&Data { data: metrics::query_metrics(source, params, now_seconds)? }),
        Method::ListSpanEvents => print(&Data { data: spans::list_span_events(source, params)? }),
    }
}

/// Writes spans as lines of text to `sink` until it returns false. Returns the number of spans, and of
/// those that lack an attribute.
pub(crate) fn export(
    source: Source<'_>,
    params: &str,
    form: RowForm<'_>,
    sink: &mut dyn FnMut(&str) -> bool,
) -> Result<(u64, u64), QueryError> {
    export::export_spans(source, &read_params(params)?, form, sink)
}

fn read_params(params: &str) -> Result<Json, QueryError> {
    if params.trim().is_empty() {
        return Ok(Json::Object(serde_json::Map::new()));
    }
    serde_json::from_str(params).map_err(|error| QueryError::parameter("The parameters", format!("are not valid JSON: {error}")))
}

fn print<T: Serialize>(answer: &T) -> Result<String, QueryError> {
    serde_json::to_string(answer).map_err(|error| QueryError::parameter("The answer", format!("can't be written as JSON: {error}")))
}
