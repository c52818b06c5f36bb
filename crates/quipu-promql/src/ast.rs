//! A query, understood: what `parse` makes and `eval` answers.

use super::error::TextRange;
use super::functions::Function;
use super::matcher::Matcher;

/// The type of an expression's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    /// One number at each step.
    Scalar,
    /// One number for each series at each step.
    Vector,
    /// A stretch of samples for each series at each step.
    Matrix,
    /// A text.
    Text,
}

impl ValueType {
    /// As sentences name it.
    pub(super) fn words(self) -> &'static str {
        match self {
            ValueType::Scalar => "a scalar",
            ValueType::Vector => "an instant vector",
            ValueType::Matrix => "a range vector",
            ValueType::Text => "a string",
        }
    }
}

/// An expression, and where it stands.
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
    /// A selector's samples over so many milliseconds.
    Range(Selector, i64),
    Subquery(Box<Subquery>),
    Call(&'static Function, Vec<Expr>),
    Aggregate(Box<Aggregate>),
    Negate(Box<Expr>),
    Binary(Box<Binary>),
    Paren(Box<Expr>),
}

/// When a selector or a subquery looks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timing {
    pub(super) at: Option<At>,
    /// Milliseconds further back.
    pub(super) offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    /// The first step of the whole query.
    Start,
    /// The last one.
    End,
    /// Milliseconds since 1970.
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

/// Which labels count.
#[derive(Clone, Debug)]
pub(super) enum Grouping {
    /// Only these: `by`, `on`.
    Only(Vec<String>),
    /// All but these: `without`, `ignoring`.
    Without(Vec<String>),
}

#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) operator: String,
    pub(super) grouping: Grouping,
    pub(super) param: Option<Expr>,
    pub(super) expr: Expr,
}

/// Which side of a binary expression may have several series for one of the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cardinality {
    OneToOne,
    /// `group_left`, with the labels that are taken over from the right.
    ManyToOne(Vec<String>),
    /// `group_right`, with the labels that are taken over from the left.
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
    /// The type of its value.
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

    /// Without parentheses around it.
    pub(super) fn bare(&self) -> &Expr {
        match &self.kind {
            ExprKind::Paren(inner) => inner.bare(),
            _ => self,
        }
    }
}
