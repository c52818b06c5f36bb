//! What the query API reads from a complete index: traces in the order their spans came, children across traces, tokens in order.

use super::{Index, NO_TIME, Profiles};
use quipu_model::ordered::sort_rows;
use quipu_model::{SpanFlags, Timestamp, TokenRecord};

impl Index {
    /// Traces, with a row of `traces` or without.
    pub(crate) fn trace_count(&self) -> u32 {
        self.traces.len() as u32
    }

    /// Ids of traces that begin as given, at most so many.
    pub(crate) fn traces_beginning(&self, start: &str, limit: usize) -> Vec<String> {
        let ids = self.traces.iter().map(|trace| self.odd.trace_text(trace.key));
        if start.is_empty() { Vec::new() } else { ids.filter(|id| id.starts_with(start)).take(limit).collect() }
    }

    /// Rows of the spans of a trace, ascending.
    pub(crate) fn trace_rows(&self, trace: u32) -> &[u32] {
        self.traces.rows(trace)
    }

    /// Requests a trace holds.
    pub(crate) fn request_count(&self, trace: u32) -> u32 {
        self.traces.at(trace).requests
    }

    /// Whether a trace holds several requests.
    pub(crate) fn is_merged(&self, trace: u32) -> bool {
        self.request_count(trace) > 1
    }

    /// What attribute filters are answered from.
    pub(crate) fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// The id of the root a trace is named by; `None` without spans.
    pub(crate) fn derived_root(&self, trace: u32) -> Option<String> {
        let root = self.traces.at(trace).root?;
        Some(self.odd.span_text(*self.spans.key.at(root)))
    }

    /// The roots of a trace, by start: spans without a parent in the trace, and where a cycle is cut.
    pub(crate) fn roots(&self, trace: u32) -> Vec<u32> {
        let mut roots: Vec<u32> =
            self.trace_rows(trace).iter().copied().filter(|row| self.spans.flags.at(*row).has(SpanFlags::ROOT)).collect();
        let key = |row: u32| (*self.spans.start.at(row), row);
        sort_rows(&mut roots, &|one, other| key(one).cmp(&key(other)));
        roots
    }

    /// The spans of a trace that have a parent in the file: pairs of the parent's row and theirs, ascending. Parents may be of other traces.
    pub(crate) fn child_pairs(&self, trace: u32) -> Vec<(u32, u32)> {
        let rows = self.trace_rows(trace);
        let mut pairs: Vec<(u32, u32)> = rows.iter().filter_map(|row| Some((self.any_parent_row(*row)?, *row))).collect();
        pairs.sort_unstable();
        pairs
    }

    /// The parent's row, in whichever trace.
    pub(super) fn any_parent_row(&self, row: u32) -> Option<u32> {
        let parent = *self.spans.parent.at(row);
        if parent == super::SpanKey::NONE { None } else { self.spans.find(parent) }
    }

    /// Rows of the spans of other traces that name the span in `row` as their parent.
    pub(crate) fn stray_children(&self, row: u32) -> impl Iterator<Item = u32> + '_ {
        let key = *self.spans.key.at(row);
        let start = self.strays.partition_point(|(parent, _)| *parent < key);
        self.strays.get(start..).unwrap_or_default().iter().take_while(move |(parent, _)| *parent == key).map(|(_, row)| *row)
    }

    /// The id of the span in `row`, as recorded.
    pub(crate) fn span_id_of(&self, row: u32) -> String {
        self.odd.span_text(*self.spans.key.at(row))
    }

    /// The start of the span in `row`, the zone recovered.
    pub(crate) fn start_of(&self, row: u32) -> Option<Timestamp> {
        let start = *self.spans.start.at(row);
        (start != NO_TIME).then(|| Timestamp(self.traces.at(self.trace_of(row)).utc(start)))
    }

    /// The end of the span in `row`, the zone recovered.
    pub(crate) fn end_of(&self, row: u32) -> Option<Timestamp> {
        let end = *self.spans.end.at(row);
        (end != NO_TIME).then(|| Timestamp(self.traces.at(self.trace_of(row)).utc(end)))
    }

    /// The id of a trace, as recorded.
    pub(crate) fn trace_id_text(&self, trace: u32) -> String {
        self.odd.trace_text(self.traces.at(trace).key)
    }

    /// The number of the agent session a trace belongs to: the first its spans name.
    pub(crate) fn session_of(&self, trace: u32) -> Option<u32> {
        let rows = self.trace_rows(trace);
        let (first, last) = (*rows.first()?, *rows.last()?);
        let named = self.facets.session.rows().skip_while(|(row, _)| *row < first).take_while(|(row, _)| *row <= last);
        named.filter(|(row, _)| self.trace_of(*row) == trace).map(|(_, session)| session).next()
    }

    /// The traces of an agent session, by start.
    pub(crate) fn traces_of_session(&self, session: u32) -> Vec<u32> {
        let rows = self.facets.session.rows().filter(|(_, found)| *found == session);
        let mut traces: Vec<u32> = rows.map(|(row, _)| self.trace_of(row)).collect();
        traces.sort_unstable();
        traces.dedup();
        let key = |trace: u32| (self.traces.at(trace).utc_start(), trace);
        sort_rows(&mut traces, &|one, other| key(one).cmp(&key(other)));
        traces
    }

    /// The start of the span in `row`, the zone recovered, and its duration.
    pub(crate) fn times_of(&self, row: u32) -> (Option<Timestamp>, Option<u64>) {
        let (start, end) = (*self.spans.start.at(row), *self.spans.end.at(row));
        let duration = (start != NO_TIME && end != NO_TIME && end >= start).then(|| end.abs_diff(start));
        (self.start_of(row), duration)
    }

    /// The name of the span in `row`, or its beginning.
    pub(crate) fn span_name(&self, row: u32) -> &str {
        self.name_of(row)
    }

    /// What is known of tokens, by the row of the inference request, ascending.
    pub(crate) fn token_records(&self) -> &[(u32, TokenRecord)] {
        &self.tokens
    }

    /// The recorded id of a trace.
    pub(crate) fn trace_id(&self, trace: u32) -> String {
        self.odd.trace_text(self.traces.at(trace).key)
    }

    /// The recorded id of the trace the span in `row` belongs to.
    pub(crate) fn trace_id_of(&self, row: u32) -> String {
        self.odd.trace_text(self.traces.at(self.trace_of(row)).key)
    }
}

/// Traits of a file that releases differ in.
pub(crate) struct ReleaseFacts {
    /// Times without a zone.
    pub(crate) local_times: bool,
    /// Any event.
    pub(crate) events: bool,
    /// Any token metric among them.
    pub(crate) token_metrics: bool,
    /// More than half of the roots name a parent that is in no row.
    pub(crate) most_roots_orphaned: bool,
}

impl Index {
    /// What tells releases apart, beside attributes.
    pub(crate) fn release_facts(&self) -> ReleaseFacts {
        let roots = || self.spans.flags.iter().filter(|flags| flags.has(SpanFlags::ROOT));
        ReleaseFacts {
            local_times: self.oddities.local_traces > 0,
            events: self.events.count > 0,
            token_metrics: self.events.metrics.iter().any(|metric| metric.of.kind.is_some()),
            most_roots_orphaned: 2 * roots().filter(|flags| flags.has(SpanFlags::ORPHAN)).count() > roots().count(),
        }
    }
}
