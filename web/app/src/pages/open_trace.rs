//! A loaded trace and its view state: collapsed spans, the visible time range, the search text.
//!
//! Not here: drawing (`trace`, `timeline`, `minimap`, `find`), and arithmetic (`quipu_ui::view`).

use super::overlay::Overlay;
use crate::actions::router::{self, HistoryEntry};
use crate::idle::Busy;
use crate::reactive::{effect, memo};
use crate::state::App;
use crate::widgets::copy;
use leptos::prelude::*;
use quipu_protocol::TraceColumns;
use quipu_protocol::TraceTab;
use quipu_protocol::address::{Screen, TraceView};
use quipu_ui::view;
use quipu_ui::view::{Jump, Matches, MoveKey, TimeWindow, TreeMove, WaterfallTree, ZoomKey};
use std::sync::Arc;
use std::time::Duration;

/// Browsers limit how often an address may change, so a moving window is written after this delay.
const WRITE_AFTER: Duration = Duration::from_millis(250);
/// The id of the box that finds texts.
pub(super) const FIND_BOX: &str = "find-in-trace";
/// The id of the timeline.
pub(super) const TIMELINE: &str = "timeline";

/// A loaded trace and its view state. `Copy`: every field is a signal handle.
#[derive(Clone, Copy)]
pub(super) struct OpenTrace {
    columns: StoredValue<Arc<TraceColumns>>,
    /// The tree, with its collapsed spans.
    pub(super) tree: RwSignal<WaterfallTree>,
    /// Which view is shown.
    pub(super) tab: Memo<TraceTab>,
    /// The id of the selected span, whether the trace has it or not.
    pub(super) selected_id: Memo<Option<String>>,
    /// The row of the selected span.
    pub(super) selected: Memo<Option<u32>>,
    /// The visible time range.
    pub(super) window: RwSignal<TimeWindow>,
    /// The position of the pointer, as a fraction of the window.
    pub(super) pointer: RwSignal<Option<f64>>,
    /// The overlay of the bars.
    pub(super) overlay: Overlay,
    /// The rows that match the search.
    pub(super) matches: RwSignal<Matches>,
    /// Held while the address is behind the window.
    writing: StoredValue<Option<Busy>, LocalStorage>,
}

/// The trace's part of the address.
pub(super) fn in_address<T>(app: App, read: impl FnOnce(&TraceView) -> T) -> Option<T> {
    app.view.with(|view| match &view.screen {
        Screen::Trace(view) => Some(read(view)),
        _ => None,
    })
}

impl OpenTrace {
    /// From the address, with everything expanded.
    pub(super) fn new(app: App, columns: Arc<TraceColumns>) -> OpenTrace {
        let selected_id = memo(move || in_address(app, |view| view.span_id.clone()).flatten());
        let for_selection = columns.clone();
        let trace = OpenTrace {
            tree: RwSignal::new(WaterfallTree::new(&columns)),
            tab: memo(move || in_address(app, |view| view.tab).unwrap_or_default()),
            selected_id,
            selected: memo(move || selected_id.with(|id| for_selection.span_id.find(id.as_deref()?))),
            window: RwSignal::new(TimeWindow::whole(columns.duration_nanos)),
            pointer: RwSignal::new(None),
            overlay: Overlay::new(memo(move || in_address(app, |view| view.timeline.measured).flatten())),
            matches: RwSignal::default(),
            writing: StoredValue::new_local(None),
            columns: StoredValue::new(columns),
        };
        let named = memo(move || in_address(app, |view| view.window).flatten());
        effect(move || {
            let window = TimeWindow::new(named.get(), trace.columns().duration_nanos);
            if trace.writing.with_value(Option::is_none) && trace.window.get_untracked() != window {
                trace.window.set(window);
            }
        });
        trace
    }

    /// Its spans.
    pub(super) fn columns(&self) -> Arc<TraceColumns> {
        self.columns.get_value()
    }

    /// Selects the span in `row`. The selection is in the address; only the first one adds a history entry.
    pub(super) fn select(&self, app: App, row: u32) {
        if let Some(id) = self.columns().span_id.get(row as usize) {
            let entry = if self.selected.get_untracked().is_some() { HistoryEntry::Replace } else { HistoryEntry::Push };
            self.navigate(app, entry, |view| view.span_id = Some(id));
        }
    }

    /// Selects the span with this id.
    pub(super) fn select_id(&self, app: App, span_id: String) {
        let entry = if self.selected.get_untracked().is_some() { HistoryEntry::Replace } else { HistoryEntry::Push };
        self.navigate(app, entry, |view| view.span_id = Some(span_id));
    }

    /// Clears the selection.
    pub(super) fn unselect(&self, app: App) {
        self.navigate(app, HistoryEntry::Replace, |view| view.span_id = None);
    }

    /// Changes the trace's part of the address.
    pub(super) fn navigate(&self, app: App, entry: HistoryEntry, change: impl FnOnce(&mut TraceView)) {
        router::navigate(app, entry, |view| {
            if let Screen::Trace(view) = &mut view.screen {
                change(view);
            }
        });
    }

