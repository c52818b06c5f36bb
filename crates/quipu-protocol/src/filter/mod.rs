//! The filter language of trace lists. `docs/filter.md` is the reference.
//!
//! ```
//! use quipu_protocol::filter::Filter;
//! let filter = Filter::parse("kind:inference duration:>2s OR -error:true")?;
//! assert_eq!(filter.to_string(), "kind:inference duration>2s OR -error:true");
//! let error = Filter::parse("duration>abc").unwrap_err();
//! assert_eq!(error.message, "abc is not a duration; use a form such as 250ms, 2s or 1m30s.");
//! assert_eq!(error.drawing("duration>abc"), "duration>abc\n         ^^^");
//! # Ok::<(), quipu_protocol::filter::FilterError>(())
//! ```
//!
//! The core's `search` finds quoted text, `session` lists the traces.

pub mod amount;
pub mod attribute;
mod error;
pub mod expression;
pub mod fields;
pub mod lex;
pub mod order;
mod parse;
pub mod pattern;
pub mod print;
mod wanted;

#[cfg(test)]
mod tests;

pub use attribute::AttributeTest;
pub use error::FilterError;
pub use fields::{FieldInfo, FieldLevel};
pub use wanted::Wanted;

use expression::{Compare, Condition, Expression, Test};
use order::Order;
use std::fmt;

/// A parsed filter. Filters that differ only in blanks, quotes or units are equal. Parsing the printed form gives an equal filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The syntax tree.
    pub expression: Expression,
}

/// A top-level term of a filter, shown as a removable chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Canonical text.
    pub text: String,
    /// Start of the term in the filter, in bytes.
    pub start: usize,
    /// End of the term in bytes.
    pub end: usize,
}

/// All fields of the language, in the order of suggestions.
pub fn fields() -> &'static [FieldInfo] {
    fields::FIELDS
}

/// The text of a filter without terms that ask for a range of this field: removes `trace.duration:1ms..5ms`, but not `trace.duration>1ms`.
/// Other terms stay as typed.
pub fn without_ranges(text: &str, field: &str) -> String {
    let Ok(terms) = parse::parse(text) else { return text.to_owned() };
    let is_range = |expression: &Expression| match expression {
        Expression::Test(Test { root: false, condition: Condition::Number(number, Compare::Between(..)) }) => {
            fields::find(field) == Some(fields::Field::Number(*number))
        }
        // A range without a lower end is printed as a comparison.
        Expression::Test(Test { root: false, condition: Condition::Number(number, Compare::Order(Order::AtMost, _)) }) => {
            fields::find(field) == Some(fields::Field::Number(*number))
        }
        _ => false,
    };
    let kept = terms.iter().filter(|term| !is_range(&term.expression));
    kept.filter_map(|term| text.get(term.start..term.end)).collect::<Vec<_>>().join(" ")
}

impl Filter {
    /// Parses a filter. An empty one matches all traces.
    ///
    /// # Errors
    /// [`FilterError`] with the problem and its position.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        Ok(Filter { expression: parse::joined(parse::parse(text)?) })
    }

    /// Whether the filter is empty and matches all traces.
    pub fn is_empty(&self) -> bool {
        self.expression == Expression::default()
    }

    /// The quoted strings in the filter, without duplicates, including negated ones.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        self.expression.visit(&mut |test| {
            if let Condition::Holds(text) = &test.condition
                && !texts.contains(text)
            {
                texts.push(text.clone());
            }
        });
        texts
    }

    /// The top-level terms of a filter, in order. A filter with a top-level `OR` is a single term.
    ///
    /// # Errors
    /// [`FilterError`] with the problem and its position.
    pub fn terms(text: &str) -> Result<Vec<Term>, FilterError> {
        let terms = parse::parse(text)?;
        Ok(terms.into_iter().map(|term| Term { text: term.expression.to_string(), start: term.start, end: term.end }).collect())
    }

    /// The text of a filter without the term at this index; other terms stay as typed. Returns the text unchanged if there is no such term.
    pub fn without_term(text: &str, number: usize) -> String {
        let Ok(terms) = Filter::terms(text) else { return text.to_owned() };
        if number >= terms.len() {
            return text.to_owned();
        }
        let kept = terms.iter().enumerate().filter(|(at, _)| *at != number);
        kept.filter_map(|(_, term)| text.get(term.start..term.end)).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}
