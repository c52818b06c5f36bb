//! The spans behind a point of a chart, or behind a series: a short list with the way to each.
//!
//! What is not here: which they are, which the worker that counts says, and their names, which the other one knows.

use crate::dom::{El, el, fill};
use crate::router::address;
use crate::state::App;
use crate::widgets::Build;
use leptos::prelude::*;
use quipu_model::Timestamp;
use quipu_model::format::{count, counted, number_text};
use quipu_protocol::address::{Place, TraceView};
use quipu_protocol::{MetricsRequest, MetricsResponse, NamedSpan, PointAmounts, PointQuery, Request, Response};

/// Spans that are listed at most.
const MOST: u32 = 100;

/// What is shown.
#[derive(Clone)]
pub(super) struct Behind {
    /// Of what, in words.
    pub(super) title: String,
    found: PointAmounts,
    spans: Vec<NamedSpan>,
}

/// Asks for the spans behind a point, and puts them into `into`.
pub(super) fn ask_behind(app: App, title: String, query: PointQuery, into: RwSignal<Option<Behind>>) {
    let query = PointQuery { limit: MOST, ..query };
    app.counter().ask(&MetricsRequest::ListBehind(query), move |response| {
        let MetricsResponse::Behind(Ok(found)) = response else { return };
        let rows = found.amounts.iter().map(|amount| amount.row).collect();
        app.ask(Request::NameSpans(rows), move |answer| {
            if let Ok(Response::Named(spans)) = answer {
                let _ = into.try_set(Some(Behind { title, found, spans }));
            }
        });
    });
}

/// The list; nothing before a point was pressed.
#[component]
pub(super) fn BehindList(
    /// What is shown.
    behind: RwSignal<Option<Behind>>,
    /// What the list is called.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let node = NodeRef::<leptos::html::Div>::new();
    let build = Build::here();
    build.clone().follow(node);
    let is_open = move || behind.with(Option::is_some);
    Effect::new(move |_| {
        let Some(root) = node.get() else { return };
        behind.with(|behind| fill(&root, behind.iter().flat_map(|behind| list(&build, behind)).collect()));
    });
    view! {
        <Show when=is_open>
            <button type="button" class="quiet close-behind" on:click=move |_| behind.set(None)>"Close the list"</button>
        </Show>
        <div
            class="behind"
            role=move || if is_open() { "region" } else { "presentation" }
            aria-label=move || is_open().then(|| label.clone())
            aria-live="polite"
            node_ref=node
        ></div>
    }
}

fn list(build: &Build, behind: &Behind) -> Vec<El> {
    let Behind { title, found, spans } = behind;
    let mut said = format!("{}: {}", title, counted(Some(found.total), "amount", "amounts"));
    if found.without_span > 0 {
        said += &format!(", {} of them of no span of this file", count(found.without_span));
    }
    if found.total - found.without_span > spans.len() as u64 {
        said += &format!("; the latest {} are listed", count(spans.len() as u64));
    }
    let row = |amount: &quipu_protocol::PointAmount| {
        let span = spans.iter().find(|span| span.row == amount.row)?;
        let to = address(build.app, |view| {
            let shown = TraceView { trace_id: span.trace_id.clone(), span_id: Some(span.span_id.clone()), ..TraceView::default() };
            view.place = Place::Trace(shown);
        });
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
    vec![el("p").class("soft").text(&said), table]
}
