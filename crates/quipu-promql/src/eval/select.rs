//! Instant selectors: the last sample of each series within the lookback.

use super::window::compared;
use super::{Compares, Context, Outcome, Row};
use crate::ast::Selector;
use crate::error::TextRange;
use crate::is_stale;
use crate::series::{Point, Sample, Samples, Series};

/// What is taken of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    Value,
    /// Its time in seconds.
    Time,
}

impl Context<'_> {
    /// A row for each matching series.
    pub(super) fn select(&self, selector: &Selector, location: TextRange, take: Take) -> Outcome<Vec<Row>> {
        let lookback = self.options.lookback;
        let (first, last) = self.eval_extent(selector.timing);
        let found = self.series(selector, first.saturating_sub(lookback), last, location)?;
        self.work((found.len() as u64).saturating_mul(self.steps.count as u64), location)?;
        let is_fixed = selector.timing.at.is_some();
        let of_float = |(at, value): Sample| if take == Take::Value { value } else { seconds(at) };
        let value = |series: &Series, step: usize| {
            let at = self.eval_time(selector.timing, step);
            series.samples.last_within(at.saturating_sub(lookback), at).map(of_float)
        };
        let point = |series: &Series, step: usize| {
            let at = self.eval_time(selector.timing, step);
            match series.samples.last_histogram_within(at.saturating_sub(lookback), at) {
                Some((_, histogram)) if is_stale(histogram.sum) => None,
                Some((at, _)) if take == Take::Time => Some(Point::Float(seconds(*at))),
                Some((found, histogram)) if self.compares == Compares::Yes => {
                    let before = series.samples.last_histogram_within(at.saturating_sub(lookback), found.saturating_sub(1));
                    Some(Point::Histogram(before.map_or_else(|| histogram.clone(), |(_, before)| compared(histogram, before))))
                }
                Some((_, histogram)) => Some(Point::Histogram(histogram.clone())),
                None => value(series, step).map(Point::Float),
            }
        };
        let mut rows = Vec::with_capacity(found.len());
        for series in found {
            let row = if matches!(series.samples, Samples::Native(..)) {
                let mut row = Row::new(series.labels.clone(), vec![None; self.steps.count]);
                for step in 0..self.steps.count {
                    row.put(step, self.made(point(&series, step), location)?);
                }
                row
            } else if is_fixed {
                let value = value(&series, 0);
                Row::new(series.labels, vec![value; self.steps.count])
            } else {
                let values = (0..self.steps.count).map(|step| value(&series, step)).collect();
                Row::new(series.labels, values)
            };
            rows.push(row);
        }
        rows.retain(|row| !row.is_empty());
        Ok(rows)
    }

    /// The series that match a selector, within the limits.
    pub(super) fn series(&self, selector: &Selector, after: i64, until: i64, location: TextRange) -> Outcome<Vec<Series>> {
        let found = self.source.select(&selector.matchers, after, until, self.budget).map_err(|error| {
            // A source doesn't know the location of a selector.
            crate::error::PromqlError { start: location.start, end: location.end, ..error }
        })?;
        self.check_rows(found.len(), location)?;
        Ok(found)
    }
}

pub(super) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}
