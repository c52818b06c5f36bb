//! Times in Llama Stack's JSON: read from ISO 8601 text or a number of seconds, written as ISO 8601 text.
//!
//! Written times have six fraction digits or none, and the offset that was read: `Z` for UTC, nothing if there was none.

use super::Timestamp;
use crate::calendar::{self, Civil};
use crate::number::truncated;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// An instant, or a local time without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventTime {
    /// The instant. A local time without a zone is stored as if it were UTC.
    pub at: Timestamp,
    /// Offset from UTC in seconds, positive to the east. `None` if no zone was given.
    pub offset_seconds: Option<i32>,
}

/// Numbers from here on are milliseconds: as seconds they would be later than the year 2600.
const MILLISECONDS_FROM: f64 = 2e10;

impl EventTime {
    /// An instant with the offset UTC.
    pub fn utc(at: Timestamp) -> EventTime {
        EventTime { at, offset_seconds: Some(0) }
    }

    /// Parses ISO 8601 text. `None` if it is not a time.
    pub fn parse(text: &str) -> Option<EventTime> {
        let (nanos, offset_seconds) = calendar::parse(text)?;
        Some(EventTime { at: Timestamp(nanos), offset_seconds })
    }

    /// Converts seconds since 1970, or milliseconds if the number is too large for seconds. `None` if out of range.
    pub fn from_number(number: f64) -> Option<EventTime> {
        let seconds = if number.abs() > MILLISECONDS_FROM { number / 1e3 } else { number };
        let micros = (seconds * 1e6).round();
        (micros.abs() < 9e15).then(|| EventTime::utc(Timestamp(truncated::<i64>(micros) * 1_000)))
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { date, hour, minute, second, nanosecond } = Civil::from_nanos(self.at.0, self.offset_seconds.unwrap_or(0));
        write!(f, "{date}T{hour:02}:{minute:02}:{second:02}")?;
        let micros = nanosecond / 1_000;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        match self.offset_seconds {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", offset.abs() / 3_600, offset.abs() / 60 % 60)
            }
        }
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EventTime, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = EventTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO 8601 time or a number of seconds since 1970")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<EventTime, E> {
                let number = || text.parse().ok().and_then(EventTime::from_number);
                EventTime::parse(text).or_else(number).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<EventTime, E> {
                EventTime::from_number(number).ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<EventTime, E> {
                self.visit_f64(number as f64)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<EventTime, E> {
                self.visit_f64(number as f64)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Option<String> {
        EventTime::parse(text).map(|time| time.to_string())
    }

    #[test]
    fn recorded_times_are_printed_as_the_api_prints_them() {
        assert_eq!(printed("2026-11-22T18:32:19.525089+00:00").as_deref(), Some("2026-11-22T18:32:19.525089Z"));
        assert_eq!(printed("2026-11-22T18:32:19.5+00:00").as_deref(), Some("2026-11-22T18:32:19.500000Z"));
        assert_eq!(printed("2026-11-22T18:32:19+00:00").as_deref(), Some("2026-11-22T18:32:19Z"));
        assert_eq!(printed("2026-11-22T20:08:54.959646").as_deref(), Some("2026-11-22T20:08:54.959646"));
        assert_eq!(printed("2026-11-22 19:09:04").as_deref(), Some("2026-11-22T19:09:04"));
        assert_eq!(printed("2026-11-22T18:32:19.123456789Z").as_deref(), Some("2026-11-22T18:32:19.123456Z"));
        assert_eq!(printed("2026-11-22T18:32:19-05:30").as_deref(), Some("2026-11-22T18:32:19-05:30"));
        assert_eq!(printed("1969-12-31T23:59:59.999999+00:00").as_deref(), Some("1969-12-31T23:59:59.999999Z"));
        assert_eq!(printed("soon"), None);
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds() {
        let of = |number| EventTime::from_number(number).map(|time| time.to_string());
        assert_eq!(of(1_751_328_000.0).as_deref(), Some("2025-07-01T00:00:00Z"));
        assert_eq!(of(1_751_328_000.25).as_deref(), Some("2025-07-01T00:00:00.250000Z"));
        assert_eq!(of(1_751_328_000_250.0).as_deref(), Some("2025-07-01T00:00:00.250000Z"));
        assert_eq!(of(f64::NAN), None);
        assert_eq!(of(1e300), None);
    }
}
