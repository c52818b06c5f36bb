//! The types of values that expressions have.

/// The type of an expression's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    /// One number at each step.
    Scalar,
    /// One number for each series at each step.
    Vector,
    /// A stretch of samples for each series at each step.
    Matrix,
    /// A text.
    Text,
}

impl ValueType {
    /// As sentences name it.
    pub(super) fn words(self) -> &'static str {
        match self {
            ValueType::Scalar => "a scalar",
            ValueType::Vector => "an instant vector",
            ValueType::Matrix => "a range vector",
            ValueType::Text => "a string",
        }
    }
}
