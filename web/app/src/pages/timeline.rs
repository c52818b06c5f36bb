//! The timeline: the tree of spans and their bars on one time axis.
//!
//! Not here: single rows (`timeline_row`), which rows are visible, and the geometry of bars (`quipu_ui::view`).

use super::open_trace::{OpenTrace, TIMELINE};
use super::overlay::measure_text;
use super::timeline_row::{TimelineRow, at, row_id, span_row};
use crate::browser::{is_inside, on_next_frame, part_across};
use crate::reactive::{dynamic, effect, memo, on_event, on_mouse, on_pointer, on_wheel};
use crate::state::App;
use crate::widgets::Viewport;
use leptos::ev::{MouseEvent, PointerEvent, WheelEvent};
use leptos::html::Span;
use leptos::prelude::*;
use quipu_model::number::truncated;
use quipu_ui::view;
use quipu_ui::view::{TimeWindow, ZoomKey};
use wasm_bindgen::JsCast;
use web_sys::Element;

/// The width that a tick and its label need, in pixels.
const TICK_PX: f64 = 84.0;
/// The distance between two ticks that leaves room for a label before the later one, in pixels.
const LAST_TICK_PX: f64 = 118.0;
/// The approximate fraction of the width that the axis takes.
const AXIS_PART: f64 = 0.55;
/// The width that a duration needs next to its bar, in pixels.
const LABEL_PX: f64 = 68.0;
/// The height of a line of text in pixels, for wheels that count lines.
const LINE_PX: f64 = 16.0;

