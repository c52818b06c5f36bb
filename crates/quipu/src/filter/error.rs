//! What is wrong with a filter, and where.

/// Why a filter is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong and what was expected: a sentence.
    pub message: String,
    /// Where it stands in the filter, in bytes.
    pub start: usize,
    /// Its end; equal to `start` where something is missing.
    pub end: usize,
}
