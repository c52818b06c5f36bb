//! Amounts by time, and their running sum.

use quipu_promql::Curve;
use std::sync::Arc;

/// An amount added to a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Amount {
    /// Milliseconds since 1970, UTC, rounded up.
    pub(super) at: i64,
    pub(super) value: f64,
    /// Row of its span, or [`NO_ROW`](super::metrics_input::NO_ROW).
    pub(super) row: u32,
}

/// Amounts sorted by time, with their running sum.
#[derive(Clone, Debug)]
pub(super) struct Amounts {
    list: Arc<[Amount]>,
    sums: Arc<[f64]>,
    rises: bool,
}

impl Amounts {
    /// Sorts the amounts and drops those that are not finite.
    pub(super) fn new(mut list: Vec<Amount>) -> Amounts {
        list.retain(|amount| amount.value.is_finite());
        list.sort_by_key(|amount| amount.at);
        let mut sum = 0.0;
        let sums = list.iter().map(|amount| {
            sum += amount.value;
            sum
        });
        let sums = sums.collect();
        Amounts { rises: list.iter().all(|amount| amount.value >= 0.0), list: list.into(), sums }
    }

    /// Time of the first amount.
    pub(super) fn first(&self) -> Option<i64> {
        self.list.first().map(|amount| amount.at)
    }

    /// Sum of the amounts within `(after, until]`.
    pub(super) fn added(&self, after: i64, until: i64) -> f64 {
        self.value_at(until) - self.value_at(after)
    }

    /// The amounts within `(after, until]`.
    pub(super) fn within(&self, after: i64, until: i64) -> &[Amount] {
        let from = self.list.partition_point(|amount| amount.at <= after);
        let to = self.list.partition_point(|amount| amount.at <= until);
        self.list.get(from..to).unwrap_or_default()
    }
}

impl Curve for Amounts {
    fn value_at(&self, at: i64) -> f64 {
        let seen = self.list.partition_point(|amount| amount.at <= at);
        seen.checked_sub(1).and_then(|last| self.sums.get(last)).copied().unwrap_or(0.0)
    }

    fn rises(&self) -> bool {
        self.rises
    }
}

/// Converts nanoseconds since 1970 to milliseconds, rounding up.
pub(super) fn millis(nanos: i64) -> i64 {
    nanos.div_euclid(1_000_000) + i64::from(nanos.rem_euclid(1_000_000) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_zero_before_and_complete_after() {
        let amount = |at, value| Amount { at, value, row: 0 };
        let amounts = Amounts::new(vec![amount(20, 5.0), amount(10, 2.0), amount(20, f64::NAN), amount(30, 1.0)]);
        let values: Vec<f64> = [9, 10, 19, 20, 30, 99].map(|at| amounts.value_at(at)).into();
        assert_eq!(values, [0.0, 2.0, 2.0, 7.0, 8.0, 8.0]);
        assert_eq!(amounts.within(10, 20).iter().map(|amount| amount.value).collect::<Vec<_>>(), [5.0]);
        assert!(amounts.rises() && !Amounts::new(vec![amount(1, -1.0)]).rises());
    }

    #[test]
    fn a_moment_within_a_millisecond_has_passed_at_its_end() {
        assert_eq!([0, 1, 1_000_000, 1_000_001, -1, -1_000_000].map(millis), [0, 1, 1, 2, 0, -1]);
    }
}
