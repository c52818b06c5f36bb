//! Series as input of queries: lists of samples, or counters sampled at regular scrape times.
//!
//! Not here: where series come from (`quipu-metrics`, `openmetrics`), and their evaluation (`eval`).

use super::error::PromqlError;
use super::labels::Labels;
use super::matcher::{Matcher, accepts_all};
use crate::native::Histogram;
use crate::types::is_stale;
use quipu_model::budget::Budget;
use std::sync::Arc;

/// Time in milliseconds since 1970, UTC, and value.
pub type Sample = (i64, f64);

/// Time in milliseconds since 1970, UTC, and histogram.
pub type HistogramSample = (i64, Arc<Histogram>);

/// A number or a histogram.
#[derive(Clone, Debug)]
pub(super) enum Point {
    Float(f64),
    Histogram(Arc<Histogram>),
}

/// A value over time that can be computed for any time.
pub trait Curve: Send + Sync {
    /// The value at a time in milliseconds since 1970; 0 before the first event.
    fn value_at(&self, at: i64) -> f64;

    /// Whether it is monotonic.
    fn rises(&self) -> bool;
}

/// Regular times: multiples of `interval` from `first` to `last`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Distance in milliseconds; at least 1.
    pub interval: i64,
    /// First time; a multiple of the interval.
    pub first: i64,
    /// Last time; a multiple of the interval.
    pub last: i64,
}

impl Grid {
    /// First and last time within `(after, until]`, and the number of times.
    pub(super) fn within(&self, after: i64, until: i64) -> Option<(i64, i64, u64)> {
        let step = self.interval.max(1);
        let first = self.first.max(after.div_euclid(step).saturating_add(1).saturating_mul(step));
        let last = self.last.min(until.div_euclid(step).saturating_mul(step));
        (first <= last).then(|| (first, last, (last.abs_diff(first) / step.unsigned_abs()) + 1))
    }
}

/// Samples of a series.
#[derive(Clone)]
pub enum Samples {
    /// A list of samples in ascending order of time. May contain [`stale_marker`](crate::stale_marker)s.
    Listed(Arc<[Sample]>),
    /// The same with histograms, at other times than the numbers. A marker among the numbers ends both.
    Native(Arc<[Sample]>, Arc<[HistogramSample]>),
    /// A curve sampled at the times of a grid. Values are computed when needed.
    Scraped(Grid, Arc<dyn Curve>),
}

/// A series.
#[derive(Clone)]
pub struct Series {
    /// Labels, including the metric name.
    pub labels: Labels,
    /// Samples.
    pub samples: Samples,
}

impl Samples {
    /// The last number within `(after, until]`, unless the series has ended.
    pub(super) fn last_within(&self, after: i64, until: i64) -> Option<Sample> {
        match self {
            Samples::Listed(list) | Samples::Native(list, _) => last_of(list, after, until).copied().filter(|(_, value)| !is_stale(*value)),
            Samples::Scraped(grid, curve) => grid.within(after, until).map(|(_, last, _)| (last, curve.value_at(last))),
        }
    }

    /// The last histogram within `(after, until]`, unless a number or marker follows it there.
    pub(super) fn last_histogram_within(&self, after: i64, until: i64) -> Option<&HistogramSample> {
        let Samples::Native(floats, histograms) = self else { return None };
        let found = last_of(histograms, after, until)?;
        last_of(floats, found.0, until).is_none().then_some(found)
    }
}

/// The last of some samples within `(after, until]`.
fn last_of<T>(list: &[(i64, T)], after: i64, until: i64) -> Option<&(i64, T)> {
    list.get(..list.partition_point(|(at, _)| *at <= until))?.last().filter(|(at, _)| *at > after)
}

/// The samples within `(after, until]`.
pub(super) fn within<T>(list: &[(i64, T)], after: i64, until: i64) -> &[(i64, T)] {
    let list = list.get(list.partition_point(|(at, _)| *at <= after)..).unwrap_or_default();
    list.get(..list.partition_point(|(at, _)| *at <= until)).unwrap_or_default()
}

/// A source of series.
pub trait SeriesSource {
    /// All series that satisfy the matchers, sorted by labels. Only samples within `(after, until]` will be read. Series that are looked at
    /// count as rows of the budget.
    ///
    /// # Errors
    /// If there are too many.
    fn select(&self, matchers: &[Matcher], after: i64, until: i64, budget: &Budget) -> Result<Vec<Series>, PromqlError>;

    /// Times of the first and last sample of any series; `None` if there are no series.
    fn extent(&self) -> Option<(i64, i64)>;
}

/// Series in memory.
#[derive(Clone, Default)]
pub struct SeriesSet {
    series: Vec<Series>,
}

impl SeriesSet {
    /// Creates a set of series, which must have distinct labels.
    pub fn new(mut series: Vec<Series>) -> SeriesSet {
        series.sort_by(|one, other| one.labels.cmp(&other.labels));
        SeriesSet { series }
    }

    /// All series, sorted by labels.
    pub fn series(&self) -> &[Series] {
        &self.series
    }
}

impl SeriesSource for SeriesSet {
    fn select(&self, matchers: &[Matcher], _after: i64, _until: i64, budget: &Budget) -> Result<Vec<Series>, PromqlError> {
        let mut found = Vec::new();
        for series in &self.series {
            if accepts_all(matchers, &series.labels, budget)? {
                found.push(series.clone());
            }
        }
        Ok(found)
    }

    fn extent(&self) -> Option<(i64, i64)> {
        fn ends<T>(list: &[(i64, T)]) -> Option<(i64, i64)> {
            Some((list.first()?.0, list.last()?.0))
        }
        let ends = self.series.iter().flat_map(|series| match &series.samples {
            Samples::Listed(list) => [ends(list), None],
            Samples::Native(floats, histograms) => [ends(floats), ends(histograms)],
            Samples::Scraped(grid, _) => [Some((grid.first, grid.last)), None],
        });
        ends.flatten().reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::Grid;

    #[test]
    fn windows_of_a_grid_are_open_on_the_left() {
        let grid = Grid { interval: 15, first: 30, last: 90 };
        assert_eq!(grid.within(0, 1_000), Some((30, 90, 5)));
        assert_eq!(grid.within(30, 60), Some((45, 60, 2)));
        assert_eq!(grid.within(29, 59), Some((30, 45, 2)));
        assert_eq!(grid.within(46, 59), None);
        assert_eq!(grid.within(90, 500), None);
        assert_eq!(grid.within(-500, -1), None);
    }
}
