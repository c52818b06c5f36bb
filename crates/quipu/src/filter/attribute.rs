//! A condition on one attribute of a span, as `key=value` says it.

/// A condition on one attribute of a span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributeTest {
    /// The key, as recorded.
    pub key: String,
}
