//! The columns as filters read them: whole, in order of rows or traces.
//!
//! What is not here: what is asked of them (`filter`).

use super::facets::Facets;
use super::{Bits, Dictionary, Index, NO_TIME};
use quipu_model::{SpanFlags, SpanKind, TokenTotals};

/// One trace as filters see it. Unknown numbers: `None`.
pub(crate) struct TraceNumbers {
    pub(crate) duration: Option<u64>,
    /// Nanoseconds since 1970, UTC.
    pub(crate) start: Option<i64>,
    pub(crate) spans: u32,
    pub(crate) failed: u32,
    pub(crate) requests: u32,
    /// The number of its service's name.
    pub(crate) service: Option<u16>,
}

impl Index {
    /// The numbers of each span's name, by row.
    pub(crate) fn name_numbers(&self) -> impl Iterator<Item = u32> {
        self.spans.name.iter().copied()
    }

    /// The different names, by number.
    pub(crate) fn span_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter()
    }

    /// What each span is, by row.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = SpanKind> {
        self.spans.kind.iter().copied()
    }

    /// Flags of every span, by row.
    pub(crate) fn all_flags(&self) -> impl Iterator<Item = SpanFlags> {
        self.spans.flags.iter().copied()
    }

    /// How long each span took in nanoseconds, by row; `None` where its times tell nothing.
    pub(crate) fn durations(&self) -> impl Iterator<Item = Option<i64>> {
        self.spans.start.zip(&self.spans.end).map(|(start, end)| {
            let is_known = *start != NO_TIME && *end != NO_TIME && end >= start;
            is_known.then(|| end.saturating_sub(*start))
        })
    }

    /// When each span started in nanoseconds since 1970, by row, the zone recovered.
    pub(crate) fn span_starts(&self) -> impl Iterator<Item = Option<i64>> {
        self.spans.start.zip(&self.spans.trace).map(|(start, trace)| {
            let at = self.traces.at(*trace).utc(*start);
            (at != NO_TIME).then_some(at)
        })
    }

    /// Models, tools, sessions, turns, statuses.
    pub(crate) fn facets(&self) -> &Facets {
        &self.facets
    }

    /// The different services, by number.
    pub(crate) fn services(&self) -> &Dictionary {
        &self.service_names
    }

    /// What is counted of each trace, by number.
    pub(crate) fn trace_numbers(&self) -> impl Iterator<Item = TraceNumbers> {
        self.traces.iter().map(|trace| {
            let start = trace.utc_start();
            TraceNumbers {
                duration: trace.duration(),
                start: (start != NO_TIME).then_some(start),
                spans: trace.spans,
                failed: trace.failed,
                requests: trace.requests,
                service: trace.service,
            }
        })
    }

    /// Token sums of the traces that have inference requests.
    pub(crate) fn all_trace_tokens(&self) -> &[(u32, TokenTotals)] {
        &self.trace_tokens
    }

    /// Traces with one of these spans.
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

    /// Spans whose id begins so, or is so where the whole is given.
    pub(crate) fn spans_by_id(&self, text: &str, whole: bool) -> Bits {
        let wanted = self.odd.span_ids(text, whole);
        Bits::collect(self.spans.len(), self.spans.key.iter().map(|key| wanted.has(key.0.into())))
    }

    /// The same of traces.
    pub(crate) fn traces_by_id(&self, text: &str, whole: bool) -> Bits {
        let wanted = self.odd.trace_ids(text, whole);
        Bits::collect(self.traces.len(), self.traces.iter().map(|trace| wanted.has(trace.key.0)))
    }
}
