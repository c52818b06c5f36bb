//! What binary operators do with two numbers.

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
    Unless,
}

impl Operator {
    /// Every operator as it is written.
    pub(super) const ALL: [(&'static str, Operator); 16] = [
        ("+", Operator::Add),
        ("-", Operator::Subtract),
        ("*", Operator::Multiply),
        ("/", Operator::Divide),
        ("%", Operator::Modulo),
        ("^", Operator::Power),
        ("atan2", Operator::Atan2),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        (">", Operator::Greater),
        ("<", Operator::Less),
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("and", Operator::And),
        ("or", Operator::Or),
        ("unless", Operator::Unless),
    ];

    /// The operator that is written so; letter case does not count.
    pub(super) fn from_text(text: &str) -> Option<Operator> {
        Operator::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, operator)| *operator)
    }

    /// Whether it compares.
    pub(super) fn compares(self) -> bool {
        matches!(
            self,
            Operator::Equal | Operator::NotEqual | Operator::Greater | Operator::Less | Operator::GreaterOrEqual | Operator::LessOrEqual
        )
    }

    /// Whether it is about which series there are.
    pub(super) fn is_set(self) -> bool {
        matches!(self, Operator::And | Operator::Or | Operator::Unless)
    }

    /// The number arithmetic makes; of comparisons 1 or 0. Set operators make none.
    pub(super) fn apply(self, left: f64, right: f64) -> f64 {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match self {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Modulo => left % right,
            Operator::Power => left.powf(right),
            Operator::Atan2 => left.atan2(right),
            Operator::Equal => truth(left == right),
            Operator::NotEqual => truth(left != right),
            Operator::Greater => truth(left > right),
            Operator::Less => truth(left < right),
            Operator::GreaterOrEqual => truth(left >= right),
            Operator::LessOrEqual => truth(left <= right),
            Operator::And | Operator::Or | Operator::Unless => f64::NAN,
        }
    }
}
