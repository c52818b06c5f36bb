//! The overlay of the timeline: event marks, the critical path, and a measure between two times.
//!
//! Not here: positions on the axis (`quipu_ui::view`), and drawing (`timeline`, `timeline_row`).

use super::open_trace::{OpenTrace, in_address};
use crate::actions::router::HistoryEntry;
use crate::reactive::{effect, memo};
use crate::state::App;
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::{GetCriticalPath, ListMoments, SpanMoments};
use quipu_ui::view::{PathRows, ScrollWindow};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Rows requested at once.
const AT_ONCE: usize = 100;
/// Rows whose events are kept.
const KEPT: usize = 20_000;

/// The overlay of one trace. `Copy`: every field is a signal handle.
#[derive(Clone, Copy)]
pub(super) struct Overlay {
    /// The times of events, for the rows that were in view and have any.
    pub(super) moments: RwSignal<HashMap<u32, Arc<SpanMoments>>>,
    asked: StoredValue<HashSet<u32>>,
    asking: RwSignal<bool>,
    /// The critical path, once it is shown and loaded.
    pub(super) path: RwSignal<PathRows>,
    /// The measure in the address.
    measured: Memo<Option<(u64, u64)>>,
    /// The measure being made, before it is in the address.
    measuring: RwSignal<Option<(u64, u64)>>,
    /// The start of a measure made with keys.
    pub(super) anchor: RwSignal<Option<u64>>,
}

impl Overlay {
    pub(super) fn new(app: App) -> Overlay {
        Overlay {
            moments: RwSignal::default(),
            asked: StoredValue::default(),
            asking: RwSignal::new(false),
            path: RwSignal::default(),
            measured: memo(move || in_address(app, |view| view.timeline.measured).flatten()),
            measuring: RwSignal::new(None),
            anchor: RwSignal::new(None),
        }
    }

    /// The start and end of the shown measure.
    pub(super) fn measure(&self) -> Option<(u64, u64)> {
        self.measuring.get().or_else(|| self.measured.get())
    }

    /// Shows a provisional measure between two times, in any order.
    pub(super) fn pull(&self, from: u64, to: u64) {
        self.measuring.set(Some((from.min(to), from.max(to))));
    }

    /// Makes the dragged range the measure; a range without length removes it.
    pub(super) fn settle(&self, app: App, trace: OpenTrace) {
        let measured = self.measuring.get_untracked().filter(|(from, to)| to > from);
        self.anchor.set(None);
        trace.navigate(app, HistoryEntry::Replace, |view| view.timeline.measured = measured);
        self.measuring.set(None);
    }

    /// The key for measuring: the first press sets the start, the second the end, the third removes the measure. `(from, to)` is the time
    /// under the pointer, or the start and end of the selected span.
    pub(super) fn press(&self, app: App, trace: OpenTrace, at: Option<(u64, u64)>) {
        if self.measured.get_untracked().is_some() {
            return self.settle(app, trace);
        }
        match (self.anchor.get_untracked(), at) {
            (None, Some((from, _))) => self.anchor.set(Some(from)),
            (Some(from), Some((_, to))) => {
                self.pull(from, to);
                self.settle(app, trace);
            }
            (_, None) => {}
        }
    }

    /// Loads the event times of the rows in view.
    pub(super) fn load_moments(self, app: App, trace: OpenTrace, window: Memo<ScrollWindow>) {
        effect(move || {
            let window = window.get();
            if self.asking.get() {
                return;
            }
            let columns = trace.columns();
            let rows = trace.tree.with(|tree| {
                let new = |row: &u32| self.asked.with_value(|asked| !asked.contains(row));
                window.rows().filter_map(|place| tree.row_at(place)).filter(new).take(AT_ONCE).collect::<Vec<_>>()
            });
            if rows.is_empty() {
                return;
            }
            self.asked.update_value(|asked| {
                if asked.len() > KEPT {
                    asked.clear();
                    self.moments.update(HashMap::clear);
                }
                asked.extend(&rows);
            });
            self.asking.set(true);
            let span_ids = rows.iter().map(|row| columns.span_id.get(*row as usize).unwrap_or_default()).collect();
            app.ask(ListMoments { trace_id: columns.trace_id.clone(), span_ids }, move |answer| {
                // Where events can't be read, their spans say why when they are opened.
                if let Ok(found) = answer {
                    let some = rows.into_iter().zip(found).filter(|(_, found)| !found.moments.is_empty());
                    let _ = self.moments.try_update(|moments| moments.extend(some.map(|(row, found)| (row, Arc::new(found)))));
                }
                let _ = self.asking.try_set(false);
            });
        });
    }

    /// Loads the critical path while it is shown.
    pub(super) fn load_path(self, app: App, trace: OpenTrace) {
        let shown = memo(move || in_address(app, |view| view.timeline.critical_path) == Some(true));
        effect(move || {
            if !shown.get() {
                return self.path.update(|path| *path = PathRows::default());
            }
            let columns = trace.columns();
            let scope = untrack(|| in_address(app, |view| view.timeline.scope.clone())).unwrap_or_default();
            app.ask(GetCriticalPath { trace_id: columns.trace_id.clone(), scope }, move |answer| {
                if let Ok(parts) = answer {
                    let _ = self.path.try_set(PathRows::new(parts.to_vec()));
                }
            });
        });
    }
}

/// A measure in words.
pub(super) fn measure_text((from, to): (u64, u64)) -> String {
    format::duration_text(Some(to - from))
}
