//! The catalogue of available metrics and their labels, used for completion.

use super::names::{DURATION_BUCKET, DURATION_COUNT, DURATION_SUM, ERRORS, INFERENCE_REQUESTS, REQUESTS, STATUSES};
use super::source::FileSeries;
use super::streams::Measure;
use quipu_model::TokenKind;
use quipu_promql::{METRIC_NAME, SeriesSource};
use quipu_protocol::{LabelCompletion, MetricCatalog, MetricInfo, MetricKind};
use std::collections::{BTreeMap, BTreeSet};

/// Name, what it counts, and the labels of every metric but the recorded ones.
const KNOWN: [(&str, &str, &[&str]); 9] = [
    (TokenKind::Prompt.documented_name(), "prompt tokens of inference requests", &["model_id", "provider_id", "source"]),
    (TokenKind::Completion.documented_name(), "completion tokens of inference requests", &["model_id", "provider_id", "source"]),
    (TokenKind::Total.documented_name(), "all tokens of inference requests", &["model_id", "provider_id", "source"]),
    (REQUESTS, "requests to the server", &["span_name", "status"]),
    (INFERENCE_REQUESTS, "inference requests, by whether their tokens are known", &["model_id", "status", "tokens"]),
    (ERRORS, "spans that failed", &["span_name"]),
    (DURATION_BUCKET, "spans that took no longer than le seconds", &["le", "span_name", "status"]),
    (DURATION_SUM, "seconds that spans took", &["span_name", "status"]),
    (DURATION_COUNT, "spans", &["span_name", "status"]),
];

/// Maximum number of values of a label.
const MAX_VALUES: usize = 1_000;

/// The catalogue of a file.
pub(super) fn catalog(series: &FileSeries<'_>) -> MetricCatalog {
    let mut metrics: BTreeMap<String, MetricInfo> = BTreeMap::new();
    for (name, help, labels) in KNOWN {
        let kind = if name.starts_with("quipu_span_duration") { MetricKind::Histogram } else { MetricKind::Counter };
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        metrics.insert(name.to_owned(), MetricInfo { name: name.to_owned(), kind, help: help.to_owned(), labels });
    }
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut note = |name: &str, value: &str| {
        let list = values.entry(name.to_owned()).or_default();
        if list.len() < MAX_VALUES {
            list.insert(value.to_owned());
        }
    };
    for (labels, measure) in series.prepared.labels() {
        let name = labels.get(METRIC_NAME);
        if !metrics.contains_key(name) {
            let names = labels.iter().map(|(name, _)| name.to_owned()).filter(|name| name != METRIC_NAME).collect();
            let (kind, help) = match measure {
                None => (MetricKind::Counter, "amounts under the name they were recorded by"),
                Some(Measure::Counter) => (MetricKind::Counter, "a counter as it was measured"),
                Some(Measure::Histogram) => (MetricKind::Histogram, "a part of a histogram as it was measured"),
                Some(Measure::Native) => (MetricKind::Histogram, "a native histogram as it was measured"),
                Some(Measure::Gauge) => (MetricKind::Gauge, "a value as it was measured"),
            };
            metrics.insert(name.to_owned(), MetricInfo { name: name.to_owned(), kind, help: help.to_owned(), labels: names });
        }
        labels.iter().filter(|(name, _)| *name != METRIC_NAME).for_each(|(name, value)| note(name, value));
    }
    for name in series.names_of_spans() {
        note("span_name", name);
    }
    for status in STATUSES {
        note("status", status);
    }
    for (_, bound) in super::spans::BOUNDS {
        note("le", bound);
    }
    note("le", "+Inf");
    let labels = values.into_iter().map(|(name, values)| LabelCompletion { name, values: values.into_iter().collect() }).collect();
    MetricCatalog { metrics: metrics.into_values().collect(), labels, extent: series.extent(), requests: series.prepared.counted() }
}
