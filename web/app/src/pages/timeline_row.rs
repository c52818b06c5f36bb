//! One row of the timeline: a span in the tree, and its bar.
//!
//! Not here: which rows there are (`timeline`), and the geometry of bars (`quipu_ui::view`).

use super::open_trace::OpenTrace;
use crate::widgets::{Icon, IconName};
use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use quipu_model::format;
use quipu_model::{SpanFlags, SpanKind};
use quipu_ui::view;
use quipu_ui::view::{Bar, BarLabel, STRIP_HEIGHT, STRIP_WIDTH, Side, WaterfallRow};
use std::fmt::Write;

/// Indentation stops growing at this depth; the level itself is in `aria-level`.
const DEEPEST_INDENT: u32 = 24;

/// The data of a row.
pub(super) struct TimelineRow {
    /// The span.
    pub(super) row: WaterfallRow,
    /// Whether it matches the search.
    pub(super) matched: bool,
}

/// The id of the row's element.
pub(super) fn row_id(row: u32) -> String {
    format!("span-row-{row}")
}

/// The row. Its bar follows the time window, and its highlight the selection; any other change makes a new row. The timeline listens to
/// presses: rows come and go by the dozen while it is scrolled, so each has to be cheap.
pub(super) fn span_row(trace: OpenTrace, label_part: Memo<f64>, row: TimelineRow) -> impl IntoView {
    let TimelineRow { row, matched } = row;
    let number = row.row;
    let kind = row.kind;
    let failed = row.failed();
    let logged = !failed && row.flags.has(SpanFlags::LOGGED_ERROR);
    let collapsed = row.expanded == Some(false);
    let caret = row.expanded.map(|expanded| {
        let label = if expanded { "Collapse" } else { "Expand" };
        view! { <button type="button" class="caret-button" tabindex="-1" aria-label=label></button> }
    });
    let mut class = String::from("span-row");
    for (holds, word) in [(failed, " failed"), (collapsed, " folded"), (matched, " matched")] {
        class.push_str(if holds { word } else { "" });
    }
    let duration = row.duration;
    // It contains only numbers.
    let marks = move || {
        let columns = trace.columns();
        let mut html = String::new();
        trace.window.with(|window| {
            for (start, length) in trace.overlay.path.with(|path| path.pieces(number, window)) {
                let _ = write!(html, "<i class=\"on-path\" style=\"left:{};width:{}\"></i>", at(start), at(length));
            }
            let moments = trace.overlay.moments.with(|moments| moments.get(&number).cloned());
            for dot in moments.map(|moments| view::dots(&columns, &moments, window)).unwrap_or_default() {
                let error = if dot.error { " dot-error" } else { "" };
                let (beyond, when) = match dot.beyond {
                    None => ("", ""),
                    Some(Side::Before) => (" dot-before", " from before the trace’s start"),
                    Some(Side::After) => (" dot-after", " from after the trace’s end"),
                };
                let events = format::counted(Some(dot.events.into()), "event", "events");
                let _ = write!(html, "<i class=\"dot{error}{beyond}\" style=\"left:{}\" title=\"{events}{when}\"></i>", at(dot.at));
            }
        });
        html
    };
    let time = move || {
        let columns = trace.columns();
        trace.window.with(|window| {
            let bar = view::bar(&columns, number, window, label_part.get());
            let strip = if collapsed { view::strip(&columns, number, window) } else { Vec::new() };
            axis_cell(kind, &bar, duration.clone(), strip)
        })
    };
    let (head, tail) = format::name_parts(&row.name);
    view! {
        <div
            class=class
            role="row"
            id=row_id(number)
            data-span-id=row.span_id
            data-parent-id=row.parent_id
            {..custom_attribute("aria-level", row.depth + 1)}
            aria-rowindex=row.place + 2
            aria-expanded=row.expanded.map(|expanded| if expanded { "true" } else { "false" })
            aria-selected=move || if trace.selected.get() == Some(number) { "true" } else { "false" }
        >
            <span role="gridcell" class="cell-span" style=format!("--depth:{}", row.depth.min(DEEPEST_INDENT))>
                <span class="caret-space">{caret}</span>
                <i class=format!("kind-mark kind-{}", kind.label()) title=kind.label()></i>
                <span class="span-name" title=row.name.clone()><span>{head.to_owned()}</span><span>{tail.to_owned()}</span></span>
                {row.beside.map(|beside| view! { <span class="soft span-tool">{beside}</span> })}
                {failed.then(|| view! { <span class="failed" title="Failed"><Icon name=IconName::Failed /></span> })}
                {logged.then(|| view! { <span class="warned" title="Logged an error"><Icon name=IconName::Odd /></span> })}
                {(row.failed_hidden > 0).then(|| view! { <span class="failed failed-hidden">{format!("{} failed inside", format::count(row.failed_hidden.into()))}</span> })}
            </span>
            <span role="gridcell" class="cell-bar"><span class="axis">{time}<span class="bar-marks" aria-hidden="true" inner_html=marks></span></span></span>
        </div>
    }
}

/// The bar with its duration, or a sign at the edge of the window beyond which it lies; below it, where the time of a collapsed span was
/// spent.
fn axis_cell(kind: SpanKind, bar: &Bar, duration: String, strip: Vec<view::StripPath>) -> impl IntoView + use<> {
    let (label_class, side, place) = match bar.label {
        BarLabel::After => ("bar-label label-after", "left", bar.start + bar.length),
        BarLabel::Inside => ("bar-label label-inside", "left", bar.start),
        BarLabel::Before => ("bar-label label-before", "right", 1.0 - bar.start),
    };
    let class = match (bar.off, bar.cut_start, bar.cut_end) {
        (Some(Side::Before), ..) => "bar bar-off off-before",
        (Some(Side::After), ..) => "bar bar-off off-after",
        (None, true, true) => "bar cut-start cut-end",
        (None, true, false) => "bar cut-start",
        (None, false, true) => "bar cut-end",
        (None, false, false) => "bar",
    };
    let title = bar.off.map(|side| if side == Side::Before { "Before the visible range" } else { "After the visible range" });
    let paths = strip
        .into_iter()
        .map(|path| view! { <path class=path.kind.map_or_else(|| "strip-failed".into(), |kind| format!("kind-{}", kind.label())) d=path.path></path> })
        .collect::<Vec<_>>();
    let strip = (!paths.is_empty()).then(|| {
        view! {
            <svg class="strip" viewBox=format!("0 0 {STRIP_WIDTH} {STRIP_HEIGHT}") preserveAspectRatio="none" aria-hidden="true">{paths}</svg>
        }
    });
    view! {
        <i class=format!("{class} kind-{}", kind.label()) title=title style=format!("left:{};width:{}", at(bar.start), at(bar.length))></i>
        <span class=label_class style=format!("{side}:{}", at(place))>{duration}</span>
        {strip}
    }
}

/// A fraction of the axis, as a style.
pub(super) fn at(part: f64) -> String {
    format!("{:.4}%", part * 100.0)
}
