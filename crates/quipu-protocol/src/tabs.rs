//! The tabs of a trace and their options.
//!
//! `address` encodes them in the URL.

use crate::TraceScope;
use quipu_model::LogSeverity;
use serde::{Deserialize, Serialize};

/// Asks for a view of a trace other than the timeline, ready to draw. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetSheet(pub SheetQuery);

/// Asks for the conversation of a trace as JSON lines, one turn a line. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportConversation {
    /// The trace.
    pub trace_id: String,
    /// Include the other traces of its agent session.
    pub whole_session: bool,
}

/// A view of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TraceTab {
    /// Tree of spans with bars.
    #[default]
    Timeline,
    /// Flame graph: by time, by weight, or around one name.
    Flame,
    /// Chat messages.
    Conversation,
    /// Span events in order of time.
    Logs,
    /// Totals by span name.
    Statistics,
}

impl TraceTab {
    /// All tabs in display order.
    pub const ALL: [TraceTab; 5] = [TraceTab::Timeline, TraceTab::Flame, TraceTab::Conversation, TraceTab::Logs, TraceTab::Statistics];

    /// The name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            TraceTab::Timeline => "timeline",
            TraceTab::Flame => "flame",
            TraceTab::Conversation => "conversation",
            TraceTab::Logs => "logs",
            TraceTab::Statistics => "statistics",
        }
    }

    /// The tab an arrow key moves to, given the `KeyboardEvent.key`; wraps around. `None` for other keys.
    pub fn after_key(self, key: &str) -> Option<TraceTab> {
        let count = TraceTab::ALL.len();
        let at = TraceTab::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let next = match key {
            "ArrowRight" => (at + 1) % count,
            "ArrowLeft" => (at + count - 1) % count,
            "Home" => 0,
            "End" => count - 1,
            _ => return None,
        };
        TraceTab::ALL.get(next).copied()
    }

    /// The label shown to the user.
    pub fn title(self) -> &'static str {
        match self {
            TraceTab::Timeline => "Timeline",
            TraceTab::Flame => "Flame graph",
            TraceTab::Conversation => "Conversation",
            TraceTab::Logs => "Logs",
            TraceTab::Statistics => "Statistics",
        }
    }

    /// The entry of the command palette that opens it.
    pub fn command(self) -> &'static str {
        match self {
            TraceTab::Timeline => "Show the timeline",
            TraceTab::Flame => "Show the flame graph",
            TraceTab::Conversation => "Show the conversation",
            TraceTab::Logs => "Show the logs",
            TraceTab::Statistics => "Show statistics by name",
        }
    }
}

/// Options of the tabs that the URL restores. Each tab uses its own options and leaves the others unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetView {
    /// Page number, from 0.
    pub page: u32,
    /// Conversation: show all traces of the agent session.
    pub whole_session: bool,
    /// Logs: events of this severity or above.
    pub min_severity: Option<LogSeverity>,
    /// Statistics: the column that orders.
    pub column: StatisticsColumn,
    /// Statistics: sort in ascending order.
    pub ascending: bool,
    /// Flame graph: layout of the boxes.
    pub layout: FlameLayout,
    /// Flame graph: what the length of a box means.
    pub weight: FlameWeight,
    /// Flame graph: the name whose callers and callees are shown.
    pub around: Option<String>,
    /// Flame graph: the range shown, `(start, end)` in units of the weight, `start < end`; `None` for the whole trace.
    pub zoom: Option<(u64, u64)>,
}

/// Layout of the boxes of a flame graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlameLayout {
    /// Each span at its time.
    #[default]
    Time,
    /// Equal calls merged, the heaviest first.
    LeftHeavy,
    /// Callers and callees of one name.
    Sandwich,
}

impl FlameLayout {
    /// The name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            FlameLayout::Time => "time",
            FlameLayout::LeftHeavy => "heavy",
            FlameLayout::Sandwich => "sandwich",
        }
    }
}

/// What a box's length is. `FlameOrder::Time` always goes by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlameWeight {
    /// Duration in nanoseconds.
    #[default]
    Time,
    /// Tokens of inference requests.
    Tokens,
    /// Cost in billionths of the currency unit.
    Cost,
}

impl FlameWeight {
    /// All weights in display order.
    pub const ALL: [FlameWeight; 3] = [FlameWeight::Time, FlameWeight::Tokens, FlameWeight::Cost];

