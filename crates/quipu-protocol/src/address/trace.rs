//! The view state of a trace, shared by its tabs, and its URL parameters.
//!
//! Options of single tabs are in `timeline` and `sheet`.

use super::TimelineView;
use super::keys::{Key, range, read_range, set};
use super::percent::encode;
use crate::{SheetView, TraceTab};

/// The view state of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceView {
    /// Trace id as recorded.
    pub trace_id: String,
    /// The selected tab.
    pub tab: TraceTab,
    /// Id of the selected span, as recorded.
    pub span_id: Option<String>,
    /// Text to find in the trace; empty for none.
    pub find: String,
    /// Visible part of the time axis, `(start, end)` in nanoseconds after the trace's start, `start < end`; `None` for the whole trace.
    pub window: Option<(u64, u64)>,
    /// Options of the timeline.
    pub timeline: TimelineView,
    /// Options of the other tabs.
    pub sheet: Box<SheetView>,
}

/// The URL parameters. The id is in the path.
pub(super) const KEYS: &[Key<TraceView>] = &[
    Key::new(
        "tab",
        |view| (view.tab != TraceTab::Timeline).then(|| view.tab.name().into()),
        |view, name| set(&mut view.tab, TraceTab::ALL.into_iter().find(|tab| tab.name() == name)),
    ),
    Key::new("span", |view| view.span_id.as_deref().map(encode), |view, id| set(&mut view.span_id, Some(Some(id.into())))),
    Key::new("find", |view| (!view.find.is_empty()).then(|| encode(&view.find)), |view, text| set(&mut view.find, Some(text.into()))),
    // `check` reports ends in the wrong order.
    Key::new(
        "window",
        |view| view.window.map(range),
        |view, text| match text {
            "" => set(&mut view.window, Some(None)),
            _ => set(&mut view.window, read_range(text).map(Some)),
        },
    ),
];

/// Fixes inconsistent combinations. Returns a note for the user.
pub(super) fn check(view: &mut TraceView) -> Option<String> {
    view.window.take_if(|(from, to)| from >= to)?;
    Some("The time range in the URL ends before it starts; the whole trace is shown.".into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{sheet, timeline};
    use super::*;
    use proptest::prelude::*;

    pub(in crate::address) fn any_trace() -> impl Strategy<Value = TraceView> {
        (
            ".+",
            prop::sample::select(&TraceTab::ALL[..]),
            prop::option::of(".+"),
            ".*",
            prop::option::of((any::<u32>(), 1..u32::MAX)),
            timeline::tests::any_timeline(),
            sheet::tests::any_sheet(),
        )
            .prop_map(|(trace_id, tab, span_id, find, window, timeline, sheet)| {
                let window = window.map(|(from, length)| (from.into(), u64::from(from) + u64::from(length)));
                TraceView { trace_id, tab, span_id, find, window, timeline, sheet: Box::new(sheet) }
            })
    }
}
