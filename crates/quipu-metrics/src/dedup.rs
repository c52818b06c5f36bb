//! What was measured beside what the spans of the same file tell: tokens that both count are counted once.
//!
//! What is not here: how points become series (`measured`), how spans become amounts (`prepare`).

use super::amounts::{Amount, millis};
use super::measured::{MeasuredSeries, Points};
use super::metrics_input::NO_ROW;
use super::streams::{Measure, Measured};
use quipu_model::TokenKind;
use quipu_promql::{Labels, METRIC_NAME, Sample};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Amounts by series.
pub(super) type Amounts = BTreeMap<Labels, Vec<Amount>>;

/// A series whose samples were measured.
pub(super) struct Listed {
    pub(super) labels: Labels,
    pub(super) measure: Measure,
    /// By time, one at least.
    pub(super) samples: Arc<[Sample]>,
}

/// How a model is named: as labels show it, and without the provider in front of it.
pub(super) struct ModelNames<'a> {
    pub(super) shown: &'a dyn Fn(&str) -> String,
    pub(super) plain: &'a dyn Fn(&str) -> String,
}

/// Tokens of a kind and a model, counted in two ways.
#[derive(Default)]
struct Counted {
    measured: f64,
    told: f64,
    /// Whether some of what spans tell is derived.
    is_derived: bool,
}

/// Puts what was measured beside the amounts of spans. Of a model's tokens that both count, that holds which counted more, because
/// either may have lost some. Where they agree, recorded events know the request and the moment, but derived counts no provider.
pub(super) fn merge_measured(measured: &Measured, models: &ModelNames<'_>, amounts: &mut Amounts) -> Vec<Listed> {
    let rename = |name: &str, value: &str| if name == "model_id" { (models.shown)(value) } else { value.to_owned() };
    let mut series = measured.series(&rename);
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
            both.told += list.iter().map(|amount| amount.value).filter(|value| value.is_finite()).sum::<f64>();
            both.is_derived |= !labels.get("source").is_empty();
        }
    }
    counted.retain(|_, both| both.measured > both.told || both.measured == both.told && both.is_derived);
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
                listed.push(Listed { labels, measure, samples: samples.into() });
            }
            Points::Samples(_) => {}
        }
    }
    listed
}

/// When the first amount or sample of a file was, and its last event; `told` is what the index tells, in nanoseconds.
pub(super) fn extent(told: Option<(i64, i64)>, amounts: &Amounts, listed: &[Listed]) -> Option<(i64, i64)> {
    let told = told.map(|(first, last)| (millis(first), millis(last)));
    let added = amounts.values().flatten().filter(|amount| amount.row == NO_ROW).map(|amount| (amount.at, amount.at));
    let ends = |listed: &Listed| Some((listed.samples.first()?.0, listed.samples.last()?.0));
    told.into_iter().chain(added).chain(listed.iter().filter_map(ends)).reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

fn documented(name: &str) -> Option<&'static str> {
    TokenKind::ALL.map(TokenKind::documented_name).into_iter().find(|known| *known == name)
}
