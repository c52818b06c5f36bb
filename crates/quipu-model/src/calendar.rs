//! The calendar: dates and times of day to and from nanoseconds since 1970, and the text forms of times that files hold.
//!
//! The arithmetic is that of the crate `time`. Its own parsers and those of `jiff` are not used: their error messages alone weigh more in
//! the page than this file; tests compare with `jiff`.

use std::fmt;
use time::{Date, Month, OffsetDateTime};

const SECOND: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A date and time of day, in whatever zone the caller means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The date, proleptic Gregorian.
    pub date: CivilDate,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59; a leap second is read as the second before it.
    pub second: u8,
    /// Nanoseconds of the second.
    pub nanosecond: u32,
}

/// A date; displays as `2026-11-22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilDate(Date);

impl CivilDate {
    /// A date from its numbers; `None` if the calendar does not have it. `month` and `day` count from 1.
    pub fn new(year: i64, month: i64, day: i64) -> Option<CivilDate> {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok().map(CivilDate)
    }

    /// Seconds from 1970-01-01T00:00:00 to the start of the day.
    pub fn midnight_seconds(self) -> i64 {
        let epoch = i64::from(OffsetDateTime::UNIX_EPOCH.date().to_julian_day());
        (i64::from(self.0.to_julian_day()) - epoch) * DAY_SECONDS
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

impl Civil {
    /// The date and time of day `nanos` nanoseconds and `offset_seconds` seconds after 1970-01-01T00:00:00.
    pub fn from_nanos(nanos: i64, offset_seconds: i32) -> Civil {
        let nanosecond = u32::try_from(nanos.rem_euclid(SECOND)).unwrap_or_default();
        // Every `i64` of nanoseconds is in the years 1677 to 2262, far within the calendar.
        Civil { nanosecond, ..Civil::from_seconds(nanos.div_euclid(SECOND) + i64::from(offset_seconds)) }
    }

    /// The date and time of day `seconds` after 1970-01-01T00:00:00; 1970 itself outside the years -9999 to 9999.
    pub fn from_seconds(seconds: i64) -> Civil {
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Civil { date: CivilDate(at.date()), hour: at.hour(), minute: at.minute(), second: at.second(), nanosecond: 0 }
    }

    /// Nanoseconds since 1970-01-01T00:00:00. `None` outside the years 1677 to 2262.
    fn nanos(self) -> Option<i64> {
        let clock = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        let nanos = i128::from(self.date.midnight_seconds() + clock) * i128::from(SECOND) + i128::from(self.nanosecond);
        i64::try_from(nanos).ok()
    }
}

/// Reads ISO 8601 text: a date, and optionally a time of day after `T` or a space, with up to nine fraction digits, and optionally an offset
/// (`Z`, `+01:00`, `-0530`, `+01`). Returns nanoseconds since 1970, taking a time without a zone as UTC, and the offset in seconds, positive
/// to the east.
pub(crate) fn parse(text: &str) -> Option<(i64, Option<i32>)> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    rest.skip(b"-")?;
    let month = rest.digits(2)?;
    rest.skip(b"-")?;
    let date = CivilDate::new(year, month, rest.digits(2)?)?;
    let mut civil = Civil { date, hour: 0, minute: 0, second: 0, nanosecond: 0 };
    if rest.0.is_empty() {
        return Some((civil.nanos()?, None));
    }
    rest.skip(b"Tt ")?;
    civil.hour = rest.below(24)?;
    if rest.skip(b":").is_some() {
        civil.minute = rest.below(60)?;
        if rest.skip(b":").is_some() {
            civil.second = rest.below(61)?.min(59);
            if rest.skip(b".,").is_some() {
                civil.nanosecond = rest.fraction()?;
            }
        }
    }
    let local = civil.nanos()?;
    if rest.0.is_empty() {
        return Some((local, None));
    }
    let offset = rest.offset()?;
    if !rest.0.is_empty() {
        return None;
    }
    Some((local.checked_sub(i64::from(offset) * SECOND)?, Some(offset)))
}

/// What is left of the text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// Takes one of these bytes.
    fn skip(&mut self, any: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        any.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn digit(&mut self) -> Option<i64> {
        self.skip(b"0123456789").map(|digit| i64::from(digit - b'0'))
    }

    fn digits(&mut self, count: u32) -> Option<i64> {
        (0..count).try_fold(0, |sum, _| Some(sum * 10 + self.digit()?))
    }

    /// Two digits below `limit`.
    fn below(&mut self, limit: u8) -> Option<u8> {
        u8::try_from(self.digits(2)?).ok().filter(|number| *number < limit)
    }

    /// One to nine digits, in billionths.
    fn fraction(&mut self) -> Option<u32> {
        let mut sum = u32::try_from(self.digit()?).ok()? * 100_000_000;
        let mut unit = 10_000_000;
        while let Some(digit) = self.digit() {
            if unit == 0 {
                return None;
            }
            sum += u32::try_from(digit).ok()? * unit;
            unit /= 10;
        }
        Some(sum)
    }

    /// `Z`, or a sign with hours, and optionally minutes and seconds; in seconds.
    fn offset(&mut self) -> Option<i32> {
        if self.skip(b"Zz").is_some() {
            return Some(0);
        }
        let sign = if self.skip(b"+-")? == b'-' { -1 } else { 1 };
        let mut offset = i32::from(self.below(26)?) * 3_600;
        for unit in [60, 1] {
            if self.0.is_empty() {
                break;
            }
            let _ = self.skip(b":");
            offset += i32::from(self.below(60)?) * unit;
        }
        Some(sign * offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What jiff reads; a time without a zone as UTC.
    fn read_by_jiff(text: &str) -> Option<i64> {
        static PARSER: jiff::fmt::temporal::DateTimeParser = jiff::fmt::temporal::DateTimeParser::new();
        let read = PARSER.parse_timestamp(text);
        let read = read.or_else(|_| PARSER.parse_datetime(text).and_then(|civil| jiff::tz::Offset::UTC.to_timestamp(civil)));
        i64::try_from(read.ok()?.as_nanosecond()).ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_time_is_read_as_jiff_reads_it(
            (year, month, day) in (1677_u32..2263, 0_u32..14, 0_u32..33),
            (hour, minute, second) in (0_u32..26, 0_u32..62, 0_u32..62),
            between in "[Tt ]",
            fraction in "(|[.,][0-9]{1,10})",
            zone in "(|Z|z|[+-][0-2][0-9](|:[0-6][0-9]|[0-6][0-9]|:[0-5][0-9]:[0-5][0-9]))",
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{fraction}{zone}");
            prop_assert_eq!(parse(&text).map(|(nanos, _)| nanos), read_by_jiff(&text), "{}", text);
        }

        #[test]
        fn a_time_is_shown_as_jiff_shows_it(nanos: i64, offset in -90_000_i32..90_000) {
            let shifted = i128::from(nanos) + i128::from(offset) * i128::from(SECOND);
            let expected = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_nanosecond(shifted).expect("a time in range"));
            let Civil { date, hour, minute, second, nanosecond } = Civil::from_nanos(nanos, offset);
            let shown = format!("{date}T{hour:02}:{minute:02}:{second:02}.{nanosecond:09}");
            let expected = format!("{}T{:02}:{:02}:{:02}.{:09}", expected.date(), expected.hour(), expected.minute(), expected.second(), expected.subsec_nanosecond());
            prop_assert_eq!(shown, expected);
        }
    }

    #[test]
    fn shorter_forms_are_read_as_jiff_reads_them() {
        for text in [
            "2026-11-22",
            "2026-11-22T18",
            "2026-11-22 18:39",
            "2026-11-22T18:39Z",
            "2016-12-31T23:59:60Z",
            "1677-09-21T00:12:43.1",
        ] {
            assert_eq!(parse(text).map(|(nanos, _)| nanos), read_by_jiff(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-1",
            "2026-02-30",
            "2026-11-22T",
            "2026-11-22Tx",
            "2026-11-22T18:39:22.",
            "2026-11-22T18:39:22+",
            "2026-11-22Z",
            "²026-11-22",
            "2026-11-22T18:39:22Zx",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
