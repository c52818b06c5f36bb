//! Progress of long work: the index and imports.

use serde::{Deserialize, Serialize};

/// How far the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexProgress {
    /// Spans passed.
    pub spans: u64,
    /// Spans in all, as the largest rowid suggests.
    pub spans_expected: u64,
    /// Bytes of the file read by the pass.
    pub bytes: u64,
    /// Bytes of the file.
    pub bytes_expected: u64,
    /// Milliseconds since the pass began, by the driver's clock.
    pub elapsed_ms: f64,
    /// Whether it is complete.
    pub done: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Importing {
    /// Bytes of the files that were read.
    pub bytes: u64,
    /// Bytes of the files.
    pub bytes_expected: u64,
    /// Spans that were found.
    pub spans: u64,
    /// Milliseconds since it began, by the driver's clock.
    pub elapsed_ms: f64,
}

/// A newer generation has been indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    /// Number of the generation.
    pub generation: u64,
    /// Number of spans in it.
    pub spans: u64,
}
