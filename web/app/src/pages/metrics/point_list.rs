//! The spans that a point or a series of a chart was computed from: a short list of links.
//!
//! Not here: which spans they are (the metrics worker), and their names (the worker that reads files).

use crate::actions::router::span_address;
use crate::dom::{El, el, fill};
use crate::reactive::{effect, on_mouse, when};
use crate::state::App;
use crate::widgets::Build;
use leptos::prelude::*;
use quipu_model::Timestamp;
use quipu_model::format::{count, counted, number_text};
use quipu_protocol::{ListPointAmounts, NameSpans, NamedSpan, PointAmounts, PointQuery};

/// Spans that are listed at most.
const MOST: u32 = 100;

/// The content of the list.
#[derive(Clone)]
pub(super) struct PointList {
    /// What the list belongs to, in words.
    pub(super) title: String,
    found: PointAmounts,
    spans: Vec<NamedSpan>,
}

/// Requests the spans of a point, and puts them into `into`.
pub(super) fn ask_point_list(app: App, title: String, query: PointQuery, into: RwSignal<Option<PointList>>) {
    let query = PointQuery { limit: MOST, ..query };
    app.metrics_client().ask(ListPointAmounts(query), move |answer| {
        // An invalid query has no chart, so no point of it was pressed.
        let Ok(found) = answer else { return };
        let rows = found.amounts.iter().map(|amount| amount.row).collect();
        app.ask(NameSpans(rows), move |answer| {
            if let Ok(spans) = answer {
                let _ = into.try_set(Some(PointList { title, found, spans }));
            }
        });
    });
}

/// The list. Empty before a point was pressed.
#[component]
pub(super) fn PointListView(
    /// The list, once a point was pressed.
    list: RwSignal<Option<PointList>>,
    /// The label of the list.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let node = NodeRef::<leptos::html::Div>::new();
    let build = Build::here();
    build.clone().follow(node);
    let is_open = move || list.with(Option::is_some);
    effect(move || {
        let Some(root) = node.get() else { return };
        list.with(|list| fill(&root, list.iter().flat_map(|list| rows(&build, list)).collect()));
    });
    view! {
        {when(is_open, move || view! {
            <button type="button" class="quiet close-point-list" on:click=on_mouse(move |_| list.set(None))>"Close the list"</button>
        })}
        <div
            class="point-list"
            role=move || if is_open() { "region" } else { "presentation" }
            aria-label=move || is_open().then(|| label.clone())
            aria-live="polite"
            node_ref=node
        ></div>
    }
}

fn rows(build: &Build, list: &PointList) -> Vec<El> {
    let PointList { title, found, spans } = list;
    let mut text = format!("{}: {}", title, counted(Some(found.total), "amount", "amounts"));
    if found.without_span > 0 {
        text += &format!(", {} of them of no span of this file", count(found.without_span));
    }
    if found.total - found.without_span > spans.len() as u64 {
        text += &format!("; the latest {} are listed", count(spans.len() as u64));
    }
    let row = |amount: &quipu_protocol::PointAmount| {
        let span = spans.iter().find(|span| span.row == amount.row)?;
        let to = span_address(build.app, &span.trace_id, &span.span_id);
        let time = build.time(Timestamp(amount.at_millis.saturating_mul(1_000_000)), None, true);
        let cells = [
            el("td").child(time),
            el("td").child(el("a").attr("href", &to).text(&span.name)),
            el("td").class("number").text(&number_text(amount.amount)),
            el("td").class("mono soft").text(&amount.series),
        ];
        Some(el("tr").children(cells.into()))
    };
    let heads = ["Time", "Span", "Amount", "Added to"].map(|head| el("th").attr("scope", "col").text(head));
    let table = el("table")
        .class("figures")
        .attr("aria-label", "Spans behind the point")
        .child(el("thead").child(el("tr").children(heads.into())))
        .child(el("tbody").children(found.amounts.iter().filter_map(row).collect()));
    vec![el("p").class("soft").text(&text), table]
}
