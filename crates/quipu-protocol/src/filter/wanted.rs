//! The parts of a filter that require reading the file.

use super::attribute::AttributeTest;

/// A condition that requires reading each span from the file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// The span contains this text in its name, attributes or events.
    Text(String),
    /// One of its attributes matches.
    Attribute(AttributeTest),
}
