//! The spans that hold a filter's texts, newest first, each with its first match.
//!
//! What is not here: the search itself, which is the core's.

use super::traces::{GRID, draw_in_parts, keys, row_id};
use crate::browser::is_on_link;
use crate::router::{self, Step};
use crate::state::App;
use crate::widgets::{Icon, IconName, NotIndexedYet, Viewport};
use leptos::prelude::*;
use quipu::model::SpanMarks;
use quipu::protocol::SearchHit;
use quipu::share::{ListView, Place, TraceView};
use quipu::view::{self, DASH};
use std::sync::Arc;

/// The list.
#[component]
pub(super) fn Hits(
    /// The filter's texts.
    texts: Memo<Vec<String>>,
) -> impl IntoView {
    let app = App::get();
    let list = app.hits;
    let viewport = Viewport::new(list.scroll_top.get_value());
    on_cleanup(move || list.scroll_top.set_value(viewport.top()));
    // Orders and failures are of traces.
    let shown = Memo::new(move |_| ListView { filter: app.view.with(|view| view.list.filter.clone()), ..ListView::default() });
    viewport.load(app, list, shown);
    keys(app, list, viewport, move |hit| (hit.span_id.clone(), texts.with_untracked(|texts| place_of(hit, texts))));
    let window = Memo::new(move |_| viewport.window(list.len().into()));
    let allowed = draw_in_parts(app, window);
    let places = move || {
        let window = window.get();
        (window.first as u32..(window.first + window.count.min(allowed.get())) as u32)
            .map(|place| (place, list.row(place)))
            .collect::<Vec<_>>()
    };
    view! {
        {move || list.failure.get().map(|failure| view! { <div class="state"><p role="alert">{failure}</p></div> })}
        <Show when=move || list.not_indexed.get()>
            <NotIndexedYet what="The search begins once the whole file is indexed." />
        </Show>
        <Show when=move || list.total.get() == Some(0)>
            <div class="state"><p>"No span of the traces that match holds the text. Letter case does not count; everything else does."</p></div>
        </Show>
        <div
            class="grid hit-grid"
            id=GRID
            role="grid"
            aria-label="Matches"
            aria-rowcount=move || list.total.get().map_or(-1, |total| i64::from(total) + 1)
            aria-busy=move || if list.is_loaded() { "false" } else { "true" }
            aria-activedescendant=move || list.cursor.get().map(row_id)
            tabindex="0"
            node_ref=viewport.node
            on:scroll=move |_| viewport.scrolled()
        >
            <div class="grid-head hit-row" role="row" aria-rowindex="1">
                <span role="columnheader" class="cell-start">"Start"</span>
                <span role="columnheader">"Span"</span>
                <span role="columnheader" class="cell-trace">"Trace"</span>
                <span role="columnheader" class="cell-where">"Where"</span>
                <span role="columnheader">"Match"</span>
            </div>
            <div class="grid-space" role="presentation" style:height=move || format!("{}px", viewport.map(list.len().into()).height_px())>
                <div class="grid-window" role="rowgroup" style:transform=move || format!("translateY({}px)", window.get().top_px)>
                    <For each=places key=|(place, hit)| (*place, hit.as_ref().map_or(0, |hit| Arc::as_ptr(hit) as usize)) let((place, hit))>
                        {row(app, place, hit, texts)}
                    </For>
                </div>
            </div>
        </div>
    }
}

/// Where a hit leads: its span, with the text marked in it.
fn place_of(hit: &SearchHit, texts: &[String]) -> Place {
    let find = view::found_text(texts, &hit.first.matched).to_owned();
    Place::Trace(TraceView { trace_id: hit.trace_id.clone(), span_id: Some(hit.span_id.clone()), find, ..TraceView::default() })
}

fn row(app: App, place: u32, hit: Option<Arc<SearchHit>>, texts: Memo<Vec<String>>) -> AnyView {
    let list = app.hits;
    let Some(hit) = hit else {
        return view! { <div class="hit-row coming" role="row" aria-rowindex=place + 2><span role="gridcell">"…"</span></div> }.into_any();
    };
    let target = {
        let hit = hit.clone();
        move || texts.with_untracked(|texts| place_of(&hit, texts))
    };
    let link = {
        let target = target.clone();
        move || router::address(app, |view| view.place = target())
    };
    let open = move |event: leptos::ev::MouseEvent| {
        list.cursor.set(Some(place));
        if !is_on_link(&event) {
            router::navigate(app, Step::Push, |view| view.place = target());
        }
    };
    let start = {
        let start = hit.start;
        let zero = move || app.summary().and_then(|summary| summary.start);
        move || start.map_or_else(|| DASH.to_owned(), |start| view::cut_to_millis(&app.time_text(start, zero())).to_owned())
    };
    let kind = hit.kind.label();
    let more = (hit.more > 0).then(|| view! { <span class="soft hit-more">{format!("+{}", view::count(hit.more.into()))}</span> });
    let first = &hit.first;
    view! {
        <div
            class="hit-row"
            role="row"
            id=row_id(place)
            data-span-id=hit.span_id.clone()
            data-hit-trace=hit.trace_id.clone()
            aria-rowindex=place + 2
            aria-selected=move || if list.cursor.get() == Some(place) { "true" } else { "false" }
            on:click=open
        >
            <span role="gridcell" class="cell-start number">{start}</span>
            <span role="gridcell" class="cell-name">
                <i class=format!("kind-mark kind-{kind}") title=kind></i>
                <a href=link tabindex="-1" title=hit.name.clone()>{hit.name.clone()}</a>
                {hit.marks.has(SpanMarks::FAILED).then(|| view! { <span class="failed" title="Failed"><Icon name=IconName::Failed /></span> })}
            </span>
            <span role="gridcell" class="cell-trace mono" title=hit.trace_id.clone()>{hit.trace_id.clone()}</span>
            <span role="gridcell" class="cell-where mono">{view::place_text(&first.place)}</span>
            <span role="gridcell" class="hit-text">
                <span class="hit-before"><bdi>{first.before.clone()}</bdi></span>
                <span class="hit-found"><mark>{first.matched.clone()}</mark>{first.after.clone()}{more}</span>
            </span>
        </div>
    }
    .into_any()
}
