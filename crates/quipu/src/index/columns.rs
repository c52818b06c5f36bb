//! Whole columns, by row or by trace, for evaluating filters.
//!
//! Not here: the filters (`filter`).

use super::facets::Facets;
use super::{Bits, Index, NO_TIME};
use quipu_model::{CallParts, SpanFlags, SpanKind, TokenTotals};

/// Numbers of one trace. `None` if unknown.
pub(crate) struct TraceNumbers {
    pub(crate) duration: Option<u64>,
    /// Nanoseconds since 1970, UTC.
    pub(crate) start: Option<i64>,
    pub(crate) spans: u32,
    pub(crate) failed: u32,
    pub(crate) requests: u32,
}

impl Index {
    /// The name number of each span, by row.
    pub(crate) fn name_numbers(&self) -> impl Iterator<Item = u32> {
        self.spans.name.iter().copied()
    }

    /// Distinct span names, by number.
    pub(crate) fn span_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter()
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = SpanKind> {
        self.spans.kind.iter().copied()
    }

    pub(crate) fn all_flags(&self) -> impl Iterator<Item = SpanFlags> {
        self.spans.flags.iter().copied()
    }

    /// Duration of each span in nanoseconds, by row; `None` if its times are unusable.
    pub(crate) fn durations(&self) -> impl Iterator<Item = Option<i64>> {
        self.spans.start.zip(&self.spans.end).map(|(start, end)| {
            let is_known = *start != NO_TIME && *end != NO_TIME && end >= start;
            is_known.then(|| end.saturating_sub(*start))
        })
    }

    /// Start of each span in nanoseconds since 1970, UTC, by row.
    pub(crate) fn span_starts(&self) -> impl Iterator<Item = Option<i64>> {
        self.spans.start.zip(&self.spans.trace).map(|(start, trace)| {
            let at = self.traces.at(*trace).utc(*start);
            (at != NO_TIME).then_some(at)
        })
    }

    pub(crate) fn facets(&self) -> &Facets {
        &self.facets
    }

    /// Numbers of each trace, by trace number.
    pub(crate) fn trace_numbers(&self) -> impl Iterator<Item = TraceNumbers> {
        self.traces.iter().map(|trace| {
            let start = trace.utc_start();
            TraceNumbers {
                duration: trace.duration(),
                start: (start != NO_TIME).then_some(start),
                spans: trace.spans,
                failed: trace.failed,
                requests: trace.requests,
            }
        })
    }

    /// Token sums of the traces that have inference requests.
    pub(crate) fn all_trace_tokens(&self) -> &[(u32, TokenTotals)] {
        &self.trace_tokens
    }

    /// What else the inference requests say, by row; those that say nothing are missing.
    pub(crate) fn all_call_parts(&self) -> &[(u32, CallParts)] {
        &self.call_parts
    }

    /// Traces that contain one of these spans.
    pub(crate) fn traces_of(&self, rows: &Bits) -> Bits {
        let mut traces = Bits::filled(self.traces.len(), false);
        if rows.count() > rows.len() / 8 {
            let mut row = 0;
            self.spans.trace.iter().for_each(|trace| {
                if rows.has(row) {
                    traces.insert(*trace);
                }
                row += 1;
            });
        } else {
            rows.iter().for_each(|row| traces.insert(*self.spans.trace.at(row)));
        }
        traces
    }

    /// Traces whose root span is one of these.
    pub(crate) fn traces_by_root(&self, rows: &Bits) -> Bits {
        Bits::collect(self.traces.len(), self.traces.iter().map(|trace| trace.root.is_some_and(|root| rows.has(root))))
    }

    /// Spans whose id starts with `text`, or equals it if `whole` is set.
    pub(crate) fn spans_by_id(&self, text: &str, whole: bool) -> Bits {
        let wanted = self.non_hex_ids.span_ids(text, whole);
        Bits::collect(self.spans.len(), self.spans.key.iter().map(|key| wanted.has(key.0.into())))
    }

    /// Traces whose id starts with `text`, or equals it if `whole` is set.
    pub(crate) fn traces_by_id(&self, text: &str, whole: bool) -> Bits {
        let wanted = self.non_hex_ids.trace_ids(text, whole);
        Bits::collect(self.traces.len(), self.traces.iter().map(|trace| wanted.has(trace.key.0)))
    }
}
