//! The shown screen.

use super::metrics::MetricsPage;
use super::{OpenPage, SqlPage, TracePage, TracesPage};
use crate::reactive::memo;
use crate::state::{App, FileState};
use crate::widgets::ImportBar;
use leptos::prelude::*;
use quipu_protocol::address::Place;

/// Which screen is shown.
#[derive(Clone, PartialEq)]
enum Screen {
    Open,
    Opening(String),
    Traces,
    Trace(String),
    Metrics,
    Sql,
}

/// The shown screen.
#[component]
pub(crate) fn Screens() -> impl IntoView {
    let app = App::get();
    let screen = memo(move || {
        app.file.with(|file| match file {
            FileState::None => Screen::Open,
            // The list is laid out while the worker opens the file, because its rows arrive first.
            FileState::Opening { fetched: true, .. } if app.view.with(|view| view.place.is_list()) => Screen::Traces,
            FileState::Opening { name, .. } => Screen::Opening(name.clone()),
            FileState::Open(_) => app.view.with(|view| match &view.place {
                Place::Open | Place::Traces => Screen::Traces,
                Place::Trace(view) => Screen::Trace(view.trace_id.clone()),
                Place::Metrics(_) => Screen::Metrics,
                Place::Sql(_) => Screen::Sql,
            }),
        })
    });
    move || match screen.get() {
        Screen::Open => view! { <OpenPage /> }.into_any(),
        Screen::Opening(name) => view! {
            <main class="screen">
                <p class="state" role="status">{format!("Opening {name}…")}</p>
                <ImportBar />
            </main>
        }
        .into_any(),
        Screen::Traces => view! { <TracesPage /> }.into_any(),
        Screen::Metrics => view! { <MetricsPage /> }.into_any(),
        Screen::Sql => view! { <SqlPage /> }.into_any(),
        Screen::Trace(trace_id) => view! { <TracePage trace_id /> }.into_any(),
    }
}
