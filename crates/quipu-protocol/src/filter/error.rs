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

    /// Two lines: the filter, and carets under the error. Line breaks are shown as spaces; of a long filter, the part around the error is
    /// shown.
    pub fn drawing(&self, filter: &str) -> String {
        let letters = |until: usize| filter.char_indices().take_while(|(at, _)| *at < until).count();
        let (before, until) = (letters(self.start), letters(self.end));
        let first = if until > MAX_LINE { before.saturating_sub(MAX_LINE / 2) } else { 0 };
        let mut shown: String =
            filter.chars().skip(first).take(MAX_LINE).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        if filter.chars().nth(first + MAX_LINE).is_some() {
            shown.push('…');
        }
        let dots = if first > 0 { "…" } else { "" };
        let blanks = " ".repeat(before - first + dots.chars().count());
        let carets = "^".repeat(until.saturating_sub(before).clamp(1, (first + MAX_LINE).saturating_sub(before).max(1)));
        format!("{dots}{shown}\n{blanks}{carets}")
    }
}

/// How many characters of a filter are drawn.
const MAX_LINE: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_filter_what_is_around_the_error_is_drawn() {
        assert_eq!(FilterError::new("", 4, 7).drawing("a:b cde"), "a:b cde\n    ^^^");
        let long = "ä".repeat(500);
        let drawn = FilterError::new("", 600, 900).drawing(&long);
        let (shown, carets) = drawn.split_once('\n').expect("two lines");
        assert_eq!(shown, format!("…{}…", "ä".repeat(120)));
        assert_eq!(carets, format!("{}{}", " ".repeat(61), "^".repeat(60)));
    }
}
