//! Lists of traces.

use crate::{GroupRow, Grouping, SummaryQuery, TraceOrder};
use quipu_model::{SpanKind, Timestamp, TokenTotals};
use serde::{Deserialize, Serialize};

/// Asks for a page of traces. Before the index is complete, only the newest traces can be listed, without filter or groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTraces(pub TraceQuery);

/// Asks for totals over a whole list. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummarizeTraces(pub SummaryQuery);

/// Which traces, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceQuery {
    /// The order.
    pub order: TraceOrder,
    /// Only traces that hold a failed span.
    pub failed_only: bool,
    /// Only traces this filter matches, in the language of [`filter`](crate::filter); empty: all.
    pub filter: String,
    /// In groups; `None`: the traces themselves.
    pub groups: Option<Grouping>,
    /// Rows to skip.
    pub offset: u32,
    /// Rows at most.
    pub limit: u32,
}

impl Default for TraceQuery {
    /// The first 100 of all traces, latest first.
    fn default() -> TraceQuery {
        TraceQuery { order: TraceOrder::NEWEST, failed_only: false, filter: String::new(), groups: None, offset: 0, limit: 100 }
    }
}

/// A page of [`TraceRow`]s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracePage {
    /// The query it answers.
    pub query: TraceQuery,
    /// How many rows the query has in all, known once the index is complete, and the search for the filter's texts with it.
    pub total: Option<u32>,
    /// How many were found so far: `total`, where that is known.
    pub so_far: u32,
    /// How many traces were found so far, in groups or not.
    pub traces: u32,
    /// The rows.
    pub rows: Vec<TraceRow>,
}

/// One trace in a list, or one group of them, whose numbers are then those of its listed traces. Unknown: `None`, shown as "–".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceRow {
    /// Where it is a group's row.
    pub group: Option<GroupRow>,
    /// As recorded; empty for a group.
    pub trace_id: String,
    /// The earliest start of its spans.
    pub start: Option<Timestamp>,
    /// From the earliest start to the latest end, in nanoseconds.
    pub duration_nanos: Option<u64>,
    /// The name of its (first) root span.
    pub root_name: Option<String>,
    /// What the root is.
    pub root_kind: Option<SpanKind>,
    /// The first words of the user, on one line of at most some 160 characters; of a group those of its first trace.
    pub asked: Option<String>,
    /// Spans.
    pub spans: Option<u32>,
    /// Failed spans.
    pub failed: Option<u32>,
    /// Requests in it: more than one where the server merged concurrent requests.
    pub requests: Option<u32>,
    /// Tokens of its inference requests.
    pub tokens: Option<TokenTotals>,
    /// The first model that was asked.
    pub model: Option<String>,
    /// How many other models were asked.
    pub more_models: u32,
    /// The agent's session it belongs to, the first where there are several.
    pub session: Option<String>,
    /// The agent's turn, likewise.
    pub turn: Option<String>,
    /// The agent's name, or its id where it has none, likewise.
    pub agent: Option<String>,
    /// The service of the root span, or else the first of its services.
    pub service: Option<String>,
    /// How many other services wrote spans of it.
    pub more_services: u32,
}
