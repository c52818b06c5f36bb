//! Recorded times: ISO 8601 text with or without a zone, with nanosecond precision.

use crate::calendar::{self, Civil};
use crate::number;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The duration that means "unknown" in columns of spans.
pub const UNKNOWN_NANOS: u64 = u64::MAX;

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Nanoseconds from `earlier` to `self`; negative if `self` is the earlier one. Saturates.
    pub fn nanos_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reinterprets a local time stored as if it were UTC: the instant at which a clock `offset_minutes` east of UTC shows it. Saturates.
    pub fn minus_offset(self, offset_minutes: i32) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::from(offset_minutes) * 60_000_000_000))
    }

    /// Local time at `offset_minutes` east of UTC: `2026-11-22 18:39:22.344556`. Has three, six or nine fraction digits, as many as are
    /// needed.
    pub fn civil(self, offset_minutes: i32) -> String {
        let Civil { date, hour, minute, second, nanosecond } = Civil::from_nanos(self.0, offset_minutes.saturating_mul(60));
        let mut text = format!("{date} {hour:02}:{minute:02}:{second:02}.{nanosecond:09}");
        for _ in 0..2 {
            if text.ends_with("000") {
                text.truncate(text.len() - 3);
            }
        }
        text
    }
}

/// Formats nanoseconds since 1970 like the reference, that is like Python: converted through a double, rounded to the nearest microsecond
/// (half to even), without a fraction if it is zero.
///
/// ```
/// use quipu_model::reference_time;
/// assert_eq!(reference_time(1_751_328_000_000_000_400), "2025-07-01T00:00:00+00:00");
/// assert_eq!(reference_time(1_751_328_000_120_000_000), "2025-07-01T00:00:00.120000+00:00");
/// ```
pub fn reference_time(nanos: u64) -> String {
    let seconds = nanos as f64 / 1e9;
    let whole = seconds.trunc();
    let micros = ((seconds - whole) * 1e6).round_ties_even();
    let (whole, micros) = if micros >= 1e6 { (whole + 1.0, 0) } else { (whole, number::truncated(micros)) };
    // The largest `u64` is in the year 2554.
    let Civil { date, hour, minute, second, .. } = Civil::from_seconds(number::truncated(whole));
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00")
}

/// A time as recorded: what the clock showed, and whether a zone was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedTime {
    /// The instant. A time without a zone is stored as if it were UTC.
    pub at: Timestamp,
    /// Whether a zone was given (`Z`, `+00:00`).
    pub zoned: bool,
}

/// The text is not a time; holds the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTimeError(String);

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseTimeError {}

impl RecordedTime {
    /// The instant, taking a time without a zone as local time at `offset_minutes` east of UTC.
    pub fn instant(self, offset_minutes: i32) -> Timestamp {
        if self.zoned { self.at } else { self.at.minus_offset(offset_minutes) }
    }

    /// Like [`parse`](RecordedTime::parse), for bytes read from a file. `None` if they are not a time.
    pub fn read(text: &[u8]) -> Option<RecordedTime> {
        usual(text).or_else(|| RecordedTime::parse(std::str::from_utf8(text).ok()?).ok())
    }

    /// Parses Python's `isoformat`, SQLite's `YYYY-MM-DD HH:MM:SS` and other ISO 8601 text, with up to nine fraction digits.
    ///
    /// # Errors
    /// If the text is in neither format.
    pub fn parse(text: &str) -> Result<RecordedTime, ParseTimeError> {
        if let Some(time) = usual(text.as_bytes()) {
            return Ok(time);
        }
        let bad = || ParseTimeError(format!("{text:?} is not a time such as 2026-11-22T18:39:22.344556+00:00"));
        let (nanos, offset) = calendar::parse(text).ok_or_else(bad)?;
        Ok(RecordedTime { at: Timestamp(nanos), zoned: offset.is_some() })
    }
}

