//! The list of traces, under what the file is.

use super::filter_bar::{self, FilterBar};
use super::hits::Hits;
use super::paged_list::{Listed, PagedList};
use crate::browser::{focus, is_on_link, on_next_frame};
use crate::router::{self, Step};
use crate::state::{App, FileState};
use crate::widgets::{Choice, Icon, IconName, IndexBar, NotIndexedYet, SearchBar, Segmented, Viewport, Warnings, copy};
use leptos::prelude::*;
use quipu::filter::Filter;
use quipu::model::SpanKind;
use quipu::protocol::{FileSummary, TraceOrder, TraceRow};
use quipu::share::{ListView, Place};
use quipu::view::{self, DASH, MoveKey, ScrollWindow, TimeStyle};
use std::sync::Arc;

/// The id of the table, of traces or of matches.
pub(super) const GRID: &str = "list";

/// Rows drawn in one frame when the table appears.
const PART: u64 = 12;

/// The screen.
#[component]
pub(crate) fn TracesPage() -> impl IntoView {
    let app = App::get();
    let list_view = Memo::new(move |_| app.view.with(|view| view.list.clone()));
    // The texts the filter searches for: without one there are no matches to list.
    let texts = Memo::new(move |_| Filter::parse(&list_view.get().filter).map(|filter| filter.texts()).unwrap_or_default());
    let hits = Memo::new(move |_| list_view.get().hits && texts.with(|texts| !texts.is_empty()));
    // What is searched for another filter is of no interest any more.
    Effect::new(move |before: Option<String>| {
        let filter = list_view.get().filter;
        if before.is_some_and(|before| before != filter) {
            app.forget_search(filter.is_empty());
        }
        filter
    });
    let rows_of = vec![
        Choice { value: false, label: "Traces", title: "The traces that match" },
        Choice { value: true, label: "Matches", title: "The spans that hold the text" },
    ];
    let order = vec![
        Choice { value: TraceOrder::NEWEST, label: "Newest", title: "Latest start first" },
        Choice { value: TraceOrder::SLOWEST, label: "Slowest", title: "Longest duration first" },
    ];
    let which = vec![
        Choice { value: false, label: "All", title: "Every trace" },
        Choice { value: true, label: "Failed", title: "Only traces that hold a failed span" },
    ];
    view! {
        <main class="screen traces-screen">
            {move || match app.file.get() {
                FileState::Opening { name, .. } => Some(view! { <p class="opening" role="status">{format!("Opening {name}…")}</p> }),
                _ => None,
            }}
            <FileHead />
            <Warnings label="File warnings" warnings=Signal::derive(move || app.summary().map(|summary| summary.warnings.clone()).unwrap_or_default()) />
            <IndexBar />
            <div class="toolbar">
                <FilterBar />
                <Show when=move || texts.with(|texts| !texts.is_empty())>
                    <Segmented
                        label="Rows"
                        choices=rows_of.clone()
                        current=hits
                        choose=move |hits| router::navigate(app, Step::Push, |view| view.list.hits = hits)
                    />
                </Show>
                <Show when=move || !hits.get()>
                    <Segmented
                        label="Which traces"
                        choices=which.clone()
                        current=Signal::derive(move || list_view.get().failed_only)
                        choose=move |failed_only| router::navigate(app, Step::Push, |view| view.list.failed_only = failed_only)
                    />
                    <Segmented
                        label="Order"
                        choices=order.clone()
                        current=Signal::derive(move || list_view.get().order)
                        choose=move |order| router::navigate(app, Step::Push, |view| view.list.order = order)
                    />
                </Show>
                <Count hits />
            </div>
            <SearchBar />
            {move || if hits.get() { view! { <Hits texts /> }.into_any() } else { view! { <Traces /> }.into_any() }}
        </main>
    }
}

/// How many the list has, of how many; said again when it changes.
#[component]
fn Count(hits: Memo<bool>) -> impl IntoView {
    let app = App::get();
    let text = move || {
        if hits.get() {
            return app.hits.count_text("matching span", "matching spans");
        }
        let some = app.view.with(|view| view.list.failed_only || !view.list.filter.is_empty());
        let all = app.summary()?.traces?;
        let list = app.traces;
        some.then(|| match list.total.get() {
            Some(total) => Some(format!("{} of {}", view::count(total.into()), view::counted(Some(all), "trace", "traces"))),
            None => list.count_text("trace", "traces"),
        })?
    };
    view! { <span class="list-count number soft" role="status" aria-label="Count">{text}</span> }
}

