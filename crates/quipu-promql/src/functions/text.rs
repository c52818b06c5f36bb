//! Label values: natural sort order, and numbers as Prometheus writes them.

use std::cmp::Ordering;

/// Formats a number like Go, with as many digits as needed and without an exponent, for the label of `count_values`.
pub(crate) fn plain_number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}

/// Natural sort order: runs of digits are compared as numbers.
pub(crate) fn natural_order(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (left, right) = (chunk(one), chunk(other));
        if left.is_empty() || right.is_empty() {
            return left.len().cmp(&right.len());
        }
        let order = match (number(left), number(right)) {
            (Some(left), Some(right)) => left.len().cmp(&right.len()).then(left.cmp(right)),
            _ => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
        one = one.get(left.len()..).unwrap_or_default();
        other = other.get(right.len()..).unwrap_or_default();
    }
}

/// The first run of digits or of non-digits.
fn chunk(text: &str) -> &str {
    let is_digit = text.starts_with(|letter: char| letter.is_ascii_digit());
    let end = text.find(|letter: char| letter.is_ascii_digit() != is_digit).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Digits without leading zeros.
fn number(chunk: &str) -> Option<&str> {
    chunk.starts_with(|letter: char| letter.is_ascii_digit()).then(|| chunk.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_digits_are_compared_by_number() {
        let mut list = ["pod10", "pod2", "4m1000", "4m60", "b", "", "pod02a"];
        list.sort_by(|one, other| natural_order(one, other));
        assert_eq!(list, ["", "4m60", "4m1000", "b", "pod2", "pod02a", "pod10"]);
    }

    #[test]
    fn numbers_have_no_exponent() {
        let texts: Vec<String> = [1e21, 0.5, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(plain_number).into();
        assert_eq!(texts, ["1000000000000000000000", "0.5", "-0", "NaN", "+Inf", "-Inf"]);
    }
}
