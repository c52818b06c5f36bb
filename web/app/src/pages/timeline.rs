//! The timeline: the tree of spans and their bars on one time axis.
//!
//! What is not here: which rows are visible and where bars lie, which is the core's `view`.

use super::trace::{OpenTrace, keys};
use crate::state::App;
use crate::widgets::{Icon, IconName, Viewport};
use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use quipu::model::SpanMarks;
use quipu::view::{self, BarLabel, TimeWindow, WaterfallRow};

/// Pixels a tick and its label want.
const TICK_PX: f64 = 84.0;
/// The part of the width that the axis has, roughly.
const AXIS_PART: f64 = 0.55;
/// Pixels a duration wants beside its bar.
const LABEL_PX: f64 = 68.0;
/// Indentation stops growing at this depth; the level itself is in `aria-level`.
const DEEPEST_INDENT: u32 = 24;

/// The treegrid.
#[component]
pub(super) fn Timeline(trace: OpenTrace) -> impl IntoView {
    let app = App::get();
    let columns = trace.columns();
    let viewport = Viewport::new(0.0);
    let visible = Memo::new(move |_| trace.tree.with(|tree| tree.visible()));
    let window = Memo::new(move |_| viewport.window(visible.get().into()));
    let label_part = Memo::new(move |_| (LABEL_PX / (viewport.width.get() * AXIS_PART).max(1.0)).clamp(0.05, 0.5));
    let rows = move || {
        let window = window.get();
        let columns = trace.columns();
        trace.tree.with(|tree| {
            view::waterfall_rows(
                &columns,
                tree,
                window.first as u32..(window.first + window.count) as u32,
                &TimeWindow::whole(columns.duration_nanos),
                label_part.get(),
            )
        })
    };
    // The selected span is shown, wherever it was.
    Effect::new(move |_| {
        let Some(row) = trace.selected.get() else { return };
        viewport.map(1);
        let columns = trace.columns();
        if trace.tree.with_untracked(|tree| tree.place_of(row).is_none()) {
            trace.tree.update(|tree| tree.reveal(&columns, row));
        }
        if let Some(place) = trace.tree.with_untracked(|tree| tree.place_of(row)) {
            viewport.reveal(place.into(), visible.get_untracked().into());
        }
    });
    keys(app, trace, move || viewport.map_untracked(visible.get_untracked().into()).page_rows());

    let most = Memo::new(move |_| ((viewport.width.get() * AXIS_PART / TICK_PX) as usize).clamp(1, 12));
    let ticks = Memo::new(move |_| view::ticks(0, columns.duration_nanos, most.get()));
    let at = |part: f64| format!("{:.4}%", part * 100.0);
    let marks = move || ticks.get().iter().map(|tick| view! { <i class="tick-line" style:left=at(tick.at)></i> }).collect_view();
    let labels = move || {
        ticks
            .get()
            .iter()
            .map(|tick| view! { <span class="tick" class:tick-last={tick.at > 0.93} style:left=at(tick.at)>{tick.label.clone()}</span> })
            .collect_view()
    };
    let active = move || trace.selected.get().filter(|row| trace.tree.with(|tree| tree.place_of(*row).is_some())).map(row_id);
    view! {
        <div
            class="grid timeline"
            role="treegrid"
            aria-label="Timeline"
            aria-rowcount=move || visible.get() + 1
            aria-activedescendant=active
            tabindex="0"
            node_ref=viewport.node
            on:scroll=move |_| viewport.scrolled()
        >
            <div class="grid-head span-row" role="row" aria-rowindex="1">
                <span role="columnheader" class="cell-span">"Span"</span>
                <span role="columnheader" class="cell-bar" aria-label="Time"><span class="axis">{labels}</span></span>
            </div>
            <div class="grid-space" role="presentation" style:height=move || format!("{}px", viewport.map(visible.get().into()).height_px())>
                <div class="tick-lines" aria-hidden="true"><div class="axis">{marks}</div></div>
                <div class="grid-window" role="rowgroup" style:transform=move || format!("translateY({}px)", window.get().top_px)>
                    <For each=rows key=|row| (row.row, row.place, row.expanded, row.bar.label) children=move |row| span_row(app, trace, row) />
                </div>
            </div>
        </div>
    }
}

fn row_id(row: u32) -> String {
    format!("span-row-{row}")
}

fn span_row(app: App, trace: OpenTrace, row: WaterfallRow) -> impl IntoView {
    let number = row.row;
    let kind = row.kind.label();
    let failed = row.failed();
    let logged = !failed && row.marks.has(SpanMarks::LOGGED_ERROR);
    let toggle = move |event: leptos::ev::MouseEvent| {
        event.stop_propagation();
        let columns = trace.columns();
        trace.tree.update(|tree| {
            let collapsed = tree.is_collapsed(number);
            tree.set_collapsed(&columns, number, !collapsed);
        });
    };
    let caret = row.expanded.map(|expanded| {
        let label = if expanded { "Collapse" } else { "Expand" };
        view! { <button type="button" class="caret-button" tabindex="-1" aria-label=label on:click=toggle><Icon name=IconName::Caret /></button> }
    });
    let label_class = match row.bar.label {
        BarLabel::After => "bar-label label-after",
        BarLabel::Before => "bar-label label-before",
        BarLabel::Inside => "bar-label label-inside",
    };
    let label_style = match row.bar.label {
        BarLabel::After | BarLabel::Inside => format!(
            "left:{:.4}%",
            if row.bar.label == BarLabel::After { (row.bar.start + row.bar.length) * 100.0 } else { row.bar.start * 100.0 }
        ),
        BarLabel::Before => format!("right:{:.4}%", (1.0 - row.bar.start) * 100.0),
    };
    let bar_style = format!("left:{:.4}%;width:{:.4}%", row.bar.start * 100.0, row.bar.length * 100.0);
    view! {
        <div
            class="span-row"
            class:failed=failed
            role="row"
            id=row_id(number)
            data-span-id=row.span_id.clone()
            data-parent-id=row.parent_id.clone()
            {..custom_attribute("aria-level", row.depth + 1)}
            aria-rowindex=row.place + 2
            aria-expanded=row.expanded.map(|expanded| if expanded { "true" } else { "false" })
            aria-selected=move || if trace.selected.get() == Some(number) { "true" } else { "false" }
            on:click=move |_| trace.select(app, number)
        >
            <span role="gridcell" class="cell-span" style=format!("--depth:{}", row.depth.min(DEEPEST_INDENT))>
                <span class="caret-space">{caret}</span>
                <i class=format!("kind-mark kind-{kind}") title=kind></i>
                <span class="span-name" title=row.name.clone()>{row.name.clone()}</span>
                {failed.then(|| view! { <span class="failed" title="Failed"><Icon name=IconName::Failed /></span> })}
                {logged.then(|| view! { <span class="warned" title="Logged an error"><Icon name=IconName::Odd /></span> })}
                {(row.failed_hidden > 0).then(|| view! { <span class="failed failed-hidden">{format!("{} failed inside", view::count(row.failed_hidden.into()))}</span> })}
            </span>
            <span role="gridcell" class="cell-bar">
                <span class="axis">
                    <i class=format!("bar kind-{kind}") style=bar_style></i>
                    <span class=label_class style=label_style>{row.duration.clone()}</span>
                </span>
            </span>
        </div>
    }
}
