//! What only reading the file decides: texts, and attributes the index does not hold. Spans are read newest first, in small steps.
//!
//! What is not here: the filter language (`filter`), how texts are compared (`fold`).

mod matcher;
mod sieve;

use crate::filter::AttributeTest;
use crate::index::{Decided, Index};

/// Something that only reading the file decides, span by span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// The span holds this text: in its name, its attributes or its events.
    Text(String),
    /// One of its attributes is so.
    Attribute(AttributeTest),
}

/// The searches of a session.
#[derive(Default)]
pub(crate) struct Searches {}

impl Searches {
    /// What is known so far of which spans (by row) are as wanted. What was not asked for before is searched from now on.
    pub(crate) fn decided(&mut self, _wanted: &Wanted, index: &Index) -> Decided {
        Decided::unknown(index.span_count())
    }
}
