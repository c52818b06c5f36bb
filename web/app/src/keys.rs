//! The keys of the whole page: which belong to the focused widget, and which to the current screen.

use crate::browser::{document, is_inside};
use crate::state::App;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Listens for keys wherever the focus is.
pub(crate) fn listen(app: App) {
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        if on_key(app, &event) {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

/// `true` when the key did something.
fn on_key(app: App, event: &KeyboardEvent) -> bool {
    // An open dialog takes all keys, wherever the focus is.
    let open = document().query_selector("dialog[open]").ok().flatten().is_some();
    if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && event.key().eq_ignore_ascii_case("k") {
        app.commands.set(!open);
        return true;
    }
    if open || event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() || event.default_prevented() {
        return false;
    }
    let key = event.key();
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok()).or_else(|| document().document_element());
    let Some(target) = target else { return false };
    // Input fields take letters.
    if is_inside(&target, "input, textarea, select, [contenteditable]") {
        return false;
    }
    if key == "?" {
        app.help.set(true);
        return true;
    }
    // These keys press a focused button or link.
    if matches!(key.as_str(), "Enter" | " ") && is_inside(&target, "button, a, summary") {
        return false;
    }
    // The arrow keys scroll the panel.
    let scrolls = matches!(key.as_str(), "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home" | "End" | "PageUp" | "PageDown");
    if scrolls && is_inside(&target, "[role=complementary]") {
        return false;
    }
    app.press(event, &key)
}
