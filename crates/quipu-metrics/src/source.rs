//! A file as a source of series: selects counters and samples them at scrape times.

use super::amounts::Amounts;
use super::histograms::HistogramPoints;
use super::names::{DURATION_BUCKET, DURATION_COUNT, DURATION_SUM, ERRORS, REQUESTS, status_of};
use super::prepare::Prepared;
use super::spans::{BOUNDS, Groups, INFINITE, Part, SpanCurve, SpanGroup};
use quipu_model::budget::{Budget, OverBudget};
use quipu_promql::{Grid, Labels, METRIC_NAME, Matcher, PromqlError, Sample, Samples, Series, SeriesSource, accepts_all};
use std::sync::Arc;

/// The prefix of metric names in OGX's documentation, which a collector adds; names that servers send have none.
const OGX_NAMESPACE: &str = "ogx_";
/// Series that one selector may find.
const MAX_SERIES: usize = 50_000;

/// The series of a file, with a scrape interval in milliseconds.
pub(super) struct FileSeries<'a> {
    pub(super) prepared: Arc<Prepared>,
    pub(super) groups: &'a Groups,
    pub(super) span_names: &'a [String],
    pub(super) scrape_millis: i64,
}

/// Data of a series.
pub(super) enum SeriesData {
    /// Amounts of a counter.
    Amounts(Arc<Amounts>),
    /// A part of a group of spans.
    Spans(Arc<SpanGroup>, Part),
    /// Measured samples.
    Listed(Arc<[Sample]>),
    /// Measured histograms.
    Histograms(HistogramPoints),
}

