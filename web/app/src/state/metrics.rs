//! Whether the metrics worker answers.

/// How far the worker is.
#[derive(Clone, PartialEq)]
pub(crate) enum MetricsState {
    /// The index is not complete, or the readings are under way.
    Waiting,
    /// Questions are answered.
    Ready,
    /// It can't be: a sentence.
    Failed(String),
}
