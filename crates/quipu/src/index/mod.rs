//! The index: one cooperative pass over the file, then every list, tree, sum and look-up from memory.
//!
//! Columns hold some 70 bytes a span: ids, trace, parent, name, times, flags, kind. Texts stay in the file and are read by rowid.
//! What is not here: SQL (`store`), decoding of values beyond what a mark or a count needs (`recorded`), drawing (`view`).

mod access;
mod beside;
mod bits;
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
mod profile;
#[cfg(not(target_family = "wasm"))]
mod reading;
mod scope;
mod secrets;
mod shapes;
mod spans;
mod totals;
mod traces;
mod tree;
mod values;
mod warnings;

pub(crate) use bits::{Bits, Decided};
pub(crate) use columns::TraceNumbers;
pub(crate) use facets::{Dictionary, Facet};
pub(crate) use groups::Groups;
pub(crate) use lists::Listing;
pub(crate) use pass::Pass;
pub(crate) use profile::{Profiles, UNKNOWN_PROFILE, beginning};
#[cfg(not(target_family = "wasm"))]
pub(crate) use reading::Reading;
pub(crate) use traces::zone_offset;

use events::Events;
use facets::Facets;
use hashbrown::HashMap;
use ids::{OddIds, SpanKey};
use names::Names;
use quipu_model::ordered::find_sorted;
use quipu_model::{Cost, TokenRecord, TokenTotals};
use spans::Spans;
use traces::Traces;
use warnings::Oddities;

/// No time: what was recorded can't be read as one.
const NO_TIME: i64 = i64::MIN;

/// Everything the pass keeps.
#[derive(Clone, Default)]
pub(crate) struct Index {
    odd: OddIds,
    names: Names,
    spans: Spans,
    traces: Traces,
    events: Events,
    /// What attribute filters are answered from.
    profiles: Profiles,
    /// What attributes are likely to be next; empty after `derive`.
    shapes: shapes::Shapes,
    /// What filters ask by value.
    facets: Facets,
    /// The different services of traces.
    service_names: facets::Dictionary,
    /// Spans whose parent is in another trace: the parent's key and the span's row, ascending; complete after `derive`.
    strays: Vec<(SpanKey, u32)>,
    /// Token records by span row, ascending; complete after `derive`.
    tokens: Vec<(u32, TokenRecord)>,
    /// Token sums of the traces that have inference requests, by trace, ascending.
    trace_tokens: Vec<(u32, TokenTotals)>,
    file_tokens: TokenTotals,
    /// What inference requests cost by the reader's prices, by row, ascending; none without prices.
    costs: Vec<(u32, Option<Cost>)>,
    /// All traces, latest start first; complete after `derive`, like the others below.
    newest: Vec<u32>,
    failed_traces: u32,
    values: values::ValuesOfTraces,
    oddities: Oddities,
    services: HashMap<String, u32>,
    complete: bool,
}

impl Index {
    /// Whether the pass and everything derived from it is done.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Forgets what rows of `traces` said.
    #[cfg(not(target_family = "wasm"))]
    fn forget_trace_rows(&mut self) {
        self.traces.forget_rows();
        self.oddities.null_roots = 0;
        self.oddities.damaged_traces = 0;
        self.services.clear();
        self.service_names = facets::Dictionary::default();
    }

    /// Spans in the index.
    pub(crate) fn span_count(&self) -> usize {
        self.spans.len()
    }

    /// The row of the span with this id.
    pub(crate) fn find_span(&self, span_id: &str) -> Option<u32> {
        self.spans.find(self.odd.find_span(span_id)?)
    }

    /// The number of the trace with this id.
    pub(crate) fn find_trace(&self, trace_id: &str) -> Option<u32> {
        self.traces.find(self.odd.find_trace(trace_id)?)
    }

    /// The number of the trace the span in `row` belongs to.
    pub(crate) fn trace_of(&self, row: u32) -> u32 {
        *self.spans.trace.at(row)
    }

    /// `spans.rowid` of the span in `row`.
    pub(crate) fn rowid_of(&self, row: u32) -> i64 {
        self.spans.rowids.of(row)
    }

    /// `traces.rowid` of a trace, where it has a row.
    pub(crate) fn trace_rowid(&self, trace: u32) -> Option<i64> {
        self.traces.at(trace).rowid
    }

    /// Minutes east of UTC of the clock a trace was recorded by; 0 where times name their zone.
    pub(crate) fn offset_minutes(&self, trace: u32) -> i32 {
        i32::from(self.traces.at(trace).offset_minutes)
    }

    /// Ids of `span_events` of the span in `row`, in order of insertion.
    pub(crate) fn event_ids(&self, row: u32) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.events.of(row).iter().map(|(_, id)| *id)
    }

    /// What is known of the tokens of the span in `row`, when it is an inference request.
    pub(crate) fn tokens_of(&self, row: u32) -> Option<TokenRecord> {
        find_sorted(&self.tokens, row).copied()
    }

    /// What the inference request in `row` cost.
    pub(crate) fn cost_of(&self, row: u32) -> Option<Cost> {
        find_sorted(&self.costs, row).copied().flatten()
    }

    /// Flags and kind of the span in `row`.
    pub(crate) fn flags_of(&self, row: u32) -> (quipu_model::SpanFlags, quipu_model::SpanKind) {
        (*self.spans.flags.at(row), *self.spans.kind.at(row))
    }

    /// The parent's row, where the parent is in the same trace.
    pub(crate) fn parent_row(&self, row: u32) -> Option<u32> {
        self.any_parent_row(row).filter(|found| self.spans.trace.at(*found) == self.spans.trace.at(row))
    }
}
