//! Pages of the trace list, and the totals of the file.

use super::{Groups, Index, NO_TIME};
use quipu_model::number::narrow;
use quipu_model::ordered::{sort_by, sort_rows};
use quipu_model::{Timestamp, TokenTotals, ZoneFact};
use quipu_protocol::{FileSummary, TracePage, TraceQuery, TraceRow};
use std::cmp::Reverse;

/// Maximum number of rows per page.
const MAX_PAGE: usize = 1_000;
/// Maximum number of services that the summary of a file names.
const MAX_SERVICES: usize = 100;

/// The content of a list: traces, or groups of traces.
pub(crate) enum Listing<'a> {
    Traces(&'a [u32]),
    Groups(&'a Groups),
}

impl Index {
    /// All traces, latest start first. For complete indexes only.
    pub(crate) fn newest_traces(&self) -> &[u32] {
        &self.newest
    }

    /// Whether a trace contains a failed span.
    pub(crate) fn has_failed(&self, trace: u32) -> bool {
        self.traces.at(trace).failed > 0
    }

    /// Derives the default order of the trace list and the values it shows.
    pub(super) fn derive_lists(&mut self) {
        let traces = &self.traces;
        // An unknown time is the smallest number, so such traces come last.
        self.newest = (0..narrow(traces.len())).collect();
        let key = |number: u32| (Reverse(traces.at(number).utc_start()), number);
        sort_rows(&mut self.newest, &|one, other| key(one).cmp(&key(other)));
        self.failed_traces = narrow(traces.iter().filter(|trace| trace.failed > 0).count());
        self.values = super::values::ValuesOfTraces::collect(self);
        let mut counts = vec![0; self.service_names.len()];
        for number in (0..narrow(self.traces.len())).flat_map(|trace| self.values.service.of(trace)) {
            if let Some(count) = counts.get_mut(number as usize) {
                *count += 1;
            }
        }
        // Those that wrote only log records or metrics come last.
        self.services = (0..).zip(counts).collect();
        let names = &self.service_names;
        sort_by(&mut self.services, |one, other| other.1.cmp(&one.1).then_with(|| names.text(one.0).cmp(names.text(other.0))));
        self.services.truncate(MAX_SERVICES);
    }

    /// A page of `listing`. `asked` returns the user's question in a trace.
    pub(crate) fn trace_page(
        &self,
        query: &TraceQuery,
        listing: &Listing<'_>,
        traces: usize,
        asked: &dyn Fn(u32) -> Option<String>,
    ) -> TracePage {
        let len = match listing {
            Listing::Traces(order) => order.len(),
            Listing::Groups(groups) => groups.len(),
        };
        let start = (query.offset as usize).min(len);
        let end = len.min(start + (query.limit as usize).min(MAX_PAGE));
        let rows = match listing {
            Listing::Traces(order) => {
                order.get(start..end).unwrap_or_default().iter().map(|number| self.trace_row(*number, asked)).collect()
            }
            Listing::Groups(groups) => (start..end).filter_map(|place| groups.row(self, place, asked)).collect(),
        };
        TracePage { query: query.clone(), total: Some(narrow(len)), so_far: narrow(len), traces: narrow(traces), rows }
    }

    pub(super) fn trace_row(&self, number: u32, asked: &dyn Fn(u32) -> Option<String>) -> TraceRow {
        let trace = self.traces.at(number);
        let start = trace.utc_start();
        let (values, facets) = (&self.values, &self.facets);
        let text =
            |of: &super::values::TraceValues, facet: &super::Facet| of.first(number).map(|value| facet.values.text(value).to_owned());
        TraceRow {
            group: None,
            trace_id: self.non_hex_ids.trace_text(trace.key),
            start: (start != NO_TIME).then_some(Timestamp(start)),
            duration_nanos: trace.duration(),
            root_name: trace.root.map(|row| self.shown_name_of(row).to_owned()),
            root_kind: trace.root.map(|row| *self.spans.kind.at(row)),
            asked: asked(number),
            spans: Some(trace.spans),
            failed: Some(trace.failed),
            requests: Some(trace.requests),
            tokens: Some(self.trace_tokens(number)),
            model: text(&values.model, &facets.model),
            more_models: narrow(values.model.others(number).count()),
            session: text(&values.session, &facets.session),
            turn: text(&values.turn, &facets.turn),
            agent: text(&values.agent, &facets.agent),
            service: values.service.first(number).map(|service| self.service_names.text(service).to_owned()),
            more_services: narrow(values.service.others(number).count()),
        }
    }

    pub(crate) fn trace_tokens(&self, number: u32) -> TokenTotals {
        quipu_model::ordered::find_sorted(&self.trace_tokens, number).copied().unwrap_or_default()
    }

    /// The name of the span in `row`; a very long one is truncated.
    pub(crate) fn name_of(&self, row: u32) -> &str {
        &self.names.facts(*self.spans.name.at(row)).text
    }

    /// The name by which the span in `row` is shown: its name, with the path of its address if that is an HTTP method alone.
    pub(crate) fn shown_name_of(&self, row: u32) -> &str {
        let shown = &self.facets.shown_name;
        shown.number_of(row).map_or_else(|| self.name_of(row), |number| shown.values.text(number))
    }

    /// Fills in the totals of a complete index.
    pub(crate) fn summarize(&self, summary: &mut FileSummary) {
        summary.indexed = true;
        summary.traces = Some(self.traces.len() as u64);
        summary.failed_traces = Some(self.failed_traces.into());
        summary.spans = Some(self.spans.len() as u64);
        summary.failed_spans = Some(self.anomalies.failed_spans);
        summary.events = Some(self.events.count);
        summary.requests = Some(self.anomalies.requests);
        summary.tokens = Some(self.file_tokens);
        let times = || self.traces.iter().filter(|trace| trace.start != NO_TIME);
        summary.start = times().map(|trace| Timestamp(trace.utc_start())).min();
        summary.end = times().map(|trace| Timestamp(trace.utc(trace.end))).max();
        summary.zone = Some(match (self.anomalies.local_traces, self.anomalies.zone) {
            (0, _) => ZoneFact::Zoned,
            (_, Some(offset)) => ZoneFact::Recovered { offset_minutes: i32::from(offset) },
            (_, None) => ZoneFact::Unknown,
        });
        summary.service_names = self.services.iter().map(|(number, _)| self.service_names.text(*number).to_owned()).collect();
        self.warn(&summary.name, &mut summary.warnings);
    }
}
