//! A filter as a tree of conditions, in its one canonical shape: what prints alike is equal.
//!
//! What is not here: text (`parse`, `print`), what a condition means for a file (`decide`).

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

use super::AttributeTest;
use super::fields::{IdField, NumberField, TextField};
use super::pattern::{Pattern, TextTest};
use quipu_model::SpanKind;

/// What a filter asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Every one of them; none in it: always.
    All(Vec<Expression>),
    /// At least one of them.
    Any(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// One span is so: what stands in braces.
    Span(Box<Expression>),
    /// One condition.
    Test(Test),
}

/// One condition, of any span, of the root span, or of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Whether the trace's root span has to be so.
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
        /// The whole id, not only its beginning.
        whole: bool,
    },
    Attribute(AttributeTest),
    /// A bare word: a name, a key or the beginning of an id.
    Word(Pattern),
    /// A text in quotes: it stands anywhere in the span.
    Holds(String),
}

/// A number, or all numbers that a date or a time of day covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Nanoseconds, nanoseconds since 1970, or a count.
    pub at: i64,
    /// How many numbers from `at` on are meant: 1, or the length of a day, hour, minute or second.
    pub width: i64,
}

impl Amount {
    pub fn one(at: i64) -> Amount {
        Amount { at, width: 1 }
    }

    /// The last number that is meant.
    pub fn last(self) -> i64 {
        self.at.saturating_add(self.width - 1)
    }
}

/// A comparison's sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    More,
    AtLeast,
    Less,
    AtMost,
}

impl Order {
    pub fn sign(self) -> &'static str {
        match self {
            Order::More => ">",
            Order::AtLeast => ">=",
            Order::Less => "<",
            Order::AtMost => "<=",
        }
    }

    pub fn holds<T: PartialOrd>(self, number: T, than: T) -> bool {
        match self {
            Order::More => number > than,
            Order::AtLeast => number >= than,
            Order::Less => number < than,
            Order::AtMost => number <= than,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Is(Amount),
    Not(Amount),
    Order(Order, Amount),
    /// From the first to the second, both among it; one of them may be open.
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
    /// All of them, without a list in a list.
    pub fn all(parts: Vec<Expression>) -> Expression {
        join(parts, Expression::All, |part| match part {
            Expression::All(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// One of them, without a list in a list.
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

    /// Hands every condition to `each`.
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
