//! Fills counters out of a complete index: once for a file and a way of naming models, and spans only when they are asked for.

use super::amounts::{Amount, Amounts, NO_ROW, millis};
use super::beside::{Listed, ModelNames, extent, put_beside};
use super::catalogue::{INFERENCE_REQUESTS, documented_name};
use super::measured::{Measure, Measured};
use super::source::STATUSES;
use super::spans::{SpanGroup, group};
use super::types::CountedRequests;
use crate::index::Index;
use crate::model::{SpanMarks, Timestamp, TokenRecord, TokenSource};
use crate::promql::{Labels, METRIC_NAME};
use crate::tokens::TokenKind;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// How models are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Labelling {
    /// Whether the provider in front of a model's name is left out.
    pub(crate) merged: bool,
}

/// One counter with its amounts.
pub(super) struct Counter {
    pub(super) labels: Labels,
    pub(super) amounts: Arc<Amounts>,
}

/// The counters of a file.
pub(crate) struct Prepared {
    pub(super) labelling: Labelling,
    /// By labels.
    pub(super) counters: Vec<Counter>,
    /// By labels.
    pub(super) listed: Vec<Listed>,
    groups: OnceLock<Vec<Arc<SpanGroup>>>,
    /// When the file's first amount and its last event were: milliseconds since 1970, UTC.
    pub(super) extent: Option<(i64, i64)>,
    counted: CountedRequests,
}

/// Requests whose model is looked for in the file, because their arguments do not begin with it.
const MAX_READ: usize = 2_000;

impl Prepared {
    /// Reads counters out of an index, beside what was measured; `read_model` finds the model of a span in the file.
    pub(crate) fn new(
        index: &Index,
        labelling: Labelling,
        measured: &Measured,
        read_model: &mut dyn FnMut(u32) -> Option<String>,
    ) -> Prepared {
        let mut builder = Builder { labelling, providers: BTreeSet::new(), series: BTreeMap::new() };
        builder.providers.extend(measured.values("provider_id").map(str::to_owned));
        builder.add_recorded(index);
        let counted = builder.add_requests(index, read_model);
        let mut series = std::mem::take(&mut builder.series);
        let models = ModelNames { shown: &|model| builder.model(model).to_owned(), plain: &|model| builder.plain(model).to_owned() };
        let listed = put_beside(measured, &models, &mut series);
        let extent = extent(index, &series, &listed);
        let counters = series.into_iter().map(|(labels, list)| Counter { labels, amounts: Arc::new(Amounts::new(list)) });
        Prepared { labelling, counters: counters.collect(), listed, groups: OnceLock::new(), extent, counted }
    }

    /// Whether models are named so.
    pub(crate) fn is(&self, labelling: Labelling) -> bool {
        self.labelling == labelling
    }

    /// Labels of all series but those of spans; of measured ones also what they are.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&Labels, Option<Measure>)> {
        let counters = self.counters.iter().map(|counter| (&counter.labels, None));
        counters.chain(self.listed.iter().map(|listed| (&listed.labels, Some(listed.measure))))
    }

    pub(super) fn counted(&self) -> CountedRequests {
        self.counted
    }

    /// Spans by name and outcome, sorted at the first call.
    pub(super) fn groups(&self, index: &Index) -> &[Arc<SpanGroup>] {
        self.groups.get_or_init(|| group(index.span_ends()))
    }
}

struct Builder {
    labelling: Labelling,
    /// Providers that recorded labels name.
    providers: BTreeSet<String>,
    series: BTreeMap<Labels, Vec<Amount>>,
}

impl Builder {
    /// Recorded metric events, under the documented name and under the recorded one.
    fn add_recorded(&mut self, index: &Index) {
        let texts: Vec<Vec<&str>> = index.metric_series().map(|text| text.split('\0').collect()).collect();
        for parts in &texts {
            let provider = parts.get(1..).unwrap_or_default().chunks(2).find(|pair| pair.first() == Some(&"provider_id"));
            self.providers.extend(provider.and_then(|pair| pair.get(1)).map(|provider| (*provider).to_owned()));
        }
        let names: Vec<[Option<Labels>; 2]> = texts.iter().map(|parts| self.names(parts)).collect();
        for event in index.metric_events() {
            let amount = Amount { at: millis(event.at), value: event.value, row: event.span.unwrap_or(NO_ROW) };
            for labels in names.get(usize::from(event.series)).into_iter().flatten().flatten() {
                self.add(labels, amount);
            }
        }
    }

