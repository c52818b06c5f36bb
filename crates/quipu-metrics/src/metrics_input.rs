//! What a file has to be counted, in plain columns: no names of series yet, and no index behind them. Written by whoever read the file,
//! read by whoever counts; in the browser these are two workers.
//!
//! What is not here: taking them from an index (`read`), and what is made of them (`prepare`, `spans`).

#![expect(missing_docs, reason = "columns have the names of what they hold")]

use super::streams::Measured;
use quipu_model::{SpanFlags, TokenRecord};
use quipu_protocol::Packed;
use serde::{Deserialize, Serialize};

/// The row of an amount that belongs to no span of the file.
pub const NO_ROW: u32 = u32::MAX;

/// What a file has to be counted. Rows are those of the index they were taken from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricsInput {
    /// Names and labels of recorded metrics.
    pub series: Vec<RecordedSeries>,
    /// Recorded metric events with a time.
    pub events: Vec<RecordedAmount>,
    /// Names of models.
    pub models: Vec<String>,
    /// Inference requests with a time.
    pub requests: Vec<InferenceRequest>,
    /// Names of spans.
    pub span_names: Vec<String>,
    /// Spans with a time.
    pub spans: SpanColumns,
    /// Points of metrics that were imported with the file.
    pub measured: Measured,
    /// When the file's first amount and its last event were, in nanoseconds since 1970, UTC.
    pub extent: Option<(i64, i64)>,
}

/// The name of a recorded metric, and its labels, as recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSeries {
    pub name: String,
    pub labels: Vec<(String, String)>,
}

/// One recorded metric event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedAmount {
    /// The number of its series.
    pub series: u32,
    /// Nanoseconds since 1970, UTC.
    pub at: i64,
    pub value: f64,
    /// The row of its span, or [`NO_ROW`].
    pub row: u32,
}

/// One inference request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferenceRequest {
    pub row: u32,
    /// The number of its model, where one is named.
    pub model: Option<u32>,
    /// Its end, or its start where that is all that is known: nanoseconds since 1970, UTC.
    pub at: i64,
    pub failed: bool,
    pub tokens: TokenRecord,
}

/// Spans with a time, by row: a value a span in every column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanColumns {
    pub rows: Packed<u32>,
    /// Numbers of their names.
    pub names: Packed<u32>,
    pub flags: Packed<SpanFlags>,
    /// The end, or the start where the end can't be read: nanoseconds since 1970, UTC.
    pub ends: Packed<i64>,
    /// Nanoseconds, or [`UNKNOWN_NANOS`](quipu_protocol::UNKNOWN_NANOS).
    pub durations: Packed<u64>,
}

impl MetricsInput {
    /// As bytes, for the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing to memory fails for no value of these types.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Back from [`MetricsInput::to_bytes`]; `None` where they are of another build.
    pub fn from_bytes(bytes: &[u8]) -> Option<MetricsInput> {
        postcard::from_bytes(bytes).ok()
    }
}
