//! The syntax tree that `parse` produces and `eval` evaluates.

use super::error::TextRange;
use super::functions::Function;
use super::matcher::Matcher;
use super::value_type::ValueType;

/// An expression and its location in the query.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(super) kind: ExprKind,
    pub(super) location: TextRange,
}

#[derive(Clone, Debug)]
pub(super) enum ExprKind {
    Number(f64),
    Text(String),
    Select(Selector),
    /// A range selector with its range in milliseconds.
    Range(Selector, i64),
    Subquery(Box<Subquery>),
    Call(&'static Function, Vec<Expr>),
    Aggregate(Box<Aggregate>),
    Negate(Box<Expr>),
    Binary(Box<Binary>),
    Paren(Box<Expr>),
}

/// The `@` and `offset` modifiers of a selector or subquery.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timing {
    pub(super) at: Option<At>,
    /// Offset into the past, in milliseconds.
    pub(super) offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    /// `@ start()`: the first step of the whole query.
    Start,
    /// `@ end()`: the last step of the whole query.
    End,
    /// `@ TIME`, in milliseconds since 1970.
    Time(i64),
}

#[derive(Clone, Debug)]
pub(super) struct Selector {
    pub(super) matchers: Vec<Matcher>,
    pub(super) timing: Timing,
}

#[derive(Clone, Debug)]
pub(super) struct Subquery {
    pub(super) expr: Expr,
    pub(super) range: i64,
    pub(super) step: Option<i64>,
    pub(super) timing: Timing,
}

/// Labels used for grouping or matching.
#[derive(Clone, Debug)]
pub(super) enum Grouping {
    /// `by` or `on`: only these.
    Only(Vec<String>),
    /// `without` or `ignoring`: all but these.
    Without(Vec<String>),
}

#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) operator: String,
    pub(super) grouping: Grouping,
    pub(super) param: Option<Expr>,
    pub(super) expr: Expr,
}

/// Cardinality of vector matching.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cardinality {
    OneToOne,
    /// `group_left`, with the labels copied from the right side.
    ManyToOne(Vec<String>),
    /// `group_right`, with the labels copied from the left side.
    OneToMany(Vec<String>),
}

#[derive(Clone, Debug)]
pub(super) struct Binary {
    pub(super) operator: super::operator::Operator,
    pub(super) left: Expr,
    pub(super) right: Expr,
    pub(super) matching: Grouping,
    pub(super) cardinality: Cardinality,
    pub(super) is_bool: bool,
}

impl Expr {
    /// The type of the expression.
    pub(crate) fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::Text(_) => ValueType::Text,
            ExprKind::Select(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Range(..) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Call(function, _) => function.answers,
            ExprKind::Negate(inner) | ExprKind::Paren(inner) => inner.value_type(),
            ExprKind::Binary(binary) => match (binary.left.value_type(), binary.right.value_type()) {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
        }
    }

    /// Its first byte in the query.
    pub(super) fn start(&self) -> usize {
        match &self.kind {
            ExprKind::Binary(binary) => binary.left.start(),
            ExprKind::Subquery(subquery) => subquery.expr.start(),
            _ => self.location.start,
        }
    }

    /// The expression without surrounding parentheses.
    pub(super) fn bare(&self) -> &Expr {
        match &self.kind {
            ExprKind::Paren(inner) => inner.bare(),
            _ => self,
        }
    }
}
