//! Converts imported data points (OTLP metrics) to series, once per file.
//!
//! Cumulative points are samples as they are. Delta points are amounts, which are summed up like those of spans. Streams with the same
//! labels (a restarted server, or two at the same time) are merged into one series that does not jump between them. Not here: reading
//! points (`points`), PromQL.

use super::streams::{Measure, Measured, Pairs, Rule, Sample, Stream};
use quipu_model::TokenKind;
use quipu_promql::is_stale;
use std::collections::BTreeMap;

/// A stream starts with a zero at its start time, unless its first point is so much later that its beginning must be missing from the file.
pub(super) const BEGINNING_MILLIS: i64 = 300_000;

/// A measured series.
#[derive(Debug, PartialEq)]
pub(super) struct MeasuredSeries {
    pub(super) labels: Pairs,
    pub(super) measure: Measure,
    pub(super) counts: Option<TokenKind>,
    /// As in [`Stream::yields`].
    pub(super) yields: bool,
    pub(super) points: Points,
}

/// Data of a series, sorted by time.
#[derive(Debug, PartialEq)]
pub(super) enum Points {
    /// Measured samples.
    Samples(Vec<Sample>),
    /// Amounts added at each time.
    Amounts(Vec<Sample>),
}

impl Measured {
    /// All values of a label.
    pub(super) fn values(&self, label: &str) -> impl Iterator<Item = &str> {
        self.streams.iter().flat_map(|stream| &stream.labels).filter(move |(name, _)| name == label).map(|(_, value)| value.as_str())
    }

    /// All series, sorted by labels. `rename` converts a label's value for display.
    pub(super) fn series(&self, rename: &dyn Fn(&str, &str) -> String) -> Vec<MeasuredSeries> {
        let mut by_labels: BTreeMap<Pairs, Vec<&Stream>> = BTreeMap::new();
        for stream in &self.streams {
            let labels = stream.labels.iter().map(|(name, value)| (name.clone(), rename(name, value))).collect();
            by_labels.entry(labels).or_default().push(stream);
        }
        let make = |(labels, streams): (Pairs, Vec<&Stream>)| {
            let first = streams.first()?;
            let Stream { measure, counts, yields, .. } = **first;
            Some(MeasuredSeries { labels, measure, counts, yields, points: points_of(&streams) })
        };
        by_labels.into_iter().filter_map(make).collect()
    }
}

impl MeasuredSeries {
    /// The model in its labels.
    pub(super) fn model(&self) -> Option<&str> {
        self.labels.iter().find(|(name, _)| name == "model_id").map(|(_, value)| value.as_str())
    }

    /// Total increase from the first point to the last.
    pub(super) fn total(&self) -> f64 {
        match &self.points {
            Points::Samples(list) => increments(list).map(|(_, added)| added).sum(),
            Points::Amounts(list) => list.iter().map(|(_, added)| added).sum(),
        }
    }
}

fn points_of(streams: &[&Stream]) -> Points {
    let rises = streams.iter().all(|stream| stream.measure != Measure::Gauge);
    let segments = streams.iter().flat_map(|stream| stream.segments.iter().map(|(start, list)| (*start, list.as_slice())));
    if streams.iter().any(|stream| stream.rule == Rule::Added) {
        let mut amounts = Vec::new();
        for stream in streams {
            for list in stream.segments.values() {
                match stream.rule {
                    Rule::Counted => amounts.extend(increments(list)),
                    _ => amounts.extend(list.iter().filter(|(_, value)| !is_stale(*value))),
                }
            }
        }
        amounts.sort_by_key(|(time, _)| *time);
        return Points::Amounts(amounts);
    }
    let mut segments: Vec<(i64, &[Sample])> = segments.filter(|(_, list)| !list.is_empty()).collect();
    let ends = |list: &[Sample]| (list.first().map_or(0, |sample| sample.0), list.last().map_or(0, |sample| sample.0));
    segments.sort_by_key(|(_, list)| ends(list));
    let is_latest = streams.iter().all(|stream| stream.rule == Rule::Latest);
    let overlap = segments.windows(2).any(|pair| matches!(pair, [(_, one), (_, next)] if ends(next).0 <= ends(one).1));
    let mut samples =
        if overlap && !is_latest { sum(&segments, rises) } else { segments.iter().flat_map(|(_, list)| *list).copied().collect() };
    samples.sort_by_key(|(time, _)| *time);
    if rises {
        let mut zeros: Vec<Sample> = Vec::new();
        let mut before: Option<i64> = None;
        for (start, list) in &segments {
            let (first, last) = ends(list);
            let is_beginning = before.is_none() && *start >= first.saturating_sub(BEGINNING_MILLIS);
            let is_anew = !overlap && before.is_some_and(|before| *start > before);
            if *start < first && (is_beginning || is_anew) {
                zeros.push((*start, 0.0));
            }
            before = Some(before.unwrap_or(last).max(last));
        }
        samples.extend(zeros);
        samples.sort_by_key(|(time, _)| *time);
    }
    // The last of several samples with the same time counts.
    samples.reverse();
    samples.dedup_by_key(|(time, _)| *time);
    samples.reverse();
    Points::Samples(samples)
}

/// The increases from sample to sample, starting from zero. A fall is a counter reset; the end of a series is none.
fn increments(list: &[Sample]) -> impl Iterator<Item = Sample> {
    let mut before = 0.0;
    list.iter().filter(|(_, value)| !is_stale(*value)).map(move |(time, value)| {
        let added = if *value < before { *value } else { *value - before };
        before = *value;
        (*time, added)
    })
}

/// The sum of concurrent streams. A counter that ended keeps its last value, so that the sum does not fall.
fn sum(segments: &[(i64, &[Sample])], rises: bool) -> Vec<Sample> {
    let mut changes: Vec<(i64, f64, bool)> = Vec::new();
    for (_, list) in segments {
        if rises {
            changes.extend(increments(list).map(|(time, added)| (time, added, true)));
            continue;
        }
        let mut before = 0.0;
        let list = || list.iter().filter(|(_, value)| !is_stale(*value));
        changes.extend(list().map(|(time, value)| (*time, value - std::mem::replace(&mut before, *value), true)));
        changes.extend(list().next_back().map(|(time, value)| (*time + 1, -value, false)));
    }
    changes.sort_by_key(|(time, ..)| *time);
    let mut total = 0.0;
    let mut samples = Vec::with_capacity(changes.len());
    for (time, change, is_measured) in changes {
        total += change;
        if is_measured {
            samples.push((time, total));
        }
    }
    samples
}