impl FileSeries<'_> {
    /// The scrape times of a series with this first amount: from the scrape before it to the one after the file's last event.
    fn grid(&self, first: i64) -> Grid {
        let interval = self.scrape_millis.max(1);
        let before = (first - 1).div_euclid(interval) * interval;
        let last = self.prepared.extent.map_or(first, |(_, last)| last.max(first));
        Grid { interval, first: before, last: (last.div_euclid(interval) + 1) * interval }
    }

    /// Names of the spans that have a time.
    pub(super) fn names_of_spans(&self) -> impl Iterator<Item = &str> {
        self.groups.get().iter().map(|group| self.name_of(group))
    }

    pub(super) fn name_of(&self, group: &SpanGroup) -> &str {
        self.span_names.get(group.name as usize).map_or("", String::as_str)
    }

    /// Calls `take` with every series that satisfies the matchers, until it fails. If there is none, and the metric's name has the prefix that
    /// the collector in OGX's documentation adds, the name is looked for without it.
    ///
    /// # Errors
    /// The error of `take`, or that the budget is used up.
    pub(super) fn find(
        &self,
        matchers: &[Matcher],
        budget: &Budget,
        take: &mut dyn FnMut(Labels, SeriesData) -> Result<(), PromqlError>,
    ) -> Result<(), PromqlError> {
        let mut found = false;
        self.find_named(matchers, budget, &mut |labels, series| {
            found = true;
            take(labels, series)
        })?;
        if found {
            return Ok(());
        }
        let Some(plain) = without_namespace(matchers) else { return Ok(()) };
        self.find_named(&plain, budget, take)
    }

    fn find_named(
        &self,
        matchers: &[Matcher],
        budget: &Budget,
        take: &mut dyn FnMut(Labels, SeriesData) -> Result<(), PromqlError>,
    ) -> Result<(), PromqlError> {
        for counter in &self.prepared.counters {
            if accepts_all(matchers, &counter.labels, budget)? {
                take(counter.labels.clone(), SeriesData::Amounts(counter.amounts.clone()))?;
            }
        }
        for listed in &self.prepared.listed {
            if accepts_all(matchers, &listed.labels, budget)? {
                take(listed.labels.clone(), SeriesData::Listed(listed.samples.clone()))?;
            }
        }
        for series in &self.prepared.histograms {
            if accepts_all(matchers, &series.labels, budget)? {
                take(series.labels.clone(), SeriesData::Histograms(series.points.clone()))?;
            }
        }
        let accepts_value = |name: &str, value: &str| matchers.iter().all(|matcher| matcher.name() != name || matcher.accepts(value));
        let families: Vec<&str> = [REQUESTS, ERRORS, DURATION_BUCKET, DURATION_SUM, DURATION_COUNT]
            .into_iter()
            .filter(|family| accepts_value(METRIC_NAME, family))
            .collect();
        if families.is_empty() {
            return Ok(());
        }
        for group in self.groups.get() {
            let name = self.name_of(group);
            budget.read(1).map_err(over)?;
            if !accepts_value("span_name", name) {
                continue;
            }
            let status = status_of(group.failed);
            for family in &families {
                let labels = [(METRIC_NAME, *family), ("span_name", name), ("status", status)];
                // Each with its `le` label, if it is a bucket.
                let parts: Vec<(Part, &str)> = match *family {
                    REQUESTS => vec![(Part::Requests, "")],
                    ERRORS if group.failed => vec![(Part::All, "")],
                    ERRORS => Vec::new(),
                    DURATION_BUCKET => (0..=INFINITE).map(|bucket| (Part::UpTo(bucket), bound(bucket))).collect(),
                    DURATION_SUM => vec![(Part::Seconds, "")],
                    _ => vec![(Part::UpTo(INFINITE), "")],
                };
                for (part, bound) in parts.into_iter().filter(|(_, bound)| accepts_value("le", bound)) {
                    let own = if *family == ERRORS { labels.get(..2).unwrap_or_default() } else { &labels };
                    let labels = Labels::new(own.iter().copied().chain([("le", bound)]));
                    if accepts_all(matchers, &labels, budget)? {
                        take(labels, SeriesData::Spans(group.clone(), part))?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The matchers without the prefix that the collector in OGX's documentation adds; `None` if the name has none.
pub(super) fn without_namespace(matchers: &[Matcher]) -> Option<Vec<Matcher>> {
    let is_name = |matcher: &&Matcher| matcher.name() == METRIC_NAME && matcher.is_equality();
    let name = matchers.iter().find(is_name).and_then(|matcher| matcher.value().strip_prefix(OGX_NAMESPACE))?;
    let plain = |matcher: &Matcher| if is_name(&matcher) { Matcher::equal(METRIC_NAME, name) } else { matcher.clone() };
    Some(matchers.iter().map(plain).collect())
}

/// The error for a used-up budget; the caller knows the place in the query.
pub(super) fn over(limit: OverBudget) -> PromqlError {
    PromqlError { message: limit.to_string(), start: 0, end: 0, is_bad_query: false }
}

/// Value of a bucket's `le` label.
fn bound(bucket: u8) -> &'static str {
    BOUNDS.get(usize::from(bucket)).map_or("+Inf", |(_, text)| text)
}

impl SeriesData {
    /// Time of the first amount or sample.
    fn first(&self) -> Option<i64> {
        match self {
            SeriesData::Amounts(amounts) => amounts.first(),
            // All buckets of a histogram start with its first span.
            SeriesData::Spans(group, Part::UpTo(_)) => group.first(Part::Seconds),
            SeriesData::Spans(group, part) => group.first(*part),
            SeriesData::Listed(samples) => samples.first().map(|(at, _)| *at),
            SeriesData::Histograms(points) => points.list().first().map(|(at, _)| *at),
        }
    }

    /// The samples, at least those within `(after, until]`.
    fn samples(self, grid: Grid, (after, until): (i64, i64), budget: &Budget) -> Result<Samples, PromqlError> {
        Ok(match self {
            SeriesData::Listed(samples) => Samples::Listed(samples),
            SeriesData::Histograms(points) => Samples::Native(Arc::new([]), points.samples(grid, after, until, budget).map_err(over)?),
            SeriesData::Amounts(amounts) => Samples::Scraped(grid, amounts),
            SeriesData::Spans(group, part) => Samples::Scraped(grid, Arc::new(SpanCurve { group, part })),
        })
    }
}

impl SeriesSource for FileSeries<'_> {
    fn select(&self, matchers: &[Matcher], after: i64, until: i64, budget: &Budget) -> Result<Vec<Series>, PromqlError> {
        let mut list: Vec<Series> = Vec::new();
        self.find(matchers, budget, &mut |labels, found| {
            let Some(grid) = found.first().map(|first| self.grid(first)) else { return Ok(()) };
            if grid.first <= until && grid.last > after {
                list.push(Series { labels, samples: found.samples(grid, (after, until), budget)? });
            }
            if list.len() <= MAX_SERIES {
                return Ok(());
            }
            let message = format!("The selector finds more than {MAX_SERIES} series. Name a metric, or add a matcher.");
            Err(PromqlError { message, start: 0, end: 0, is_bad_query: false })
        })?;
        list.sort_by(|one, other| one.labels.cmp(&other.labels));
        Ok(list)
    }

    fn extent(&self) -> Option<(i64, i64)> {
        let (first, _) = self.prepared.extent?;
        let grid = self.grid(first);
        Some((grid.first, grid.last))
    }
}
