//! Functions of change over a window: rates and increases with Prometheus's extrapolation, differences, linear regression.

use super::{Sum, Window};
use crate::series::Sample;

/// What to compute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Increase of a counter per second.
    Rate,
    /// Increase of a counter.
    Increase,
    /// Difference of a gauge.
    Delta,
}

/// The change between the first and last sample, extrapolated to the ends of the window like in Prometheus. A falling counter was reset.
/// Uses the exact increase if the window has it.
pub(super) fn change(window: &Window<'_>, change: Change) -> Option<f64> {
    if let (Some(added), true) = (window.exact, change != Change::Delta) {
        return Some(if change == Change::Rate { added / window.seconds() } else { added });
    }
    let ((first_at, first), (last_at, last)) = (window.first()?, window.last()?);
    if window.count < 2 {
        return None;
    }
    let is_counter = change != Change::Delta;
    let mut result = last - first;
    if is_counter {
        result += lost_in_resets(window.samples);
    }
    // A counter is never below zero.
    let to_zero = (is_counter && result > 0.0 && first >= 0.0).then(|| first / result);
    let mut factor = Ends { first: first_at, last: last_at, count: window.count }.factor(window, to_zero);
    if change == Change::Rate {
        factor /= window.seconds();
    }
    Some(result * factor)
}

/// Times of the first and the last sample of a window, and the number of samples, of which there are at least two.
pub(super) struct Ends {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: u64,
}

impl Ends {
    /// What a change between the ends is multiplied by to reach the ends of the window. `to_zero` is how far before the first sample a counter
    /// was zero, relative to the time between the ends.
    pub(super) fn factor(&self, window: &Window<'_>, to_zero: Option<f64>) -> f64 {
        let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64 / 1_000.0;
        let sampled = seconds(self.first, self.last);
        let between = sampled / (self.count - 1) as f64;
        let threshold = between * 1.1;
        let (mut to_start, mut to_end) = (seconds(window.start, self.first), seconds(self.last, window.end));
        if to_start >= threshold {
            to_start = between / 2.0;
        }
        if let Some(share) = to_zero {
            to_start = to_start.min(sampled * share);
        }
        if to_end >= threshold {
            to_end = between / 2.0;
        }
        (sampled + to_start + to_end) / sampled
    }
}

/// Sum of a counter's values before resets.
fn lost_in_resets(samples: &[Sample]) -> f64 {
    let lost = |pair: &[Sample]| match pair {
        [(_, before), (_, after)] if after < before => *before,
        _ => 0.0,
    };
    samples.windows(2).map(lost).sum()
}

/// Increase between samples, without extrapolation.
pub(crate) fn increase(samples: &[Sample]) -> Option<f64> {
    Some(samples.last()?.1 - samples.first()?.1 + lost_in_resets(samples))
}

/// Difference of the last two samples. If `is_rate` is set, treats them as a counter and returns the change per second.
pub(super) fn last_change(window: &Window<'_>, is_rate: bool) -> Option<f64> {
    let [.., (before_at, before), (last_at, last)] = window.samples else { return None };
    if !is_rate {
        return Some(last - before);
    }
    let seconds = last_at.saturating_sub(*before_at) as f64 / 1_000.0;
    let increase = if last < before { *last } else { last - before };
    (seconds != 0.0).then(|| increase / seconds)
}

/// Linear regression: slope per second, and value at `at`.
fn line(samples: &[Sample], at: i64) -> Option<(f64, f64)> {
    let (_, first) = *samples.first()?;
    if samples.len() < 2 {
        return None;
    }
    if samples.iter().all(|(_, value)| *value == first) {
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
    }
    let (mut x, mut y, mut xy, mut xx) = (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (time, value) in samples {
        let seconds = time.saturating_sub(at) as f64 / 1_000.0;
        x.add(seconds);
        y.add(*value);
        xy.add(seconds * value);
        xx.add(seconds * seconds);
    }
    let count = samples.len() as f64;
    let covariance = xy.value() - x.value() * y.value() / count;
    let variance = xx.value() - x.value() * x.value() / count;
    let slope = covariance / variance;
    Some((slope, y.value() / count - slope * x.value() / count))
}

/// Slope of the regression line per second.
pub(super) fn deriv(window: &Window<'_>) -> Option<f64> {
    // Relative to the first sample, because large times would lose precision.
    line(window.samples, window.first()?.0).map(|(slope, _)| slope)
}

/// Value of the regression line `seconds` after the step.
pub(super) fn predict(window: &Window<'_>, seconds: f64) -> Option<f64> {
    line(window.samples, window.at).map(|(slope, value)| slope * seconds + value)
}

/// Double exponential smoothing (Holt). `None` for factors outside 0 to 1, which the caller rejects.
pub(super) fn smooth(window: &Window<'_>, factor: f64, trend_factor: f64) -> Option<f64> {
    let mut values = window.values();
    let first = values.next()?;
    let second = values.next()?;
    let (mut level_before, mut level, mut trend) = (0.0, first, second - first);
    for (index, value) in window.values().enumerate().skip(1) {
        let scaled = factor * value;
        if index > 1 {
            trend = trend_factor * (level - level_before) + (1.0 - trend_factor) * trend;
        }
        let kept = (1.0 - factor) * (level + trend);
        level_before = level;
        level = scaled + kept;
    }
    Some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(samples: &[Sample], start: i64, end: i64) -> Window<'_> {
        Window { start, end, at: end, samples, count: samples.len() as u64, exact: None }
    }

    #[test]
    fn increases_reach_the_ends_of_the_window_but_not_below_zero() {
        // 10 per minute, sampled every minute, from half a minute after the window's start to half a minute before its end.
        let samples = [(30_000, 100.0), (90_000, 110.0), (150_000, 120.0)];
        assert_eq!(change(&window(&samples, 0, 180_000), Change::Increase), Some(30.0));
        // The counter was 0 a quarter of a minute before the first sample.
        let young = [(30_000, 2.5), (90_000, 12.5), (150_000, 22.5)];
        assert_eq!(change(&window(&young, 0, 180_000), Change::Increase), Some(27.5));
        assert_eq!(change(&window(&samples[..1], 0, 180_000), Change::Rate), None);
    }

    #[test]
    fn a_falling_counter_was_reset_and_a_gauge_was_not() {
        let samples = [(0, 10.0), (60_000, 20.0), (120_000, 5.0)];
        assert_eq!(change(&window(&samples, 0, 120_000), Change::Increase), Some(15.0));
        assert_eq!(change(&window(&samples, 0, 120_000), Change::Delta), Some(-5.0));
        assert_eq!(last_change(&window(&samples, 0, 120_000), true), Some(5.0 / 60.0));
    }

    #[test]
    fn regression_through_collinear_samples_is_exact() {
        let samples = [(1_000, 3.0), (2_000, 5.0), (4_000, 9.0)];
        let window = window(&samples, 0, 5_000);
        assert!(deriv(&window).is_some_and(|slope| (slope - 2.0).abs() < 1e-12));
        assert!(predict(&window, 5.0).is_some_and(|value| (value - 21.0).abs() < 1e-9));
    }
}
