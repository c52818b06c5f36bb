//! A served file that grows: the newest generation is opened by itself where that moves nothing under the reader's eyes, else by a button.
//!
//! What is not here: noticing the growth, which the program that serves the file does.

use crate::browser::document;
use crate::state::{Alert, App, FileState, Remedy};
use crate::widgets::{Icon, IconName};
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::Response;
use quipu_protocol::address::{Place, Source};
use std::sync::Arc;

/// The file that is served beside the page, as addresses name it.
pub(crate) fn served() -> Option<Source> {
    let named = document().query_selector("meta[name='quipu-served']").ok()??;
    Some(Source::File { name: named.get_attribute("content")?, size_bytes: None })
}

/// Whether `source` without files is what is served beside the page.
pub(crate) fn is_served(source: &Source, files: &[web_sys::File]) -> bool {
    files.is_empty() && served().as_ref() == Some(source)
}

/// Opens what is served where the address names nothing, and is ready for addresses that name it.
pub(crate) fn take_served(app: App) {
    if let Some(source) = served() {
        app.remember(source.clone(), Vec::new());
        if crate::browser::window().location().hash().is_ok_and(|hash| hash.is_empty()) {
            app.open(source, Vec::new());
        }
    }
}

/// Follows the file where the list of traces is seen from its top and nothing is picked out of it.
pub(crate) fn watch(app: App) {
    Effect::new(move |_| {
        let at_list = app.view.with(|view| view.place == Place::Traces && view.list.filter.is_empty());
        if app.grown.with(Option::is_some) && at_list && is_at_top() && app.traces.cursor.get().is_none() {
            follow(app);
        }
    });
}

fn is_at_top() -> bool {
    document().query_selector("main [role='grid']").ok().flatten().is_none_or(|grid| grid.scroll_top() == 0)
}

/// Opens the newest generation. What is shown stays until it is answered anew.
fn follow(app: App) {
    app.grown.set(None);
    app.epoch.update(|epoch| *epoch += 1);
    let epoch = app.epoch.get_untracked();
    app.client().open_served(move |answer| {
        if app.epoch.get_untracked() != epoch {
            return;
        }
        match answer {
            Ok(Response::File(summary)) => {
                app.file.set(FileState::Open(Arc::new(*summary)));
                app.generation.update(|generation| *generation += 1);
                app.indexed.update(|times| *times += 1);
            }
            Ok(_) => {}
            Err(failure) => app.alert.set(Some(Alert { text: failure.message, remedy: Remedy::Dismiss })),
        }
    });
    app.search.set(None);
    app.trace_search.set(None);
    app.traces.refresh();
    app.hits.refresh();
}

/// Says that the file has grown, where the reader decides when to look.
#[component]
pub(crate) fn Growth() -> impl IntoView {
    let app = App::get();
    let notice = move || {
        let grown = app.grown.get()?;
        let summary = app.summary()?;
        let text = format::growth_text(&summary.name, summary.spans, grown.spans);
        Some(view! {
            <div class="notice" role="status" aria-label="Growth">
                <Icon name=IconName::Odd />
                <p>{text}</p>
                <button type="button" on:click=move |_| follow(app)>"Show them"</button>
            </div>
        })
    };
    view! { {notice} }
}
