//! A condition on an attribute: `key=value`.
//!
//! Matching is in the core's index.

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

use super::order::Order;
use super::pattern::TextTest;

/// A condition on an attribute of a span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributeTest {
    /// Attribute key as recorded.
    pub key: String,
    pub test: ValueTest,
}

/// The test of an attribute's value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueTest {
    Text(TextTest),
    /// Numeric comparison; strings that contain a number count as numbers.
    Number(Order, Decimal),
}

/// A finite number, kept as typed so that conditions can be compared and printed.
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

/// Whether the text is a finite number. Only looks at its characters, because a float parser is larger than the rest of the filter
/// language, and the page does not need one. Numbers close to the largest float are rejected.
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
        // An exponent that does not fit makes the number too large, or so small that it is zero.
        Some(exponent) => Some(exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 })),
    };
    let places = whole.trim_start_matches('0').len() as i64;
    // Zero times anything is zero.
    let is_zero = [whole, part].iter().all(|digits| digits.bytes().all(|digit| digit == b'0'));
    is_digits(whole)
        && is_digits(part)
        && whole.len() + part.len() > 0
        && exponent.is_some_and(|exponent| is_zero || places.saturating_add(exponent) <= 308)
}
