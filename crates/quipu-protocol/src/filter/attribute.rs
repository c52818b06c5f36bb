//! A condition on one attribute of a span, as `key=value` says it.
//!
//! What is not here: comparing it with recorded attributes (`attribute_match`), which spans are read for it (`search`).

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

use super::expression::Order;
use super::pattern::TextTest;

/// A condition on one attribute of a span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributeTest {
    /// The key, as recorded.
    pub key: String,
    pub test: ValueTest,
}

/// What its value must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueTest {
    Text(TextTest),
    /// A number that compares so; a text that holds a number is one.
    Number(Order, Decimal),
}

/// A finite number, kept as typed so that tests can be compared and printed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    pub fn read(text: &str) -> Option<Decimal> {
        is_number(text).then(|| Decimal(text.to_owned()))
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Whether the text is a finite number. Decided by its characters alone: the tables for parsing floats are larger than the rest of the
/// language, and the page, which needs no more than this, does without them. Numbers close to the largest float are refused.
pub fn is_number(text: &str) -> bool {
    let unsigned = |text: &str| text.strip_prefix(['-', '+']).map(str::to_owned).unwrap_or_else(|| text.to_owned());
    let text = unsigned(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text.as_str(), None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = match exponent {
        None => Some(0),
        Some(exponent) if unsigned(exponent).is_empty() || !is_digits(&unsigned(exponent)) => None,
        // Too long for a number this small is too large, or so small that it is nothing.
        Some(exponent) => Some(exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 })),
    };
    let places = whole.trim_start_matches('0').len() as i64;
    // Nothing times anything is nothing.
    let is_zero = [whole, part].iter().all(|digits| digits.bytes().all(|digit| digit == b'0'));
    is_digits(whole)
        && is_digits(part)
        && whole.len() + part.len() > 0
        && exponent.is_some_and(|exponent| is_zero || places.saturating_add(exponent) <= 308)
}
