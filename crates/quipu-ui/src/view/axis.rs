//! Ticks of a time axis at round distances.

use quipu_model::format::duration;

/// A tick of a time axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Position in nanoseconds after the axis' zero.
    pub at_nanos: u64,
    /// Position relative to the shown range: 0 at its start, 1 at its end.
    pub at: f64,
    /// Label, such as `0`, `200 ms`, `1.5 s` or `2 m 30 s`.
    pub label: String,
}

/// Round distances above a second, in seconds.
const CLOCK_STEPS: [u64; 17] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

/// The ticks in `from..=to` (nanoseconds), at most `at_most` of them.
pub fn ticks(from: u64, to: u64, at_most: usize) -> Vec<Tick> {
    let range = to.saturating_sub(from);
    if range == 0 || at_most == 0 {
        return vec![Tick { at_nanos: from, at: 0.0, label: label(from, 1) }];
    }
    let step = step_for(range, at_most);
    let first = from.div_ceil(step);
    let last = to / step;
    (first..=last)
        .map(|multiple| {
            let at_nanos = multiple.saturating_mul(step);
            Tick { at_nanos, at: (at_nanos - from) as f64 / range as f64, label: label(at_nanos, step) }
        })
        .take(at_most.saturating_add(1))
        .collect()
}

/// The distance between ticks relative to the shown range; `None` with fewer than two ticks.
pub fn tick_distance(ticks: &[Tick]) -> Option<f64> {
    Some(ticks.get(1)?.at - ticks.first()?.at)
}

/// Formats a time for an axis that shows `range` nanoseconds, with a precision of about a thousandth.
pub fn axis_time(nanos: u64, range: u64) -> String {
    let step = 10_u64.pow((range / 1_000).max(1).ilog10());
    label(nanos - nanos % step, step)
}

/// The smallest round distance with at most `at_most` steps in `range`.
pub(super) fn step_for(range: u64, at_most: usize) -> u64 {
    let least = (range / at_most as u64).max(1);
    let mut power: u64 = 1;
    while power < 1_000_000_000 {
        for digit in [1, 2, 5] {
            if power * digit >= least {
                return power * digit;
            }
        }
        power *= 10;
    }
    for seconds in CLOCK_STEPS {
        if seconds * 1_000_000_000 >= least {
            return seconds * 1_000_000_000;
        }
    }
    let day = 86_400_000_000_000;
    least.div_ceil(day).saturating_mul(day)
}

/// The label of a tick, with no more digits than `step` needs.
fn label(nanos: u64, step: u64) -> String {
    if nanos == 0 {
        return "0".into();
    }
    if nanos >= 60_000_000_000 && step >= 1_000_000_000 {
        let text = duration(nanos);
        // Whole minutes, hours and days without zeros: `2 m`, not `2 m 00 s`.
        return [" 00 s", " 00 m", " 00 h"].iter().find_map(|zeros| text.strip_suffix(zeros)).unwrap_or(&text).to_owned();
    }
    if nanos >= 60_000_000_000 {
        let (minutes, rest) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
        let whole = match minutes / 60 {
            0 => format!("{minutes} m"),
            hours => format!("{hours} h {:02} m", minutes % 60),
        };
        let seconds = label(rest, step);
        return if rest == 0 { whole } else { format!("{whole} {seconds}") };
    }
    // The unit of the value with the precision of the step: 1.25 s and 1.5 s on an axis of 250 ms.
    let (size, unit) = match nanos {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000_u64, "s"),
    };
    let mut digits = 0;
    let mut fine = size;
    while fine > 1 && !step.is_multiple_of(fine) {
        fine /= 10;
        digits += 1;
    }
    format!("{:.digits$} {unit}", nanos as f64 / size as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from: u64, to: u64) -> String {
        ticks(from, to, 6).iter().map(|tick| format!("{} @ {:.3}", tick.label, tick.at)).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn ticks_stand_at_round_distances() {
        insta::assert_snapshot!(
            [shown(0, 7), shown(0, 4_321_000), shown(0, 1_234_000_000), shown(250_000_000, 2_600_000_000), shown(0, 200_000_000_000), shown(0, 400_000_000_000_000)]
                .join("\n"),
            @r"
        0 @ 0.000 | 1 ns @ 0.143 | 2 ns @ 0.286 | 3 ns @ 0.429 | 4 ns @ 0.571 | 5 ns @ 0.714 | 6 ns @ 0.857
        0 @ 0.000 | 1 ms @ 0.231 | 2 ms @ 0.463 | 3 ms @ 0.694 | 4 ms @ 0.926
        0 @ 0.000 | 500 ms @ 0.405 | 1.0 s @ 0.810
        500 ms @ 0.106 | 1.0 s @ 0.319 | 1.5 s @ 0.532 | 2.0 s @ 0.745 | 2.5 s @ 0.957
        0 @ 0.000 | 1 m @ 0.300 | 2 m @ 0.600 | 3 m @ 0.900
        0 @ 0.000 | 1 d @ 0.216 | 2 d @ 0.432 | 3 d @ 0.648 | 4 d @ 0.864
        "
        );
    }

    #[test]
    fn a_time_has_the_digits_its_axis_can_tell_apart() {
        let shown = [
            (1_234_567_891, 10_000_000_000),
            (1_234_567_891, 5_000_000),
            (71_234_567_891, 5_000_000),
            (3_723_000_000_000, 86_400_000_000_000),
            (12, 40),
        ];
        insta::assert_snapshot!(
            shown.map(|(nanos, range)| axis_time(nanos, range)).join("\n"),
            @r"
        1.23 s
        1.234567 s
        1 m 11.234567 s
        1 h 02 m
        12 ns
        "
        );
    }

    #[test]
    fn an_axis_without_length_has_its_zero() {
        assert_eq!(ticks(0, 0, 6), vec![Tick { at_nanos: 0, at: 0.0, label: "0".into() }]);
        assert_eq!(ticks(5, 3, 6).len(), 1);
    }

    #[test]
    fn no_axis_gets_more_ticks_than_asked_for() {
        for to in [1, 9, 10, 999, 59_000_000_000, 61_000_000_000, 86_400_000_000_001, u64::MAX] {
            let found = ticks(0, to, 8);
            assert!(!found.is_empty() && found.len() <= 9, "{to}: {} ticks", found.len());
            assert!(found.iter().all(|tick| (0.0..=1.0).contains(&tick.at)));
        }
    }
}
