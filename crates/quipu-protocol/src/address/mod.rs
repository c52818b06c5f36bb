//! The view state: everything the page shows, as a value and as a URL fragment.
//!
//! The browser history is up to the page; the data of a link is in `quipu_share`.
//!
//! # Format, version 2
//! `#v2/traces?filter=error%3Atrue&show=failed&sort=-duration&times=local&file=telemetry.db&size=737280`,
//! `#v2/trace/TRACE_ID?span=SPAN_ID&find=timeout&window=1500~90000&sample=agent`,
//! `#v2/trace/TRACE_ID?tab=logs&severity=error&page=2`, `#v2/logs?where=timeout&severity=warn`, `#v2/sql?query=SELECT%201`, `#v2/open`. Values are percent-encoded UTF-8; ranges
//! are `FROM~TO`. Defaults are omitted. Invalid parameters are ignored with a note and never affect others. `data` is a trace in the URL
//! itself. `upgrade` converts URLs of version 1.

mod carry;
mod keys;
mod list;
mod logs;
mod metrics;
mod percent;
mod sheet;
mod source;
mod timeline;
mod trace;
mod upgrade;
mod url;

pub use carry::carrying_fragment;
pub use keys::range;
pub use list::ListView;
pub use logs::LogView;
pub use metrics::MetricsView;
pub use percent::encode;
pub use source::{Sample, Source};
pub use timeline::TimelineView;
pub use trace::TraceView;
pub use url::{VIEW_VERSION, parse_fragment, print_fragment};

use keys::{Key, set};
use quipu_model::format::TimeStyle;

/// The view state of the page: everything a URL restores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewState {
    /// The screen shown.
    pub screen: Screen,
    /// The state of the trace list, kept on other screens for the way back.
    pub list: ListView,
    /// How times are shown.
    pub times: TimeStyle,
    /// The file that is shown.
    pub source: Option<Source>,
}

/// The URL parameters that belong to no screen.
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

/// A screen of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// The start screen, or the request to open the file of a link.
    #[default]
    Open,
    /// The trace list.
    Traces,
    /// A single trace.
    Trace(TraceView),
    /// The metrics of the file.
    Metrics(Box<MetricsView>),
    /// The SQL page, with the query that was run; empty if none was.
    Sql(String),
    /// The list of log records.
    Logs(LogView),
}

impl Screen {
    /// Whether the trace list is shown once a file is open.
    pub fn is_list(&self) -> bool {
        matches!(self, Screen::Open | Screen::Traces)
    }

    /// The screen of a trace without a selected span.
    pub fn trace(trace_id: impl Into<String>) -> Screen {
        Screen::Trace(TraceView { trace_id: trace_id.into(), ..TraceView::default() })
    }
}
