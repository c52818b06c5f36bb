//! The view state: what the page shows, as a value and as the fragment of a URL.
//!
//! What is not here: the browser's history, which is the page's; the data that a link carries (`quipu_share`).
//!
//! # Format, version 2
//! `#v2/traces?filter=error%3Atrue&show=failed&sort=-duration&times=local&file=telemetry.db&size=737280`,
//! `#v2/trace/TRACE_ID?span=SPAN_ID&find=timeout&window=1500~90000&sample=agent`,
//! `#v2/trace/TRACE_ID?tab=logs&severity=error&page=2`, `#v2/sql?query=SELECT%201`, `#v2/open`. Parts are percent-encoded UTF-8; ranges are
//! `FROM~TO`. Defaults are not written. Parts that are not understood are left out with a note; one bad part never voids the others. `data` is
//! a trace in the address itself. Addresses of version 1 are rewritten by `upgrade`.

mod carry;
mod keys;
mod list;
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
pub use metrics::MetricsView;
pub use percent::encode;
pub use source::{Sample, Source};
pub use timeline::TimelineView;
pub use trace::TraceView;
pub use url::{VIEW_VERSION, parse_fragment, print_fragment};

use keys::{Key, set};
use quipu_model::format::TimeStyle;

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
