//! The screen of a trace: its head, failures, views, and the panel of the selected span.

use super::failures::Failures;
use super::find::Find;
use super::minimap::Minimap;
use super::open_trace::{OpenTrace, in_address, to_list};
use super::sheet::Sheet;
use super::span::SpanPanel;
use super::tabs::{PANEL, Tabs};
use super::timeline::Timeline;
use super::timeline_tools::TimelineTools;
use crate::actions::router;
use crate::reactive::{dynamic, effect, memo, on_event, on_focus, on_pointer, when};
use crate::state::{App, Load};
use crate::widgets::{CopyButton, IndexBar, NotIndexedYet, Warnings};
use leptos::prelude::*;
use quipu_model::SpanKind;
use quipu_model::format;
use quipu_model::format::DASH;
use quipu_protocol::TraceTab;
use quipu_protocol::address::{Screen, TraceView, ViewState};
use quipu_protocol::{GetTrace, RequestOutline, TraceColumns};
use quipu_ui::view;
use std::sync::Arc;
use std::time::Duration;

/// The screen.
#[component]
pub(crate) fn TracePage(trace_id: String) -> impl IntoView {
    let app = App::get();
    let load = RwSignal::new(Load::<Arc<TraceColumns>>::Waiting);
    let asked_for = trace_id.clone();
    let scope = memo(move || in_address(app, |view| view.timeline.scope.clone()).unwrap_or_default());
    let loaded = StoredValue::new(None);
    effect(move || {
        app.indexed.track();
        let (generation, scope_wanted) = (app.generation.get(), scope.get());
        let wanted = (generation, scope_wanted.clone());
        if matches!(*load.read_untracked(), Load::Ready(_)) && loaded.with_value(|loaded| loaded.as_ref() == Some(&wanted)) {
            return;
        }
        app.ask(GetTrace { trace_id: asked_for.clone(), scope: scope_wanted.clone() }, move |answer| {
            // Meanwhile another part may be wanted, or the screen be gone.
            if scope.try_get_untracked().is_none_or(|scope| scope != scope_wanted) {
                return;
            }
            loaded.set_value(Some(wanted));
            let found = Load::from(answer.map(Arc::new));
            // Reading a large trace, building its screen and laying that out are tasks of their own, so that none is long. The screen
            // may be gone by then.
            let busy = app.idle().begin();
            let build = move || {
                let _ = load.try_set(found);
                drop(busy);
            };
            set_timeout(build, Duration::ZERO);
        });
    });
    // Until the trace is loaded, only Esc has an effect.
    app.handle_keys(move |_, key| {
        let back = key == "Escape";
        if back {
            to_list(app);
        }
        back
    });
    view! {
        <main class="screen trace-screen">
            {dynamic(move || match load.get() {
                Load::Waiting => view! { <p class="state" role="status">"Reading the trace…"</p> }.into_any(),
                Load::NotIndexed => view! {
                    <IndexBar />
                    <NotIndexedYet what="The index has not reached this trace yet." />
                }
                .into_any(),
                Load::Failed(text) => view! {
                    <div class="state">
                        <p role="alert">{text}</p>
                        <a href=move || router::address(app, show_whole)>"Show the whole trace"</a>
                        " "
                        <a href=move || router::address(app, |view| view.screen = Screen::Traces)>"Back to the list of traces"</a>
                    </div>
                }
                .into_any(),
                Load::Ready(columns) => view! { <Trace columns /> }.into_any(),
            })}
        </main>
    }
}

/// The address of the same trace with all of its spans.
fn show_whole(view: &mut ViewState) {
    if let Screen::Trace(trace) = &mut view.screen {
        *trace = TraceView { trace_id: trace.trace_id.clone(), ..TraceView::default() };
    }
}

