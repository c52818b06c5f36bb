//! One trace: what it is, what failed, its timeline, and the selected span beside it.

use super::find::Find;
use super::minimap::Minimap;
use super::open_trace::{OpenTrace, to_list};
use super::sheet::Sheet;
use super::span::SpanPanel;
use super::tabs::{PANEL, Tabs};
use super::timeline::Timeline;
use crate::browser::on_next_frame;
use crate::router;
use crate::state::{App, Load};
use crate::widgets::{CopyButton, Icon, IconName, IndexBar, NotIndexedYet, Warnings};
use leptos::prelude::*;
use quipu::model::SpanKind;
use quipu::protocol::{Request, Response, TraceColumns};
use quipu::share::{Place, TraceTab};
use quipu::view::{self, DASH, TimeWindow, WaterfallTree, ZoomKey};
use std::collections::HashMap;
use std::sync::Arc;

/// Failures shown at first.
const FIRST_FAILURES: usize = 2;
/// Failures shown at most, after asking: each asks for its span.
const MOST_FAILURES: usize = 50;

/// The screen.
#[component]
pub(crate) fn TracePage(trace_id: String) -> impl IntoView {
    let app = App::get();
    let load = RwSignal::new(Load::<Arc<TraceColumns>>::Waiting);
    let asked_for = trace_id.clone();
    Effect::new(move |_| {
        app.indexed.track();
        if matches!(*load.read_untracked(), Load::Ready(_)) {
            return;
        }
        app.ask(Request::GetTrace { trace_id: asked_for.clone(), scope: Default::default() }, move |answer| {
            let found = match answer {
                Ok(Response::Trace(columns)) => Load::Ready(Arc::new(*columns)),
                Ok(Response::NotIndexedYet) => Load::NotIndexed,
                Ok(_) => Load::Failed("The worker answered something else than a trace; reload the page.".into()),
                Err(failure) => Load::Failed(failure.message),
            };
            // Reading a large trace and drawing it are two tasks, so that neither is long. The screen may be gone by then.
            let busy = app.idle().begin();
            on_next_frame(move || {
                let _ = load.try_set(found);
                drop(busy);
            });
        });
    });
    // Until the trace is here, Esc alone has a meaning.
    app.handle_keys(move |_, key| {
        let back = key == "Escape";
        if back {
            to_list(app);
        }
        back
    });
    view! {
        <main class="screen trace-screen">
            {move || match load.get() {
                Load::Waiting => view! { <p class="state" role="status">"Reading the trace…"</p> }.into_any(),
                Load::NotIndexed => view! {
                    <IndexBar />
                    <NotIndexedYet what="The index has not reached this trace yet." />
                }
                .into_any(),
                Load::Failed(text) => view! {
                    <div class="state">
                        <p role="alert">{text}</p>
                        <a href=move || router::address(app, |view| view.place = Place::Traces)>"Back to the list of traces"</a>
                    </div>
                }
                .into_any(),
                Load::Ready(columns) => view! { <Trace columns /> }.into_any(),
            }}
        </main>
    }
}

/// A trace that is loaded.
#[component]
fn Trace(columns: Arc<TraceColumns>) -> impl IntoView {
    let app = App::get();
    let trace = OpenTrace::new(app, columns.clone());
    let warnings = columns.warnings.clone();
    let has_branches = columns.has_branches;
    let collapse = move |_| {
        let columns = trace.columns();
        trace.tree.update(|tree| tree.collapse_from(&columns, 0));
    };
    let has_spans = !columns.is_empty();
    let is_timeline = Memo::new(move |_| trace.tab.get() == TraceTab::Timeline);
    let panel = move || trace.selected_id.with(Option::is_some);
    let zoom = move |key: ZoomKey, sign: &'static str, name: &'static str, keys: &'static str| {
        view! {
            <button type="button" class="quiet zoom-button" aria-label=name title=format!("{name} ({keys})") on:click=move |_| trace.zoom(app, key)>{sign}</button>
        }
    };
    let whole = move || trace.window.with(TimeWindow::is_whole);
    view! {
        <TraceHead columns=columns.clone() />
        <Failures trace />
        <Warnings label="Trace warnings" compact=true warnings=Signal::stored(warnings) />
        <Show when=move || has_spans && matches!(trace.tab.get(), TraceTab::Timeline | TraceTab::Flame)>
            <Minimap trace />
        </Show>
        <div class="tabs">
            <Tabs trace />
            <div class="tab-tools">
                <Find trace />
                <Show when=move || is_timeline.get()>
                    <Show when=move || has_branches>
                        <button type="button" class="quiet" on:click=move |_| trace.tree.update(WaterfallTree::expand_all)>"Expand all"</button>
                        <button type="button" class="quiet" on:click=collapse>"Collapse all"</button>
                    </Show>
                    <span class="zoom-tools" role="group" aria-label="Zoom">
                        <button type="button" class="quiet" title="Show the whole trace (0)" disabled=whole on:click=move |_| trace.zoom(app, ZoomKey::Reset)>"Whole trace"</button>
                        {zoom(ZoomKey::Out, "−", "Zoom out", "s")}
                        {zoom(ZoomKey::In, "+", "Zoom in", "w")}
                    </span>
                </Show>
            </div>
        </div>
        <div class="trace-body" class:with-panel=panel>
            {move || match is_timeline.get() {
                true => view! {
                    <div role="tabpanel" id=PANEL class="tab-panel" aria-labelledby="tab-timeline"><Timeline trace /></div>
                }
                .into_any(),
                false => view! { <Sheet trace /> }.into_any(),
            }}
            <Show when=panel>
                <SpanPanel trace span_id=Signal::derive(move || trace.selected_id.get().unwrap_or_default()) />
            </Show>
        </div>
    }
}

