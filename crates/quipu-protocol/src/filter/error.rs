//! Errors of the filter parser.

/// A syntax error in a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct FilterError {
    /// What is wrong and what was expected, as a sentence.
    pub message: String,
    /// Start of the error in the filter, in bytes.
    pub start: usize,
    /// End of the error; equal to `start` if something is missing.
    pub end: usize,
}

impl FilterError {
    pub(super) fn new(message: impl Into<String>, start: usize, end: usize) -> FilterError {
        FilterError { message: message.into(), start, end }
    }

    /// Two lines: the filter, and carets under the error. Line breaks are shown as spaces.
    pub fn drawing(&self, filter: &str) -> String {
        let shown: String = filter.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let letters = |until: usize| filter.char_indices().take_while(|(at, _)| *at < until).count();
        let (before, until) = (letters(self.start), letters(self.end));
        format!("{shown}\n{}{}", " ".repeat(before), "^".repeat(until.saturating_sub(before).max(1)))
    }
}
