//! Results and errors of queries as plain data, used by the rest of the program and sent between page and worker.
//!
//! Available without the feature `grammar`.

use crate::native::Histogram;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The label that contains the metric name.
pub const METRIC_NAME: &str = "__name__";

/// The bits of the number that says that a series has ended. No other NaN has them.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// The value of a sample that says that its series has ended: it has no value from there on, until its next sample.
pub const fn stale_marker() -> f64 {
    f64::from_bits(STALE)
}

/// Whether a value is a [`stale_marker`].
pub const fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE
}

/// A data point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromqlPoint {
    /// Milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// The value; may be infinite or NaN.
    pub value: f64,
}

/// A data point that is a native histogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromqlHistogram {
    /// Milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// The histogram, which displays as text.
    pub histogram: Arc<Histogram>,
}

/// A series of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromqlSeries {
    /// Labels sorted by name; the metric name is `__name__`.
    pub labels: Vec<(String, String)>,
    /// Points by time: one for an instant query, otherwise one per step with a value.
    pub points: Vec<PromqlPoint>,
    /// Histograms by time, at other times than the points.
    pub histograms: Vec<PromqlHistogram>,
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