    fn add(&mut self, labels: &Labels, amount: Amount) {
        // A look before a clone: labels are few and amounts many.
        match self.series.get_mut(labels) {
            Some(list) => list.push(amount),
            None => {
                self.series.insert(labels.clone(), vec![amount]);
            }
        }
    }

    /// The labels under the documented name, where it has one, and under the recorded one.
    fn names(&self, parts: &[&str]) -> [Option<Labels>; 2] {
        let name = parts.first().copied().unwrap_or_default();
        let pairs = || parts.get(1..).unwrap_or_default().chunks(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
        let labels = |metric: &str| {
            let label = |(name, value): (&str, &str)| {
                let value = if name == "model_id" { self.model(value).to_owned() } else { value.to_owned() };
                (valid(name), value)
            };
            Labels::new(pairs().map(label).chain([(METRIC_NAME.to_owned(), metric.to_owned())]))
        };
        [TokenKind::from_metric(name).map(|kind| labels(documented_name(kind))), Some(labels(&valid(name)))]
    }

    /// A model's name, without the provider in front of it where these are one.
    fn model<'m>(&self, model: &'m str) -> &'m str {
        if self.labelling.merged { self.plain(model) } else { model }
    }

    fn plain<'m>(&self, model: &'m str) -> &'m str {
        model.split_once('/').filter(|(provider, _)| self.providers.contains(*provider)).map_or(model, |(_, rest)| rest)
    }

    /// Inference requests, and the tokens of those that no event recorded.
    fn add_requests(&mut self, index: &Index, read_model: &mut dyn FnMut(u32) -> Option<String>) -> CountedRequests {
        let mut counted = CountedRequests::default();
        let mut records = index.token_records().iter().peekable();
        let mut reads = 0;
        let mut labels: BTreeMap<(String, &str), Labels> = BTreeMap::new();
        for (row, model) in index.inference_models() {
            while records.next_if(|(found, _)| *found < row).is_some() {}
            let record = records.next_if(|(found, _)| *found == row).map(|(_, record)| *record).unwrap_or_default();
            let mut model = model.map(str::to_owned);
            if model.is_none() && reads < MAX_READ {
                reads += 1;
                model = read_model(row);
            }
            let model = model.map(|model| self.model(&model).to_owned()).unwrap_or_default();
            let Some(Timestamp(at)) = index.end_of(row).or_else(|| index.start_of(row)) else { continue };
            let (count, tokens) = match source_of(&record) {
                Some(TokenSource::MetricEvent) => (&mut counted.recorded, "recorded"),
                Some(_) => (&mut counted.derived, "derived"),
                None => (&mut counted.uncounted, "none"),
            };
            *count += 1;
            let (marks, _) = index.marks_of(row);
            let status = STATUSES[usize::from(marks.has(SpanMarks::FAILED))];
            let amount = |value: f64| Amount { at: millis(at), value, row };
            let key = (format!("{model}\0{status}"), tokens);
            let requests = labels.entry(key).or_insert_with(|| {
                Labels::new([(METRIC_NAME, INFERENCE_REQUESTS), ("model_id", &model), ("status", status), ("tokens", tokens)])
            });
            self.add(requests, amount(1.0));
            for (kind, count) in [
                (TokenKind::Prompt, record.prompt),
                (TokenKind::Completion, record.completion),
                (TokenKind::Total, record.total),
            ] {
                let Some(count) = count.filter(|count| count.source != TokenSource::MetricEvent) else { continue };
                let name = documented_name(kind);
                let derived = labels
                    .entry((model.clone(), name))
                    .or_insert_with(|| Labels::new([(METRIC_NAME, name), ("model_id", &model), ("source", "derived")]));
                self.add(derived, amount(count.tokens as f64));
            }
        }
        counted
    }
}

/// The best source of a record: recorded before derived.
fn source_of(record: &TokenRecord) -> Option<TokenSource> {
    let counts = [record.prompt, record.completion, record.total];
    let sources = || counts.iter().flatten().map(|count| count.source);
    sources().find(|source| *source == TokenSource::MetricEvent).or_else(|| sources().next())
}

/// A name as Prometheus has it: what is no letter, digit, underscore or colon becomes an underscore.
pub(super) fn valid(name: &str) -> String {
    let mut valid: String =
        name.chars().map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':') { letter } else { '_' }).collect();
    if valid.starts_with(|letter: char| letter.is_ascii_digit()) || valid.is_empty() {
        valid.insert(0, '_');
    }
    valid
}
