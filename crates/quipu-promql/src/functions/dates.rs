//! Date functions on seconds since 1970, UTC.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// A part of a date.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Minute,
    Hour,
    DayOfWeek,
    DayOfMonth,
    DayOfYear,
    DaysInMonth,
    Month,
    Year,
}

/// Extracts a part of the date at this many seconds. NaN for times out of the calendar's range (after the year 9999).
pub(crate) fn part(part: Part, seconds: f64) -> f64 {
    if seconds.is_nan() {
        return f64::NAN;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "dates are of whole seconds; beyond 64 bits, `as` gives the limit, which is out of the calendar's range"
    )]
    let Ok(at) = Timestamp::from_second(seconds as i64) else { return f64::NAN };
    let at = at.to_zoned(TimeZone::UTC);
    let date: Date = at.date();
    f64::from(match part {
        Part::Minute => i16::from(at.minute()),
        Part::Hour => i16::from(at.hour()),
        Part::DayOfWeek => i16::from(date.weekday().to_sunday_zero_offset()),
        Part::DayOfMonth => i16::from(date.day()),
        Part::DayOfYear => date.day_of_year(),
        Part::DaysInMonth => i16::from(date.days_in_month()),
        Part::Month => i16::from(date.month()),
        Part::Year => date.year(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_known_dates() {
        // 2016-02-29T23:59:59Z, a Monday.
        let leap = 1_456_790_399.0;
        let of = |asked| part(asked, leap);
        assert_eq!((of(Part::Year), of(Part::Month), of(Part::DayOfMonth)), (2016.0, 2.0, 29.0));
        assert_eq!((of(Part::Hour), of(Part::Minute), of(Part::DayOfWeek)), (23.0, 59.0, 1.0));
        assert_eq!((of(Part::DaysInMonth), of(Part::DayOfYear)), (29.0, 60.0));
        assert_eq!(part(Part::Year, -1.0), 1969.0);
        assert!(part(Part::Year, f64::INFINITY).is_nan());
    }
}
