//! Copying to the clipboard.

use crate::browser::copy_text;
use crate::dom::{El, el, fill};
use crate::state::App;
use crate::widgets::{Build, Built, IconName, icon};
use leptos::prelude::*;
use std::rc::Rc;
use std::time::Duration;

/// Copies `text` and says so; `what` names it: "The span id".
pub(crate) fn copy(app: App, what: &'static str, text: String) {
    wasm_bindgen_futures::spawn_local(async move {
        let done = copy_text(text).await;
        app.announce.set(if done {
            format!("{what} was copied.")
        } else {
            format!("{what} could not be copied: the browser did not allow it. Select it and copy it by hand.")
        });
    });
}

/// A small button that copies what `text` gives; `what` as in [`copy`].
pub(crate) fn copy_button(build: &Build, what: &'static str, text: impl Fn() -> String + 'static) -> El {
    let app = build.app;
    let label = format!("Copy {}", lower_first(what.trim_start_matches("The ")));
    let button = el("button").attr("type", "button").class("icon-button").attr("aria-label", &label).attr("title", &label);
    button.child(icon(IconName::Copy)).on_press(&build.handlers, move |button| {
        fill(button, vec![icon(IconName::Check)]);
        let button = button.clone();
        set_timeout(move || fill(&button, vec![icon(IconName::Copy)]), Duration::from_millis(1_200));
        copy(app, what, text());
    })
}

/// The same where markup has signals.
#[component]
pub(crate) fn CopyButton(
    /// What is copied, as the start of a sentence.
    what: &'static str,
    /// The text.
    text: String,
) -> impl IntoView {
    let content = move |build: &Build| {
        let text = text.clone();
        vec![copy_button(build, what, move || text.clone())]
    };
    view! { <Built content=Rc::new(content) /> }
}

fn lower_first(text: &str) -> String {
    let mut lower = text.to_owned();
    if let Some(first) = lower.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    lower
}
