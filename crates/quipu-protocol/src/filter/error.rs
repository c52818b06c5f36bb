//! What is wrong with a filter, and where.

/// Why a filter is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct FilterError {
    /// What is wrong and what was expected: a sentence.
    pub message: String,
    /// Where it stands in the filter, in bytes.
    pub start: usize,
    /// Its end; equal to `start` where something is missing.
    pub end: usize,
}

impl FilterError {
    pub(super) fn new(message: impl Into<String>, start: usize, end: usize) -> FilterError {
        FilterError { message: message.into(), start, end }
    }

    /// The filter, and under it carets where the error stands: two lines. What would break a line is drawn as a blank.
    pub fn drawing(&self, filter: &str) -> String {
        let shown: String = filter.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let letters = |until: usize| filter.char_indices().take_while(|(at, _)| *at < until).count();
        let (before, until) = (letters(self.start), letters(self.end));
        format!("{shown}\n{}{}", " ".repeat(before), "^".repeat(until.saturating_sub(before).max(1)))
    }
}