/// The treegrid.
#[component]
pub(super) fn Timeline(trace: OpenTrace) -> impl IntoView {
    let app = App::get();
    let viewport = Viewport::new(0.0);
    let axis = NodeRef::<Span>::new();
    let visible = memo(move || trace.tree.with(|tree| tree.visible()));
    let window = memo(move || viewport.window(visible.get().into()));
    let label_part = memo(move || (LABEL_PX / (viewport.width.get() * AXIS_PART).max(1.0)).clamp(0.05, 0.5));
    let rows = move || {
        let window = window.get();
        let columns = trace.columns();
        // Bars follow the time window through CSS.
        let whole = TimeWindow::whole(columns.duration_nanos);
        let rows = trace.tree.with(|tree| view::waterfall_rows(&columns, tree, window.rows(), &whole, 0.0));
        trace.matches.with(|matches| rows.into_iter().map(|row| TimelineRow { matched: matches.has(row.row), row }).collect::<Vec<_>>())
    };
    let press = move |event: MouseEvent| {
        // This press ended a measure.
        if event.shift_key() {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let row = target.as_ref().and_then(|target| target.closest("[data-span-id]").ok().flatten());
        let id = row.and_then(|row| row.get_attribute("data-span-id"));
        let columns = trace.columns();
        let Some(row) = id.and_then(|id| columns.span_id.find(&id)) else { return };
        if target.is_some_and(|target| is_inside(&target, ".caret-button")) {
            trace.tree.update(|tree| tree.set_collapsed(&columns, row, !tree.is_collapsed(row)));
        } else {
            trace.select(app, row);
        }
    };
    // The selected span is brought into view.
    effect(move || {
        let Some(row) = trace.selected.get() else { return };
        viewport.map(1);
        let show = move || {
            if let Some(Some(place)) = trace.tree.try_with_untracked(|tree| tree.place_of(row)) {
                viewport.reveal(place.into(), visible.get_untracked().into());
            }
        };
        if trace.tree.with_untracked(|tree| tree.place_of(row).is_some()) {
            return show();
        }
        let columns = trace.columns();
        trace.tree.update(|tree| tree.reveal(&columns, row));
        // The list's new height reaches the document after this effect.
        let busy = app.idle().begin();
        on_next_frame(move || {
            show();
            drop(busy);
        });
    });
    trace.load_moments(app, window);
    trace.load_path(app);
    trace.handle_keys(app, move || viewport.map_untracked(visible.get_untracked().into()).page_rows());

    let part_at = move |client_x: i32| axis.get_untracked().map(|axis| part_across(&axis, client_x));
    let point = move |event: PointerEvent| {
        let part = part_at(event.client_x()).filter(|part| (0.0..=1.0).contains(part));
        if trace.pointer.get_untracked() != part {
            trace.pointer.set(part);
        }
    };
    // With Shift the pointer measures; the start is kept until the button is released.
    let measured_from = StoredValue::new(None::<u64>);
    let time_at = move |event: &PointerEvent| part_at(event.client_x()).map(|part| trace.window.with_untracked(|window| window.at(part)));
    let take = move |event: PointerEvent| {
        if event.shift_key() && event.button() == 0 {
            event.prevent_default();
            let _ = viewport.node.get_untracked().map(|node| node.set_pointer_capture(event.pointer_id()));
            measured_from.set_value(time_at(&event));
        }
    };
    let pull = move |event: PointerEvent| {
        if let (Some(from), Some(to)) = (measured_from.get_value(), time_at(&event)) {
            trace.overlay.pull(from, to);
        }
        point(event);
    };
    let release = move |_: PointerEvent| {
        if measured_from.get_value().is_some() {
            measured_from.set_value(None);
            trace.settle_measure(app);
        }
    };
    let turn = move |event: WheelEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let zooms = event.ctrl_key() || event.meta_key() || target.is_some_and(|target| is_inside(&target, ".axis-head"));
        let sideways = event.delta_x() != 0.0 && event.delta_x().abs() > event.delta_y().abs();
        let pixels = |delta: f64| if event.delta_mode() == 0 { delta } else { delta * LINE_PX };
        let now = trace.window.get_untracked();
        let next = match axis.get_untracked() {
            Some(axis) if event.shift_key() || (sideways && !now.is_whole()) => {
                let delta = if sideways { event.delta_x() } else { event.delta_y() };
                now.panned(pixels(delta) / f64::from(axis.client_width().max(1)))
            }
            Some(axis) if zooms => now.wheeled(pixels(event.delta_y()), part_across(&axis, event.client_x())),
            _ => return,
        };
        event.prevent_default();
        trace.show(app, next);
    };
    view! {
        <div
            class="grid timeline"
            id=TIMELINE
            role="treegrid"
            aria-label="Timeline"
            aria-rowcount=move || visible.get() + 1
            aria-activedescendant=move || trace.selected.get().filter(|row| trace.tree.with(|tree| tree.place_of(*row).is_some())).map(row_id)
            tabindex="0"
            node_ref=viewport.node
            on:scroll=on_event(move |_| viewport.scrolled())
            on:click=on_mouse(press)
            on:wheel=on_wheel(turn)
            on:pointerdown=on_pointer(take)
            on:pointermove=on_pointer(pull)
            on:pointerup=on_pointer(release)
            on:pointercancel=on_pointer(release)
            on:pointerleave=on_pointer(move |_| trace.pointer.set(None))
        >
            <div class="grid-head span-row" role="row" aria-rowindex="1">
                <span role="columnheader" class="cell-span">"Span"</span>
                <AxisHead trace axis width=viewport.width />
            </div>
            <div class="grid-space" role="presentation" style:height=move || format!("{}px", viewport.map(visible.get().into()).height_px())>
                <TickLines trace width=viewport.width />
                <div class="grid-window" role="rowgroup" style:transform=move || format!("translateY({}px)", window.get().top_px)>
                    <For each=rows key=|row| (row.row.row, row.row.place, row.row.expanded, row.matched) children=move |row| span_row(trace, label_part, row) />
                </div>
            </div>
        </div>
    }
}

/// The ticks of the visible time range.
fn ticks(trace: OpenTrace, width: RwSignal<f64>) -> Memo<Vec<view::Tick>> {
    memo(move || {
        let most = truncated::<usize>(width.get() * AXIS_PART / TICK_PX).clamp(1, 12);
        trace.window.with(|window| view::ticks(window.from(), window.to(), most))
    })
}

