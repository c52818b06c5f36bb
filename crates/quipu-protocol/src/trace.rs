//! One trace as columns, and its level of detail.
//!
//! Not here: how columns are packed (`packed`), what is drawn of them (`quipu_ui::view`).

use super::{Packed, SpanIds, Texts, Warning};
use quipu_model::{SpanFlags, SpanKind, Timestamp, TokenRecord, TokenTotals};
use serde::{Deserialize, Serialize};

/// Asks for the spans of one trace as columns. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTrace {
    /// The trace.
    pub trace_id: String,
    /// Which of its spans.
    pub scope: TraceScope,
}

/// Asks for the critical path of a trace: the spans its end had to wait for, latest part first. Rows are those of [`GetTrace`] with the
/// same scope. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCriticalPath {
    /// The trace.
    pub trace_id: String,
    /// Which of its spans.
    pub scope: TraceScope,
}

/// Asks for the times of the events of some spans. Answer: one item a span, in the order of the ids, for at most the first 100 spans.
/// Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMoments {
    /// The trace.
    pub trace_id: String,
    /// Spans of this trace.
    pub span_ids: Vec<String>,
}

/// The row number that means "none" in [`TraceColumns`].
pub const NO_ROW: u32 = u32::MAX;

/// Which spans of a trace are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceScope {
    /// Without plumbing: spans that were traced without being asked for and tell nothing that one around them does not. The spans around
    /// them take their time over.
    pub folded: bool,
    /// The request that begins with the span of this id, without the requests nested in it; `None`: the whole trace.
    pub request: Option<String>,
}

/// One request of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOutline {
    /// The id of its root, as recorded.
    pub span_id: String,
    /// The root's name: the route.
    pub name: String,
    /// Start after the trace's start, in nanoseconds.
    pub start_nanos: u64,
    /// The root's duration; `None` where it is unknown.
    pub duration: Option<u64>,
    /// Spans, those of nested requests not counted.
    pub spans: u32,
    /// Failed ones among them.
    pub failed: u32,
}

/// A stretch of the critical path: the span that was waited for, and from when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathPart {
    /// The span's row.
    pub row: u32,
    /// Start, in nanoseconds after the trace's start.
    pub from: u64,
    /// End.
    pub to: u64,
}

crate::packed::plain!(PathPart, 20, write_part, read_part);

fn write_part(part: PathPart) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&part.row.to_le_bytes());
    bytes[4..12].copy_from_slice(&part.from.to_le_bytes());
    bytes[12..].copy_from_slice(&part.to.to_le_bytes());
    bytes
}

fn read_part(bytes: [u8; 20]) -> PathPart {
    let (row, times) = bytes.split_at(4);
    let time = |at: usize| times.as_chunks::<8>().0.get(at).map_or(0, |time| u64::from_le_bytes(*time));
    PathPart { row: u32::from_le_bytes(row.try_into().unwrap_or_default()), from: time(0), to: time(1) }
}

/// When the events of a span were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanMoments {
    /// The readable times, ascending; and whether the event tells of an error.
    pub moments: Vec<(Timestamp, bool)>,
    /// Events of the span in all, those without a readable time and those left out among them.
    pub events: u32,
}

/// The spans of one trace, in tree order (a parent before its children, siblings by start), one entry a span in every column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceColumns {
    /// As recorded.
    pub trace_id: String,
    /// `traces.service_name`.
    pub service_name: Option<String>,
    /// The earliest start, the zero of `start_nanos`; `None` when no span has a readable start.
    pub start: Option<Timestamp>,
    /// From the earliest start to the latest end.
    pub duration_nanos: u64,
    /// `traces.root_span_id` as recorded.
    pub recorded_root: Option<String>,
    /// The distinct names, for `name`.
    pub names: Texts,
    /// Ids as recorded.
    pub span_id: SpanIds,
    /// Index into `names`.
    pub name: Packed<u32>,
    /// The parent's row, or [`NO_ROW`].
    pub parent: Packed<u32>,
    /// 0 for a root.
    pub depth: Packed<u32>,
    /// Rows of the subtree, itself included: row + subtree is the next row that is no descendant.
    pub subtree: Packed<u32>,
    /// Start after the trace's start.
    pub start_nanos: Packed<u64>,
    /// Duration, or [`UNKNOWN_NANOS`](quipu_model::UNKNOWN_NANOS).
    pub duration: Packed<u64>,
    /// Flags of the span.
    pub flags: Packed<SpanFlags>,
    /// What each span is.
    pub kind: Packed<SpanKind>,
    /// Token records, by row, ascending.
    pub tokens: Packed<(u32, TokenRecord)>,
    /// The rows of failed spans, ascending.
    pub failed_rows: Packed<u32>,
    /// The rows of spans in which a request's failure began, as derived; ascending, and not among `failed_rows`.
    pub began_rows: Packed<u32>,
    /// The rows of spans that ran a tool whose name is known, ascending.
    pub tool_rows: Packed<u32>,
    /// The tool of each, as an index into `tool_names`.
    pub tool: Packed<u32>,
    /// The distinct tools.
    pub tool_names: Texts,
    /// Requests (`__root__` spans) of the whole trace.
    pub requests: u32,
    /// The first of them, where there is more than one.
    pub outlines: Vec<RequestOutline>,
    /// Spans of the whole trace.
    pub spans_in_trace: u32,
    /// Spans that are plumbing, whether they are left out or not; of what was asked for.
    pub plumbing: u32,
    /// Whether any span has children.
    pub has_branches: bool,
    /// The whole trace small: a few lanes of many buckets.
    pub minimap: DensityGrid,
    /// Blocks of rows, coarser in time: what large collapsed subtrees are drawn from. Without lanes in a small trace.
    pub blocks: DensityGrid,
    /// Sum over its inference requests.
    pub token_totals: TokenTotals,
    /// What is odd in this trace.
    pub warnings: Vec<Warning>,
}

impl TraceColumns {
    /// Number of spans.
    pub fn len(&self) -> usize {
        self.span_id.len()
    }

    /// Whether there is no span.
    pub fn is_empty(&self) -> bool {
        self.span_id.is_empty()
    }

    /// The name of the span in `row`; empty where there is none.
    pub fn name_of(&self, row: usize) -> &str {
        self.name.get(row).and_then(|name| self.names.get(*name as usize)).unwrap_or_default()
    }

    /// The tool that the span in `row` ran, where that is known.
    pub fn tool_of(&self, row: u32) -> Option<&str> {
        let at = self.tool_rows.binary_search(&row).ok()?;
        self.tool_names.get(*self.tool.get(at)? as usize)
    }

    /// What is known of the tokens of the span in `row`, when it is an inference request.
    pub fn tokens_of(&self, row: u32) -> Option<&TokenRecord> {
        quipu_model::ordered::find_sorted(&self.tokens, row)
    }
}

/// Where time was spent: lanes of consecutive rows, each in equal buckets over the trace's time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DensityGrid {
    /// Buckets of each lane.
    pub buckets: u32,
    /// Rows of each lane but the last, which may have fewer.
    pub lane_rows: u32,
    /// Lane by lane: in bits 0 to 7 the busy part of the bucket (255: all of it), in bits 8 to 11 the kind most of it was spent in, by
    /// its place in [`SpanKind::ALL`], in bit 12 whether a failed span lies there.
    pub cells: Packed<u16>,
}
