//! Fills the overlay of the timeline: measures, the times of events, the critical path.
//!
//! Not here: drawing it (`timeline`, `timeline_row`).

use super::open_trace::{OpenTrace, in_address};
use crate::actions::router::HistoryEntry;
use crate::reactive::{effect, memo};
use crate::state::App;
use leptos::prelude::*;
use quipu_protocol::{GetCriticalPath, ListMoments};
use quipu_ui::view::{PathRows, ScrollWindow};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows requested at once.
const AT_ONCE: usize = 100;
/// Rows whose events are kept.
const KEPT: usize = 20_000;

impl OpenTrace {
    /// Makes the dragged range the measure; a range without length removes it.
    pub(super) fn settle_measure(&self, app: App) {
        let measured = self.overlay.measuring.get_untracked().filter(|(from, to)| to > from);
        self.overlay.anchor.set(None);
        self.navigate(app, HistoryEntry::Replace, |view| view.timeline.measured = measured);
        self.overlay.measuring.set(None);
    }

    /// The key for measuring: the first press sets the start, the second the end, the third removes the measure. `(from, to)` is the time
    /// under the pointer, or the start and end of the selected span.
    pub(super) fn press_measure(&self, app: App, at: Option<(u64, u64)>) {
        if self.overlay.measured.get_untracked().is_some() {
            return self.settle_measure(app);
        }
        match (self.overlay.anchor.get_untracked(), at) {
            (None, Some((from, _))) => self.overlay.anchor.set(Some(from)),
            (Some(from), Some((_, to))) => {
                self.overlay.pull(from, to);
                self.settle_measure(app);
            }
            (_, None) => {}
        }
    }

    /// Loads the event times of the rows in view.
    pub(super) fn load_moments(self, app: App, window: Memo<ScrollWindow>) {
        effect(move || {
            let window = window.get();
            if self.overlay.asking.get() {
                return;
            }
            let columns = self.columns();
            let rows = self.tree.with(|tree| {
                let new = |row: &u32| self.overlay.asked.with_value(|asked| !asked.contains(row));
                window.rows().filter_map(|place| tree.row_at(place)).filter(new).take(AT_ONCE).collect::<Vec<_>>()
            });
            if rows.is_empty() {
                return;
            }
            self.overlay.asked.update_value(|asked| {
                if asked.len() > KEPT {
                    asked.clear();
                    self.overlay.moments.update(HashMap::clear);
                }
                asked.extend(&rows);
            });
            self.overlay.asking.set(true);
            let span_ids = rows.iter().map(|row| columns.span_id.get(*row as usize).unwrap_or_default()).collect();
            app.ask(ListMoments { trace_id: columns.trace_id.clone(), span_ids }, move |answer| {
                // Where events can't be read, their spans say why when they are opened.
                if let Ok(found) = answer {
                    let some = rows.into_iter().zip(found).filter(|(_, found)| !found.moments.is_empty());
                    let _ = self.overlay.moments.try_update(|moments| moments.extend(some.map(|(row, found)| (row, Arc::new(found)))));
                }
                let _ = self.overlay.asking.try_set(false);
            });
        });
    }

    /// Loads the critical path while it is shown.
    pub(super) fn load_path(self, app: App) {
        let shown = memo(move || in_address(app, |view| view.timeline.critical_path) == Some(true));
        effect(move || {
            if !shown.get() {
                return self.overlay.path.update(|path| *path = PathRows::default());
            }
            let columns = self.columns();
            let scope = untrack(|| in_address(app, |view| view.timeline.scope.clone())).unwrap_or_default();
            app.ask(GetCriticalPath { trace_id: columns.trace_id.clone(), scope }, move |answer| {
                if let Ok(parts) = answer {
                    let _ = self.overlay.path.try_set(PathRows::new(parts.to_vec()));
                }
            });
        });
    }
}