/// The traces.
#[component]
fn Traces() -> impl IntoView {
    let app = App::get();
    let list = app.traces;
    let viewport = Viewport::new(list.scroll_top.get_value());
    on_cleanup(move || list.scroll_top.set_value(viewport.top()));
    let list_view = Memo::new(move |_| app.view.with(|view| ListView { hits: false, ..view.list.clone() }));
    viewport.load(app, list, list_view);
    keys(app, list, viewport, |row: &TraceRow| (row.trace_id.clone(), Place::trace(row.trace_id.clone())));
    view! {
        {move || list.failure.get().map(|failure| view! { <div class="state"><p role="alert">{failure}</p></div> })}
        <Show when=move || list.not_indexed.get()>
            <NotIndexedYet what="Which traces these are is known once the whole file is indexed." />
        </Show>
        <Show when=move || list.total.get() == Some(0)>
            <Empty />
        </Show>
        <TraceGrid list viewport />
    }
}

/// What the list says when it has nothing.
#[component]
fn Empty() -> impl IntoView {
    let app = App::get();
    let list = move || app.view.with(|view| view.list.clone());
    move || {
        let ListView { failed_only, filter, .. } = list();
        if !filter.is_empty() {
            let traces = view::counted(app.summary().and_then(|summary| summary.traces), "trace", "traces");
            let what = if failed_only { "No failed trace matches " } else { "No trace matches " };
            view! {
                <div class="state">
                    <p>{what}<code>{filter}</code>{format!("; {traces} were looked at.")}</p>
                    <button type="button" on:click=move |_| router::navigate(app, Step::Push, |view| view.list = ListView::default())>
                        "Show all traces"
                    </button>
                </div>
            }
            .into_any()
        } else if failed_only {
            let summary = app.summary();
            let spans = view::counted(summary.and_then(|summary| summary.spans), "span", "spans");
            view! { <div class="state"><p>{format!("No trace holds a failed span; {spans} were looked at.")}</p></div> }.into_any()
        } else {
            view! {
                <div class="state">
                    <p>"The file is a telemetry file, but it holds no traces yet."</p>
                    <p>"A server writes a trace when its first span ends; open the file again after a request."</p>
                </div>
            }
            .into_any()
        }
    }
}

/// Name, size, times, counts and tokens of the file.
#[component]
fn FileHead() -> impl IntoView {
    let app = App::get();
    move || {
        let summary = app.summary()?;
        let FileSummary {
            name, size_bytes, traces, failed_traces, spans, events, requests, start, end, zone, tokens, service_names, ..
        } = &*summary;
        let range = match (start, end) {
            (Some(start), Some(end)) => {
                let length = u64::try_from(end.nanos_since(*start)).ok();
                // The range is absolute in every style: it is what relative times count from.
                let relative = app.view.with(|view| view.times) == TimeStyle::Relative;
                let text = |at| seconds(&if relative { view::time(at, TimeStyle::Utc, 0, None) } else { app.time_text(at, None) });
                format!("{} to {} ({})", text(*start), text(*end), view::duration_text(length))
            }
            _ => DASH.into(),
        };
        let clock = move || match app.view.with(|view| view.times) {
            TimeStyle::Local => "this computer’s clock",
            _ => "UTC",
        };
        let services: Vec<String> = service_names.iter().map(|name| shown_name(name)).collect();
        Some(view! {
            <section class="file-head" aria-label="File">
                <h1>{name.clone()}</h1>
                <dl class="facts">
                    <div><dt>"Size"</dt><dd>{view::bytes(*size_bytes)}</dd></div>
                    <div>
                        <dt>"Traces"</dt>
                        <dd>
                            {count(*traces)}
                            {failed_traces.filter(|failed| *failed > 0).map(|failed| view! { <span class="failed">{format!(" ({} failed)", view::count(failed))}</span> })}
                        </dd>
                    </div>
                    <div><dt>"Requests"</dt><dd>{count(*requests)}</dd></div>
                    <div><dt>"Spans"</dt><dd>{count(*spans)}</dd></div>
                    <div><dt>"Events"</dt><dd>{count(*events)}</dd></div>
                    <div><dt>"Service"</dt><dd>{if services.is_empty() { DASH.to_owned() } else { services.join(", ") }}</dd></div>
                    <div><dt>"Time"</dt><dd title=view::zone_sentence(*zone)>{range}{start.map(|_| view! { " "<span class="soft">{clock}</span> })}</dd></div>
                    <div><dt>"Tokens"</dt><dd>{tokens.as_ref().map_or_else(|| DASH.into(), |tokens| view::token_sentence(tokens).unwrap_or_else(|| "no inference requests".into()))}</dd></div>
                </dl>
            </section>
        })
    }
}

