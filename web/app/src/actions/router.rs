//! Keeps the view and the address in step.
//!
//! Not here: the format of addresses (`quipu_protocol::address`).

use super::{opening, served_file};
use crate::browser::window;
use crate::carried;
use crate::state::{App, FileState, settings};
use leptos::prelude::*;
use quipu_protocol::address::{Screen, Source, TraceView, ViewState, parse_fragment, print_fragment};
use quipu_web_actions::means;
use wasm_bindgen::JsValue;

/// What a change of the view does to the browser's history.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HistoryEntry {
    /// Adds an entry, which the Back button returns from.
    Push,
    /// Replaces the current entry.
    Replace,
}

/// Reads the address at the start, and again when the reader goes back or forward, or edits it.
pub(crate) fn start(app: App) {
    opening::take_carried(app);
    served_file::take_served(app);
    read_address(app);
    let hash_changed = window_event_listener(leptos::ev::hashchange, move |_| read_address(app));
    // Some browsers send no hashchange for entries of pushState; going back over them is reported by popstate only.
    let state_popped = window_event_listener(leptos::ev::popstate, move |_| read_address(app));
    on_cleanup(move || {
        hash_changed.remove();
        state_popped.remove();
    });
}

fn read_address(app: App) {
    let mut fragment = window().location().hash().unwrap_or_default();
    if fragment.is_empty() {
        fragment = carried::fragment();
    }
    if fragment == print_fragment(&app.view.get_untracked()) {
        return;
    }
    let (mut view, notes) = parse_fragment(&fragment);
    if fragment.is_empty() {
        view.times = settings::times();
        view.list.columns = settings::columns();
        view.list.chart = settings::chart();
    }
    app.notes.set(notes);
    app.view.set(view);
    opening::follow_address(app);
}

/// Changes the view and the address with it.
pub(crate) fn navigate(app: App, entry: HistoryEntry, change: impl FnOnce(&mut ViewState)) {
    let before = app.view.get_untracked();
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return;
    }
    if after.times != before.times {
        settings::keep_times(after.times);
    }
    if !app.is_prewarm {
        if after.list.columns != before.list.columns {
            settings::keep_columns(&after.list.columns);
        }
        if after.list.chart != before.list.chart {
            settings::keep_chart(after.list.chart);
        }
        write_address(&after, entry);
    }
    app.notes.update(|notes| notes.clear());
    app.view.set(after);
}

/// Follows a link of the page.
pub(crate) fn follow(app: App, fragment: &str) {
    let (view, _) = parse_fragment(fragment);
    navigate(app, HistoryEntry::Push, |current| *current = view);
}

/// The address of the view as it would be after `change`: for links.
pub(crate) fn address(app: App, change: impl FnOnce(&mut ViewState)) -> String {
    let mut view = app.view.get();
    change(&mut view);
    print_fragment(&view)
}

/// The address of a span in its trace; of the trace, if the id of the span is empty.
pub(crate) fn span_address(app: App, trace_id: &str, span_id: &str) -> String {
    let span_id = Some(span_id.to_owned()).filter(|id| !id.is_empty());
    let shown = TraceView { trace_id: trace_id.to_owned(), span_id, ..TraceView::default() };
    address(app, |view| view.screen = Screen::Trace(shown))
}

/// Puts an opened file into the address. The screen stays if the address was waiting for this file
/// ([`quipu_web_actions::VisitFiles::was_awaited`]); otherwise the list of traces is shown.
pub(crate) fn enter_source(app: App, source: Source, was_empty: bool) {
    let named = app.view.with_untracked(|view| view.source.clone());
    let awaited = named.as_ref().is_some_and(|named| app.files.with_value(|files| files.was_awaited(named, &source, was_empty)));
    if awaited && let Some(named) = named.filter(|named| !means(named, &source)) {
        app.files.update_value(|files| files.take_for(named, source.clone()));
    }
    let elsewhere = app.view.with_untracked(|view| view.screen != Screen::Open && view.source.is_some() && !awaited);
    let entry = if elsewhere { HistoryEntry::Push } else { HistoryEntry::Replace };
    navigate(app, entry, |view| {
        if !awaited || view.screen == Screen::Open {
            view.screen = Screen::Traces;
        }
        if !awaited && view.source.is_some() {
            view.list = view.list.cleared();
        }
        view.source = Some(source);
    });
}

/// Whether an address that names `named` means the open file. A file that is still being opened is not open.
pub(crate) fn is_open(app: App, named: &Source) -> bool {
    app.file.with_untracked(|file| matches!(file, FileState::Open(_)))
        && app
            .opened
            .with_untracked(|opened| opened.as_ref().is_some_and(|opened| app.files.with_value(|files| files.stands_for(named, opened))))
}

fn write_address(view: &ViewState, entry: HistoryEntry) {
    let Ok(history) = window().history() else { return };
    let fragment = print_fragment(view);
    // A browser may refuse very many entries in a short time; the view is correct all the same.
    let _ = match entry {
        HistoryEntry::Push => history.push_state_with_url(&JsValue::NULL, "", Some(&fragment)),
        HistoryEntry::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(&fragment)),
    };
}
