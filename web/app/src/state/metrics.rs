//! Whether the metrics worker answers.

/// The state of the metrics worker.
#[derive(Clone, PartialEq)]
pub(crate) enum MetricsState {
    /// The index is incomplete, or the input is being transferred.
    Waiting,
    /// It answers questions.
    Ready,
    /// It failed; with a message.
    Failed(String),
}
