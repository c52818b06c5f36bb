//! Binary operators on two numbers.

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
    TrimUpper,
    TrimLower,
    And,
    Or,
    Unless,
}

impl Operator {
    /// All operators with their spelling.
    pub(super) const ALL: [(&'static str, Operator); 18] = [
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
        ("</", Operator::TrimUpper),
        (">/", Operator::TrimLower),
        ("and", Operator::And),
        ("or", Operator::Or),
        ("unless", Operator::Unless),
    ];

    /// Looks up an operator by its spelling, ignoring case.
    pub(super) fn from_text(text: &str) -> Option<Operator> {
        Operator::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, operator)| *operator)
    }

    /// Whether it is a comparison.
    pub(super) fn compares(self) -> bool {
        matches!(
            self,
            Operator::Equal | Operator::NotEqual | Operator::Greater | Operator::Less | Operator::GreaterOrEqual | Operator::LessOrEqual
        )
    }

    /// Whether it cuts native histograms.
    pub(super) fn trims(self) -> bool {
        matches!(self, Operator::TrimUpper | Operator::TrimLower)
    }

    /// How it is written.
    pub(super) fn text(self) -> &'static str {
        Operator::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }

    /// Whether it is a set operator.
    pub(super) fn is_set(self) -> bool {
        matches!(self, Operator::And | Operator::Or | Operator::Unless)
    }

    /// Applies the operator; comparisons return 1 or 0. NaN for set operators and those on histograms.
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
            Operator::TrimUpper | Operator::TrimLower | Operator::And | Operator::Or | Operator::Unless => f64::NAN,
        }
    }
}
