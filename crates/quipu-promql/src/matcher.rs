//! Label matchers. An absent label is an empty one; regular expressions are anchored, and their dot matches line breaks.

use super::error::{PromqlError, TextRange};
use regex_lite::Regex;

/// Operator of a matcher.
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

/// A label matcher of a selector.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    operator: MatchOperator,
    value: String,
    pattern: Option<Regex>,
}

/// Size limit of a compiled pattern in bytes, because queries may come from untrusted links.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Compiles an anchored pattern.
pub(super) fn whole(pattern: &str) -> Option<Regex> {
    regex_lite::RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(MAX_PATTERN_BYTES).build().ok()
}

impl Matcher {
    /// Creates a matcher; `location` is used for errors.
    ///
    /// # Errors
    /// If a regular expression is invalid or not supported.
    pub(super) fn new(name: &str, operator: MatchOperator, value: &str, location: TextRange) -> Result<Matcher, PromqlError> {
        let pattern = match operator {
            MatchOperator::Is | MatchOperator::IsNot => None,
            MatchOperator::Matches | MatchOperator::MatchesNot => Some(whole(value).ok_or_else(|| {
                PromqlError::parse(format!("{value:?} is not a supported regular expression; \\p{{…}} is not available."), location)
            })?),
        };
        Ok(Matcher { name: name.to_owned(), operator, value: value.to_owned(), pattern })
    }

    /// The matcher `name="value"`.
    pub fn equal(name: &str, value: &str) -> Matcher {
        Matcher { name: name.to_owned(), operator: MatchOperator::Is, value: value.to_owned(), pattern: None }
    }

    /// Whether its operator is `=`.
    pub fn is_equality(&self) -> bool {
        self.operator == MatchOperator::Is
    }

    /// Name of the label.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Value or pattern.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Operator.
    pub fn operator(&self) -> MatchOperator {
        self.operator
    }

    /// Whether a label value matches; an absent label is empty.
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
