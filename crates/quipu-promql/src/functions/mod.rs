//! PromQL's functions: a table with name, arguments and implementation of each.
//!
//! Modules: `table` is the table; `math` and `dates` work on single values, `over_time` and `rate` on windows, `native` on windows with native
//! histograms, `histogram` on buckets, `text` on label values. Not here: evaluation of arguments, and functions that need more than values (`eval::call`).

pub(super) mod dates;
pub(super) mod histogram;
pub(super) mod math;
pub(super) mod native;
pub(super) mod over_time;
pub(super) mod rate;
mod table;
pub(super) mod text;

pub(crate) use table::Function;
pub(super) use table::{Form, Needs, Special, find};
pub use table::{FunctionHelp, functions};

use super::series::Sample;
pub(super) use super::sum::Sum;

/// The samples of a series within a window.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// The window is `(start, end]`, in milliseconds since 1970.
    pub(super) start: i64,
    pub(super) end: i64,
    /// Time of the step; equal to the window's end unless there is an offset or `@`.
    pub(super) at: i64,
    /// Samples by time; at least one. Only the first and last ones if that is enough according to `Needs`.
    pub(super) samples: &'a [Sample],
    /// Number of all samples in the window.
    pub(super) count: u64,
    /// The exact increase within the window, if increases are exact.
    pub(super) exact: Option<f64>,
}

impl Window<'_> {
    pub(super) fn first(&self) -> Option<Sample> {
        self.samples.first().copied()
    }

    pub(super) fn last(&self) -> Option<Sample> {
        self.samples.last().copied()
    }

    pub(super) fn values(&self) -> impl ExactSizeIterator<Item = f64> + Clone {
        self.samples.iter().map(|(_, value)| *value)
    }

    /// Length of the window in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.end.saturating_sub(self.start) as f64 / 1_000.0
    }
}

/// Compensated sum of the values.
pub(super) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    values.for_each(|value| sum.add(value));
    sum.value()
}

/// Mean of the values. Computed incrementally if the sum overflows.
pub(super) fn mean(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let count = values.len() as f64;
    let total = sum(values.clone());
    if !total.is_infinite() {
        return total / count;
    }
    let mut mean = Sum::default();
    for (index, value) in values.enumerate() {
        let so_far = mean.value();
        if so_far.is_infinite() && (value.is_finite() || value == so_far) {
            // An infinite mean stays, unless the opposite infinity or NaN is added.
            continue;
        }
        let weight = index as f64 + 1.0;
        mean.add(value / weight - so_far / weight);
    }
    mean.value()
}

/// Population variance.
pub(super) fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in values {
        count += 1.0;
        let before = value - mean.value();
        mean.add(before / count);
        squares.add(before * (value - mean.value()));
    }
    squares.value() / count
}

/// A quantile, interpolated between two values; infinite for shares below 0 or above 1.
pub(super) fn quantile(share: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    // NaN sorts first.
    values.sort_unstable_by(|one, other| one.partial_cmp(other).unwrap_or_else(|| other.is_nan().cmp(&one.is_nan())));
    let rank = share * (values.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, reason = "a share of at most 1 of the last place; the fraction is the weight below")]
    let below = rank.floor() as usize;
    let lower = values.get(below).copied().unwrap_or(f64::NAN);
    let upper = values.get((below + 1).min(values.len() - 1)).copied().unwrap_or(f64::NAN);
    let weight = rank - rank.floor();
    lower * (1.0 - weight) + upper * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_compensated_for_rounding() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100].into_iter()), 2.0);
        assert_eq!(sum([f64::INFINITY, 1.0].into_iter()), f64::INFINITY);
        assert!(sum([f64::INFINITY, f64::NEG_INFINITY].into_iter()).is_nan());
    }

    #[test]
    fn means_of_huge_values_are_finite() {
        assert_eq!(mean([f64::MAX, f64::MAX].into_iter()), f64::MAX);
        assert_eq!(mean([f64::INFINITY, 1.0].into_iter()), f64::INFINITY);
        assert!(mean([f64::INFINITY, f64::NEG_INFINITY].into_iter()).is_nan());
        assert!(mean([f64::INFINITY, f64::NAN].into_iter()).is_nan());
    }

    #[test]
    fn quantiles_are_interpolated_between_values() {
        assert_eq!(quantile(0.5, &mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(quantile(0.0, &mut [2.0, f64::NEG_INFINITY]), f64::NEG_INFINITY);
        assert_eq!((quantile(-0.1, &mut [1.0]), quantile(1.1, &mut [1.0])), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(0.5, &mut []).is_nan() && quantile(f64::NAN, &mut [1.0]).is_nan());
    }

    #[test]
    fn variance_is_of_the_whole_population() {
        assert!((variance([0.0, 8.0, 8.0, 2.0, 3.0].into_iter()) - 10.56).abs() < 1e-12);
    }
}
