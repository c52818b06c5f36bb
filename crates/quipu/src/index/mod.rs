//! The index: built in one cooperative pass over the file; afterwards every list, tree, sum and look-up is answered from memory.
//!
//! Columns take about 70 bytes per span: ids, trace, parent, name, times, flags, kind. Strings stay in the file and are read by rowid. Not
//! here: SQL (`store`), decoding of values beyond what flags and counts need (`recorded`), drawing (`view`).

mod access;
mod bits;
mod calls;
mod column;
mod columns;
mod derive;
mod events;
mod facets;
mod failure_origin;
pub(crate) mod filter;
mod groups;
mod ids;
mod lists;
mod metrics;
mod names;
mod order;
mod pass;
mod pipeline;
mod profile;
mod scope;
mod secrets;
mod shapes;
#[cfg(not(target_family = "wasm"))]
mod snapshot;
mod sources;
mod spans;
mod table;
mod totals;
mod traces;
mod tree;
mod values;
mod warnings;

pub(crate) use access::event_time;
pub(crate) use bits::{Bits, Decided};
pub(crate) use columns::TraceNumbers;
pub(crate) use events::NO_SPAN;
pub(crate) use facets::{Dictionary, Facet};
pub(crate) use groups::Groups;
pub(crate) use lists::Listing;
pub(crate) use pass::Pass;
pub(crate) use profile::{Profiles, UNKNOWN_PROFILE, hint_prefix};
#[cfg(not(target_family = "wasm"))]
pub(crate) use snapshot::Snapshot;
pub(crate) use traces::zone_offset;

use events::Events;
use facets::Facets;
use ids::{NonHexIds, SpanKey};
use names::Names;
use quipu_model::ordered::find_sorted;
use quipu_model::{CallParts, Cost, TokenRecord, TokenTotals};
use spans::Spans;
use traces::Traces;
use warnings::Anomalies;

/// A time that is missing or can't be parsed.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// Everything the pass keeps in memory.
#[derive(Clone, Default)]
pub(crate) struct Index {
    non_hex_ids: NonHexIds,
    names: Names,
    spans: Spans,
    traces: Traces,
    events: Events,
    /// Summaries of the spans' attributes, for attribute filters.
    profiles: Profiles,
    /// Predicts the attributes of spans while they are read; empty after `derive`.
    shapes: shapes::Shapes,
    facets: Facets,
    /// Distinct service names.
    service_names: facets::Dictionary,
    /// What the sources of spans are called. Complete before `derive`.
    sources: sources::Sources,
    /// Spans whose parent is in another trace: the parent's key and the span's row, ascending. Complete after `derive`.
    strays: Vec<(SpanKey, u32)>,
    /// Token records by span row, ascending. Complete after `derive`.
    tokens: Vec<(u32, TokenRecord)>,
    /// What else model calls say, by span row, ascending. Of requests only, once `derive` is complete.
    call_parts: Vec<(u32, CallParts)>,
    /// Those of the requests found so far, while `derive` is at work.
    request_parts: Vec<(u32, CallParts)>,
    /// Token sums of the traces that have inference requests, by trace, ascending.
    trace_tokens: Vec<(u32, TokenTotals)>,
    file_tokens: TokenTotals,
    /// Costs of inference requests by the user's prices, by row, ascending; empty without prices.
    costs: Vec<(u32, Option<Cost>)>,
    /// All traces, latest start first. Complete after `derive`, like the fields below.
    newest: Vec<u32>,
    failed_traces: u32,
    values: values::ValuesOfTraces,
    anomalies: Anomalies,
    /// The services, and the number of traces of each, most traces first. Complete after `derive`.
    services: Vec<(u32, u32)>,
    complete: bool,
}

impl Index {
    /// Whether the pass and the derivations are done.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Discards the data from rows of `traces`.
    #[cfg(not(target_family = "wasm"))]
    fn forget_trace_rows(&mut self) {
        self.traces.forget_rows();
        self.anomalies.null_roots = 0;
        self.anomalies.damaged_traces = 0;
        self.service_names = facets::Dictionary::default();
    }

    pub(crate) fn span_count(&self) -> usize {
        self.spans.len()
    }

    /// The row of the span with this id in a trace.
    pub(crate) fn find_span_in(&self, trace: u32, span_id: &str) -> Option<u32> {
        self.spans.find_in(trace, self.non_hex_ids.find_span(span_id)?)
    }

    /// The row of the span with this id; the first one, where several traces have such a span.
    pub(crate) fn find_span(&self, span_id: &str) -> Option<u32> {
        self.spans.find(self.non_hex_ids.find_span(span_id)?)
    }

    /// The rows of all spans with this id.
    pub(crate) fn rows_with_id(&self, span_id: &str) -> Vec<u32> {
        self.non_hex_ids.find_span(span_id).map_or_else(Vec::new, |key| self.spans.rows_of(key).collect())
    }

    /// The number of the trace with this id.
    pub(crate) fn find_trace(&self, trace_id: &str) -> Option<u32> {
        self.traces.find(self.non_hex_ids.find_trace(trace_id)?)
    }

    /// The number of the trace of the span in `row`.
    pub(crate) fn trace_of(&self, row: u32) -> u32 {
        *self.spans.trace.at(row)
    }

    pub(crate) fn rowid_of(&self, row: u32) -> i64 {
        self.spans.rowids.of(row)
    }

    /// `traces.rowid` of a trace, if it has a row.
    pub(crate) fn trace_rowid(&self, trace: u32) -> Option<i64> {
        self.traces.at(trace).rowid
    }

    /// Offset of the clock that the trace was recorded with, in minutes east of UTC; 0 if its times have a zone.
    pub(crate) fn offset_minutes(&self, trace: u32) -> i32 {
        i32::from(self.traces.at(trace).offset_minutes)
    }

    /// `span_events.id` of the events of the span in `row`, in insertion order.
    pub(crate) fn event_ids(&self, row: u32) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.events.of(row).iter().map(|(_, id)| *id)
    }

    /// Tokens of the span in `row`, if it is an inference request.
    pub(crate) fn tokens_of(&self, row: u32) -> Option<TokenRecord> {
        find_sorted(&self.tokens, row).copied()
    }

    /// What else the inference request in `row` says about its tokens and its speed.
    pub(crate) fn call_parts_of(&self, row: u32) -> CallParts {
        find_sorted(&self.call_parts, row).copied().unwrap_or_default()
    }

    /// Cost of the inference request in `row`.
    pub(crate) fn cost_of(&self, row: u32) -> Option<Cost> {
        find_sorted(&self.costs, row).copied().flatten()
    }

    pub(crate) fn flags_of(&self, row: u32) -> (quipu_model::SpanFlags, quipu_model::SpanKind) {
        (*self.spans.flags.at(row), *self.spans.kind.at(row))
    }

    /// The parent's row, if the parent is in the same trace.
    pub(crate) fn parent_row(&self, row: u32) -> Option<u32> {
        self.any_parent_row(row).filter(|found| self.spans.trace.at(*found) == self.spans.trace.at(row))
    }
}
