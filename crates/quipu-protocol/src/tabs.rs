//! How the tabs of a trace are shown: which tab, and the options of each.
//!
//! What is not here: their spelling in the address (`address`).

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
    /// The tree of spans and their bars.
    #[default]
    Timeline,
    /// Boxes by time, by weight, or around one name.
    Flame,
    /// What was said.
    Conversation,
    /// Events in order of time.
    Logs,
    /// Sums by span name.
    Statistics,
}

impl TraceTab {
    /// Every view, in the order of the tabs.
    pub const ALL: [TraceTab; 5] = [TraceTab::Timeline, TraceTab::Flame, TraceTab::Conversation, TraceTab::Logs, TraceTab::Statistics];

    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            TraceTab::Timeline => "timeline",
            TraceTab::Flame => "flame",
            TraceTab::Conversation => "conversation",
            TraceTab::Logs => "logs",
            TraceTab::Statistics => "statistics",
        }
    }

    /// The tab that an arrow key leads to, by the key's name as browsers give it; round and round.
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

    /// What its tab says.
    pub fn title(self) -> &'static str {
        match self {
            TraceTab::Timeline => "Timeline",
            TraceTab::Flame => "Flame graph",
            TraceTab::Conversation => "Conversation",
            TraceTab::Logs => "Logs",
            TraceTab::Statistics => "Statistics",
        }
    }
}

/// What of those views a URL restores. Each has its own parts; those of the others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetView {
    /// Which page of it, from 0.
    pub page: u32,
    /// Conversation: all traces of the agent session.
    pub whole_session: bool,
    /// Logs: events of this severity or a graver one.
    pub min_severity: Option<LogSeverity>,
    /// Statistics: the column that orders.
    pub column: StatisticsColumn,
    /// Statistics: the smallest first.
    pub ascending: bool,
    /// Flame graph: how boxes are put.
    pub layout: FlameLayout,
    /// Flame graph: what a box's length is.
    pub weight: FlameWeight,
    /// Flame graph: the name callers and callees are shown of.
    pub around: Option<String>,
    /// Flame graph: the part that is shown where it is not the trace's time, in units of the weight. The end is behind the start.
    pub zoom: Option<(u64, u64)>,
}

/// How boxes are put beside each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FlameLayout {
    /// Every span at its time.
    #[default]
    Time,
    /// Equal calls joined, the heaviest first.
    LeftHeavy,
    /// Callers and callees of one name.
    Sandwich,
}

impl FlameLayout {
    /// Its name in a URL.
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
    /// Nanoseconds.
    #[default]
    Time,
    /// Tokens of inference requests.
    Tokens,
    /// What they cost, in billionths.
    Cost,
}

impl FlameWeight {
    /// Every weight.
    pub const ALL: [FlameWeight; 3] = [FlameWeight::Time, FlameWeight::Tokens, FlameWeight::Cost];

    /// Its name in a URL; time, which is the default, has none.
    pub fn name(self) -> &'static str {
        match self {
            FlameWeight::Time => "",
            FlameWeight::Tokens => "tokens",
            FlameWeight::Cost => "cost",
        }
    }
}

/// A column of the table of statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatisticsColumn {
    /// The name.
    Name,
    /// Spans.
    Count,
    /// Failed ones.
    Failed,
    /// Sum of durations.
    Total,
    /// Sum of own times.
    #[default]
    Own,
    /// The shortest.
    Min,
    /// Half are no longer.
    Median,
    /// 95 of 100 are no longer.
    P95,
    /// 99 of 100 are no longer.
    P99,
    /// The longest.
    Max,
    /// Tokens.
    Tokens,
    /// What they cost.
    Cost,
}

impl StatisticsColumn {
    /// Every column, from left to right; the last where anything has a price.
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

    /// Its name in a URL.
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

    /// What stands over the column.
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

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            StatisticsColumn::Name => "The span's name",
            StatisticsColumn::Count => "Spans of this name in the trace",
            StatisticsColumn::Failed => "Spans of this name that failed",
            StatisticsColumn::Total => "Sum of their durations; spans inside each other count twice",
            StatisticsColumn::Own => "Sum of their durations less the time of their children, and its part of the trace's duration",
            StatisticsColumn::Min => "The shortest duration",
            StatisticsColumn::Median => "Half of them took no longer",
            StatisticsColumn::P95 => "95 of 100 took no longer (nearest rank)",
            StatisticsColumn::P99 => "99 of 100 took no longer (nearest rank)",
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
    /// Which of its spans; what is read rather than measured takes no notice of plumbing being left out.
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
