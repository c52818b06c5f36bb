//! Accessors of a complete index for the query API: traces in the order of their first span, children across traces, tokens.

use super::{Index, NO_TIME, Profiles};
use quipu_model::number::narrow;
use quipu_model::ordered::{sort_numbers, sort_rows};
use quipu_model::{RecordedTime, SpanFlags, Timestamp, TokenRecord};
use quipu_store::Stored;

/// The time of an event in nanoseconds since 1970, UTC, given the offset of its trace's clock; `NO_TIME` if it can't be read.
pub(crate) fn event_time(stored: &Stored<'_>, offset_minutes: i32) -> i64 {
    match stored {
        Stored::Nanos(nanos) => *nanos,
        Stored::Text(text) => RecordedTime::read(text).map_or(NO_TIME, |time| time.instant(offset_minutes).0),
        Stored::Null | Stored::Bytes(_) => NO_TIME,
    }
}

impl Index {
    /// The row of the span in a row of the file.
    pub(crate) fn row_of(&self, rowid: i64) -> Option<u32> {
        self.spans.rowids.row_of(rowid)
    }

    /// Number of traces, including those without a row in `traces`.
    pub(crate) fn trace_count(&self) -> u32 {
        narrow(self.traces.len())
    }

    /// Ids of up to `limit` traces that start with `start`.
    pub(crate) fn traces_with_prefix(&self, start: &str, limit: usize) -> Vec<String> {
        let ids = self.traces.iter().map(|trace| self.non_hex_ids.trace_text(trace.key));
        if start.is_empty() { Vec::new() } else { ids.filter(|id| id.starts_with(start)).take(limit).collect() }
    }

    /// Rows of a trace's spans, ascending.
    pub(crate) fn trace_rows(&self, trace: u32) -> &[u32] {
        self.traces.rows(trace)
    }

    pub(crate) fn request_count(&self, trace: u32) -> u32 {
        self.traces.at(trace).requests
    }

    /// Whether Llama Stack put several requests into one trace.
    pub(crate) fn is_merged(&self, trace: u32) -> bool {
        self.traces.at(trace).merged
    }

    pub(crate) fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// The id of the root span that names the trace; `None` if it has no spans.
    pub(crate) fn derived_root(&self, trace: u32) -> Option<String> {
        let root = self.traces.at(trace).root?;
        Some(self.non_hex_ids.span_text(*self.spans.key.at(root)))
    }

    /// The roots of a trace, by start: spans without a parent in the trace, and spans at which a cycle is cut.
    pub(crate) fn roots(&self, trace: u32) -> Vec<u32> {
        let mut roots: Vec<u32> =
            self.trace_rows(trace).iter().copied().filter(|row| self.spans.flags.at(*row).has(SpanFlags::ROOT)).collect();
        let key = |row: u32| (*self.spans.start.at(row), row);
        sort_rows(&mut roots, &|one, other| key(one).cmp(&key(other)));
        roots
    }

    /// Pairs of a parent's row and a child's row, ascending, for the spans of a trace that have a parent in the file. Parents may be in
    /// other traces.
    pub(crate) fn child_pairs(&self, trace: u32) -> Vec<(u32, u32)> {
        let rows = self.trace_rows(trace);
        let mut pairs: Vec<(u32, u32)> = rows.iter().filter_map(|row| Some((self.any_parent_row(*row)?, *row))).collect();
        pairs.sort_unstable();
        pairs
    }

    /// The parent's row: in the same trace if there is one, otherwise in any.
    pub(super) fn any_parent_row(&self, row: u32) -> Option<u32> {
        let (parent, trace) = (*self.spans.parent.at(row), self.trace_of(row));
        if parent == super::SpanKey::NONE {
            return None;
        }
        self.spans.find_in(trace, parent).or_else(|| self.spans.find(parent))
    }

    /// Rows of the spans in other traces whose parent is the span in `row`.
    pub(crate) fn stray_children(&self, row: u32) -> impl Iterator<Item = u32> + '_ {
        let key = *self.spans.key.at(row);
        let start = self.strays.partition_point(|(parent, _)| *parent < key);
        self.strays.get(start..).unwrap_or_default().iter().take_while(move |(parent, _)| *parent == key).map(|(_, row)| *row)
    }

    pub(crate) fn span_id_of(&self, row: u32) -> String {
        self.non_hex_ids.span_text(*self.spans.key.at(row))
    }

    /// The start of the span in `row`, converted to UTC.
    pub(crate) fn start_of(&self, row: u32) -> Option<Timestamp> {
        let start = *self.spans.start.at(row);
        (start != NO_TIME).then(|| Timestamp(self.traces.at(self.trace_of(row)).utc(start)))
    }

    /// The end of the span in `row`, converted to UTC.
    pub(crate) fn end_of(&self, row: u32) -> Option<Timestamp> {
        let end = *self.spans.end.at(row);
        (end != NO_TIME).then(|| Timestamp(self.traces.at(self.trace_of(row)).utc(end)))
    }

    /// The number of the agent session of a trace: the first one named by its spans.
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
        sort_numbers(&mut traces);
        traces.dedup();
        let key = |trace: u32| (self.traces.at(trace).utc_start(), trace);
        sort_rows(&mut traces, &|one, other| key(one).cmp(&key(other)));
        traces
    }

    /// The start of the span in `row`, converted to UTC, and its duration in nanoseconds.
    pub(crate) fn times_of(&self, row: u32) -> (Option<Timestamp>, Option<u64>) {
        let (start, end) = (*self.spans.start.at(row), *self.spans.end.at(row));
        let duration = (start != NO_TIME && end != NO_TIME && end >= start).then(|| end.abs_diff(start));
        (self.start_of(row), duration)
    }

    /// The name of the span in `row`; a very long one is truncated.
    pub(crate) fn span_name(&self, row: u32) -> &str {
        self.name_of(row)
    }

    /// Token records by the row of the inference request, ascending.
    pub(crate) fn token_records(&self) -> &[(u32, TokenRecord)] {
        &self.tokens
    }

    pub(crate) fn trace_id(&self, trace: u32) -> String {
        self.non_hex_ids.trace_text(self.traces.at(trace).key)
    }

    /// The id of the trace of the span in `row`.
    pub(crate) fn trace_id_of(&self, row: u32) -> String {
        self.non_hex_ids.trace_text(self.traces.at(self.trace_of(row)).key)
    }
}

/// Properties of a file that differ between releases of Llama Stack.
pub(crate) struct ReleaseFacts {
    /// Some times have no zone.
    pub(crate) local_times: bool,
    /// There are events.
    pub(crate) events: bool,
    /// Some of the events are token metrics.
    pub(crate) token_metrics: bool,
    /// More than half of the roots have a parent id that no span has.
    pub(crate) most_roots_orphaned: bool,
}

impl Index {
    /// The properties that distinguish releases, apart from attributes.
    pub(crate) fn release_facts(&self) -> ReleaseFacts {
        let roots = || self.spans.flags.iter().filter(|flags| flags.has(SpanFlags::ROOT));
        ReleaseFacts {
            local_times: self.anomalies.local_traces > 0,
            events: self.events.count > 0,
            token_metrics: self.events.metrics.iter().any(|metric| metric.of.kind.is_some()),
            most_roots_orphaned: 2 * roots().filter(|flags| flags.has(SpanFlags::ORPHAN)).count() > roots().count(),
        }
    }
}
