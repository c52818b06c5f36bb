//! Errors in queries and their location.

pub(crate) use crate::PromqlError;
use quipu_model::budget::OverBudget;

impl PromqlError {
    /// The query is not valid.
    pub(super) fn parse(message: impl Into<String>, location: TextRange) -> PromqlError {
        PromqlError { message: message.into(), start: location.start, end: location.end, is_bad_query: true }
    }

    /// The query is valid, but can't be evaluated on these series.
    pub(super) fn eval(message: impl Into<String>, location: TextRange) -> PromqlError {
        PromqlError { is_bad_query: false, ..PromqlError::parse(message, location) }
    }

    /// The query is valid, but goes over a limit.
    pub(super) fn over(limit: OverBudget, location: TextRange) -> PromqlError {
        PromqlError::eval(limit.to_string(), location)
    }

    /// Two lines: the query, and carets below the error. Control characters in the query are replaced by spaces.
    pub fn drawing(&self, query: &str) -> String {
        let shown: String = query.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let letters = |until: usize| query.char_indices().take_while(|(at, _)| *at < until).count();
        let (before, until) = (letters(self.start), letters(self.end));
        format!("{shown}\n{}{}", " ".repeat(before), "^".repeat(until.saturating_sub(before).max(1)))
    }
}

/// A byte range of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextRange {
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}
