//! A condition on one attribute of a span, as `key=value` says it.
//!
//! What is not here: which spans are read for it (`search`).

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

/// Whether [`number`] knows the number. Told from the letters alone: the tables that turn them into a float are larger than the rest of the
/// language, and the page, which only asks this, does without them. What comes close to the largest float is left out.
fn is_number(text: &str) -> bool {
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

/// The number a text is: `7`, `-0.5`, `1e3`; not `inf`, and nothing with blanks.
fn number(text: &str) -> Option<f64> {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if has_digit { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

mod evaluate {
    use super::super::pattern::TextMatcher;
    use super::{AttributeTest, ValueTest, number};
    use quipu_model::recorded::{RawJson, entries};

    /// A test, ready to compare many values with.
    pub enum ReadyTest<'a> {
        Text(TextMatcher<'a>),
        Number(super::Order, f64),
    }

    impl ReadyTest<'_> {
        /// Whether a value passes the test.
        pub fn holds(&self, value: RawJson<'_>) -> bool {
            match self {
                ReadyTest::Text(TextMatcher::Present) => true,
                ReadyTest::Text(TextMatcher::Is(wanted)) => is(value, wanted),
                ReadyTest::Text(TextMatcher::IsNot(wanted)) => !is(value, wanted),
                ReadyTest::Text(matcher) => matcher.holds(&value.as_str().unwrap_or_else(|| value.as_written())),
                ReadyTest::Number(order, than) => {
                    let text = value.as_str().or_else(|| value.as_number_text().map(Into::into));
                    text.and_then(|text| number(&text)).is_some_and(|number| order.holds(number, *than))
                }
            }
        }
    }

    /// Whether a value is this text; a recorded number may be written otherwise.
    fn is(value: RawJson<'_>, wanted: &str) -> bool {
        if let Some(text) = value.as_str() {
            return text == wanted;
        }
        let written = value.as_written();
        // Whole numbers are equal where their digits are: the others would lose some.
        let is_whole = |text: &str| text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
        written == wanted
            || (!(is_whole(&written) && is_whole(wanted))
                && value.as_number_text().is_some()
                && number(&written).is_some_and(|one| number(wanted) == Some(one)))
    }

    impl AttributeTest {
        /// The test, ready to compare many values with.
        pub fn ready(&self) -> ReadyTest<'_> {
            match &self.test {
                ValueTest::Text(test) => ReadyTest::Text(test.matcher()),
                ValueTest::Number(order, than) => ReadyTest::Number(*order, number(than.text()).unwrap_or(f64::NAN)),
            }
        }

        /// Whether it holds on a span with these recorded attributes; a key that stands twice may match twice.
        pub fn holds(&self, attributes: &[u8]) -> bool {
            // A search is several times faster than reading entries; it can miss only keys that are written in escapes.
            let is_plain = self.key.bytes().all(|byte| (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\' | b'/'));
            if is_plain && memchr::memmem::find(attributes, self.key.as_bytes()).is_none() && memchr::memchr(b'\\', attributes).is_none() {
                return false;
            }
            let ready = self.ready();
            entries(attributes).flatten().any(|(key, value)| key == self.key.as_str() && ready.holds(value))
        }
    }
}

pub use evaluate::ReadyTest;

#[cfg(test)]
mod tests {
    use super::{is_number, number};
    use proptest::prelude::*;

    #[test]
    fn a_number_is_told_by_its_letters() {
        for text in ["7", "-0.5", "+1e3", "1.", ".5", "1E-400", "0e999", "00012", "9e307"] {
            assert!(is_number(text) && number(text).is_some(), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "0e-",
            "--1",
            "inf",
            "nan",
            "0x1",
            "1 ",
            "1_0",
            "1e400",
            "1e99999999999999999999",
            "١",
        ] {
            assert!(!is_number(text), "{text}");
            assert_eq!(number(text).filter(|number| number.is_finite()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_told_by_letters_is_what_is_read(text in "[-+]{0,2}[0-9]{0,4}[.]{0,2}[0-9]{0,3}([eE][-+]?[0-9]{0,4})?|.{0,6}") {
            // Only near the largest float may they differ.
            let read = number(&text).filter(|number| number.abs() < 1e307);
            prop_assert!(read.is_none() || is_number(&text));
            prop_assert!(!is_number(&text) || number(&text).is_some());
        }
    }
}
