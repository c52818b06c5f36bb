//! Instant selectors: the last sample of each series within the lookback.

use super::{Context, Outcome, Row};
use crate::ast::Selector;
use crate::error::TextRange;
use crate::series::{Sample, Series};

impl Context<'_> {
    /// A row for each matching series; `take` converts samples to values.
    pub(super) fn select(&self, selector: &Selector, location: TextRange, take: fn(Sample) -> f64) -> Outcome<Vec<Row>> {
        let lookback = self.options.lookback;
        let (first, last) = self.eval_extent(selector.timing);
        let found = self.series(selector, first.saturating_sub(lookback), last, location)?;
        self.work((found.len() as u64).saturating_mul(self.steps.count as u64), location)?;
        let is_fixed = selector.timing.at.is_some();
        let value = |series: &Series, step: usize| {
            let at = self.eval_time(selector.timing, step);
            series.samples.last_within(at.saturating_sub(lookback), at).map(take)
        };
        let row = |series: Series| {
            let values: Vec<Option<f64>> = if is_fixed {
                vec![value(&series, 0); self.steps.count]
            } else {
                (0..self.steps.count).map(|step| value(&series, step)).collect()
            };
            values.iter().any(Option::is_some).then_some(Row { labels: series.labels, values })
        };
        Ok(found.into_iter().filter_map(row).collect())
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
