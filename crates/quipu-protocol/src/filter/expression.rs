//! The syntax tree of filters, normalized: filters that print alike are equal.
//!
//! `parse` and `print` convert it from and to text; the core's index evaluates it.

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

use super::attribute::AttributeTest;
use super::fields::{IdField, NumberField, TextField};
use super::order::Order;
use super::pattern::{Pattern, TextTest};
use quipu_model::SpanKind;

/// A filter expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of them hold; always true if empty.
    All(Vec<Expression>),
    /// At least one of them holds.
    Any(Vec<Expression>),
    /// Negation.
    Not(Box<Expression>),
    /// All conditions hold for the same span: an expression in braces.
    Span(Box<Expression>),
    /// A single condition.
    Test(Test),
}

/// A condition on any span, the root span, or the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Whether the condition is about the trace's root span.
    pub root: bool,
    pub condition: Condition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Number(NumberField, Compare),
    Text(TextField, TextTest),
    Kind {
        kind: SpanKind,
        is: bool,
    },
    /// `error:true`, `error:false`.
    Failed(bool),
    Id {
        of: IdField,
        text: String,
        /// Whether the whole id must match, not just its beginning.
        whole: bool,
    },
    Attribute(AttributeTest),
    /// A bare word: part of a name, a key, or the beginning of an id.
    Word(Pattern),
    /// Quoted text: contained anywhere in the span.
    Holds(String),
}

/// A number, or the range of numbers covered by a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Nanoseconds, nanoseconds since 1970, or a count.
    pub at: i64,
    /// Length of the range from `at` on: 1, or the length of a day, hour, minute or second.
    pub width: i64,
}

impl Amount {
    pub fn one(at: i64) -> Amount {
        Amount { at, width: 1 }
    }

    /// The last number of the range.
    pub fn last(self) -> i64 {
        self.at.saturating_add(self.width - 1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Is(Amount),
    Not(Amount),
    Order(Order, Amount),
    /// Inclusive range; one end can be open.
    Between(Option<Amount>, Option<Amount>),
}

impl Compare {
    pub fn holds(&self, number: i64) -> bool {
        let is = |amount: &Amount| (amount.at..=amount.last()).contains(&number);
        match self {
            Compare::Is(amount) => is(amount),
            Compare::Not(amount) => !is(amount),
            Compare::Order(order, amount) => order.holds(number, amount.at),
            Compare::Between(from, to) => from.is_none_or(|from| number >= from.at) && to.is_none_or(|to| number <= to.last()),
        }
    }
}

impl Default for Expression {
    fn default() -> Expression {
        Expression::All(Vec::new())
    }
}

impl Expression {
    /// The conjunction, flattened.
    pub fn all(parts: Vec<Expression>) -> Expression {
        join(parts, Expression::All, |part| match part {
            Expression::All(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// The disjunction, flattened.
    pub fn any(parts: Vec<Expression>) -> Expression {
        join(parts, Expression::Any, |part| match part {
            Expression::Any(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// The opposite; a double negation cancels out.
    pub fn negated(self) -> Expression {
        match self {
            Expression::Not(inner) => *inner,
            other => Expression::Not(Box::new(other)),
        }
    }

    /// Calls `each` for every condition.
    pub fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a Test)) {
        match self {
            Expression::All(parts) | Expression::Any(parts) => parts.iter().for_each(|part| part.visit(each)),
            Expression::Not(inner) | Expression::Span(inner) => inner.visit(each),
            Expression::Test(test) => each(test),
        }
    }
}

fn join(
    parts: Vec<Expression>,
    list: fn(Vec<Expression>) -> Expression,
    open: fn(Expression) -> Result<Vec<Expression>, Expression>,
) -> Expression {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match open(part) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    if flat.len() == 1 { flat.pop().unwrap_or_default() } else { list(flat) }
}
