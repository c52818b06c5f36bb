//! What is wrong with a query, and where.

pub(crate) use crate::PromqlError;

impl PromqlError {
    /// A query that is not understood.
    pub(super) fn parse(message: impl Into<String>, location: TextRange) -> PromqlError {
        PromqlError { message: message.into(), start: location.start, end: location.end, is_bad_query: true }
    }

    /// A query that is understood and has no answer over these series.
    pub(super) fn eval(message: impl Into<String>, location: TextRange) -> PromqlError {
        PromqlError { is_bad_query: false, ..PromqlError::parse(message, location) }
    }

    /// The query, and under it carets where the error stands: two lines. What would break a line is drawn as a blank.
    pub fn drawing(&self, query: &str) -> String {
        let shown: String = query.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let letters = |until: usize| query.char_indices().take_while(|(at, _)| *at < until).count();
        let (before, until) = (letters(self.start), letters(self.end));
        format!("{shown}\n{}{}", " ".repeat(before), "^".repeat(until.saturating_sub(before).max(1)))
    }
}

/// Where something stands in a query, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextRange {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}
