//! The view and the address: every change of the one reaches the other.
//!
//! What is not here: the address' form, which is the core's `share`.

use crate::browser::{keep_setting, load_setting, window};
use crate::carried;
use crate::growth;
use crate::opening;
use crate::pages::{CHART, COLUMNS, kept_columns};
use crate::state::{App, FileState};
use leptos::prelude::*;
use quipu_model::format::TimeStyle;
use quipu_protocol::address::{Place, Source, ViewState, parse_fragment, print_fragment};
use wasm_bindgen::JsValue;

/// Whether a change of the view is a step to go back from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A new entry of the history.
    Push,
    /// The current entry changes.
    Replace,
}

/// Reads the address at the start, and again when the reader goes back, forward or edits it.
pub(crate) fn start(app: App) {
    opening::take_carried(app);
    growth::take_served(app);
    read_address(app);
    let hash_changed = window_event_listener(leptos::ev::hashchange, move |_| read_address(app));
    // pushState makes entries without a change of hash in some browsers' eyes: going back over them is told by popstate only.
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
        view.times = kept_times();
        view.list.columns = kept_columns(load_setting(COLUMNS));
        view.list.chart = kept_chart();
    }
    app.notes.set(notes);
    app.view.set(view);
    opening::follow_address(app);
}

fn kept_times() -> TimeStyle {
    match load_setting("times").as_deref() {
        Some("local") => TimeStyle::Local,
        Some("relative") => TimeStyle::Relative,
        _ => TimeStyle::Utc,
    }
}

/// Where nothing is kept, a low screen leaves the picture to those who ask for it.
fn kept_chart() -> bool {
    const LOW_PX: f64 = 560.0;
    match load_setting(CHART) {
        Some(setting) => setting != "off",
        None => window().inner_height().ok().and_then(|height| height.as_f64()).is_none_or(|height| height >= LOW_PX),
    }
}

/// Changes the view and the address with it.
pub(crate) fn navigate(app: App, step: Step, change: impl FnOnce(&mut ViewState)) {
    let before = app.view.get_untracked();
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return;
    }
    if after.times != before.times {
        keep_setting(
            "times",
            match after.times {
                TimeStyle::Utc => "utc",
                TimeStyle::Local => "local",
                TimeStyle::Relative => "relative",
            },
        );
    }
    if !app.rehearsed {
        if after.list.columns != before.list.columns {
            keep_setting(COLUMNS, &after.list.columns.text());
        }
        if after.list.chart != before.list.chart {
            keep_setting(CHART, if after.list.chart { "on" } else { "off" });
        }
        write_address(&after, step);
    }
    app.notes.update(|notes| notes.clear());
    app.view.set(after);
}

/// Follows a link of the page.
pub(crate) fn follow(app: App, fragment: &str) {
    let (view, _) = parse_fragment(fragment);
    navigate(app, Step::Push, |current| *current = view);
}

/// The address of the view as it would be after `change`: for links.
pub(crate) fn address(app: App, change: impl FnOnce(&mut ViewState)) -> String {
    let mut view = app.view.get();
    change(&mut view);
    print_fragment(&view)
}

/// A file was opened: its name goes into the address. The place stays when the address was waiting for this file. Where no file was open
/// before, the reader was asked for that of the address, and one of its name is it, though it may have grown since; while another is open,
/// a file of one name and another size is another file.
pub(crate) fn enter_source(app: App, source: Source, was_empty: bool) {
    let named = app.view.with_untracked(|view| view.source.clone());
    let awaited = named.as_ref().is_some_and(|named| {
        stands_for(app, named, &source) || (was_empty && same_name(named, &source) && app.known_files(named).is_none())
    });
    if awaited && let Some(named) = named.filter(|named| !means(named, &source)) {
        app.take_for(named, source.clone());
    }
    let elsewhere = app.view.with_untracked(|view| view.place != Place::Open && view.source.is_some() && !awaited);
    let step = if elsewhere { Step::Push } else { Step::Replace };
    navigate(app, step, |view| {
        if !awaited || view.place == Place::Open {
            view.place = Place::Traces;
        }
        if !awaited && view.source.is_some() {
            view.list = view.list.cleared();
        }
        view.source = Some(source);
    });
}

/// Whether an address that names `named` means `source`: the same sample, or a file of that name and size.
pub(crate) fn means(named: &Source, source: &Source) -> bool {
    match (named, source) {
        // An address may leave the size out.
        (Source::File { size_bytes: None, .. }, Source::File { .. }) => same_name(named, source),
        _ => named == source,
    }
}

/// Whether an address that names `named` means `source` in this visit, where the reader may have given a file that grew since.
fn stands_for(app: App, named: &Source, source: &Source) -> bool {
    means(named, source) || app.known_files(named).is_some_and(|(known, _)| known == *source)
}

/// Whether both are the same sample, or files of one name.
pub(crate) fn same_name(one: &Source, other: &Source) -> bool {
    match (one, other) {
        (Source::Sample(one), Source::Sample(other)) => one == other,
        (Source::File { name: one, .. }, Source::File { name: other, .. }) => one == other,
        _ => false,
    }
}

/// Whether an address that names `named` means what is open; what is still being opened is not open.
pub(crate) fn is_open(app: App, named: &Source) -> bool {
    app.file.with_untracked(|file| matches!(file, FileState::Open(_)))
        && app.opened.with_untracked(|opened| opened.as_ref().is_some_and(|opened| stands_for(app, named, opened)))
}

fn write_address(view: &ViewState, step: Step) {
    let Ok(history) = window().history() else { return };
    let fragment = print_fragment(view);
    // A browser may refuse when there are very many steps in a short time; the view itself is right all the same.
    let _ = match step {
        Step::Push => history.push_state_with_url(&JsValue::NULL, "", Some(&fragment)),
        Step::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(&fragment)),
    };
}
