//! View state: what is shown, as a value and as the fragment of a URL; and what is handed on: a trace without what is private (`redact`), as
//! the bytes of a link (`payload`), as Markdown, as commands.
//!
//! What is not here: the browser's history and its compression, which are the page's; reading the rows that are shared (`session`).
//!
//! # Format, version 2
//! `#v2/traces?filter=error%3Atrue&show=failed&sort=-duration&times=local&file=telemetry.db&size=737280`,
//! `#v2/trace/TRACE_ID?span=SPAN_ID&find=timeout&window=1500~90000&sample=agent`,
//! `#v2/trace/TRACE_ID?tab=logs&severity=error&page=2`, `#v2/sql?query=SELECT%201`, `#v2/open`. Parts are percent-encoded UTF-8; ranges are
//! `FROM~TO`. Defaults are not written. What is not understood is left out with a note; one bad part never voids the others. `data` is a trace
//! in the address itself: see [`payload`]. Addresses of version 1 are rewritten by `upgrade`.

mod carry;
mod copy;
mod html;
mod keys;
mod list;
mod markdown;
mod metrics;
pub mod payload;
mod percent;
mod prepare;
pub(crate) mod redact;
mod sheet;
mod source;
mod timeline;
mod trace;
mod upgrade;
mod url;

pub use carry::carrying_fragment;
pub use copy::{query_command, shell_quoted, spans_sql};
pub use html::{CarriedFile, HtmlError, carrying_page};
pub(crate) use keys::range;
pub use list::ListView;
pub use markdown::{MAX_MARKDOWN_FAILURES, MarkdownSource, trace_markdown};
pub use metrics::{MetricsView, TokensShown};
pub(crate) use percent::encode;
#[cfg(feature = "store")]
pub(crate) use prepare::shared_name;
pub use prepare::{Leaving, leaving, leaving_columns};
pub use redact::{KindReport, KindSet, PrivateKind, RedactExample, RedactOptions, RedactReport, redact};
pub use sheet::{FlameLayout, SheetView};
pub use source::{Sample, Source};
pub use timeline::TimelineView;
pub use trace::TraceView;
pub use url::{VIEW_VERSION, parse_fragment, print_fragment};

use crate::view::TimeStyle;
use keys::{Key, set};
use serde::{Deserialize, Serialize};

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

/// The keys of what belongs to no screen.
const KEYS: &[Key<ViewState>] = &[Key::new(
    "times",
    |state| match state.times {
        TimeStyle::Utc => None,
        TimeStyle::Local => Some("local".into()),
        TimeStyle::Relative => Some("relative".into()),
    },
    |state, word| match word {
        "utc" => set(&mut state.times, Some(TimeStyle::Utc)),
        "local" => set(&mut state.times, Some(TimeStyle::Local)),
        "relative" => set(&mut state.times, Some(TimeStyle::Relative)),
        _ => false,
    },
)];

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
