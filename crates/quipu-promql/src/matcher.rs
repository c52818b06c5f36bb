//! Label matchers. An absent label is an empty one; regular expressions are anchored, and their dot matches line breaks.

use super::error::{PromqlError, TextRange};
use super::labels::Labels;
use quipu_model::budget::Budget;
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
    pattern: Option<Pattern>,
}

/// Where the search for the size of a compiled pattern begins.
const SMALLEST_PATTERN_BYTES: usize = 256;
/// Size limit of a compiled pattern in bytes, because queries may come from untrusted links.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// An anchored regular expression, which knows what a match costs.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// An upper bound of its compiled size in bytes, within a factor of four.
    size: usize,
}

impl Pattern {
    /// Compiles a pattern; `None` if it is not supported, or too large.
    pub(super) fn whole(pattern: &str) -> Option<Pattern> {
        let anchored = format!("^(?s:{pattern})$");
        let sizes = std::iter::successors(Some(SMALLEST_PATTERN_BYTES), |size| Some(size * 4));
        let mut builder = regex_lite::RegexBuilder::new(&anchored);
        // The library tells the size only by refusing what is larger.
        sizes
            .take_while(|size| *size <= MAX_PATTERN_BYTES)
            .find_map(|size| Some(Pattern { regex: builder.size_limit(size).build().ok()?, size }))
    }

    /// What matching a value costs, in rows of a budget: the library takes time in proportion to both.
    pub(super) fn cost(&self, value: &str) -> u64 {
        1 + (value.len() as u64).saturating_mul(self.size as u64) / 1_024
    }
}

impl Matcher {
    /// Creates a matcher; `location` is used for errors.
    ///
    /// # Errors
    /// If a regular expression is invalid or not supported.
    pub(super) fn new(name: &str, operator: MatchOperator, value: &str, location: TextRange) -> Result<Matcher, PromqlError> {
        let pattern = match operator {
            MatchOperator::Is | MatchOperator::IsNot => None,
            MatchOperator::Matches | MatchOperator::MatchesNot => Some(Pattern::whole(value).ok_or_else(|| {
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
        let matches = |value| self.pattern.as_ref().is_some_and(|pattern| pattern.regex.is_match(value));
        match self.operator {
            MatchOperator::Is => self.value == value,
            MatchOperator::IsNot => self.value != value,
            MatchOperator::Matches => matches(value),
            MatchOperator::MatchesNot => !matches(value),
        }
    }
}

/// Whether labels satisfy all matchers. A regular expression counts as more rows the longer the value is.
///
/// # Errors
/// If the budget is used up.
pub fn accepts_all(matchers: &[Matcher], labels: &Labels, budget: &Budget) -> Result<bool, PromqlError> {
    let mut cost = 1;
    let accepts = matchers.iter().all(|matcher| {
        let value = labels.get(matcher.name());
        cost += matcher.pattern.as_ref().map_or(0, |pattern| pattern.cost(value));
        matcher.accepts(value)
    });
    budget.read(cost).map_err(|limit| PromqlError::over(limit, TextRange::default()))?;
    Ok(accepts)
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
