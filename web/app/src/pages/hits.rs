//! The list of spans that contain the filter's texts, newest first, each with its first match.
//!
//! Not here: the search itself (the worker).

use super::list_grid::{RowAction, Table, list_grid, list_state, row_id};
use super::trace_grid::coming;
use crate::actions::router::{self, HistoryEntry};
use crate::dom::{El, el, fill};
use crate::reactive::memo;
use crate::state::App;
use crate::state::{ListedBy, Row};
use crate::widgets::{Build, IconName, Viewport, icon};
use leptos::prelude::*;
use quipu_model::SpanFlags;
use quipu_model::format;
use quipu_model::format::DASH;
use quipu_protocol::SearchHit;
use quipu_protocol::address::{ListView, Screen, TraceView};
use quipu_ui::view;
use std::rc::Rc;
use web_sys::Element;

const NOTHING: &str = "No span of the matching traces contains the text. The search ignores letter case.";

/// The headings and their classes.
const HEADINGS: [(&str, &str); 5] = [
    ("Start", "cell-start"),
    ("Span", ""),
    ("Trace", "cell-trace"),
    ("Where", "cell-where"),
    ("Match", ""),
];

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
    // Sorting and "failed only" apply to traces.
    let shown = memo(move || ListedBy::List(ListView { filter: app.view.with(|view| view.list.filter.clone()), ..ListView::default() }));
    viewport.load(app, list, shown);
    let version = memo(move || {
        let address = router::address(app, |view| view.screen = Screen::Traces);
        let times = app.summary().map(|summary| (summary.start, summary.zone));
        format!("{address} {times:?} {:?}", texts.get())
    });
    let head = |root: &Element| {
        let heading = |(text, class): (&str, &str)| el("span").class(class).attr("role", "columnheader").text(text);
        root.set_class_name("grid-head hit-row");
        fill(root, HEADINGS.into_iter().map(heading).collect());
    };
    let row = move |place: u32, row: Option<&Row>| match row {
        Some(Row::Hit(hit)) => hit_row(app, place, hit, &texts.get_untracked()),
        _ => coming(place, "hit-row coming"),
    };
    let on_action = move |_: u32, row: &Row, action: RowAction| {
        let Row::Hit(hit) = row else { return false };
        if action == RowAction::Open {
            let screen = texts.with_untracked(|texts| screen_of(hit, texts));
            router::navigate(app, HistoryEntry::Push, |view| view.screen = screen);
        }
        action == RowAction::Open
    };
    let nothing = |_: &Build| vec![el("p").text(NOTHING)];
    view! {
        {list_state(app, list, "The search starts when the file is indexed.", Rc::new(nothing))}
        {list_grid(
            app,
            Table {
                label: "Matches",
                class: "grid hit-grid",
                list,
                viewport,
                version,
                head: Rc::new(head),
                row: Rc::new(row),
                on_action: Rc::new(on_action),
                press: Rc::new(|_| {}),
            },
        )}
    }
}

/// The view that a match links to: its span, with the text marked.
fn screen_of(hit: &SearchHit, texts: &[String]) -> Screen {
    let find = view::found_text(texts, &hit.first.matched).to_owned();
    Screen::Trace(TraceView { trace_id: hit.trace_id.clone(), span_id: Some(hit.span_id.clone()), find, ..TraceView::default() })
}

fn hit_row(app: App, place: u32, hit: &SearchHit, texts: &[String]) -> El {
    let link = untrack(|| router::address(app, |view| view.screen = screen_of(hit, texts)));
    let zero = app.summary().and_then(|summary| summary.start);
    let start = hit.start.map(|start| app.time_text(start, zero));
    let kind = hit.kind.label();
    let first = &hit.first;
    let cell = |class: &str| el("span").attr("role", "gridcell").class(class);
    let failed = hit.flags.has(SpanFlags::FAILED).then(|| el("span").class("failed").attr("title", "Failed").child(icon(IconName::Failed)));
    let more = (hit.more > 0).then(|| el("span").class("soft hit-more").text(&format!("+{}", format::count(hit.more.into()))));
    let found = el("span").class("hit-found").child(el("mark").text(&first.matched)).text(&first.after).maybe(more);
    let is_cursor = app.hits.cursor.get_untracked() == Some(place);
    el("div")
        .class("hit-row")
        .attr("role", "row")
        .attr("id", &row_id(place))
        .attr("data-place", &place.to_string())
        .attr("data-span-id", &hit.span_id)
        .attr("data-hit-trace", &hit.trace_id)
        .attr("aria-rowindex", &(place + 2).to_string())
        .attr("aria-selected", if is_cursor { "true" } else { "false" })
        .child(cell("cell-start number").text(start.as_deref().map_or(DASH, format::cut_to_millis)))
        .child(
            cell("cell-name")
                .child(el("i").class(&format!("kind-mark kind-{kind}")).attr("title", kind))
                .child(el("a").attr("href", &link).attr("tabindex", "-1").attr("title", &hit.name).text(&hit.name))
                .maybe(failed),
        )
        .child(cell("cell-trace mono").attr("title", &hit.trace_id).text(&hit.trace_id))
        .child(cell("cell-where mono").text(&view::place_text(&first.place)))
        .child(cell("hit-text").child(el("span").class("hit-before").child(el("bdi").text(&first.before))).child(found))
}
