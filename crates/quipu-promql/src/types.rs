//! Answers and errors of queries as plain data, which the rest of the program and the wire between page and worker use.
//!
//! Available without the feature `grammar`.

use serde::{Deserialize, Serialize};

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// A time and the value at it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromqlPoint {
    /// Milliseconds since 1970, UTC.
    pub at_millis: i64,
    /// The value; may be infinite or no number.
    pub value: f64,
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromqlSeries {
    /// Names and values of its labels, by name; the metric's name is `__name__`.
    pub labels: Vec<(String, String)>,
    /// Points by time: one of an instant query, those of the steps that have a value else.
    pub points: Vec<PromqlPoint>,
}

/// What a query answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PromqlAnswer {
    /// Series with one point each, in the order the query asks for.
    Vector(Vec<PromqlSeries>),
    /// Series over time, by labels.
    Matrix(Vec<PromqlSeries>),
    /// A number.
    Scalar(PromqlPoint),
    /// A text, and the time it was asked at in milliseconds.
    Text(i64, String),
}

impl PromqlAnswer {
    /// The series; none of a scalar or a text.
    pub fn series(&self) -> &[PromqlSeries] {
        match self {
            PromqlAnswer::Vector(series) | PromqlAnswer::Matrix(series) => series,
            PromqlAnswer::Scalar(_) | PromqlAnswer::Text(..) => &[],
        }
    }
}

/// Why a query is not understood or has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct PromqlError {
    /// What is wrong and what was expected: a sentence.
    pub message: String,
    /// Where it stands in the query, in bytes.
    pub start: usize,
    /// Its end; equal to `start` where something is missing.
    pub end: usize,
    /// Whether the query itself is wrong, rather than what it was asked of.
    pub is_bad_query: bool,
}
