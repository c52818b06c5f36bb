//! Results and errors of queries as plain data, used by the rest of the program and sent between page and worker.
//!
//! Available without the feature `grammar`.

use serde::{Deserialize, Serialize};

/// The label that contains the metric name.
pub const METRIC_NAME: &str = "__name__";

/// A data point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromqlPoint {
    /// Milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// The value; may be infinite or NaN.
    pub value: f64,
}

/// A series of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromqlSeries {
    /// Labels sorted by name; the metric name is `__name__`.
    pub labels: Vec<(String, String)>,
    /// Points by time: one for an instant query, otherwise one per step with a value.
    pub points: Vec<PromqlPoint>,
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PromqlAnswer {
    /// Instant vector: series with one point each, in the order of the query.
    Vector(Vec<PromqlSeries>),
    /// Range vector or result of a range query, sorted by labels.
    Matrix(Vec<PromqlSeries>),
    /// A number.
    Scalar(PromqlPoint),
    /// A string, with the evaluation time in milliseconds since 1970.
    Text(i64, String),
}

impl PromqlAnswer {
    /// The series; empty for a scalar or string.
    pub fn series(&self) -> &[PromqlSeries] {
        match self {
            PromqlAnswer::Vector(series) | PromqlAnswer::Matrix(series) => series,
            PromqlAnswer::Scalar(_) | PromqlAnswer::Text(..) => &[],
        }
    }
}

/// Why a query is invalid or has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct PromqlError {
    /// One sentence on what is wrong and what was expected.
    pub message: String,
    /// Start of the error in the query, in bytes.
    pub start: usize,
    /// End of the error; equal to `start` if something is missing.
    pub end: usize,
    /// Whether the query itself is invalid, rather than its evaluation on these series.
    pub is_bad_query: bool,
}
