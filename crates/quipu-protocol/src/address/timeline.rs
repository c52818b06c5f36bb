//! The view state of the timeline, and its URL parameters.

use super::keys::{Key, range, read_range, set};
use super::percent::encode;
use crate::TraceScope;

/// Options of the timeline, besides those shared by all tabs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineView {
    /// Which spans are shown.
    pub scope: TraceScope,
    /// Whether the critical path is highlighted.
    pub critical_path: bool,
    /// The measured interval `(from, to)` in nanoseconds after the start of what is shown; `from <= to`.
    pub measured: Option<(u64, u64)>,
}

/// The URL parameters.
pub(super) const KEYS: &[Key<TimelineView>] = &[
    Key::new(
        "framework",
        |view| view.scope.folded.then(|| "folded".into()),
        |view, word| match word {
            "folded" => set(&mut view.scope.folded, Some(true)),
            "shown" => set(&mut view.scope.folded, Some(false)),
            _ => false,
        },
    ),
    Key::new(
        "request",
        |view| view.scope.request.as_deref().map(encode),
        |view, id| set(&mut view.scope.request, (!id.is_empty()).then(|| Some(id.into()))),
    ),
    Key::new(
        "path",
        |view| view.critical_path.then(|| "critical".into()),
        |view, word| match word {
            "critical" => set(&mut view.critical_path, Some(true)),
            "none" => set(&mut view.critical_path, Some(false)),
            _ => false,
        },
    ),
    Key::new(
        "measure",
        |view| view.measured.map(range),
        |view, text| set(&mut view.measured, read_range(text).filter(|(from, to)| from <= to).map(Some)),
    ),
];

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::address) fn any_timeline() -> impl Strategy<Value = TimelineView> {
        let measured = prop::option::of((any::<u32>(), any::<u32>()));
        (any::<bool>(), prop::option::of(".+"), any::<bool>(), measured).prop_map(|(folded, request, critical_path, measured)| {
            TimelineView {
                scope: TraceScope { folded, request },
                critical_path,
                measured: measured.map(|(from, length)| (from.into(), u64::from(from) + u64::from(length))),
            }
        })
    }
}
