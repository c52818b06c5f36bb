//! The series that the exemplars of imported points may belong to.
//!
//! Not here: which of them a query selects (`exemplars`).

use super::streams::{ExemplarGroup, Measure, Measured, Pairs};
use quipu_promql::Labels;

/// The series of the points that one group of exemplars is of.
pub(super) struct ExemplarSeries {
    /// Index into [`Measured::exemplars`].
    pub(super) group: usize,
    /// In order of preference.
    pub(super) series: Vec<OneSeries>,
}

/// A series that may have exemplars.
pub(super) struct OneSeries {
    pub(super) labels: Labels,
    /// Upper bound of a bucket of a classic histogram.
    pub(super) bound: Option<f64>,
}

/// The series of all exemplars: a native histogram or the value itself, then the buckets, then sum and count, then documented names.
/// `rename` converts a label's value for display; `exists` says whether a documented series is offered, since spans may count the same.
pub(super) fn exemplar_series(
    measured: &Measured,
    rename: &dyn Fn(&str, &str) -> String,
    exists: &dyn Fn(&Labels) -> bool,
) -> Vec<ExemplarSeries> {
    let labels = |pairs: &Pairs| Labels::new(pairs.iter().map(|(name, value)| (name.as_str(), rename(name, value))));
    let of_group = |(group, exemplars): (usize, &ExemplarGroup)| {
        let native = exemplars.histogram.and_then(|number| measured.histograms.get(number as usize));
        let native = native.map(|stream| (0, OneSeries { labels: labels(&stream.labels), bound: None }));
        let streams = exemplars.streams.iter().filter_map(|number| measured.streams.get(*number as usize));
        let others = streams.map(|stream| {
            let le = stream.labels.iter().find(|(name, _)| name == "le").filter(|_| stream.measure == Measure::Histogram);
            let bound = le.and_then(|(_, text)| text.parse().ok());
            let rank = if stream.counts.is_some() { 3 } else { 1 + u8::from(bound.is_none()) };
            (rank, OneSeries { labels: labels(&stream.labels), bound })
        });
        let is_there = |(rank, one): &(u8, OneSeries)| *rank < 3 || exists(&one.labels);
        let mut series: Vec<(u8, OneSeries)> = native.into_iter().chain(others).filter(is_there).collect();
        series.sort_by_key(|(rank, _)| *rank);
        ExemplarSeries { group, series: series.into_iter().map(|(_, one)| one).collect() }
    };
    measured.exemplars.iter().enumerate().map(of_group).collect()
}
