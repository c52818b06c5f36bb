//! Parses times and durations as given with a query.

use jiff::Timestamp;

/// Milliseconds, or an error message.
pub type ParsedMillis = Result<i64, String>;

/// Limit in milliseconds, beyond which a double is not exact.
const FAR: f64 = 9e15;

/// Parses RFC 3339 or seconds since 1970. Returns milliseconds since 1970.
///
/// # Errors
/// A message that shows the format.
pub fn read_time(text: &str) -> ParsedMillis {
    if let Some(millis) = seconds(text) {
        return Ok(millis);
    }
    let at: Result<Timestamp, _> = text.parse();
    at.map(Timestamp::as_millisecond).map_err(|_| format!("{text:?} is not a time: write 2026-03-01T10:00:00Z or seconds since 1970."))
}

/// Parses a positive duration such as `5m` or `1h30m`, or a number of seconds. Returns milliseconds.
///
/// # Errors
/// A message that shows the format.
pub fn read_duration(text: &str) -> ParsedMillis {
    let millis = seconds(text).or_else(|| units(text)).filter(|millis| *millis > 0);
    millis.ok_or_else(|| format!("{text:?} is not a duration: write 30s, 5m, 1h30m or a number of seconds."))
}

#[expect(clippy::cast_possible_truncation, reason = "rounded, and within the limit")]
fn seconds(text: &str) -> Option<i64> {
    let millis = text.parse::<f64>().ok()? * 1_000.0;
    (millis.abs() < FAR).then_some(millis.round() as i64)
}

fn units(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    let mut rest = text;
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at_checked(rest.find(|letter: char| !letter.is_ascii_digit())?)?;
        let (unit, tail) = after.split_at_checked(after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len()))?;
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(digits.parse::<i64>().ok()?.checked_mul(*millis)?)?;
        rest = tail;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_are_read_or_refused() {
        assert_eq!(read_time("1.5"), Ok(1_500));
        assert_eq!(read_time("1970-01-01T01:00:01+01:00"), Ok(1_000));
        assert!(read_time("yesterday").is_err() && read_time("1e300").is_err());
        assert_eq!(["5m", "1h30m", "250ms", "90"].map(read_duration), [Ok(300_000), Ok(5_400_000), Ok(250), Ok(90_000)]);
        assert!(["", "5", "5x", "m", "0s", "-5m", "99999999999999y"].map(read_duration).iter().filter(|read| read.is_err()).count() == 6);
    }
}