fn count(number: Option<u64>) -> String {
    number.map_or_else(|| DASH.into(), view::count)
}

/// A blank service name (the default is one zero-width space) has no other look than these words.
fn shown_name(name: &str) -> String {
    let blank = name.chars().all(|letter| letter.is_whitespace() || letter == '\u{200b}');
    if blank { "(no service name)".into() } else { name.to_owned() }
}

/// A time without the fraction of its second.
fn seconds(text: &str) -> String {
    text.split('.').next().unwrap_or(text).to_owned()
}

/// The table.
#[component]
fn TraceGrid(list: PagedList<TraceRow>, viewport: Viewport) -> impl IntoView {
    let app = App::get();
    let total = move || list.total.get().map_or(-1, |total| i64::from(total) + 1);
    let window = Memo::new(move |_| viewport.window(list.len().into()));
    let allowed = draw_in_parts(app, window);
    let places = move || {
        let window = window.get();
        (window.first as u32..(window.first + window.count.min(allowed.get())) as u32)
            .map(|place| (place, list.row(place)))
            .collect::<Vec<_>>()
    };
    let active = move || list.cursor.get().map(row_id);
    // Relative times count from the file's first span.
    let zero = Memo::new(move |_| app.summary().and_then(|summary| summary.start));
    let longest = Memo::new(move |_| {
        let mut longest = 0;
        list.visit(|row| longest = row.duration_nanos.unwrap_or(0).max(longest));
        longest
    });
    view! {
        <div
            class="grid trace-grid"
            id=GRID
            role="grid"
            aria-label="Traces"
            aria-rowcount=total
            aria-busy=move || if list.is_loaded() { "false" } else { "true" }
            aria-activedescendant=active
            tabindex="0"
            node_ref=viewport.node
            on:scroll=move |_| viewport.scrolled()
        >
            <div class="grid-head trace-row" role="row" aria-rowindex="1">
                <span role="columnheader" class="cell-start">"Start"</span>
                <span role="columnheader" class="cell-name">"Name"</span>
                <span role="columnheader" class="cell-duration">"Duration"</span>
                <span role="columnheader" class="cell-number cell-spans">"Spans"</span>
                <span role="columnheader" class="cell-number cell-failed">"Failed"</span>
                <span role="columnheader" class="cell-number cell-requests" title="Requests in the trace, where it holds more than one">"Requests"</span>
                <span role="columnheader" class="cell-number cell-tokens">"Prompt"</span>
                <span role="columnheader" class="cell-number cell-tokens">"Completion"</span>
                <span role="columnheader" class="cell-number cell-total">"Tokens"</span>
            </div>
            <div class="grid-space" role="presentation" style:height=move || format!("{}px", viewport.map(list.len().into()).height_px())>
                <div class="grid-window" role="rowgroup" style:transform=move || format!("translateY({}px)", window.get().top_px)>
                    <For each=places key=|(place, row)| (*place, row.as_ref().map_or(0, |row| Arc::as_ptr(row) as usize)) let((place, row))>
                        <Row place row zero=zero.into() longest=longest.into() />
                    </For>
                </div>
            </div>
        </div>
    }
}

/// How many rows of the window may be drawn: at first a few, in every frame some more. A screenful of rows at once can take longer than a
/// page may keep the reader waiting.
pub(super) fn draw_in_parts(app: App, window: Memo<ScrollWindow>) -> RwSignal<u64> {
    let allowed = RwSignal::new(PART);
    Effect::new(move |_| {
        if allowed.get() < window.get().count {
            // Until then not everything is drawn.
            let busy = app.idle().begin();
            on_next_frame(move || {
                let _ = allowed.try_update(|allowed| *allowed += PART);
                drop(busy);
            });
        }
    });
    allowed
}

pub(super) fn row_id(place: u32) -> String {
    format!("trace-row-{place}")
}

