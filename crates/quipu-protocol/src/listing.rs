//! How lists of traces are asked for beyond their filter: columns and orders, groups, and what a list has in all.
//!
//! What is not here: what columns are called and how they look (`view`).

use quipu_model::{Timestamp, TokenTotals};
use serde::{Deserialize, Serialize};

/// A column of the list of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ListColumn {
    /// When it started.
    Start,
    /// The name of its root; of a group its session or turn.
    Name,
    /// What the user asked; no order goes by it.
    Asked,
    /// How long it took.
    Duration,
    /// Spans.
    Spans,
    /// Failed spans.
    Failed,
    /// Requests.
    Requests,
    /// The first model that was asked.
    Model,
    /// Tokens of prompts.
    Prompt,
    /// Tokens of completions.
    Completion,
    /// Tokens in all.
    Tokens,
    /// What they cost by the reader's prices.
    Cost,
    /// The agent's session.
    Session,
    /// The agent's turn.
    Turn,
    /// The agent, by name or else by id.
    Agent,
}

impl ListColumn {
    /// Every column, in the order they are shown.
    pub const ALL: [ListColumn; 15] = [
        ListColumn::Start,
        ListColumn::Name,
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

/// An order of traces, or of groups of them. What is unknown comes last in both directions, and what is equal stands latest start first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceOrder {
    /// By what.
    pub column: ListColumn,
    /// The largest first.
    pub descending: bool,
}

impl TraceOrder {
    /// By start, latest first.
    pub const NEWEST: TraceOrder = TraceOrder { column: ListColumn::Start, descending: true };
    /// By duration, longest first.
    pub const SLOWEST: TraceOrder = TraceOrder { column: ListColumn::Duration, descending: true };
}

/// What traces are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GroupBy {
    /// An agent's session.
    Session,
    /// An agent's turn: with its resumes it is several traces.
    Turn,
}

/// A list of groups, in which the traces of open ones stand below them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// By what.
    pub by: GroupBy,
    /// Keys of the open groups, see [`GroupRow::key`]; others are passed over.
    pub open: Vec<String>,
}

/// What makes a row of a list one of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// The session or turn, as recorded; empty for the traces that have none.
    pub key: String,
    /// Its traces that are listed.
    pub traces: u32,
    /// How many of them hold a failed span.
    pub failed_traces: u32,
    /// Whether its traces stand below it.
    pub open: bool,
}

/// What a whole list has in all, and its picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryQuery {
    /// Only traces that hold a failed span.
    pub failed_only: bool,
    /// Only traces this filter matches; empty: all.
    pub filter: String,
    /// Cells of the picture across, at most 512, and down, at most 64; 0: no picture is needed.
    pub cells: (u16, u16),
}

/// The answer to a [`SummaryQuery`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceSummary {
    /// Whether every trace that matches is among it: no search goes on.
    pub whole: bool,
    /// Sums.
    pub totals: ListTotals,
    /// Where the traces lie in time and duration; `None` where none was asked for, or no trace has both.
    pub scatter: Option<Scatter>,
}

/// Sums over listed traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTotals {
    /// Traces.
    pub traces: u32,
    /// Those that hold a failed span.
    pub failed_traces: u32,
    /// Their spans.
    pub spans: u64,
    /// Their failed spans.
    pub failed: u64,
    /// Tokens of their inference requests.
    pub tokens: TokenTotals,
    /// Their durations added up, in nanoseconds; `None` where no duration is known.
    pub duration_nanos: Option<u64>,
    /// The duration that half of them do not exceed, by nearest rank.
    pub median_nanos: Option<u64>,
    /// The duration that 95 % of them do not exceed, by nearest rank.
    pub p95_nanos: Option<u64>,
    /// Traces without a duration.
    pub without_duration: u32,
}

/// Traces by start and duration. Both axes are cut into cells, and the traces of a cell are one mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scatter {
    /// The left end.
    pub from: Timestamp,
    /// The width of a cell in time, in nanoseconds.
    pub step_nanos: u64,
    /// Cells across.
    pub columns: u16,
    /// The borders of cells by duration, in nanoseconds, from below; one more than there are cells. They grow by about the same factor.
    /// Shorter durations lie in the first cell, longer ones in the last.
    pub borders: Vec<u64>,
    /// The marks, from the left, in a column from below.
    pub marks: Vec<ScatterMark>,
    /// Traces that have no start or no duration, and so no place.
    pub left_out: u32,
}

/// One or more traces in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScatterMark {
    /// From the left, 65,535 at the right end. The very place of a single trace, else the middle of its cell.
    pub x: u16,
    /// From below, likewise.
    pub y: u16,
    /// How many traces.
    pub traces: u32,
    /// How many of them hold a failed span.
    pub failed: u32,
}

/// One trace on its way into the picture.
pub struct ScatterPoint {
    /// Its start in nanoseconds since 1970, where it is known.
    pub start: Option<i64>,
    /// How long it took in nanoseconds, where that is known.
    pub duration: Option<u64>,
    /// Whether it holds a failed span.
    pub failed: bool,
}

impl Scatter {
    /// Cells from below to above.
    pub fn rows(&self) -> u16 {
        u16::try_from(self.borders.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    /// The left border of a column; the right end behind the last.
    pub fn time_at(&self, column: u16) -> Timestamp {
        let nanos = self.step_nanos.saturating_mul(column.into());
        Timestamp(self.from.0.saturating_add_unsigned(nanos))
    }
}