/// Fast path for the forms nearly every time has: `2026-11-22T18:39:22.344556` with or without `+00:00`, and SQLite's
/// `2026-11-22 18:39:22`. `None` for every other form, and for times that need the calendar.
#[expect(clippy::indexing_slicing, reason = "all places are constants below the lengths of the two arrays, 26 and 19")]
fn usual(text: &[u8]) -> Option<RecordedTime> {
    let mut filled = *b"0000-00-00T00:00:00.000000";
    let (time, zoned) = match text.split_first_chunk::<26>() {
        Some((time, b"")) => (time, false),
        Some((time, b"+00:00")) => (time, true),
        Some(_) => return None,
        None => {
            let text = <&[u8; 19]>::try_from(text).ok().filter(|text| text[10] == b' ')?;
            filled[..10].copy_from_slice(&text[..10]);
            filled[11..19].copy_from_slice(&text[11..]);
            (&filled, false)
        }
    };
    let mut others = 0;
    let mut number = |from: usize, to: usize| {
        time[from..to].iter().fold(0, |sum, byte| {
            let digit = byte.wrapping_sub(b'0');
            others |= u8::from(digit > 9);
            sum * 10 + i64::from(digit)
        })
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second, micros) = (number(11, 13), number(14, 16), number(17, 19), number(20, 26));
    let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.')];
    // Days 29 to 31, and years near the limits of 64-bit nanoseconds, are left to the calendar.
    let is_plain = (1900..2200).contains(&year) && (1..=12).contains(&month) && (1..=28).contains(&day);
    if !is_plain || others != 0 || hour > 23 || minute > 59 || second > 59 || signs.iter().any(|(at, sign)| time[*at] != *sign) {
        return None;
    }
    // The only calendar formula outside `calendar`, for speed. Years start in March, so that a leap day is the last day of its year.
    let from_march = if month > 2 { year } else { year - 1 };
    let leap_days = from_march.div_euclid(4) - from_march.div_euclid(100) + from_march.div_euclid(400);
    let days = from_march * 365 + leap_days + (153 * ((month + 9) % 12) + 2) / 5 + day - 719_469;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(RecordedTime { at: Timestamp(seconds * 1_000_000_000 + micros * 1_000), zoned })
}

/// Formats an offset: `UTC`, `UTC+01:00`, `UTC−05:30`.
pub fn offset_label(offset_minutes: i32) -> String {
    match offset_minutes {
        0 => "UTC".into(),
        minutes => {
            let sign = if minutes < 0 { '−' } else { '+' };
            format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
    }
}

/// What is known about the time zone of a file's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ZoneFact {
    /// All times have a zone.
    Zoned,
    /// Times are the server's local time without a zone; the offset was derived from `created_at`, which is in UTC.
    Recovered {
        /// Offset in minutes, positive to the east.
        offset_minutes: i32,
    },
    /// Times are local time with an unknown offset; shown as if they were UTC.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_three_six_or_nine_digits() {
        let shown = |nanos: i64| Timestamp(1_763_882_637_000_000_000 + nanos).civil(0).split_off(17);
        assert_eq!(
            [0, 500_000_000, 630_130_000, 630_131_000, 1].map(shown),
            ["57.000", "57.500", "57.630130", "57.630131", "57.000000001"]
        );
    }

    #[test]
    fn times_of_every_release_are_read() {
        let read = |text| RecordedTime::parse(text).map(|time| (time.at.civil(0), time.zoned));
        assert_eq!(read("2026-11-22T18:39:22.344556+00:00"), Ok(("2026-11-22 18:39:22.344556".into(), true)));
        assert_eq!(read("2026-11-22T20:09:04.820478"), Ok(("2026-11-22 20:09:04.820478".into(), false)));
        assert_eq!(read("2026-11-22 19:09:04"), Ok(("2026-11-22 19:09:04.000".into(), false)));
        assert_eq!(read("2026-11-22T20:00:00+01:00"), Ok(("2026-11-22 19:00:00.000".into(), true)));
        assert_eq!(read("2026-11-22T18:00:00.123456789Z"), Ok(("2026-11-22 18:00:00.123456789".into(), true)));
        assert!(read("yesterday").is_err());
        assert!(read("").is_err());
        assert!(read("9999-99-99T00:00:00Z").is_err());
    }

    #[test]
    fn the_usual_form_is_read_as_the_calendar_reads_it() {
        let mut read = 0;
        for year in [1899, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2100, 2199, 2200] {
            for month in 0..=13 {
                for day in [0, 1, 2, 27, 28, 29, 31] {
                    for clock in [
                        "00:00:00.000000",
                        "23:59:59.999999",
                        "12:34:56.000001",
                        "24:00:00.000000",
                        "10:60:00.000000",
                        "1a:00:00.000000",
                    ] {
                        let text = format!("{year}-{month:02}-{day:02}T{clock}+00:00");
                        let Some(quick) = usual(text.as_bytes()) else { continue };
                        let calendar: jiff::Timestamp = text.parse().expect("the calendar has the time too");
                        assert_eq!(i128::from(quick.at.0), calendar.as_nanosecond(), "{text}");
                        read += 1;
                    }
                }
            }
        }
        assert_eq!(read, 9 * 12 * 4 * 3);
        for other in [
            "2026-11-22 18:39:22.344556",
            "2026-11-22T18:39:22.344556Z",
            "2026-11-22T18:39:22.344556+01:00",
            "2026-11-22T18:39:22",
            "²026-11-22T18:39:22.34455",
            "",
        ] {
            assert_eq!(usual(other.as_bytes()), None, "{other}");
        }
    }
}
