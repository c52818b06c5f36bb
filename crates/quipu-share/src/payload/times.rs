//! Times as microseconds and a format, if that is lossless. Other text is stored as it is.

use quipu_model::{RecordedTime, Timestamp};

/// The format of a recorded time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum TimeForm {
    /// `2026-11-22T18:39:22.344556+00:00`, without the fraction if it is zero, like Python's isoformat.
    Zoned = 2,
    /// The same without a time zone.
    Naive = 3,
    /// `2026-11-22 18:39:22`.
    Seconds = 4,
}

impl TimeForm {
    const ALL: [TimeForm; 3] = [TimeForm::Zoned, TimeForm::Naive, TimeForm::Seconds];

    pub(super) fn of_code(code: u8) -> Option<TimeForm> {
        TimeForm::ALL.into_iter().find(|form| *form as u8 == code)
    }
}

/// The microseconds since 1970 and the format that give exactly this text; `None` if there are none.
pub(super) fn read(text: &str) -> Option<(i64, TimeForm)> {
    let micros = RecordedTime::parse(text).ok()?.at.0.div_euclid(1_000);
    TimeForm::ALL.into_iter().find(|form| write(micros, *form) == text).map(|form| (micros, form))
}

/// Formats a time.
#[inline]
pub(super) fn write(micros: i64, form: TimeForm) -> String {
    let civil = Timestamp(micros.saturating_mul(1_000)).civil(0);
    let (date, clock) = civil.split_once(' ').unwrap_or((&civil, ""));
    let seconds = clock.get(..8).unwrap_or(clock);
    let fraction = match micros.rem_euclid(1_000_000) {
        0 => String::new(),
        part => format!(".{part:06}"),
    };
    match form {
        TimeForm::Zoned => format!("{date}T{seconds}{fraction}+00:00"),
        TimeForm::Naive => format!("{date}T{seconds}{fraction}"),
        TimeForm::Seconds => format!("{date} {seconds}"),
    }
}
