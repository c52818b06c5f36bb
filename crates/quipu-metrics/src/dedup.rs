//! Avoids counting tokens twice that are counted both by imported metrics and by the spans of the same file.
//!
//! Not here: converting points to series (`measured`) and spans to amounts (`prepare`).

use super::amounts::{Amount, millis};
use super::histograms::HistogramSeries;
use super::measured::{MeasuredSeries, Points};
use super::metrics_input::NO_ROW;
use super::streams::{Measure, Measured};
use quipu_model::TokenKind;
use quipu_promql::{Labels, METRIC_NAME, Sample};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Amounts by series.
pub(super) type AmountsBySeries = BTreeMap<Labels, Vec<Amount>>;

/// A series of measured samples.
pub(super) struct SampledSeries {
    pub(super) labels: Labels,
    pub(super) measure: Measure,
    /// Sorted by time; not empty.
    pub(super) samples: Arc<[Sample]>,
}

/// Model names: as shown in labels, and without the provider prefix.
pub(super) struct ModelNames<'a> {
    pub(super) shown: &'a dyn Fn(&str) -> String,
    pub(super) plain: &'a dyn Fn(&str) -> String,
}

/// The tokens of one kind and model, counted in both ways.
#[derive(Default)]
struct Counted {
    measured: f64,
    from_spans: f64,
    /// Whether some counts from spans are derived.
    is_derived: bool,
}

/// Merges imported metrics into the amounts of spans. If both count the tokens of a model, the larger count is used, because either may be
/// incomplete. If they agree, recorded events are preferred, which have the exact request and time, but not derived counts, which lack the
/// provider.
pub(super) fn merge_measured(measured: &Measured, models: &ModelNames<'_>, amounts: &mut AmountsBySeries) -> Vec<SampledSeries> {
    let rename = |name: &str, value: &str| if name == "model_id" { (models.shown)(value) } else { value.to_owned() };
    let mut series = measured.series(&rename);
    // The histogram of the GenAI conventions counts a call once for each program that is instrumented, and Claude Code names its models as it
    // likes. They count only where no span has tokens.
    if amounts.keys().any(|labels| documented(labels.get(METRIC_NAME)).is_some()) {
        series.retain(|series| series.counts.is_none() || !series.yields);
    }
    let model = |labels: &Labels| (models.plain)(labels.get("model_id"));
    let key = |series: &MeasuredSeries| Some((series.counts?.documented_name(), (models.plain)(series.model()?)));
    let mut counted: BTreeMap<(&'static str, String), Counted> = BTreeMap::new();
    for series in &series {
        if let Some(key) = key(series) {
            counted.entry(key).or_default().measured += series.total();
        }
    }
    for (labels, list) in amounts.iter() {
        let Some(name) = documented(labels.get(METRIC_NAME)) else { continue };
        if let Some(both) = counted.get_mut(&(name, model(labels))) {
            both.from_spans += list.iter().map(|amount| amount.value).filter(|value| value.is_finite()).sum::<f64>();
            both.is_derived |= !labels.get("source").is_empty();
        }
    }
    counted.retain(|_, both| both.measured > both.from_spans || both.measured == both.from_spans && both.is_derived);
    series.retain(|series| key(series).is_none_or(|key| counted.contains_key(&key)));
    amounts.retain(|labels, _| documented(labels.get(METRIC_NAME)).is_none_or(|name| !counted.contains_key(&(name, model(labels)))));
    let mut listed = Vec::new();
    for MeasuredSeries { labels, measure, points, .. } in series {
        let labels = Labels::new(labels);
        match points {
            Points::Amounts(list) => {
                let amount = |(at, value): Sample| Amount { at, value, row: NO_ROW };
                amounts.entry(labels).or_default().extend(list.into_iter().map(amount));
            }
            Points::Samples(samples) if !samples.is_empty() && !amounts.contains_key(&labels) => {
                listed.push(SampledSeries { labels, measure, samples: samples.into() });
            }
            Points::Samples(_) => {}
        }
    }
    listed
}

/// Times of the first amount or sample and of the last event in a file. `from_index` is what the index knows, in nanoseconds.
pub(super) fn extent(
    from_index: Option<(i64, i64)>,
    amounts: &AmountsBySeries,
    listed: &[SampledSeries],
    histograms: &[HistogramSeries],
) -> Option<(i64, i64)> {
    let from_index = from_index.map(|(first, last)| (millis(first), millis(last)));
    let added = amounts.values().flatten().filter(|amount| amount.row == NO_ROW).map(|amount| (amount.at, amount.at));
    let ends = |listed: &SampledSeries| Some((listed.samples.first()?.0, listed.samples.last()?.0));
    let of_histograms = |series: &HistogramSeries| Some((series.points.list().first()?.0, series.points.list().last()?.0));
    let measured = listed.iter().filter_map(ends).chain(histograms.iter().filter_map(of_histograms));
    from_index.into_iter().chain(added).chain(measured).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

fn documented(name: &str) -> Option<&'static str> {
    TokenKind::ALL.map(TokenKind::documented_name).into_iter().find(|known| *known == name)
}
