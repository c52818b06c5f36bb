//! The shown screen.

use super::metrics::MetricsPage;
use super::{LogsPage, OpenPage, SqlPage, TracePage, TracesPage};
use crate::reactive::memo;
use crate::state::{App, FileState};
use crate::widgets::ImportBar;
use leptos::prelude::*;
use quipu_protocol::address::Screen;

/// What is drawn: the screen of the address, or a step on the way to it.
#[derive(Clone, PartialEq)]
enum Drawn {
    Open,
    Opening(String),
    Traces,
    Trace(String),
    Metrics,
    Sql,
    Logs,
}

/// The shown screen.
#[component]
pub(crate) fn Screens() -> impl IntoView {
    let app = App::get();
    let screen = memo(move || {
        app.file.with(|file| match file {
            FileState::None => Drawn::Open,
            // The list is laid out while the worker opens the file, because its rows arrive first.
            FileState::Opening { fetched: true, .. } if app.view.with(|view| view.screen.is_list()) => Drawn::Traces,
            FileState::Opening { name, .. } => Drawn::Opening(name.clone()),
            FileState::Open(_) => app.view.with(|view| match &view.screen {
                Screen::Open | Screen::Traces => Drawn::Traces,
                Screen::Trace(view) => Drawn::Trace(view.trace_id.clone()),
                Screen::Metrics(_) => Drawn::Metrics,
                Screen::Sql(_) => Drawn::Sql,
                Screen::Logs(_) => Drawn::Logs,
            }),
        })
    });
    move || match screen.get() {
        Drawn::Open => view! { <OpenPage /> }.into_any(),
        Drawn::Opening(name) => view! {
            <main class="screen">
                <p class="state" role="status">{format!("Opening {name}…")}</p>
                <ImportBar />
            </main>
        }
        .into_any(),
        Drawn::Traces => view! { <TracesPage /> }.into_any(),
        Drawn::Metrics => view! { <MetricsPage /> }.into_any(),
        Drawn::Sql => view! { <SqlPage /> }.into_any(),
        Drawn::Logs => view! { <LogsPage /> }.into_any(),
        Drawn::Trace(trace_id) => view! { <TracePage trace_id /> }.into_any(),
    }
}
