//! Converts imported histograms to series of native histograms: cumulative ones are samples, and deltas are added up at the scrapes.
//!
//! Not here: the same for numbers (`measured`).

use super::measured::BEGINNING_MILLIS;
use super::streams::{HistogramStream, Measured, Pairs, Rule};
use quipu_model::budget::{Budget, OverBudget};
use quipu_promql::{Grid, Histogram, HistogramSample, Labels, is_stale};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A series of histograms.
pub(super) struct HistogramSeries {
    pub(super) labels: Labels,
    pub(super) points: HistogramPoints,
}

/// Histograms sorted by time; not empty.
#[derive(Clone)]
pub(super) enum HistogramPoints {
    /// Samples as they were measured.
    Samples(Arc<[HistogramSample]>),
    /// What was added at each time.
    Added(Arc<[HistogramSample]>),
}

impl Measured {
    /// All series of histograms, sorted by labels. `rename` converts a label's value for display.
    pub(super) fn histogram_series(&self, rename: &dyn Fn(&str, &str) -> String) -> Vec<HistogramSeries> {
        let mut by_labels: BTreeMap<Pairs, Vec<&HistogramStream>> = BTreeMap::new();
        for stream in &self.histograms {
            let labels = stream.labels.iter().map(|(name, value)| (name.clone(), rename(name, value))).collect();
            by_labels.entry(labels).or_default().push(stream);
        }
        let series = |(labels, streams): (Pairs, Vec<&HistogramStream>)| HistogramSeries {
            labels: Labels::new(labels),
            points: points_of(&streams),
        };
        by_labels.into_iter().map(series).filter(|series| !series.points.list().is_empty()).collect()
    }
}

/// The start, the rule and the histograms of a part of a stream.
type Segment<'a> = (i64, Rule, &'a [(i64, Histogram)]);

fn points_of(streams: &[&HistogramStream]) -> HistogramPoints {
    let mut segments: Vec<Segment<'_>> = Vec::new();
    for stream in streams {
        segments.extend(stream.segments.iter().map(|(start, list)| (*start, stream.rule, list.as_slice())));
    }
    segments.retain(|(.., list)| !list.is_empty());
    let first = |list: &[(i64, Histogram)]| list.first().map_or(0, |(at, _)| *at);
    let last = |list: &[(i64, Histogram)]| list.last().map_or(0, |(at, _)| *at);
    segments.sort_by_key(|(.., list)| (first(list), last(list)));
    let overlap = segments.windows(2).any(|pair| matches!(pair, [(.., one), (.., next)] if first(next) <= last(one)));
    let is_added = segments.iter().any(|(_, rule, _)| *rule == Rule::Added);
    let mut points: Vec<HistogramSample> = Vec::new();
    if is_added || overlap {
        for (_, rule, list) in &segments {
            let mut before: Option<&Histogram> = None;
            for (at, histogram) in list.iter().filter(|(_, histogram)| !is_stale(histogram.sum)) {
                let before = before.replace(histogram).filter(|_| *rule != Rule::Added);
                points.push((*at, Arc::new(before.map_or_else(|| histogram.clone(), |before| histogram.added_since(before)))));
            }
        }
        points.sort_by_key(|(at, _)| *at);
        return HistogramPoints::Added(points.into());
    }
    let mut before: Option<i64> = None;
    for (start, _, list) in &segments {
        let begins = before.map_or(*start >= first(list).saturating_sub(BEGINNING_MILLIS), |before| *start > before);
        if let Some((_, histogram)) = list.first().filter(|_| begins && *start < first(list)) {
            points.push((*start, Arc::new(nothing_like(histogram))));
        }
        points.extend(list.iter().map(|(at, histogram)| (*at, Arc::new(histogram.clone()))));
        before = Some(last(list));
    }
    // The last of several samples with the same time counts.
    points.reverse();
    points.dedup_by_key(|(at, _)| *at);
    points.reverse();
    HistogramPoints::Samples(points.into())
}

/// A histogram with the same buckets, in which nothing is.
fn nothing_like(histogram: &Histogram) -> Histogram {
    Histogram { schema: histogram.schema, zero_threshold: histogram.zero_threshold, ..Histogram::default() }
}

impl HistogramPoints {
    pub(super) fn list(&self) -> &[HistogramSample] {
        match self {
            HistogramPoints::Samples(list) | HistogramPoints::Added(list) => list,
        }
    }

    /// The samples within `(after, until]`; for deltas, their sum at each scrape.
    pub(super) fn samples(&self, grid: Grid, after: i64, until: i64, budget: &Budget) -> Result<Arc<[HistogramSample]>, OverBudget> {
        let list = match self {
            HistogramPoints::Samples(list) => return Ok(list.clone()),
            HistogramPoints::Added(list) => list,
        };
        let mut rest = list.iter().peekable();
        let mut total = Arc::new(list.first().map(|(_, first)| nothing_like(first)).unwrap_or_default());
        let mut samples = Vec::new();
        let mut at = grid.first;
        while at <= grid.last.min(until) {
            while let Some((_, added)) = rest.next_if(|(time, _)| *time <= at) {
                budget.read(added.size())?;
                total = total.sum_with(added).map_or(total, Arc::new);
            }
            if at > after {
                budget.read(1)?;
                budget.hold((size_of::<HistogramSample>() + total.bytes()) as u64)?;
                samples.push((at, total.clone()));
            }
            at = at.saturating_add(grid.interval.max(1));
        }
        Ok(samples.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(count: f64) -> Histogram {
        Histogram { count, positive: vec![(1, count)], ..Histogram::default() }
    }

    fn stream(rule: Rule, segments: &[(i64, &[(i64, f64)])]) -> HistogramStream {
        let list = |list: &[(i64, f64)]| list.iter().map(|(at, count)| (*at, histogram(*count))).collect();
        HistogramStream { labels: Vec::new(), rule, segments: segments.iter().map(|(start, points)| (*start, list(points))).collect() }
    }

    fn counts(streams: &[HistogramStream], until: i64) -> Vec<(i64, f64)> {
        let streams: Vec<&HistogramStream> = streams.iter().collect();
        let grid = Grid { interval: 10, first: 0, last: 100 };
        let samples = points_of(&streams).samples(grid, i64::MIN, until, &Budget::default()).expect("within the budget");
        samples.iter().map(|(at, histogram)| (*at, histogram.count)).collect()
    }

    #[test]
    fn cumulative_histograms_begin_with_none_and_deltas_are_added_up() {
        let counted = stream(Rule::Counted, &[(0, &[(10, 2.0), (20, 5.0)]), (25, &[(30, 1.0)])]);
        assert_eq!(counts(&[counted], 100), [(0, 0.0), (10, 2.0), (20, 5.0), (25, 0.0), (30, 1.0)]);
        let added = stream(Rule::Added, &[(i64::MIN, &[(12, 2.0), (15, 3.0), (31, 1.0)])]);
        assert_eq!(counts(&[added], 40), [(0, 0.0), (10, 0.0), (20, 5.0), (30, 5.0), (40, 6.0)]);
    }

    #[test]
    fn concurrent_streams_are_added_up() {
        let (one, other) = (stream(Rule::Counted, &[(0, &[(10, 2.0), (30, 5.0)])]), stream(Rule::Counted, &[(0, &[(20, 1.0), (40, 4.0)])]));
        assert_eq!(counts(&[one, other], 40), [(0, 0.0), (10, 2.0), (20, 3.0), (30, 6.0), (40, 9.0)]);
    }
}
