//! Extracts the input of the metrics engine from a complete index.
//!
//! Not here: the computation (`prepare`).

use crate::index::Index;
use quipu_metrics::metrics_input::{InferenceRequest, MetricsInput, NO_ROW, RecordedAmount, RecordedSeries, SpanColumns};
use quipu_metrics::streams::Measured;
use quipu_model::number::narrow;
use quipu_model::{SpanFlags, Timestamp, TokenRecord};
use quipu_protocol::UNKNOWN_NANOS;
use std::collections::HashMap;

/// Maximum number of requests whose model is read from the file, because their arguments do not start with it.
const MAX_READ: usize = 2_000;

/// Extracts the input of a file. `read_model` reads the model of a span from the file; `measured` holds the imported points.
pub(crate) fn read(index: &Index, measured: Measured, read_model: &mut dyn FnMut(u32) -> Option<String>) -> MetricsInput {
    let mut input = MetricsInput {
        series: index.metric_series().map(recorded_series).collect(),
        span_names: index.span_names().map(str::to_owned).collect(),
        measured,
        extent: index.first_amount().and_then(|first| Some((first, index.last_time()?))),
        ..MetricsInput::default()
    };
    input.events = index
        .metric_events()
        .map(|event| RecordedAmount { series: event.series.into(), at: event.at, value: event.value, row: event.span.unwrap_or(NO_ROW) })
        .collect();
    add_requests(&mut input, index, read_model);
    input.spans = spans(index);
    input
}

/// Parses a series: the metric's name, then names and values of labels, separated by zero bytes.
fn recorded_series(text: &str) -> RecordedSeries {
    let mut parts = text.split('\0').map(str::to_owned);
    let name = parts.next().unwrap_or_default();
    let mut labels = Vec::new();
    while let (Some(label), Some(value)) = (parts.next(), parts.next()) {
        labels.push((label, value));
    }
    RecordedSeries { name, labels }
}

/// Calls `take` with every inference request, by row: its row, model and tokens. If its arguments do not start with a model, `read_model`
/// is asked, for a limited number of requests.
pub(crate) fn each_request(
    index: &Index,
    read_model: &mut dyn FnMut(u32) -> Option<String>,
    take: &mut dyn FnMut(u32, Option<&str>, TokenRecord),
) {
    let mut records = index.token_records().iter().peekable();
    let mut reads = 0;
    for (row, model) in index.inference_models() {
        while records.next_if(|(found, _)| *found < row).is_some() {}
        let tokens = records.next_if(|(found, _)| *found == row).map(|(_, record)| *record).unwrap_or_default();
        match model {
            None if reads < MAX_READ => {
                reads += 1;
                take(row, read_model(row).as_deref(), tokens);
            }
            model => take(row, model, tokens),
        }
    }
}

fn add_requests(input: &mut MetricsInput, index: &Index, read_model: &mut dyn FnMut(u32) -> Option<String>) {
    let (mut models, mut providers) = (Numbers::default(), Numbers::default());
    each_request(index, read_model, &mut |row, model, tokens| {
        let Some(Timestamp(at)) = index.end_of(row).or_else(|| index.start_of(row)) else { return };
        let model = model.map(|model| models.number(&mut input.models, model));
        let provider = index.provider_of(row).map(|provider| providers.number(&mut input.providers, provider));
        let (flags, _) = index.flags_of(row);
        input.requests.push(InferenceRequest { row, model, provider, at, failed: flags.has(SpanFlags::FAILED), tokens });
    });
}

/// Numbers of names in a list.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    /// The number of a name, which is added to the list if it is new.
    fn number(&mut self, names: &mut Vec<String>, name: &str) -> u32 {
        if let Some(number) = self.0.get(name) {
            return *number;
        }
        let number = narrow(names.len());
        names.push(name.to_owned());
        self.0.insert(name.to_owned(), number);
        number
    }
}

fn spans(index: &Index) -> SpanColumns {
    let (mut rows, mut names, mut flags, mut ends, mut durations) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for end in index.span_ends() {
        rows.push(end.row);
        names.push(end.name);
        flags.push(end.flags);
        ends.push(end.at);
        durations.push(end.duration.unwrap_or(UNKNOWN_NANOS));
    }
    SpanColumns { rows: rows.into(), names: names.into(), flags: flags.into(), ends: ends.into(), durations: durations.into() }
}
