//! What is shown of one trace, whichever of its views it is, and its keys in an address.
//!
//! What is not here: what single views add (`timeline`, `sheet`).

use super::TimelineView;
use super::keys::{Key, range, read_range, set};
use super::percent::encode;
use crate::{SheetView, TraceTab};

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

/// The keys; the id stands in the path.
pub(super) const KEYS: &[Key<TraceView>] = &[
    Key::new(
        "tab",
        |view| (view.tab != TraceTab::Timeline).then(|| view.tab.name().into()),
        |view, name| set(&mut view.tab, TraceTab::ALL.into_iter().find(|tab| tab.name() == name)),
    ),
    Key::new("span", |view| view.span_id.as_deref().map(encode), |view, id| set(&mut view.span_id, Some(Some(id.into())))),
    Key::new("find", |view| (!view.find.is_empty()).then(|| encode(&view.find)), |view, text| set(&mut view.find, Some(text.into()))),
    // Ends in the wrong order are reported by `check`.
    Key::new(
        "window",
        |view| view.window.map(range),
        |view, text| match text {
            "" => set(&mut view.window, Some(None)),
            _ => set(&mut view.window, read_range(text).map(Some)),
        },
    ),
];

/// Mends what single keys can't see, and returns a sentence about it.
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
