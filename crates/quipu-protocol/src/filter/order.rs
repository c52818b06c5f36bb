//! Comparison operators of numbers.

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

/// A comparison operator.
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
