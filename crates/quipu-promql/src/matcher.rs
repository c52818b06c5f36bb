//! Label matchers. An absent label is an empty one; regular expressions match the whole value, and their dot matches line breaks.

use super::error::{PromqlError, TextRange};
use regex_lite::Regex;

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOperator {
    /// `=`
    Is,
    /// `!=`
    IsNot,
    /// `=~`
    Matches,
    /// `!~`
    MatchesNot,
}

/// One matcher of a selector.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    operator: MatchOperator,
    value: String,
    pattern: Option<Regex>,
}

/// Bytes a compiled pattern may take: what is asked comes from whoever wrote a link, too.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// A pattern that matches whole values.
pub(super) fn whole(pattern: &str) -> Option<Regex> {
    regex_lite::RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(MAX_PATTERN_BYTES).build().ok()
}

impl Matcher {
    /// A matcher; `place` is where it stands.
    ///
    /// # Errors
    /// A value that is no regular expression where it should be one.
    pub(super) fn new(name: &str, operator: MatchOperator, value: &str, location: TextRange) -> Result<Matcher, PromqlError> {
        let pattern = match operator {
            MatchOperator::Is | MatchOperator::IsNot => None,
            MatchOperator::Matches | MatchOperator::MatchesNot => Some(whole(value).ok_or_else(|| {
                PromqlError::parse(format!("{value:?} is no regular expression that is understood here; \\p{{…}} is not."), location)
            })?),
        };
        Ok(Matcher { name: name.to_owned(), operator, value: value.to_owned(), pattern })
    }

    /// The label that is compared.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is compared with.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// How.
    pub fn operator(&self) -> MatchOperator {
        self.operator
    }

    /// Whether a value of the label is accepted; empty means that the label is absent.
    pub fn accepts(&self, value: &str) -> bool {
        let matches = |value| self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(value));
        match self.operator {
            MatchOperator::Is => self.value == value,
            MatchOperator::IsNot => self.value != value,
            MatchOperator::Matches => matches(value),
            MatchOperator::MatchesNot => !matches(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_value_is_compared() {
        let accepts = |operator, pattern: &str, value: &str| {
            Matcher::new("a", operator, pattern, TextRange::default()).map(|matcher| matcher.accepts(value)).ok()
        };
        assert_eq!(accepts(MatchOperator::Matches, "b", "abc"), Some(false));
        assert_eq!(accepts(MatchOperator::Matches, "a.c", "a\nc"), Some(true));
        assert_eq!(accepts(MatchOperator::Matches, "a|b", "b"), Some(true));
        assert_eq!(accepts(MatchOperator::MatchesNot, "a.*", "b"), Some(true));
        assert_eq!(accepts(MatchOperator::IsNot, "x", ""), Some(true));
        assert_eq!(accepts(MatchOperator::Matches, "(", ""), None);
    }
}
