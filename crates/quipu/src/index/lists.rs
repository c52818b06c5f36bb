//! Lists of traces in their orders, a page at a time, and the numbers of the whole file.

use super::traces::Traces;
use super::{Index, NO_TIME};
use crate::model::{Timestamp, TokenTotals, ZoneFact};
use crate::protocol::{FileSummary, TraceOrder, TracePage, TraceQuery, TraceRow};

/// Trace numbers in the orders lists are asked for.
#[derive(Default)]
pub(super) struct Orders {
    newest: Vec<u32>,
    slowest: Vec<u32>,
    newest_failed: Vec<u32>,
    slowest_failed: Vec<u32>,
}

impl Orders {
    pub(super) fn sort(traces: &Traces) -> Orders {
        let mut newest: Vec<u32> = (0..traces.len() as u32).collect();
        let mut slowest = newest.clone();
        // An unknown time is the smallest number: such traces come last.
        newest.sort_by_key(|number| (std::cmp::Reverse(traces.at(*number).utc_start()), *number));
        slowest.sort_by_key(|number| {
            let trace = traces.at(*number);
            (std::cmp::Reverse(trace.duration()), std::cmp::Reverse(trace.utc_start()), *number)
        });
        let failed = |order: &[u32]| order.iter().copied().filter(|number| traces.at(*number).failed > 0).collect();
        Orders { newest_failed: failed(&newest), slowest_failed: failed(&slowest), newest, slowest }
    }

    fn of(&self, order: TraceOrder, failed_only: bool) -> &[u32] {
        match (order, failed_only) {
            (TraceOrder::Newest, false) => &self.newest,
            (TraceOrder::Newest, true) => &self.newest_failed,
            (TraceOrder::Slowest, false) => &self.slowest,
            (TraceOrder::Slowest, true) => &self.slowest_failed,
        }
    }
}

/// Rows of one page at most.
const MAX_PAGE: usize = 1_000;

impl Index {
    /// The numbers of all traces, or of those with a failed span, in an order; complete indexes only.
    pub(crate) fn ordered_traces(&self, order: TraceOrder, failed_only: bool) -> &[u32] {
        self.orders.of(order, failed_only)
    }

    /// A page of the traces of a list, which is given whole.
    pub(crate) fn trace_page(&self, query: &TraceQuery, order: &[u32]) -> TracePage {
        let start = (query.offset as usize).min(order.len());
        let end = order.len().min(start + (query.limit as usize).min(MAX_PAGE));
        TracePage {
            query: query.clone(),
            total: Some(order.len() as u32),
            so_far: order.len() as u32,
            rows: order[start..end].iter().map(|number| self.trace_row(*number)).collect(),
        }
    }

    fn trace_row(&self, number: u32) -> TraceRow {
        let trace = self.traces.at(number);
        let start = trace.utc_start();
        TraceRow {
            trace_id: self.odd.trace_text(trace.key),
            start: (start != NO_TIME).then_some(Timestamp(start)),
            duration_nanos: trace.duration(),
            root_name: trace.root.map(|row| self.name_of(row).to_owned()),
            root_kind: trace.root.map(|row| *self.spans.kind.at(row)),
            spans: Some(trace.spans),
            failed: Some(trace.failed),
            requests: Some(trace.requests),
            tokens: Some(self.trace_tokens(number)),
        }
    }

    /// The token sums of a trace.
    pub(crate) fn trace_tokens(&self, number: u32) -> TokenTotals {
        let at = self.trace_tokens.binary_search_by_key(&number, |(trace, _)| *trace);
        at.ok().and_then(|at| self.trace_tokens.get(at)).map(|(_, totals)| *totals).unwrap_or_default()
    }

    /// The name of the span in `row`; the beginning of one that is very long.
    pub(crate) fn name_of(&self, row: u32) -> &str {
        &self.names.facts(*self.spans.name.at(row)).text
    }

    /// Fills in what a complete index knows of the file.
    pub(crate) fn summarize(&self, summary: &mut FileSummary) {
        summary.indexed = true;
        summary.traces = Some(self.traces.len() as u64);
        summary.failed_traces = Some(self.orders.newest_failed.len() as u64);
        summary.spans = Some(self.spans.len() as u64);
        summary.failed_spans = Some(self.oddities.failed_spans);
        summary.events = Some(self.events.count);
        summary.requests = Some(self.oddities.requests);
        summary.tokens = Some(self.file_tokens);
        let times = || self.traces.iter().filter(|trace| trace.start != NO_TIME);
        summary.start = times().map(|trace| Timestamp(trace.utc_start())).min();
        summary.end = times().map(|trace| Timestamp(trace.utc(trace.end))).max();
        summary.zone = Some(match (self.oddities.local_traces, self.oddities.zone) {
            (0, _) => ZoneFact::Zoned,
            (_, Some(offset)) => ZoneFact::Recovered { offset_minutes: i32::from(offset) },
            (_, None) => ZoneFact::Unknown,
        });
        let mut services: Vec<(&String, &u32)> = self.services.iter().collect();
        services.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        summary.service_names = services.into_iter().map(|(name, _)| name.clone()).collect();
        self.warn(&summary.name, &mut summary.warnings);
    }
}
