//! The filter language: which traces a list shows, in one line of text.
//!
//! What is not here: what the texts in quotes are searched by (`search`), lists (`session`).

mod attribute;
mod error;

pub use attribute::AttributeTest;
pub use error::FilterError;

/// A filter, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {}

impl Filter {
    /// Understands `text`. An empty one matches every trace.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(_text: &str) -> Result<Filter, FilterError> {
        Ok(Filter {})
    }

    /// The texts in quotes, each once, that a search has to find; those that must not be there among them.
    pub fn texts(&self) -> Vec<String> {
        Vec::new()
    }
}