/// One trace; a line of dashes while it is on its way.
#[component]
fn Row(place: u32, row: Option<Arc<TraceRow>>, zero: Signal<Option<quipu::model::Timestamp>>, longest: Signal<u64>) -> AnyView {
    let app = App::get();
    let list = app.traces;
    let Some(row) = row else {
        return view! { <div class="trace-row coming" role="row" aria-rowindex=place + 2><span role="gridcell">"…"</span></div> }
            .into_any();
    };
    let kind = row.root_kind.unwrap_or(SpanKind::Other).label();
    let start = {
        let row = row.clone();
        move || row.start.map_or_else(|| DASH.to_owned(), |start| view::cut_to_millis(&app.time_text(start, zero.get())).to_owned())
    };
    let bar = {
        let nanos = row.duration_nanos.unwrap_or(0);
        move || format!("{:.2}%", if longest.get() == 0 { 0.0 } else { nanos as f64 / longest.get() as f64 * 100.0 })
    };
    let number = |number: Option<u64>| number.map_or_else(|| DASH.into(), view::count);
    let tokens = |part: fn(&quipu::model::TokenTotals) -> Option<u64>| number(row.tokens.as_ref().and_then(part));
    let failed = row.failed.unwrap_or(0) > 0;
    let requests = row.requests.filter(|requests| *requests > 1).map(|requests| view::count(requests.into()));
    let name = row.root_name.clone().unwrap_or_else(|| DASH.into());
    let target = {
        let trace_id = row.trace_id.clone();
        move |view: &mut quipu::share::ViewState| view.place = Place::trace(trace_id.clone())
    };
    let link = {
        let target = target.clone();
        move || router::address(app, target.clone())
    };
    let open = move |event: leptos::ev::MouseEvent| {
        list.cursor.set(Some(place));
        if !is_on_link(&event) {
            router::navigate(app, Step::Push, target.clone());
        }
    };
    view! {
        <div
            class="trace-row"
            class:has-failed=failed
            role="row"
            id=row_id(place)
            data-trace-id=row.trace_id.clone()
            aria-rowindex=place + 2
            aria-selected=move || if list.cursor.get() == Some(place) { "true" } else { "false" }
            on:click=open
        >
            <span role="gridcell" class="cell-start number">{start}</span>
            <span role="gridcell" class="cell-name">
                <i class=format!("kind-mark kind-{kind}") title=kind></i>
                <a href=link tabindex="-1" title=name.clone()>{name.clone()}</a>
            </span>
            <span role="gridcell" class="cell-duration">
                <span class="number">{view::duration_text(row.duration_nanos)}</span>
                <span class="duration-track" aria-hidden="true"><span class="duration-bar" style:width=bar></span></span>
            </span>
            <span role="gridcell" class="cell-number cell-spans number">{number(row.spans.map(u64::from))}</span>
            <span role="gridcell" class="cell-number cell-failed number">
                {failed.then(|| view! { <Icon name=IconName::Failed /> })}
                {match row.failed { Some(0) => String::new(), other => number(other.map(u64::from)) }}
            </span>
            <span role="gridcell" class="cell-number cell-requests number">{requests}</span>
            <span role="gridcell" class="cell-number cell-tokens number">{tokens(|totals| totals.prompt)}</span>
            <span role="gridcell" class="cell-number cell-tokens number">{tokens(|totals| totals.completion)}</span>
            <span role="gridcell" class="cell-number cell-total number">{tokens(|totals| totals.total)}</span>
        </div>
    }
    .into_any()
}

/// The list's keys. `target` tells a row's id, and the place it opens.
pub(super) fn keys<R: Listed>(app: App, list: PagedList<R>, viewport: Viewport, target: impl Fn(&R) -> (String, Place) + 'static) {
    app.handle_keys(move |_, key| {
        if key == "/" {
            focus(filter_bar::INPUT);
            return true;
        }
        let cursor = list.cursor.get_untracked();
        if let Some(row) = cursor.and_then(|place| list.row_untracked(place)) {
            let (id, place) = target(&row);
            match key {
                "Enter" => {
                    router::navigate(app, Step::Push, |view| view.place = place);
                    return true;
                }
                "c" => {
                    copy(app, "The id", id);
                    return true;
                }
                _ => {}
            }
        }
        let Some(key) = MoveKey::from_name(key) else { return false };
        let len = list.len_untracked().into();
        let page = viewport.map_untracked(len).page_rows();
        match view::move_in_list(len, cursor.map(u64::from), key, page) {
            Some(place) => {
                list.cursor.set(u32::try_from(place).ok());
                // Enter is the row's now, whichever button was pressed last.
                focus(GRID);
                viewport.reveal(place, len);
                true
            }
            None => false,
        }
    });
}
