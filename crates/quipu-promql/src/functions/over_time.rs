//! Functions on the samples of a window.

use super::{Window, mean, quantile, sum, variance};

pub(super) fn avg(window: &Window<'_>) -> f64 {
    mean(window.values())
}

pub(super) fn total(window: &Window<'_>) -> f64 {
    sum(window.values())
}

/// The maximum; NaN only if all values are.
pub(super) fn max(window: &Window<'_>) -> f64 {
    window.values().fold(f64::NAN, f64::max)
}

/// The minimum; NaN only if all values are.
pub(super) fn min(window: &Window<'_>) -> f64 {
    window.values().fold(f64::NAN, f64::min)
}

pub(super) fn stdvar(window: &Window<'_>) -> f64 {
    variance(window.values())
}

pub(super) fn stddev(window: &Window<'_>) -> f64 {
    variance(window.values()).sqrt()
}

pub(super) fn quantile_of(window: &Window<'_>, share: f64) -> f64 {
    quantile(share, &mut window.values().collect::<Vec<f64>>())
}

/// Median absolute deviation; NaN if any value is.
pub(super) fn mad(window: &Window<'_>) -> f64 {
    let mut values: Vec<f64> = window.values().collect();
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile(0.5, &mut values);
    values.iter_mut().for_each(|value| *value = (*value - median).abs());
    quantile(0.5, &mut values)
}

/// Number of value changes.
pub(super) fn changes(window: &Window<'_>) -> f64 {
    count_pairs(window, |before, after| before != after && !(before.is_nan() && after.is_nan()))
}

/// Number of counter resets.
pub(super) fn resets(window: &Window<'_>) -> f64 {
    count_pairs(window, |before, after| after < before)
}

fn count_pairs(window: &Window<'_>, counts: impl Fn(f64, f64) -> bool) -> f64 {
    window.samples.windows(2).filter(|pair| matches!(pair, [(_, before), (_, after)] if counts(*before, *after))).count() as f64
}

/// Time in seconds of the last sample that `better` prefers to all earlier ones.
pub(super) fn time_of(window: &Window<'_>, better: fn(f64, f64) -> bool) -> Option<f64> {
    let mut best = window.first()?;
    for sample in window.samples {
        if better(sample.1, best.1) || best.1.is_nan() {
            best = *sample;
        }
    }
    Some(best.0 as f64 / 1_000.0)
}
