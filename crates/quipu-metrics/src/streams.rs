//! Points of metrics that were imported, put into streams: plain data that crosses the wire.
//!
//! What is not here: reading them (`points`), the series they become (`measured`).

#![expect(missing_docs, reason = "columns have the names of what they hold")]

use quipu_model::TokenKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Labels by name, the metric's own among them.
pub type Pairs = Vec<(String, String)>;
/// Milliseconds since 1970 and a value.
pub type Sample = (i64, f64);

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// Never falls.
    Counter,
    /// A part of a histogram or summary that never falls.
    Histogram,
    /// Rises and falls.
    Gauge,
}

/// How points of a stream make a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Each counts since the stream's start.
    Counted,
    /// Each counts since the one before.
    Added,
    /// Each is the value at its time.
    Latest,
}

/// Points of one label set of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    pub labels: Pairs,
    pub measure: Measure,
    pub rule: Rule,
    /// Of Llama Stack's token counters: what is counted, under the documented name.
    pub counts: Option<TokenKind>,
    /// By the time they count from, in milliseconds; `i64::MIN` where none is said.
    pub segments: BTreeMap<i64, Vec<Sample>>,
}

/// All points of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub streams: Vec<Stream>,
}
