//! Input of the metrics engine: plain columns, without series names and independent of the index. Written by whoever read the file and read
//! by the engine; in the browser these are two workers.
//!
//! Not here: filling it from an index (`read` in `quipu`), and what is computed from it (`prepare`, `spans`).

#![expect(missing_docs, reason = "fields are named after their content")]

use super::streams::Measured;
use quipu_model::{SpanFlags, TokenRecord};
use quipu_protocol::Packed;
use serde::{Deserialize, Serialize};

/// Row of an amount without a span in the file.
pub const NO_ROW: u32 = u32::MAX;

/// Columns that the metrics of a file are computed from. Rows are those of the index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricsInput {
    /// Names and labels of recorded metrics.
    pub series: Vec<RecordedSeries>,
    /// Recorded metric events that have a time.
    pub events: Vec<RecordedAmount>,
    /// Model names.
    pub models: Vec<String>,
    /// Names of providers.
    pub providers: Vec<String>,
    /// Inference requests that have a time.
    pub requests: Vec<InferenceRequest>,
    /// Span names.
    pub span_names: Vec<String>,
    /// Spans that have a time.
    pub spans: SpanColumns,
    /// Imported metric points.
    pub measured: Measured,
    /// Times of the file's first amount and last event, in nanoseconds since 1970, UTC.
    pub extent: Option<(i64, i64)>,
}

/// Name and labels of a recorded metric, as recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSeries {
    pub name: String,
    pub labels: Vec<(String, String)>,
}

/// A recorded metric event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedAmount {
    /// Index into [`MetricsInput::series`].
    pub series: u32,
    /// Nanoseconds since 1970, UTC.
    pub at: i64,
    pub value: f64,
    /// Row of its span, or [`NO_ROW`].
    pub row: u32,
}

/// An inference request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InferenceRequest {
    pub row: u32,
    /// Index into [`MetricsInput::models`]; `None` if the model is unknown.
    pub model: Option<u32>,
    /// Index into [`MetricsInput::providers`]; `None` if the provider is unknown.
    pub provider: Option<u32>,
    /// End time, or start time if the end is unknown: nanoseconds since 1970, UTC.
    pub at: i64,
    pub failed: bool,
    pub tokens: TokenRecord,
}

/// Columns with one value per span, sorted by row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanColumns {
    pub rows: Packed<u32>,
    /// Indices into [`MetricsInput::span_names`].
    pub names: Packed<u32>,
    pub flags: Packed<SpanFlags>,
    /// End time, or start time if the end is unknown: nanoseconds since 1970, UTC.
    pub ends: Packed<i64>,
    /// Nanoseconds, or [`UNKNOWN_NANOS`](quipu_protocol::UNKNOWN_NANOS).
    pub durations: Packed<u64>,
}

impl MetricsInput {
    /// Serializes the input to send it to another worker.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing these types to memory can't fail.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reverses [`MetricsInput::to_bytes`]. `None` if the bytes come from another build.
    pub fn from_bytes(bytes: &[u8]) -> Option<MetricsInput> {
        postcard::from_bytes(bytes).ok()
    }
}