    /// The name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            FlameWeight::Time => "",
            FlameWeight::Tokens => "tokens",
            FlameWeight::Cost => "cost",
        }
    }
}

/// A column of the statistics table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatisticsColumn {
    /// Span name.
    Name,
    /// Number of spans.
    Count,
    /// Number of failed spans.
    Failed,
    /// Sum of durations.
    Total,
    /// Sum of own times: duration without that of children.
    #[default]
    Own,
    /// Shortest duration.
    Min,
    /// Median duration.
    Median,
    /// 95th percentile of durations, nearest rank.
    P95,
    /// 99th percentile of durations, nearest rank.
    P99,
    /// Longest duration.
    Max,
    /// Tokens of inference requests.
    Tokens,
    /// Cost of the tokens.
    Cost,
}

impl StatisticsColumn {
    /// All columns from left to right. The last one is only shown if there are prices.
    pub const ALL: [StatisticsColumn; 12] = [
        StatisticsColumn::Name,
        StatisticsColumn::Count,
        StatisticsColumn::Failed,
        StatisticsColumn::Total,
        StatisticsColumn::Own,
        StatisticsColumn::Min,
        StatisticsColumn::Median,
        StatisticsColumn::P95,
        StatisticsColumn::P99,
        StatisticsColumn::Max,
        StatisticsColumn::Tokens,
        StatisticsColumn::Cost,
    ];

    /// The name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            StatisticsColumn::Name => "name",
            StatisticsColumn::Count => "spans",
            StatisticsColumn::Failed => "failed",
            StatisticsColumn::Total => "total",
            StatisticsColumn::Own => "self",
            StatisticsColumn::Min => "min",
            StatisticsColumn::Median => "median",
            StatisticsColumn::P95 => "p95",
            StatisticsColumn::P99 => "p99",
            StatisticsColumn::Max => "max",
            StatisticsColumn::Tokens => "tokens",
            StatisticsColumn::Cost => "cost",
        }
    }

    /// The column heading.
    pub fn title(self) -> &'static str {
        match self {
            StatisticsColumn::Name => "Name",
            StatisticsColumn::Count => "Spans",
            StatisticsColumn::Failed => "Failed",
            StatisticsColumn::Total => "Total",
            StatisticsColumn::Own => "Self",
            StatisticsColumn::Min => "Min",
            StatisticsColumn::Median => "Median",
            StatisticsColumn::P95 => "p95",
            StatisticsColumn::P99 => "p99",
            StatisticsColumn::Max => "Max",
            StatisticsColumn::Tokens => "Tokens",
            StatisticsColumn::Cost => "Cost",
        }
    }

    /// A description for the heading's tooltip.
    pub fn meaning(self) -> &'static str {
        match self {
            StatisticsColumn::Name => "The span's name",
            StatisticsColumn::Count => "Spans of this name in the trace",
            StatisticsColumn::Failed => "Spans of this name that failed",
            StatisticsColumn::Total => "Sum of their durations; nested spans count twice",
            StatisticsColumn::Own => "Sum of their durations without the time of their children, and its share of the trace's duration",
            StatisticsColumn::Min => "The shortest duration",
            StatisticsColumn::Median => "Half of the spans took at most this long",
            StatisticsColumn::P95 => "95% of the spans took at most this long (nearest rank)",
            StatisticsColumn::P99 => "99% of the spans took at most this long (nearest rank)",
            StatisticsColumn::Max => "The longest duration",
            StatisticsColumn::Tokens => "Tokens of the inference requests among them",
            StatisticsColumn::Cost => "What these tokens cost by your prices; see Metrics",
        }
    }
}

/// Which view of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetQuery {
    /// The trace.
    pub trace_id: String,
    /// Which view; the timeline has no sheet.
    pub tab: TraceTab,
    /// How it is shown.
    pub view: SheetView,
    /// Which of its spans; what is read rather than measured takes no notice of framework spans being left out.
    pub scope: TraceScope,
    /// The part of the trace's time, for the flame graph.
    pub window: Option<(u64, u64)>,
    /// What is looked for in names, for the flame graph.
    pub find: String,
    /// The selected span, for the flame graph.
    pub span_id: Option<String>,
    /// How wide it will be drawn, in pixels.
    pub width: u32,
}
