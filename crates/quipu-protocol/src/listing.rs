//! Queries for the trace list besides the filter: columns, orders, groups and totals.
//!
//! Labels are in `list_columns`.

use quipu_model::{Timestamp, TokenTotals};
use serde::{Deserialize, Serialize};

/// A column of the trace list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ListColumn {
    /// Start time.
    Start,
    /// Name of the root span; for groups, the session or turn.
    Name,
    /// The user's question. Lists can't be sorted by it.
    Asked,
    /// Duration.
    Duration,
    /// Number of spans.
    Spans,
    /// Number of failed spans.
    Failed,
    /// Number of requests.
    Requests,
    /// Model of the first inference request.
    Model,
    /// Prompt tokens.
    Prompt,
    /// Completion tokens.
    Completion,
    /// Total tokens.
    Tokens,
    /// Cost by the user's prices.
    Cost,
    /// Agent session.
    Session,
    /// Agent turn.
    Turn,
    /// Agent name, or id if it has no name.
    Agent,
    /// Service that wrote the root span.
    Service,
}

impl ListColumn {
    /// All columns in display order.
    pub const ALL: [ListColumn; 16] = [
        ListColumn::Start,
        ListColumn::Name,
        ListColumn::Service,
        ListColumn::Asked,
        ListColumn::Duration,
        ListColumn::Spans,
        ListColumn::Failed,
        ListColumn::Requests,
        ListColumn::Model,
        ListColumn::Prompt,
        ListColumn::Completion,
        ListColumn::Tokens,
        ListColumn::Cost,
        ListColumn::Session,
        ListColumn::Turn,
        ListColumn::Agent,
    ];
}

/// Sort order of traces or groups. Unknown values are last in both directions; equal rows are sorted by start, latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceOrder {
    /// The column to sort by.
    pub column: ListColumn,
    /// Whether the largest value is first.
    pub descending: bool,
}

impl TraceOrder {
    /// By start, latest first.
    pub const NEWEST: TraceOrder = TraceOrder { column: ListColumn::Start, descending: true };
    /// By duration, longest first.
    pub const SLOWEST: TraceOrder = TraceOrder { column: ListColumn::Duration, descending: true };
}

/// How traces are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GroupBy {
    /// By agent session.
    Session,
    /// By agent turn. A resumed turn has several traces.
    Turn,
}

/// Grouping of a list. The traces of open groups are listed below them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// How traces are grouped.
    pub by: GroupBy,
    /// Keys of open groups, see [`GroupRow::key`]; unknown keys are ignored.
    pub open: Vec<String>,
}

/// The group fields of a list row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// The recorded session or turn id; empty for the group of traces without one.
    pub key: String,
    /// Number of traces in the group that are listed.
    pub traces: u32,
    /// How many of them have a failed span.
    pub failed_traces: u32,
    /// Whether the group's traces are listed below it.
    pub open: bool,
}

/// A query for the totals and the scatter plot of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryQuery {
    /// Only traces with a failed span.
    pub failed_only: bool,
    /// Filter for the traces; empty for all.
    pub filter: String,
    /// Cells of the scatter plot, `(columns, rows)`, at most 512 × 64; 0 for no plot.
    pub cells: (u16, u16),
}

/// The answer to a [`SummaryQuery`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceSummary {
    /// Whether all matching traces are included; otherwise a search is still running.
    pub whole: bool,
    /// Totals over the matching traces.
    pub totals: ListTotals,
    /// Traces by start and duration; `None` if not requested, or if no trace has both.
    pub scatter: Option<Scatter>,
}

/// Totals over listed traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTotals {
    /// Number of traces.
    pub traces: u32,
    /// Number of traces with a failed span.
    pub failed_traces: u32,
    /// Number of spans in them.
    pub spans: u64,
    /// Number of failed spans in them.
    pub failed: u64,
    /// Tokens of their inference requests.
    pub tokens: TokenTotals,
    /// Sum of their durations in nanoseconds; `None` if no duration is known.
    pub duration_nanos: Option<u64>,
    /// Median duration in nanoseconds, nearest rank.
    pub median_nanos: Option<u64>,
    /// 95th percentile of durations in nanoseconds, nearest rank.
    pub p95_nanos: Option<u64>,
    /// Number of traces without a duration.
    pub without_duration: u32,
}

/// Scatter plot of traces by start and duration. Both axes are divided into cells; traces in a cell form one mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scatter {
    /// Time of the left edge.
    pub from: Timestamp,
    /// Width of a cell in nanoseconds.
    pub step_nanos: u64,
    /// Number of columns.
    pub columns: u16,
    /// Duration borders of the rows in nanoseconds, ascending; one more than there are rows. They grow roughly exponentially. Shorter
    /// durations are in the first row, longer ones in the last.
    pub borders: Vec<u64>,
    /// The marks by column, and by row within a column.
    pub marks: Vec<ScatterMark>,
    /// Traces without a start or duration, which are not plotted.
    pub left_out: u32,
}

/// One or more traces at a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScatterMark {
    /// Horizontal position, 0 to 65,535 from left to right: exact for a single trace, otherwise the center of the cell.
    pub x: u16,
    /// Vertical position, likewise, from bottom to top.
    pub y: u16,
    /// Number of traces.
    pub traces: u32,
    /// Number of traces with a failed span.
    pub failed: u32,
}

/// A trace to be plotted.
pub struct ScatterPoint {
    /// Start in nanoseconds since 1970, if known.
    pub start: Option<i64>,
    /// Duration in nanoseconds, if known.
    pub duration: Option<u64>,
    /// Whether the trace has a failed span.
    pub failed: bool,
}

impl Scatter {
    /// Number of rows.
    pub fn rows(&self) -> u16 {
        u16::try_from(self.borders.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    /// Time of the left border of a column; for the number of columns, the right edge.
    pub fn time_at(&self, column: u16) -> Timestamp {
        let nanos = self.step_nanos.saturating_mul(column.into());
        Timestamp(self.from.0.saturating_add_unsigned(nanos))
    }
}
