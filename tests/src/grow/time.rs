//! Recorded times as numbers that can be shifted and printed in their original format.

/// A time of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Microseconds since 1970 of the written clock time.
    pub(super) micros: i64,
    /// `T` as in Python's isoformat, or the blank of SQLite's `CURRENT_TIMESTAMP`, which has no fraction.
    separator: u8,
    /// The suffix `+00:00`, or nothing.
    suffix: String,
}

impl Stamp {
    /// Parses `2026-11-22T18:39:22.344556+00:00` and `2026-11-22 18:39:22`; `None` for other formats.
    pub(super) fn parse(text: &str) -> Option<Stamp> {
        let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i64>().ok());
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let separator = *text.as_bytes().get(10)?;
        let rest = text.get(19..)?;
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(digits) => digits.split_at_checked(6)?,
            None => ("0", rest),
        };
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
        let known = matches!(separator, b'T' | b' ');
        known.then_some(Stamp { micros: seconds * 1_000_000 + fraction.parse::<i64>().ok()?, separator, suffix: suffix.to_owned() })
    }

    /// Prints another time in this format.
    pub(super) fn print(&self, micros: i64) -> String {
        let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        let (year, month, day) = date(seconds.div_euclid(86_400));
        let (of_day, separator) = (seconds.rem_euclid(86_400), char::from(self.separator));
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        let whole = format!("{year:04}-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}");
        // Python omits a zero fraction.
        if separator == ' ' || fraction == 0 { whole + &self.suffix } else { format!("{whole}.{fraction:06}{}", self.suffix) }
    }
}

/// Days from 1970-01-01 to a Gregorian date. Years start in March here, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400) + of_year - 719_468
}

/// The date this many days after 1970-01-01.
fn date(after: i64) -> (i64, i64, i64) {
    // A first guess that is never too late, and at most a few years early.
    let mut year = 1970 + (after - 366).div_euclid(366);
    while days(year + 1, 1, 1) <= after {
        year += 1;
    }
    let mut month = 12;
    while days(year, month, 1) > after {
        month -= 1;
    }
    (year, month, after - days(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_in_the_form_they_had() {
        for text in [
            "2026-11-22T18:39:22.344556+00:00",
            "2026-11-22T18:39:22+00:00",
            "2024-02-29T00:00:00.000001",
            "2026-12-31 23:59:59",
        ] {
            let stamp = Stamp::parse(text).expect(text);
            assert_eq!(stamp.print(stamp.micros), text);
        }
        assert_eq!(Stamp::parse("yesterday"), None);
        assert_eq!(Stamp::parse("2026-11-22T18:39:22.34+00:00"), None);
    }

    #[test]
    fn a_later_time_crosses_months_and_leap_days() {
        let stamp = Stamp::parse("2028-02-28T23:59:59.500000").expect("a time");
        assert_eq!(stamp.print(stamp.micros + 1_000_000), "2028-02-29T00:00:00.500000");
        assert_eq!(stamp.print(stamp.micros + 86_401_000_000), "2028-03-01T00:00:00.500000");
        // 1_900_000_000 s after 1970, according to `date -u -d @1900000000`.
        assert_eq!(stamp.print(1_900_000_000_000_000), "2030-03-17T17:46:40");
    }
}
