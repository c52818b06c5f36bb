//! Progress of the import, the index and the search.

use crate::reactive::{dynamic, memo, on_mouse, when};
use crate::state::App;
use leptos::prelude::*;
use quipu_protocol::{IndexProgress, SearchProgress, SearchState};
use quipu_ui::view::{import_text, index_text, search_text};

/// The bar itself; `part` is in percent.
fn track(label: &'static str, part: Signal<String>, text: Signal<String>) -> AnyView {
    view! {
        <div
            class="bar-track"
            role="progressbar"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=part
            aria-valuetext=text
        >
            <div class="bar-fill" style:width=move || part.get() + "%"></div>
        </div>
        <span class="number">{text}</span>
    }
    .into_any()
}

/// The progress of an import, with a button to cancel it. Empty when none runs.
#[component]
pub(crate) fn ImportBar() -> impl IntoView {
    let app = App::get();
    let running = memo(move || app.importing.with(Option::is_some));
    let progress = move || app.importing.get().unwrap_or_default();
    let part = Signal::derive(move || percent(progress().bytes, progress().bytes_expected));
    let text = Signal::derive(move || import_text(&progress()));
    view! {
        {when(move || running.get(), move || view! {
            <div class="index-bar">
                <span>"Importing"</span>
                {track("Importing", part, text)}
                <button type="button" on:click=on_mouse(move |_| app.cancel_import())>"Cancel"</button>
            </div>
        })}
    }
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1}", (part as f64 / whole.max(1) as f64).min(1.0) * 100.0)
}

/// The progress of the index. Empty once it is complete.
#[component]
pub(crate) fn IndexBar() -> impl IntoView {
    let app = App::get();
    let running = memo(move || app.progress.with(Option::is_some));
    let part = move || match app.progress.get().unwrap_or_default() {
        IndexProgress { bytes_expected: 0, spans, spans_expected, .. } => percent(spans, spans_expected),
        IndexProgress { bytes, bytes_expected, .. } => percent(bytes, bytes_expected),
    };
    let text = move || app.progress.with(|progress| progress.as_ref().map(index_text).unwrap_or_default());
    view! {
        {when(move || running.get(), move || view! {
            <div class="index-bar">
                <span>"Indexing"</span>
                {track("Indexing", Signal::derive(part), Signal::derive(text))}
            </div>
        })}
    }
}

/// The progress of the search for the filter's texts, with a button to stop or continue it. Empty once everything was searched.
#[component]
pub(crate) fn SearchBar() -> impl IntoView {
    let app = App::get();
    // A search in one trace is shown next to its own box.
    let state = memo(move || {
        app.search.with(|search| search.as_ref().filter(|search| search.trace_id.is_none()).map(|search| search.state.clone()))
    });
    let read = move |read: fn(&SearchProgress) -> String| app.search.with(|search| search.as_ref().map(read).unwrap_or_default());
    let what = move || {
        read(|search| match search.texts.as_slice() {
            [] => "Searching attributes".into(),
            texts => format!("Searching for {}", texts.iter().map(|text| format!("“{text}”")).collect::<Vec<_>>().join(", ")),
        })
    };
    let part = Signal::derive(move || read(|search| percent(search.spans, search.spans_expected)));
    let text = Signal::derive(move || read(search_text));
    move || {
        match state.get()? {
        SearchState::Done => None,
        SearchState::Running => Some(
            view! {
                <div class="index-bar search-bar">
                    <span class="search-what">{what}</span>
                    {track("Searching", part, text)}
                    <button type="button" on:click=on_mouse(move |_| app.set_searching(false))>"Stop"</button>
                </div>
            }
            .into_any(),
        ),
        SearchState::Stopped => Some(
            view! {
                <div class="index-bar search-bar" role="status" aria-label="Search stopped">
                    <span>{dynamic(move || format!("Stopped after {}. The rest was not searched.", text.get()))}</span>
                    <button type="button" on:click=on_mouse(move |_| app.set_searching(true))>"Go on"</button>
                </div>
            }
            .into_any(),
        ),
        SearchState::Failed(failure) => Some(
            view! { <div class="index-bar search-bar"><p role="alert" class="failed">{format!("The search stopped. {}", failure.message)}</p></div> }
                .into_any(),
        ),
    }
    }
}

/// Shown while an answer needs the complete index; `what` begins the sentence.
#[component]
pub(crate) fn NotIndexedYet(
    /// A sentence.
    what: &'static str,
) -> impl IntoView {
    let app = App::get();
    let then = dynamic(move || app.index_stopped.get().unwrap_or_else(|| "It appears here as soon as it is known.".into()));
    view! {
        <div class="state" role="status">
            <p>{what}</p>
            <p>{then}</p>
        </div>
    }
}
