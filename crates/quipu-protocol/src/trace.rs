//! One trace as columns, and its level of detail.
//!
//! Not here: how columns are packed (`packed`), what is drawn of them (`quipu_ui::view`).

use super::{Packed, SpanIds, Texts, Warning};
use quipu_model::{SpanFlags, SpanKind, Timestamp, TokenRecord, TokenTotals};
use serde::{Deserialize, Serialize};

/// Asks for the spans of one trace as columns. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTrace {
    /// As recorded.
    pub trace_id: String,
    /// The spans that become rows.
    pub scope: TraceScope,
}

/// Asks for the critical path of a trace: the spans its end had to wait for, latest part first. Rows are those of [`GetTrace`] with the
/// same scope. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCriticalPath {
    /// As recorded.
    pub trace_id: String,
    /// The spans that the path can go through.
    pub scope: TraceScope,
}

/// Asks for the times of the events of some spans. Answer: one item a span, in the order of the ids, for at most the first 100 spans.
/// Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMoments {
    /// As recorded.
    pub trace_id: String,
    /// As recorded; the question fails if the trace does not hold one of them.
    pub span_ids: Vec<String>,
}

/// The row number that means "none" in [`TraceColumns`].
pub const NO_ROW: u32 = u32::MAX;

/// The spans of a trace to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceScope {
    /// Leaves out framework spans: automatically traced methods that add nothing to the span around them, which takes over their children
    /// and time.
    pub folded: bool,
    /// The id of a request's root: only this request, without those nested in it. `None`: the whole trace.
    pub request: Option<String>,
}

/// One request of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOutline {
    /// The id of its root, as recorded.
    pub span_id: String,
    /// The root's name: the route.
    pub name: String,
    /// Nanoseconds from the trace's start to the root's.
    pub start_nanos: u64,
    /// The root's duration in nanoseconds; `None` if it is unknown.
    pub duration: Option<u64>,
    /// Number of spans, without those of nested requests.
    pub spans: u32,
    /// Number of failed spans among them.
    pub failed: u32,
}

/// A stretch of the critical path: the span that was waited for, and from when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathPart {
    /// The span that was waited for, as a row of [`TraceColumns`].
    pub row: u32,
    /// Begin, in nanoseconds after the trace's start.
    pub from: u64,
    /// End, in nanoseconds after the trace's start.
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

/// The times of a span's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanMoments {
    /// In ascending order, each with whether the event reports an error. Events without a readable time, and all but the first
    /// of very many, are left out.
    pub moments: Vec<(Timestamp, bool)>,
    /// Number of all events of the span, including those that are left out.
    pub events: u32,
}

/// The spans of one trace, in tree order (a parent before its children, siblings by start), one entry a span in every column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceColumns {
    /// As recorded.
    pub trace_id: String,
    /// `traces.service_name`; `None` if none is recorded.
    pub service_name: Option<String>,
    /// The earliest start, the zero of `start_nanos`; `None` when no span has a readable start.
    pub start: Option<Timestamp>,
    /// Nanoseconds from the earliest start to the latest end.
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
    /// Number of ancestors; 0 for a root.
    pub depth: Packed<u32>,
    /// Rows of the subtree, itself included: row + subtree is the next row that is not a descendant.
    pub subtree: Packed<u32>,
    /// Nanoseconds from the trace's start to the span's.
    pub start_nanos: Packed<u64>,
    /// Nanoseconds, or [`UNKNOWN_NANOS`](quipu_model::UNKNOWN_NANOS).
    pub duration: Packed<u64>,
    /// Failed, a request, automatically traced, and so on.
    pub flags: Packed<SpanFlags>,
    /// Inference, a tool, a shield, and so on: the colour of a bar.
    pub kind: Packed<SpanKind>,
    /// The rows of inference requests, ascending, with what is known of their tokens.
    pub tokens: Packed<(u32, TokenRecord)>,
    /// The rows of failed spans, ascending.
    pub failed_rows: Packed<u32>,
    /// The rows of spans in which a request's failure began, as derived; ascending, and not among `failed_rows`.
    pub began_rows: Packed<u32>,
    /// The rows of spans that ran a tool whose name is known, ascending.
    pub tool_rows: Packed<u32>,
    /// For each of `tool_rows` an index into `tool_names`.
    pub tool: Packed<u32>,
    /// The distinct names of tools, for `tool`.
    pub tool_names: Texts,
    /// Index into `service_names`, or [`NO_ROW`] where it is not known; empty if all spans are of one service.
    pub service: Packed<u32>,
    /// The distinct names of services, for `service`.
    pub service_names: Texts,
    /// Number of requests (`__root__` spans) in the whole trace, whatever the scope.
    pub requests: u32,
    /// The first of them; empty if there is only one.
    pub outlines: Vec<RequestOutline>,
    /// Number of spans in the whole trace, whatever the scope.
    pub spans_in_trace: u32,
    /// Number of framework spans in the scope, whether they are left out or not.
    pub framework_spans: u32,
    /// Whether any span has children.
    pub has_branches: bool,
    /// All rows in a few lanes of many buckets.
    pub minimap: DensityGrid,
    /// Blocks of 256 rows, coarser in time, from which large collapsed subtrees are drawn. Without lanes in a small trace.
    pub blocks: DensityGrid,
    /// The sum over the inference requests in the scope.
    pub token_totals: TokenTotals,
    /// What is unusual in this trace, such as cycles and missing parents.
    pub warnings: Vec<Warning>,
}

impl TraceColumns {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.span_id.len()
    }

    /// Whether the scope holds no span.
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

    /// The service of the span in `row`, where the spans are of several.
    pub fn service_of(&self, row: u32) -> Option<&str> {
        self.service_names.get(*self.service.get(row as usize)? as usize)
    }

    /// What is known of the tokens of the span in `row`, when it is an inference request.
    pub fn tokens_of(&self, row: u32) -> Option<&TokenRecord> {
        quipu_model::ordered::find_sorted(&self.tokens, row)
    }
}

/// Where time was spent: lanes of consecutive rows, each in equal buckets over the trace's time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DensityGrid {
    /// Number of buckets in a lane.
    pub buckets: u32,
    /// Number of rows in a lane; the last lane may have fewer.
    pub lane_rows: u32,
    /// Lane by lane. Bits 0 to 7: the busy part of the bucket, 255 if all of it is. Bits 8 to 11: the kind most of that time was spent in,
    /// as an index into [`SpanKind::ALL`]. Bit 12: whether a failed span overlaps the bucket.
    pub cells: Packed<u16>,
}