    /// Shows another time range. The address follows.
    pub(super) fn show(&self, app: App, window: TimeWindow) {
        if self.window.get_untracked() == window {
            return;
        }
        self.window.set(window);
        if self.writing.with_value(Option::is_some) {
            return;
        }
        self.writing.set_value(Some(app.idle().begin()));
        let trace = *self;
        set_timeout(
            move || {
                // The screen may be gone by now.
                let Some(window) = trace.window.try_get_untracked() else { return };
                let trace_id = trace.columns().trace_id.clone();
                router::navigate(app, HistoryEntry::Replace, |view| {
                    if let Screen::Trace(view) = &mut view.screen
                        && view.trace_id == trace_id
                    {
                        view.window = window.named();
                    }
                });
                let _ = trace.writing.try_set_value(None);
            },
            WRITE_AFTER,
        );
    }

    /// Start and duration of the selected span.
    fn selected_time(&self) -> Option<(u64, Option<u64>)> {
        self.selected.get_untracked().map(|row| view::span_time(&self.columns(), row))
    }

    /// Zooms, pans or fits.
    pub(super) fn zoom(&self, app: App, key: ZoomKey) {
        self.show(app, self.window.get_untracked().pressed(key, self.pointer.get_untracked(), self.selected_time()));
    }

    /// Goes to the next row that matches the search, in the tree and on the time axis.
    pub(super) fn step_match(&self, app: App, forward: bool) {
        let row = self.matches.with_untracked(|matches| matches.step(self.selected.get_untracked(), forward));
        self.go_to(app, row);
    }

    /// Jumps to a notable span.
    pub(super) fn jump(&self, app: App, jump: Jump) {
        self.go_to(app, jump.target(&self.columns(), self.selected.get_untracked()));
    }

    fn go_to(&self, app: App, row: Option<u32>) {
        if let Some(row) = row {
            self.select(app, row);
            let (start, duration) = view::span_time(&self.columns(), row);
            self.show(app, self.window.get_untracked().showing(start, duration));
        }
    }

    /// The keys of the trace. Esc closes the panel first, then the search, then the trace. `page` is the number of rows that fit the
    /// timeline.
    pub(super) fn handle_keys(self, app: App, page: impl Fn() -> u64 + 'static) {
        app.handle_keys(move |_, key| self.press_anywhere(app, key) || self.press_in_timeline(app, key, page()));
    }

    /// The keys of the other views; the flame graph has the timeline's zoom keys, too.
    pub(super) fn handle_sheet_keys(self, app: App) {
        app.handle_keys(move |_, key| {
            let zoom = ZoomKey::from_name(key).filter(|_| self.tab.get_untracked() == TraceTab::Flame);
            zoom.map(|key| self.zoom(app, key)).is_some() || self.press_anywhere(app, key)
        });
    }

    fn press_anywhere(&self, app: App, key: &str) -> bool {
        let selected = self.selected.get_untracked();
        match key {
            "Escape" => {
                let shown = untrack(|| in_address(app, |view| (view.span_id.is_some(), !view.find.is_empty())));
                match shown {
                    Some((true, _)) => self.unselect(app),
                    Some((false, true)) => self.navigate(app, HistoryEntry::Replace, |view| view.find.clear()),
                    _ => to_list(app),
                }
            }
            "Enter" => {
                crate::browser::focus("span-panel");
                return selected.is_some();
            }
            "/" => crate::browser::focus(FIND_BOX),
            "n" | "N" => self.step_match(app, key == "n"),
            "c" => {
                let columns = self.columns();
                match selected.and_then(|row| columns.span_id.get(row as usize)) {
                    Some(id) => copy(app, "The span id", id),
                    None => copy(app, "The trace id", columns.trace_id.clone()),
                }
            }
            _ => return false,
        }
        true
    }

    fn press_in_timeline(&self, app: App, key: &str, page: u64) -> bool {
        let selected = self.selected.get_untracked();
        let columns = self.columns();
        match key {
            "p" => {
                self.navigate(app, HistoryEntry::Push, |view| {
                    view.timeline.scope.folded = !view.timeline.scope.folded;
                });
                return true;
            }
            "x" => {
                self.navigate(app, HistoryEntry::Replace, |view| view.timeline.critical_path = !view.timeline.critical_path);
                return true;
            }
            "m" => {
                let pointed = self.pointer.get_untracked().map(|part| self.window.get_untracked().at(part));
                let at =
                    pointed.map(|at| (at, at)).or_else(|| self.selected_time().map(|(start, length)| (start, start + length.unwrap_or(0))));
                self.press_measure(app, at);
                return true;
            }
            _ => {}
        }
        if let Some(jump) = Jump::from_key(key) {
            self.jump(app, jump);
            return true;
        }
        if let Some(key) = ZoomKey::from_name(key) {
            self.zoom(app, key);
            return true;
        }
        let Some(key) = MoveKey::from_name(key) else { return false };
        match self.tree.with_untracked(|tree| view::move_in_tree(&columns, tree, selected, key, page)) {
            TreeMove::Stay => {}
            TreeMove::Select(row) => self.select(app, row),
            TreeMove::Collapse(row) => self.tree.update(|tree| tree.set_collapsed(&columns, row, true)),
            TreeMove::Expand(row) => self.tree.update(|tree| tree.set_collapsed(&columns, row, false)),
        }
        true
    }
}

/// Back to the list of traces.
pub(super) fn to_list(app: App) {
    router::navigate(app, HistoryEntry::Push, |view| view.screen = Screen::Traces);
}