/// A trace that is loaded.
#[component]
fn Trace(columns: Arc<TraceColumns>) -> impl IntoView {
    let app = App::get();
    let trace = OpenTrace::new(app, columns.clone());
    let warnings = columns.warnings.clone();
    let has_spans = !columns.is_empty();
    let is_timeline = memo(move || trace.tab.get() == TraceTab::Timeline);
    let panel = move || trace.selected_id.with(Option::is_some);
    view! {
        <TraceHead columns=columns.clone() />
        <Failures trace />
        <Warnings label="Trace warnings" compact=true warnings=Signal::stored(warnings) />
        {when(move || has_spans && matches!(trace.tab.get(), TraceTab::Timeline | TraceTab::Flame), move || view! {
            <Minimap trace />
        })}
        <div class="tabs">
            <Tabs trace />
            <div class="tab-tools">
                <Find trace />
            </div>
        </div>
        {when(move || is_timeline.get(), move || view! {
            <TimelineTools trace />
        })}
        <div class="trace-body" class:with-panel=panel>
            {dynamic(move || match is_timeline.get() {
                true => view! {
                    <div role="tabpanel" id=PANEL class="tab-panel" aria-labelledby="tab-timeline"><Timeline trace /></div>
                }
                .into_any(),
                false => view! { <Sheet trace /> }.into_any(),
            })}
            {when(panel, move || view! {
                <SpanPanel trace span_id=Signal::derive(move || trace.selected_id.get().unwrap_or_default()) />
            })}
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
    let start_text = dynamic(move || start.map_or_else(|| DASH.to_owned(), |start| app.time_text(start, zero())));
    let (shown, all) = (columns.len() as u64, u64::from(columns.spans_in_trace));
    let spans = if shown == all { format::count(all) } else { format!("{} of {}", format::count(shown), format::count(all)) };
    let tokens = format::token_sentence(&columns.token_totals);
    let duration = (!columns.is_empty()).then_some(columns.duration_nanos);
    view! {
        <header class="trace-head">
            <h1 title=name.clone()><i class=format!("kind-mark kind-{kind}") title=kind></i><span>{name.clone()}</span></h1>
            <dl class="facts">
                <div><dt>"Trace"</dt><dd class="mono">{trace_id.clone()}<CopyButton what="The trace id" text=trace_id.clone() /></dd></div>
                <div><dt>"Start"</dt><dd class="number">{start_text}</dd></div>
                <div><dt>"Duration"</dt><dd class="number">{format::duration_text(duration)}</dd></div>
                <div><dt>"Spans"</dt><dd class="number">{spans}</dd></div>
                <div><dt>"Failed spans"</dt><dd class="number" class:failed=move || { failed > 0 }>{format::count(failed)}</dd></div>
                {(requests > 1).then(|| view! { <div><dt>"Requests"</dt><dd><Requests columns=columns.clone() /></dd></div> })}
                {tokens.map(|tokens| view! { <div><dt>"Tokens"</dt><dd>{tokens}</dd></div> })}
            </dl>
        </header>
    }
}

/// Chooses which of the requests merged into one trace is shown.
#[component]
fn Requests(columns: Arc<TraceColumns>) -> impl IntoView {
    let app = App::get();
    let shown = memo(move || in_address(app, |view| view.timeline.scope.request.clone()).flatten().unwrap_or_default());
    let choose = move |event| {
        let id = event_target_value(&event);
        router::navigate(app, router::HistoryEntry::Push, |view| {
            if let Screen::Trace(view) = &mut view.screen {
                view.timeline.scope.request = (!id.is_empty()).then_some(id);
                // Times count from the start of the shown part.
                (view.window, view.timeline.measured) = (None, None);
            }
        });
    };
    // A merged trace may have very many requests: they are listed when the menu is opened; before that, only the chosen one.
    let asked = RwSignal::new(false);
    let outlines = columns.clone();
    let options = dynamic(move || {
        let (all, shown) = (asked.get(), shown.get());
        let listed = outlines.outlines.iter().filter(|outline| all || outline.span_id == shown);
        let option = |outline: &RequestOutline| {
            let (id, text) = (outline.span_id.clone(), view::outline_text(outline));
            view! { <option selected={id == shown} value=id>{text}</option> }
        };
        listed.map(option).collect_view()
    });
    let missing = u64::from(columns.requests) - columns.outlines.len() as u64;
    let all = match missing {
        0 => format!("all {}", format::count(columns.requests.into())),
        _ => format!(
            "all {}; the first {} can be shown alone",
            format::count(columns.requests.into()),
            format::count(columns.outlines.len() as u64)
        ),
    };
    view! {
        <select class="requests" aria-label="Shown request" on:change=on_event(choose) on:pointerdown=on_pointer(move |_| asked.set(true)) on:focus=on_focus(move |_| asked.set(true))>
            <option value="" selected=move || shown.get().is_empty()>{all}</option>
            {options}
        </select>
    }
}
