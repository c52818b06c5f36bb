//! The screen of the list of traces, below the head of the file.
//!
//! Not here: its table (`trace_grid`), its totals (`scatter`), and the head of the file (`file_head`).

use super::file_head::FileHead;
use super::filter_bar::{FilterBar, FilterOf};
use super::hits::Hits;
use super::list_grid::list_state;
use super::scatter::overview;
use super::trace_grid::trace_grid;
use crate::actions::router::{self, HistoryEntry};
use crate::dom::{El, el};
use crate::reactive::{dynamic, effect_with, memo};
use crate::state::{App, FileState, ListedBy};
use crate::widgets::{Build, Built, Choice, ImportBar, IndexBar, SearchBar, Segmented, Viewport, Warnings, more};
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::GroupBy;
use quipu_protocol::address::{ListView, LogView, Screen};
use quipu_protocol::filter::Filter;
use std::rc::Rc;

/// The screen.
#[component]
pub(crate) fn TracesPage() -> impl IntoView {
    let app = App::get();
    let list_view = memo(move || app.view.with(|view| view.list.clone()));
    // The texts the filter searches for. Without any, there are no matches to list.
    let texts = memo(move || Filter::parse(&list_view.get().filter).map(|filter| filter.texts()).unwrap_or_default());
    let hits = memo(move || list_view.get().hits && texts.with(|texts| !texts.is_empty()));
    // A search for an earlier filter is obsolete.
    effect_with(move |before: Option<String>| {
        let filter = list_view.get().filter;
        if before.is_some_and(|before| before != filter) {
            app.forget_search(filter.is_empty());
        }
        filter
    });
    let rows_of = vec![
        Choice { value: false, label: "Traces", title: "The traces that match" },
        Choice { value: true, label: "Matches", title: "The spans that contain the text" },
    ];
    let groups = vec![
        Choice { value: None, label: "Single", title: "Each trace on its own line" },
        Choice { value: Some(GroupBy::Session), label: "Sessions", title: "The traces of an agent session in one group" },
        Choice { value: Some(GroupBy::Turn), label: "Turns", title: "A turn and its resumes in one group" },
    ];
    let which = vec![
        Choice { value: false, label: "All", title: "Every trace" },
        Choice { value: true, label: "Failed", title: "Only traces with a failed span" },
    ];
    let opening = move |_: &Build| match app.file.get() {
        FileState::Opening { name, .. } => vec![el("p").class("opening").attr("role", "status").text(&format!("Opening {name}…"))],
        _ => Vec::new(),
    };
    let group = move |group| {
        router::navigate(app, HistoryEntry::Push, |view| {
            view.list.group = group;
            view.list.open.clear();
        });
    };
    let warnings = Signal::derive(move || app.summary().map(|summary| summary.warnings.clone()).unwrap_or_default());
    view! {
        <main class="screen traces-screen">
            <Built content=Rc::new(opening) />
            <ImportBar />
            <FileHead />
            <Warnings label="File warnings" warnings />
            <IndexBar />
            <div class="toolbar" class:for-hits=move || hits.get() class:has-texts=move || texts.with(|texts| !texts.is_empty())>
                <FilterBar of=FilterOf::Traces />
                <Segmented label="Rows" choices=rows_of current=hits choose=move |hits| router::navigate(app, HistoryEntry::Push, |view| view.list.hits = hits) />
                <Segmented
                    label="Which traces"
                    choices=which
                    current=Signal::derive(move || list_view.get().failed_only)
                    choose=move |failed_only| router::navigate(app, HistoryEntry::Push, |view| view.list.failed_only = failed_only)
                />
                <Segmented label="Groups" choices=groups current=Signal::derive(move || list_view.get().group) choose=group />
            </div>
            <SearchBar />
            {dynamic(move || {
                let count = view! { <span class="list-count number soft" role="status" aria-label="Count">{count(app, hits)}</span> };
                if hits.get() { view! { <div class="overview">{count}</div><Hits texts /> }.into_any() } else { traces(app, count.into_any()) }
            })}
        </main>
    }
}

/// How many traces are listed, and of how many; announced again when it changes.
fn count(app: App, hits: Memo<bool>) -> impl Fn() -> Option<String> {
    move || {
        if hits.get() {
            return app.hits.count_text("matching span", "matching spans");
        }
        let some = app.view.with(|view| view.list.failed_only || !view.list.filter.is_empty());
        let all = app.summary()?.traces?;
        let list = app.traces;
        some.then(|| match list.total.get() {
            Some(_) => Some(format!("{} of {}", format::count(list.found().into()), format::counted(Some(all), "trace", "traces"))),
            None => list.count_text("trace", "traces"),
        })?
    }
}

/// The table of traces, below their count.
fn traces(app: App, count: AnyView) -> AnyView {
    let list = app.traces;
    let viewport = Viewport::new(list.scroll_top.get_value());
    on_cleanup(move || list.scroll_top.set_value(viewport.top()));
    let list_view = memo(move || ListedBy::List(app.view.with(|view| view.list.rows())));
    viewport.load(app, list, list_view);
    let state = list_state(app, list, "These traces are known when the file is indexed.", Rc::new(move |build| nothing(app, build)));
    view! {
        {overview(app, viewport.width, count)}
        {state}
        {trace_grid(app, viewport)}
    }
    .into_any()
}

/// The message of an empty list.
fn nothing(app: App, build: &Build) -> Vec<El> {
    let ListView { failed_only, filter, .. } = app.view.with(|view| view.list.clone());
    let summary = app.summary();
    let text = |text: &str| el("p").text(text);
    if !filter.is_empty() {
        let traces = format::counted(summary.and_then(|summary| summary.traces), "trace", "traces");
        let what = if failed_only { "No failed trace matches " } else { "No trace matches " };
        let clear = more("Show all traces")
            .on_press(&build.handlers, move |_| router::navigate(app, HistoryEntry::Push, |view| view.list = view.list.cleared()));
        vec![text(what).child(el("code").text(&filter)).text(&format!("; {traces} were looked at.")), clear]
    } else if failed_only {
        let spans = format::counted(summary.and_then(|summary| summary.spans), "span", "spans");
        vec![text(&format!("No failed spans in {spans}."))]
    } else if let Some(records) = summary.and_then(|summary| summary.log_records).filter(|records| *records > 0) {
        let records = format::counted(Some(records), "log record", "log records");
        let show = more("Show the logs").on_press(&build.handlers, move |_| {
            router::navigate(app, HistoryEntry::Push, |view| view.screen = Screen::Logs(LogView::default()));
        });
        vec![text(&format!("The file holds no traces, but {records}.")), show]
    } else {
        vec![
            text("The telemetry file contains no traces yet."),
            text("A server writes a trace when its first span ends. Reopen the file after a request."),
        ]
    }
}