/// Name, id, times, counts and tokens.
#[component]
fn TraceHead(columns: Arc<TraceColumns>) -> impl IntoView {
    let app = App::get();
    let failed = columns.failed_rows.len() as u64;
    let requests = u64::from(columns.requests);
    let name = if columns.is_empty() { "Trace without spans".to_owned() } else { columns.name_of(0).to_owned() };
    let kind = columns.kind.first().copied().unwrap_or(SpanKind::Other).label();
    let trace_id = columns.trace_id.clone();
    let start = columns.start;
    let zero = move || app.summary().and_then(|summary| summary.start);
    let start_text = move || start.map_or_else(|| DASH.to_owned(), |start| app.time_text(start, zero()));
    let tokens = view::token_sentence(&columns.token_totals);
    let duration = (!columns.is_empty()).then_some(columns.duration_nanos);
    view! {
        <header class="trace-head">
            <h1 title=name.clone()><i class=format!("kind-mark kind-{kind}") title=kind></i><span>{name.clone()}</span></h1>
            <dl class="facts">
                <div><dt>"Trace"</dt><dd class="mono">{trace_id.clone()}<CopyButton what="The trace id" text=trace_id.clone() /></dd></div>
                <div><dt>"Start"</dt><dd class="number">{start_text}</dd></div>
                <div><dt>"Duration"</dt><dd class="number">{view::duration_text(duration)}</dd></div>
                <div><dt>"Spans"</dt><dd class="number">{view::count(columns.len() as u64)}</dd></div>
                <div><dt>"Failures"</dt><dd class="number" class:failed=move || { failed > 0 }>{view::count(failed)}</dd></div>
                {(requests > 1).then(|| view! { <div><dt>"Requests"</dt><dd class="number">{view::count(requests)}</dd></div> })}
                {tokens.map(|tokens| view! { <div><dt>"Tokens"</dt><dd>{tokens}</dd></div> })}
            </dl>
        </header>
    }
}

/// The failed spans with their errors, before everything else.
#[component]
fn Failures(trace: OpenTrace) -> impl IntoView {
    let app = App::get();
    let columns = trace.columns();
    let count = columns.failed_rows.len();
    let failed: Vec<u32> = columns.failed_rows.iter().copied().take(MOST_FAILURES).collect();
    let shown = RwSignal::new(FIRST_FAILURES);
    let messages = RwSignal::new(HashMap::<u32, String>::new());
    let rows = Memo::new(move |_| failed.iter().copied().take(shown.get()).collect::<Vec<u32>>());
    Effect::new(move |asked: Option<usize>| {
        let rows = rows.get();
        let columns = trace.columns();
        for row in rows.iter().skip(asked.unwrap_or(0)).copied() {
            let Some(span_id) = columns.span_id.get(row as usize) else { continue };
            app.ask(Request::GetSpan { trace_id: columns.trace_id.clone(), span_id }, move |answer| {
                let text = match answer {
                    Ok(Response::Span(detail)) => {
                        let message = detail.failures.iter().map(|failure| failure.message.as_str()).find(|message| !message.is_empty());
                        message.unwrap_or("Its status is ERROR; no message was recorded.").to_owned()
                    }
                    Ok(_) => return,
                    Err(failure) => failure.message,
                };
                let _ = messages.try_update(|messages| messages.insert(row, text));
            });
        }
        rows.len()
    });
    let item = move |row: u32| {
        let name = trace.columns().name_of(row as usize).to_owned();
        let message = move || {
            messages.with(|messages| {
                let message = messages.get(&row).map_or("…", String::as_str);
                first_and_last_line(message)
            })
        };
        view! {
            <li>
                <button type="button" on:click=move |_| trace.select(app, row)>
                    <Icon name=IconName::Failed />
                    <span class="failure-name">{name}</span>
                    <span class="failure-text">{message}</span>
                </button>
            </li>
        }
    };
    let more = move || {
        if shown.get() < count.min(MOST_FAILURES) {
            let label = match count > MOST_FAILURES {
                true => format!("Show {MOST_FAILURES} of {} failures", view::count(count as u64)),
                false => format!("Show {}", view::counted(Some((count - shown.get()) as u64), "more failure", "more failures")),
            };
            return Some(
                view! { <button type="button" class="more" on:click=move |_| shown.set(MOST_FAILURES)>{label}</button> }.into_any(),
            );
        }
        // A list that ends early says so.
        (count > MOST_FAILURES).then(|| {
            let text = format!("{} more failed spans are marked in the timeline.", view::count((count - MOST_FAILURES) as u64));
            view! { <p class="soft">{text}</p> }.into_any()
        })
    };
    view! {
        <Show when=move || { count > 0 }>
            <section class="failures" aria-label="Failed spans">
                <ul><For each=move || rows.get() key=|row| *row children=item /></ul>
                {more}
            </section>
        </Show>
    }
}

/// A traceback's first line says where, its last what.
fn first_and_last_line(message: &str) -> String {
    let cut = |line: &str| view::clip(line, 240).map_or_else(|| line.to_owned(), |head| format!("{head}…"));
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = cut(lines.next().unwrap_or_default());
    match lines.next_back() {
        Some(last) => format!("{first} … {}", cut(last)),
        None => first,
    }
}
