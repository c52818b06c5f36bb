//! Parses and prints durations, counts and times exactly as filters write them.

use super::expression::Amount;
use super::fields::Unit;
use quipu_model::{CivilDate, Timestamp};
use std::fmt::{self, Write};

/// Duration units in nanoseconds. Numbers without a unit are seconds.
const UNITS: [(&str, i64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", DAY),
];
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Parses an amount. On failure, returns a message that shows the format.
pub fn read(unit: Unit, text: &str) -> Result<Amount, String> {
    let found = match unit {
        Unit::Duration => read_duration(text).map(Amount::one),
        Unit::Count => read_count(text).map(Amount::one),
        Unit::Time => read_time(text),
    };
    found.ok_or_else(|| match unit {
        Unit::Duration => format!("{text} is not a duration; use a form such as 250ms, 2s or 1m30s."),
        Unit::Count => format!("{text} is not a count; use a form such as 50, 1000 or 1.5k."),
        Unit::Time => format!("{text} is not a time; use a form such as 2026-03-01 or 2026-03-01T10:00, in UTC."),
    })
}

/// Parses digits with a fraction, multiplied by `unit`. Returns the rest.
fn read_number(text: &str, unit: impl FnOnce(&str) -> Option<(i64, usize)>) -> Option<(i64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    let (unit, length) = unit(rest)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.contains('.') || (fraction.is_empty() && number.contains('.')) {
        return None;
    }
    let mut sum = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    let mut digit_unit = unit;
    for digit in fraction.bytes() {
        // A digit below the smallest unit must be 0: nothing is rounded.
        let part = i64::from(digit - b'0');
        if digit_unit % 10 != 0 && part != 0 {
            return None;
        }
        digit_unit /= 10;
        sum = sum.checked_add(part * digit_unit)?;
    }
    Some((sum, rest.get(length..)?))
}

fn read_duration(text: &str) -> Option<i64> {
    let (mut sum, mut rest) = (0_i64, text);
    loop {
        let (nanos, behind) = read_number(rest, |rest| {
            let word = rest.find(|letter: char| letter.is_ascii_digit()).map_or(rest, |end| rest.get(..end).unwrap_or(rest));
            if word.is_empty() && sum == 0 {
                return Some((SECOND, 0));
            }
            UNITS.iter().find(|(name, _)| *name == word).map(|(name, nanos)| (*nanos, name.len()))
        })?;
        sum = sum.checked_add(nanos)?;
        rest = behind;
        if rest.is_empty() {
            return Some(sum);
        }
    }
}

fn read_count(text: &str) -> Option<i64> {
    let unit = |rest: &str| match rest {
        "" => Some((1, 0)),
        "k" | "K" => Some((1_000, 1)),
        "M" => Some((1_000_000, 1)),
        _ => None,
    };
    read_number(text, unit).map(|(count, _)| count)
}

/// Parses a date, optionally with a time of day.
fn read_time(text: &str) -> Option<Amount> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, clock) = text.split_once('T').map_or((text, None), |(date, clock)| (date, Some(clock)));
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let date = CivilDate::new(year, month, day)?;
    if parts.next().is_some() {
        return None;
    }
    let mut amount = Amount { at: date.midnight_seconds().checked_mul(SECOND)?, width: DAY };
    let mut limit = 24;
    for part in clock.into_iter().flat_map(|clock| clock.split(':')) {
        let unit = match amount.width {
            DAY => 3_600 * SECOND,
            SECOND | 1 => return None,
            wider => wider / 60,
        };
        let (whole, fraction) = part.split_once('.').map_or((part, None), |(whole, fraction)| (whole, Some(fraction)));
        let number = digits(whole, 2).filter(|number| *number < limit)?;
        amount = Amount { at: amount.at.checked_add(number * unit)?, width: unit };
        if let Some(fraction) = fraction {
            let count = u32::try_from(fraction.len()).ok().filter(|count| unit == SECOND && (1..=9).contains(count))?;
            amount = Amount::one(amount.at.checked_add(digits(fraction, fraction.len())? * 10_i64.pow(9 - count))?);
        }
        limit = 60;
    }
    Some(amount)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    if text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Prints an amount in the format of [`read`].
pub fn print(unit: Unit, amount: Amount, out: &mut impl Write) -> fmt::Result {
    match unit {
        Unit::Count => write!(out, "{}", amount.at),
        Unit::Time => print_time(amount, out),
        Unit::Duration => print_duration(amount.at, out),
    }
}