/// The axis above the bars: its ticks and the time under the pointer. Dragging pans, the wheel zooms.
#[component]
fn AxisHead(trace: OpenTrace, axis: NodeRef<Span>, width: RwSignal<f64>) -> impl IntoView {
    let app = App::get();
    let ticks = ticks(trace, width);
    let labels = dynamic(move || {
        ticks.with(|ticks| {
            // A label near the end is placed before its line, or left out if the previous label leaves no room.
            let room = view::tick_distance(ticks).is_none_or(|part| part * width.get() * AXIS_PART >= LAST_TICK_PX);
            ticks
                .iter()
                .filter(|tick| room || tick.at <= 0.93)
                .map(
                    |tick| view! { <span class="tick" class:tick-last={tick.at > 0.93} style:left=at(tick.at)>{tick.label.clone()}</span> },
                )
                .collect_view()
        })
    });
    // The drag: the window at its start, and the position in it.
    let held = StoredValue::new(None::<(TimeWindow, f64)>);
    let part_at = move |client_x: i32| axis.get_untracked().map(|axis| part_across(&axis, client_x));
    let take = move |event: PointerEvent| {
        if event.button() != 0 || event.shift_key() {
            return;
        }
        if let (Some(axis), Some(part)) = (axis.get_untracked(), part_at(event.client_x())) {
            let _ = axis.set_pointer_capture(event.pointer_id());
            held.set_value(Some((trace.window.get_untracked(), part)));
        }
    };
    let pull = move |event: PointerEvent| {
        if let (Some((window, from)), Some(part)) = (held.get_value(), part_at(event.client_x())) {
            trace.show(app, window.panned(from - part));
        }
    };
    let measure = dynamic(move || {
        let (from, to) = trace.overlay.measure()?;
        let middle = trace.window.with(|window| (window.part(from) + window.part(to)) / 2.0).clamp(0.05, 0.95);
        Some(
            view! { <span class="measure-text" role="status" aria-label="Measured" style:left=at(middle)>{measure_text((from, to))}</span> },
        )
    });
    let pointer = dynamic(move || {
        trace.pointer.get().map(|part| {
            let text = trace.window.with(|window| view::axis_time(window.at(part), window.length()));
            view! { <span class="pointer-time" class:tick-last={part > 0.8} style:left=at(part)>{text}</span> }
        })
    });
    view! {
        <span
            role="columnheader"
            class="cell-bar axis-head"
            aria-label="Time"
            title="Wheel: zoom. Drag: pan. Shift and drag: measure. Double click: the whole trace."
            on:pointerdown=on_pointer(take)
            on:pointermove=on_pointer(pull)
            on:pointerup=on_pointer(move |_| held.set_value(None))
            on:pointercancel=on_pointer(move |_| held.set_value(None))
            on:dblclick=on_mouse(move |_| trace.zoom(app, ZoomKey::Reset))
        >
            <span class="axis" node_ref=axis>{labels}{pointer}{measure}</span>
        </span>
    }
}

/// Grid lines below the ticks, and a line under the pointer.
#[component]
fn TickLines(trace: OpenTrace, width: RwSignal<f64>) -> impl IntoView {
    let ticks = ticks(trace, width);
    let marks =
        move || ticks.with(|ticks| ticks.iter().map(|tick| view! { <i class="tick-line" style:left=at(tick.at)></i> }).collect_view());
    let pointer = dynamic(move || trace.pointer.get().map(|part| view! { <i class="pointer-line" style:left=at(part)></i> }));
    let measure = dynamic(move || {
        let place = |nanos: u64| trace.window.with(|window| window.part(nanos).clamp(0.0, 1.0));
        let band = trace.overlay.measure().map(|(from, to)| (place(from), place(to)));
        band.map(|(from, to)| view! { <i class="measure-band" style:left=at(from) style:width=at(to - from)></i> })
    });
    let anchor = dynamic(move || {
        let at_part = trace.overlay.anchor.get().map(|nanos| trace.window.with(|window| window.part(nanos)));
        at_part.filter(|part| (0.0..=1.0).contains(part)).map(|part| view! { <i class="measure-anchor" style:left=at(part)></i> })
    });
    view! { <div class="tick-lines" aria-hidden="true"><div class="axis">{marks}{measure}{anchor}{pointer}</div></div> }
}
