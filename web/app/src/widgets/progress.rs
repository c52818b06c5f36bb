//! The index while it runs.

use crate::state::App;
use leptos::prelude::*;
use quipu::view::index_text;

/// A bar with what is done and how fast; nothing once the index is complete.
#[component]
pub(crate) fn IndexBar() -> impl IntoView {
    let app = App::get();
    let running = Memo::new(move |_| app.progress.with(Option::is_some));
    let part = move || {
        app.progress.with(|progress| {
            progress.as_ref().map_or(0.0, |progress| match (progress.bytes_expected, progress.spans_expected) {
                (0, 0) => 0.0,
                (0, spans) => (progress.spans as f64 / spans as f64).min(1.0),
                (bytes, _) => (progress.bytes as f64 / bytes as f64).min(1.0),
            })
        })
    };
    let text = move || app.progress.with(|progress| progress.as_ref().map(index_text).unwrap_or_default());
    view! {
        <Show when=move || running.get()>
            <div class="index-bar">
                <span>"Indexing"</span>
                <div
                    class="bar-track"
                    role="progressbar"
                    aria-label="Indexing"
                    aria-valuemin="0"
                    aria-valuemax="100"
                    aria-valuenow=move || format!("{:.0}", part() * 100.0)
                    aria-valuetext=text
                >
                    <div class="bar-fill" style:width=move || format!("{:.1}%", part() * 100.0)></div>
                </div>
                <span class="number">{text}</span>
            </div>
        </Show>
    }
}

/// What stands where an answer needs the whole index: `what` begins the sentence.
#[component]
pub(crate) fn NotIndexedYet(
    /// A sentence.
    what: &'static str,
) -> impl IntoView {
    let app = App::get();
    let then = move || app.index_stopped.get().unwrap_or_else(|| "It is shown by itself as soon as it is known.".into());
    view! {
        <div class="state" role="status">
            <p>{what}</p>
            <p>{then}</p>
        </div>
    }
}
