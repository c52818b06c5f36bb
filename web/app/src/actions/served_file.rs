//! The served file: opened at the start, and followed while it grows. A newer generation is opened without asking if that moves nothing the
//! reader looks at.
//!
//! Not here: detecting growth (`quipu serve`), and the notice with its button (`widgets`).

use crate::browser::{document, window};
use crate::client::served;
use crate::reactive::effect;
use crate::state::App;
use leptos::prelude::*;
use quipu_protocol::address::Screen;

/// Opens the served file if the address names nothing, and makes it known to addresses that name it.
pub(crate) fn take_served(app: App) {
    if let Some(source) = served() {
        app.remember(source.clone(), Vec::new());
        if window().location().hash().is_ok_and(|hash| hash.is_empty()) {
            app.open(source, Vec::new());
        }
    }
}

/// Opens newer generations while the list of traces is at its top, without a filter or a cursor.
pub(crate) fn watch(app: App) {
    effect(move || {
        let at_list = app.view.with(|view| view.screen == Screen::Traces && view.list.filter.is_empty());
        if app.grown.with(Option::is_some) && at_list && is_at_top() && app.traces.cursor.get().is_none() {
            follow(app);
        }
    });
}

fn is_at_top() -> bool {
    document().query_selector("main [role='grid']").ok().flatten().is_none_or(|grid| grid.scroll_top() == 0)
}

/// Opens the newest generation. What is shown stays until the new answers arrive.
pub(crate) fn follow(app: App) {
    quipu_web_actions::follow_served(app);
}
