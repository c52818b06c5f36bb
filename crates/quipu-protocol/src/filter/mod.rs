//! The filter language: which traces a list shows, in one line of text. `docs/filter.md` has the whole of it.
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
//! What is not here: what the texts in quotes are searched by (`search`), lists (`session`).

pub mod amount;
pub mod attribute;
mod error;
pub mod expression;
pub mod fields;
pub mod lex;
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

use expression::{Compare, Condition, Expression, Order, Test};
use std::fmt;

/// A filter, understood. Filters that ask the same in another writing are equal where only blanks, quotes or units differ; printed, a
/// filter is understood as itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The parsed expression.
    pub expression: Expression,
}

/// One of the terms of a filter that must all hold, for a chip that can be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its canonical text.
    pub text: String,
    /// Where it stands in the filter, in bytes.
    pub start: usize,
    /// Its end.
    pub end: usize,
}

/// Every field of the language, in the order of suggestions.
pub fn fields() -> &'static [FieldInfo] {
    fields::FIELDS
}

/// A filter's text without the terms that ask for a range of this number: `trace.duration:1ms..5ms`, but not `trace.duration>1ms`. The
/// others stay as typed.
pub fn without_ranges(text: &str, field: &str) -> String {
    let Ok(terms) = parse::parse(text) else { return text.to_owned() };
    let is_range = |expression: &Expression| match expression {
        Expression::Test(Test { root: false, condition: Condition::Number(number, Compare::Between(..)) }) => {
            fields::find(field) == Some(fields::Field::Number(*number))
        }
        // One that is open below is printed as a comparison.
        Expression::Test(Test { root: false, condition: Condition::Number(number, Compare::Order(Order::AtMost, _)) }) => {
            fields::find(field) == Some(fields::Field::Number(*number))
        }
        _ => false,
    };
    let kept = terms.iter().filter(|term| !is_range(&term.expression));
    kept.filter_map(|term| text.get(term.start..term.end)).collect::<Vec<_>>().join(" ")
}

impl Filter {
    /// Understands `text`. An empty one matches every trace.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        Ok(Filter { expression: parse::joined(parse::parse(text)?) })
    }

    /// Whether it matches every trace because it says nothing.
    pub fn is_empty(&self) -> bool {
        self.expression == Expression::default()
    }

    /// The texts in quotes, each once, that a search has to find; those that must not be there among them.
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

    /// The terms of a filter's text that must all hold, in their order. A filter with `OR` at its top is one term.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn terms(text: &str) -> Result<Vec<Term>, FilterError> {
        let terms = parse::parse(text)?;
        Ok(terms.into_iter().map(|term| Term { text: term.expression.to_string(), start: term.start, end: term.end }).collect())
    }

    /// A filter's text without the term of this number; the others stay as typed. The text itself where there is no such term.
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
