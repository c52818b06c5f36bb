//! Series to evaluate over: samples as they are, or a counter that is read as a server scraped at regular times would have shown it.
//!
//! What is not here: where series come from (`metrics`, `openmetrics`), what is made of them (`eval`).

use super::error::PromqlError;
use super::labels::Labels;
use super::matcher::Matcher;
use std::sync::Arc;

/// A time in milliseconds since 1970, UTC, and a value.
pub type Sample = (i64, f64);

/// A value that changes over time and can be asked for at any.
pub trait Curve: Send + Sync {
    /// The value at a time in milliseconds since 1970; 0 before anything happened.
    fn value_at(&self, at: i64) -> f64;

    /// Whether it never falls.
    fn rises(&self) -> bool;
}

/// Regular times: multiples of `interval`, from `first` to `last`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Milliseconds between two times; at least 1.
    pub interval: i64,
    /// The first time, a multiple of the interval.
    pub first: i64,
    /// The last time, a multiple of the interval.
    pub last: i64,
}

impl Grid {
    /// The times within `(after, until]`, as the first, the last and how many there are.
    pub(super) fn within(&self, after: i64, until: i64) -> Option<(i64, i64, u64)> {
        let step = self.interval.max(1);
        let first = self.first.max(after.div_euclid(step).saturating_add(1).saturating_mul(step));
        let last = self.last.min(until.div_euclid(step).saturating_mul(step));
        (first <= last).then(|| (first, last, (last.abs_diff(first) / step.unsigned_abs()) + 1))
    }
}

/// What a series holds.
#[derive(Clone)]
pub enum Samples {
    /// Samples by ascending time.
    Listed(Arc<[Sample]>),
    /// The values of a curve at the times of a grid: computed where a window needs them.
    Scraped(Grid, Arc<dyn Curve>),
}

/// A series.
#[derive(Clone)]
pub struct Series {
    /// Its labels, the metric's name among them.
    pub labels: Labels,
    /// Its samples.
    pub samples: Samples,
}

impl Samples {
    /// The last sample within `(after, until]`.
    pub(super) fn last_within(&self, after: i64, until: i64) -> Option<Sample> {
        match self {
            Samples::Listed(list) => {
                let end = list.partition_point(|(at, _)| *at <= until);
                list.get(..end)?.last().copied().filter(|(at, _)| *at > after)
            }
            Samples::Scraped(grid, curve) => grid.within(after, until).map(|(_, last, _)| (last, curve.value_at(last))),
        }
    }
}

/// Where series come from.
pub trait SeriesSource {
    /// The series that all matchers accept, by labels. Only samples within `(after, until]` will be asked for.
    ///
    /// # Errors
    /// A sentence, when there are too many.
    fn select(&self, matchers: &[Matcher], after: i64, until: i64) -> Result<Vec<Series>, PromqlError>;

    /// Times of the first and the last sample of all series; `None` without any.
    fn extent(&self) -> Option<(i64, i64)>;
}

/// Series in memory.
#[derive(Clone, Default)]
pub struct SeriesSet {
    series: Vec<Series>,
}

impl SeriesSet {
    /// A set of series. Of the same labels there should be one only.
    pub fn new(mut series: Vec<Series>) -> SeriesSet {
        series.sort_by(|one, other| one.labels.cmp(&other.labels));
        SeriesSet { series }
    }

    /// All series, by labels.
    pub fn series(&self) -> &[Series] {
        &self.series
    }
}

impl SeriesSource for SeriesSet {
    fn select(&self, matchers: &[Matcher], _after: i64, _until: i64) -> Result<Vec<Series>, PromqlError> {
        let accepted = |series: &&Series| matchers.iter().all(|matcher| matcher.accepts(series.labels.get(matcher.name())));
        Ok(self.series.iter().filter(accepted).cloned().collect())
    }

    fn extent(&self) -> Option<(i64, i64)> {
        let ends = |series: &Series| match &series.samples {
            Samples::Listed(list) => Some((list.first()?.0, list.last()?.0)),
            Samples::Scraped(grid, _) => Some((grid.first, grid.last)),
        };
        self.series.iter().filter_map(ends).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
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
