//! What of a filter only reading the file decides.

use super::attribute::AttributeTest;

/// Something that only reading the file decides, span by span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// The span holds this text: in its name, its attributes or its events.
    Text(String),
    /// One of its attributes is so.
    Attribute(AttributeTest),
}
