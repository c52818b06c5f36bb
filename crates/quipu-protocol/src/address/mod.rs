//! The view state: what the page shows, as a value and as the fragment of a URL.
//!
//! What is not here: the browser's history, which is the page's; the data that a link carries (`quipu_share`).
//!
//! # Format, version 1
//! `#v1/traces?filter=error%3Atrue&show=failed&sort=-duration&times=local&file=telemetry.db&size=737280`,
//! `#v1/trace/TRACE_ID?span=SPAN_ID&find=timeout&from=1500&to=90000&sample=agent`,
//! `#v1/trace/TRACE_ID?tab=logs&severity=error&page=2`, `#v1/sql?query=SELECT%201`, `#v1/open`. Parts are percent-encoded UTF-8. Defaults are not written. What is not
//! understood is left out with a note; one bad part never voids the others. `data` is a trace in the address itself.

mod carry;
mod metrics;
mod percent;
mod sheet;
mod timeline;
mod url;

pub use carry::carrying_fragment;
pub use metrics::MetricsView;
pub use percent::encode;
pub use timeline::TimelineView;
pub use url::{VIEW_VERSION, parse_fragment, print_fragment};

use crate::{ColumnSet, GroupBy, SheetView, TraceOrder, TraceTab};
use quipu_model::format::TimeStyle;
use std::sync::Arc;

/// What the page shows: all that a URL restores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewState {
    /// The screen.
    pub place: Place,
    /// How the list of traces is ordered and filtered; a trace's page keeps it for the way back.
    pub list: ListView,
    /// How times are shown.
    pub times: TimeStyle,
    /// What the view belongs to.
    pub source: Option<Source>,
}

/// A screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// No file, or the question for one.
    #[default]
    Open,
    /// The list of traces.
    Traces,
    /// One trace.
    Trace(TraceView),
    /// Metrics of the file.
    Metrics(Box<MetricsView>),
    /// A question in SQL, as it was run; empty where none was.
    Sql(String),
}

impl Place {
    /// Whether the list of traces is what is shown once a file is open.
    pub fn is_list(&self) -> bool {
        matches!(self, Place::Open | Place::Traces)
    }

    /// The trace with this id, nothing selected in it.
    pub fn trace(trace_id: impl Into<String>) -> Place {
        Place::Trace(TraceView { trace_id: trace_id.into(), ..TraceView::default() })
    }
}

/// What is shown of one trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceView {
    /// As recorded.
    pub trace_id: String,
    /// Which view of it.
    pub tab: TraceTab,
    /// The selected span, as recorded.
    pub span_id: Option<String>,
    /// The text that is looked for in it; empty: none.
    pub find: String,
    /// The part of the time axis that is shown, in nanoseconds after the trace's start; `None`: all of it. The end is after the start.
    pub window: Option<(u64, u64)>,
    /// How its timeline is shown.
    pub timeline: TimelineView,
    /// How the views beside the timeline are shown.
    pub sheet: Box<SheetView>,
}

/// How the list of traces is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListView {
    /// The order.
    pub order: TraceOrder,
    /// Only traces that hold a failed span.
    pub failed_only: bool,
    /// Only traces this filter matches, as typed; empty: all.
    pub filter: String,
    /// The spans that hold the filter's texts instead of the traces.
    pub hits: bool,
    /// What the traces are put together by.
    pub group: Option<GroupBy>,
    /// Keys of the groups that are open; only where there are groups.
    pub open: Vec<String>,
    /// The columns that are chosen.
    pub columns: ColumnSet,
    /// Whether the traces are drawn by start and duration above the list.
    pub chart: bool,
}

impl Default for ListView {
    fn default() -> ListView {
        ListView {
            order: TraceOrder::NEWEST,
            failed_only: false,
            filter: String::new(),
            hits: false,
            group: None,
            open: Vec::new(),
            columns: ColumnSet::default(),
            chart: true,
        }
    }
}

impl ListView {
    /// What decides on the list's rows, without how they look: lists that are alike in this have the same rows.
    pub fn rows(&self) -> ListView {
        ListView { hits: false, columns: ColumnSet::default(), chart: true, ..self.clone() }
    }

    /// All traces, looking as before.
    pub fn cleared(&self) -> ListView {
        ListView { columns: self.columns, chart: self.chart, ..ListView::default() }
    }

    /// Opens the group with this key, or closes it.
    pub fn toggle_group(&mut self, key: &str) {
        let before = self.open.len();
        self.open.retain(|open| open != key);
        if self.open.len() == before {
            self.open.push(key.to_owned());
        }
    }
}

/// Which file a view belongs to, so that another one is told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A sample that comes with the page.
    Sample(Sample),
    /// A file of the reader's: its name and size. Its content stays on the reader's machine.
    File {
        /// Its name, without a folder.
        name: String,
        /// Its size, `None` where the URL does not tell.
        size_bytes: Option<u64>,
    },
    /// What the address itself carries.
    Link {
        /// The letters of [`payload`].
        letters: Arc<str>,
        /// The key they are encrypted with, where it goes along.
        key: Option<String>,
    },
}

/// A sample that comes with the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// An agent with tools and shields.
    Agent,
    /// Chat completions with token metrics.
    Metrics,
}

impl Sample {
    /// Every sample.
    pub const ALL: [Sample; 2] = [Sample::Agent, Sample::Metrics];

    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Sample::Agent => "agent",
            Sample::Metrics => "metrics",
        }
    }

    /// What its button says.
    pub fn title(self) -> &'static str {
        match self {
            Sample::Agent => "Agent run (Llama Stack 0.2.15)",
            Sample::Metrics => "Run with token metrics (0.2.23)",
        }
    }

    /// Its file, beside the page in the folder `samples`.
    pub fn file_name(self) -> &'static str {
        match self {
            Sample::Agent => "agent_0.2.15.db",
            Sample::Metrics => "metrics_0.2.23.db",
        }
    }
}