fn print_time(amount: Amount, out: &mut impl Write) -> fmt::Result {
    let civil = Timestamp(amount.at).civil(0);
    let length = match amount.width {
        DAY => 10,
        SECOND => 19,
        1 => civil.len(),
        width if width == 60 * SECOND => 16,
        _ => 13,
    };
    out.write_str(&civil.get(..length).unwrap_or(&civil).replace(' ', "T"))
}

fn print_duration(nanos: i64, out: &mut impl Write) -> fmt::Result {
    let mut rest = nanos;
    for (name, unit) in [("d", DAY), ("h", 3_600 * SECOND), ("m", 60 * SECOND)] {
        if rest >= unit {
            write!(out, "{}{name}", rest / unit)?;
            rest %= unit;
        }
    }
    if rest == 0 && nanos > 0 {
        return Ok(());
    }
    let (name, unit, width) = match rest {
        SECOND.. | 0 => ("s", SECOND, 9),
        1_000_000.. => ("ms", 1_000_000, 6),
        1_000.. => ("us", 1_000, 3),
        _ => ("ns", 1, 0),
    };
    write!(out, "{}", rest / unit)?;
    if rest % unit != 0 {
        let fraction = format!("{:0width$}", rest % unit);
        write!(out, ".{}", fraction.trim_end_matches('0'))?;
    }
    out.write_str(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(unit: Unit, text: &str) -> String {
        match read(unit, text) {
            Ok(amount) => {
                let mut printed = String::new();
                print(unit, amount, &mut printed).expect("a string takes it");
                assert_eq!(read(unit, &printed), Ok(amount), "{text} prints as {printed}");
                format!("{} {printed}", amount.at)
            }
            Err(_) => "no".into(),
        }
    }

    #[test]
    fn durations_are_read_exactly_and_printed_in_the_unit_that_fits() {
        let cases = [
            ("2s", "2000000000 2s"),
            ("2", "2000000000 2s"),
            ("0.5", "500000000 500ms"),
            ("1m30s", "90000000000 1m30s"),
            ("90s", "90000000000 1m30s"),
            ("1.5ms", "1500000 1.5ms"),
            ("7µs", "7000 7us"),
            ("1d2h", "93600000000000 1d2h"),
            ("61.000000001s", "61000000001 1m1.000000001s"),
            ("0", "0 0s"),
            ("0.1ns", "no"),
            ("1m30", "no"),
            ("-1s", "no"),
            ("abc", "no"),
            (".5s", "no"),
            ("1.s", "no"),
            ("", "no"),
            ("300000d", "no"),
        ];
        for (text, expected) in cases {
            assert_eq!(round(Unit::Duration, text), expected, "{text}");
        }
    }

    #[test]
    fn a_time_covers_what_it_leaves_open() {
        let width = |text| read(Unit::Time, text).map(|amount| amount.width / SECOND);
        assert_eq!(width("2026-03-01"), Ok(86_400));
        assert_eq!(width("2026-03-01T10"), Ok(3_600));
        assert_eq!(width("2026-03-01T10:00"), Ok(60));
        assert_eq!(width("2026-03-01T10:00:05"), Ok(1));
        let cases = [
            ("1970-01-01", "0 1970-01-01"),
            ("2026-03-01T10:00", "1772359200000000000 2026-03-01T10:00"),
            ("2024-02-29T23:59:59.25Z", "1709251199250000000 2024-02-29T23:59:59.250"),
            ("1969-12-31T23", "-3600000000000 1969-12-31T23"),
            ("2023-02-29", "no"),
            ("2026-13-01", "no"),
            ("2026-3-1", "no"),
            ("2026-03-01T24:00", "no"),
            ("2026-03-01T10:60", "no"),
            ("2026-03-01T10:00:00:00", "no"),
            ("2026-03-01T10.5", "no"),
            ("9999-01-01", "no"),
            ("yesterday", "no"),
        ];
        for (text, expected) in cases {
            assert_eq!(round(Unit::Time, text), expected, "{text}");
        }
    }

    #[test]
    fn counts_may_be_thousands() {
        assert_eq!(round(Unit::Count, "1.5k"), "1500 1500");
        assert_eq!(round(Unit::Count, "2M"), "2000000 2000000");
        assert_eq!(round(Unit::Count, "1.5"), "no");
        assert_eq!(round(Unit::Count, "1000x"), "no");
    }
}
