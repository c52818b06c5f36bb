//! Copying to the clipboard.

use crate::browser::copy_text;
use crate::state::App;
use crate::widgets::{Icon, IconName};
use leptos::prelude::*;

/// Copies `text` and says so; `what` names it: "The span id".
pub(crate) fn copy(app: App, what: &'static str, text: String) {
    wasm_bindgen_futures::spawn_local(async move {
        let done = copy_text(text).await;
        app.said.set(if done {
            format!("{what} was copied.")
        } else {
            format!("{what} could not be copied: the browser did not allow it. Select it and copy it by hand.")
        });
    });
}

/// A small button that copies what `text` gives; `what` as in [`copy`].
#[component]
pub(crate) fn CopyButton(
    /// What is copied, as the start of a sentence.
    what: &'static str,
    /// The text, asked for when pressed.
    #[prop(into)]
    text: Callback<(), String>,
) -> impl IntoView {
    let app = App::get();
    let done = RwSignal::new(false);
    let pressed = move |_| {
        done.set(true);
        set_timeout(
            move || {
                let _ = done.try_set(false);
            },
            std::time::Duration::from_millis(1_200),
        );
        copy(app, what, text.run(()));
    };
    let label = format!("Copy {}", lower_first(what.trim_start_matches("The ")));
    view! {
        <button type="button" class="icon-button" aria-label=label.clone() title=label on:click=pressed>
            {move || if done.get() { view! { <Icon name=IconName::Check /> } } else { view! { <Icon name=IconName::Copy /> } }}
        </button>
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
