//! Builds counters from the [`MetricsInput`], for one choice of label options.
//!
//! Not here: spans and their durations (`spans`).

use super::amounts::{Amount, Amounts, millis};
use super::dedup::{ModelNames, SampledSeries, extent, merge_measured};
use super::exemplar_series::{ExemplarSeries, exemplar_series};
use super::histograms::HistogramSeries;
use super::metrics_input::{MetricsInput, RecordedSeries};
use super::names::{INFERENCE_REQUESTS, status_of};
use super::streams::Measure;
use quipu_model::TokenKind;
use quipu_model::prometheus;
use quipu_model::prometheus::valid_metric_name;
use quipu_promql::{Labels, METRIC_NAME};
use quipu_protocol::CountedRequests;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A counter with its amounts.
pub(super) struct Counter {
    pub(super) labels: Labels,
    pub(super) amounts: Arc<Amounts>,
}

/// The counters of a file.
pub(super) struct Prepared {
    /// Whether provider prefixes are removed from model names.
    pub(super) merged: bool,
    /// Sorted by labels.
    pub(super) counters: Vec<Counter>,
    /// Measured series, sorted by labels.
    pub(super) listed: Vec<SampledSeries>,
    /// Measured histograms, sorted by labels.
    pub(super) histograms: Vec<HistogramSeries>,
    /// Series of exemplars.
    pub(super) exemplars: Vec<ExemplarSeries>,
    /// Times of the file's first amount and last event: milliseconds since 1970, UTC.
    pub(super) extent: Option<(i64, i64)>,
    counted: CountedRequests,
}

impl Prepared {
    /// Builds the counters.
    pub(super) fn new(input: &MetricsInput, merged: bool) -> Prepared {
        let mut builder = Builder { merged, providers: BTreeSet::new(), series: BTreeMap::new() };
        for label in ["provider_id", "provider"] {
            builder.providers.extend(input.measured.values(label).map(str::to_owned));
        }
        builder.add_recorded(input);
        let counted = builder.add_requests(input);
        let mut series = std::mem::take(&mut builder.series);
        let models = ModelNames { shown: &|model| builder.model(model).to_owned(), plain: &|model| builder.plain(model).to_owned() };
        let listed = merge_measured(&input.measured, &models, &mut series);
        let shown = |name: &str, value: &str| if name == "model_id" { builder.model(value).to_owned() } else { value.to_owned() };
        let histograms = input.measured.histogram_series(&shown);
        let extent = extent(input.extent, &series, &listed, &histograms);
        let is_listed = |labels: &Labels| listed.iter().any(|listed| listed.labels == *labels);
        let exemplars = exemplar_series(&input.measured, &shown, &|labels| series.contains_key(labels) || is_listed(labels));
        let counters = series.into_iter().map(|(labels, list)| Counter { labels, amounts: Arc::new(Amounts::new(list)) });
        Prepared { merged, counters: counters.collect(), listed, histograms, exemplars, extent, counted }
    }

    /// Labels of all series except those of spans; for measured series also the kind of metric.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&Labels, Option<Measure>)> {
        let counters = self.counters.iter().map(|counter| (&counter.labels, None));
        let histograms = self.histograms.iter().map(|series| (&series.labels, Some(Measure::Native)));
        counters.chain(self.listed.iter().map(|listed| (&listed.labels, Some(listed.measure)))).chain(histograms)
    }

    pub(super) fn counted(&self) -> CountedRequests {
        self.counted
    }
}

struct Builder {
    merged: bool,
    /// Provider ids in recorded labels.
    providers: BTreeSet<String>,
    series: BTreeMap<Labels, Vec<Amount>>,
}

impl Builder {
    /// Adds recorded metric events, under their documented and their recorded name.
    fn add_recorded(&mut self, input: &MetricsInput) {
        for series in &input.series {
            let provider = series.labels.iter().find(|(name, _)| name == "provider_id");
            self.providers.extend(provider.map(|(_, provider)| provider.clone()));
        }
        let names: Vec<[Option<Labels>; 2]> = input.series.iter().map(|series| self.names(series)).collect();
        for event in &input.events {
            let amount = Amount { at: millis(event.at), value: event.value, row: event.row };
            for labels in names.get(event.series as usize).into_iter().flatten().flatten() {
                self.add(labels, amount);
            }
        }
    }

    fn add(&mut self, labels: &Labels, amount: Amount) {
        // Look up before cloning: there are few labels and many amounts.
        match self.series.get_mut(labels) {
            Some(list) => list.push(amount),
            None => {
                self.series.insert(labels.clone(), vec![amount]);
            }
        }
    }

    /// The labels with the documented name, if there is one, and with the recorded name.
    fn names(&self, series: &RecordedSeries) -> [Option<Labels>; 2] {
        let value = |name: &str, value: &str| if name == "model_id" { self.model(value).to_owned() } else { value.to_owned() };
        let own = prometheus::labels(series.labels.iter().map(|(name, text)| (name.as_str(), value(name, text))));
        let labels = |metric: &str| {
            let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            Labels::new(own.chain([(METRIC_NAME, metric)]))
        };
        [
            TokenKind::from_metric(&series.name).map(|kind| labels(kind.documented_name())),
            Some(labels(&valid_metric_name(&series.name))),
        ]
    }

    /// A model name, without the provider prefix if provider prefixes are removed.
    fn model<'m>(&self, model: &'m str) -> &'m str {
        if self.merged { self.plain(model) } else { model }
    }

    fn plain<'m>(&self, model: &'m str) -> &'m str {
        model.split_once('/').filter(|(provider, _)| self.providers.contains(*provider)).map_or(model, |(_, rest)| rest)
    }

    /// Adds inference requests, and the tokens of those without recorded metric events.
    fn add_requests(&mut self, input: &MetricsInput) -> CountedRequests {
        let mut counted = CountedRequests::default();
        let mut labels: BTreeMap<(String, &str, &str), Labels> = BTreeMap::new();
        for request in &input.requests {
            let named = request.model.and_then(|number| input.models.get(number as usize));
            let model = named.map(|model| self.model(model).to_owned()).unwrap_or_default();
            let provider = request.provider.and_then(|number| input.providers.get(number as usize)).map_or("", String::as_str);
            let (count, tokens) = if request.tokens.counts().any(|count| !count.source.is_derived()) {
                (&mut counted.recorded, "recorded")
            } else if request.tokens.is_empty() {
                (&mut counted.uncounted, "none")
            } else {
                (&mut counted.derived, "derived")
            };
            *count += 1;
            let status = status_of(request.failed);
            let amount = |value: f64| Amount { at: millis(request.at), value, row: request.row };
            let key = (format!("{model}\0{status}"), tokens, "");
            let requests = labels.entry(key).or_insert_with(|| {
                Labels::new([(METRIC_NAME, INFERENCE_REQUESTS), ("model_id", &model), ("status", status), ("tokens", tokens)])
            });
            self.add(requests, amount(1.0));
            for kind in TokenKind::ALL {
                let name = kind.documented_name();
                let Some(count) = request.tokens.get(kind).filter(|count| count.source.is_derived()) else { continue };
                let derived = labels.entry((model.clone(), name, provider)).or_insert_with(|| {
                    Labels::new([(METRIC_NAME, name), ("model_id", &model), ("provider_id", provider), ("source", "derived")])
                });
                self.add(derived, amount(count.tokens as f64));
            }
        }
        counted
    }
}
