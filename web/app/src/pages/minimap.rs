//! The minimap: the whole trace, with the visible time range as a window that can be dragged.
//!
//! It is drawn as a few paths, one a colour: they follow the colour scheme and scale without being redrawn. The timeline is its accessible
//! table. Not here: geometry, and how dragging changes the window (`quipu_ui::view`).

use super::open_trace::OpenTrace;
use super::timeline_row::at;
use crate::browser::part_across;
use crate::reactive::{memo, on_key, on_mouse, on_pointer};
use crate::state::App;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Div;
use leptos::prelude::*;
use quipu_model::format;
use quipu_ui::view;
use quipu_ui::view::{Grip, TimeWindow, ZoomKey};

/// How near to an end of the window a press grabs it, in pixels.
const REACH_PX: f64 = 6.0;
/// The minimum width of a new window, in pixels.
const LEAST_PX: f64 = 4.0;

/// The minimap.
#[component]
pub(super) fn Minimap(trace: OpenTrace) -> impl IntoView {
    let app = App::get();
    let node = NodeRef::<Div>::new();
    let held = StoredValue::new(None::<(TimeWindow, Grip)>);
    let part_at = move |event: &PointerEvent| {
        let node = node.get_untracked()?;
        Some((part_across(&node, event.client_x()), 1.0 / f64::from(node.client_width().max(1))))
    };
    let take = move |event: PointerEvent| {
        let Some((part, pixel)) = part_at(&event).filter(|_| event.button() == 0) else { return };
        if let Some(node) = node.get_untracked() {
            let _ = node.set_pointer_capture(event.pointer_id());
        }
        let window = trace.window.get_untracked();
        held.set_value(Some((window, view::grip(&window, part, REACH_PX * pixel))));
    };
    let pull = move |event: PointerEvent| {
        if let (Some((window, grip)), Some((part, pixel))) = (held.get_value(), part_at(&event)) {
            trace.show(app, view::drag(&window, grip, part, LEAST_PX * pixel));
        }
    };
    let parts = memo(move || trace.window.with(TimeWindow::parts));
    let start = move || at(parts.get().0);
    let length = move || at(parts.get().1);
    let rest = move || {
        let (start, length) = parts.get();
        at(1.0 - start - length)
    };
    view! {
        <div
            class="minimap"
            role="group"
            aria-label="Minimap"
            node_ref=node
            on:pointerdown=on_pointer(take)
            on:pointermove=on_pointer(pull)
            on:pointerup=on_pointer(move |_| held.set_value(None))
            on:pointercancel=on_pointer(move |_| held.set_value(None))
            on:dblclick=on_mouse(move |_| trace.zoom(app, ZoomKey::Reset))
        >
            <Picture trace />
            <div class="minimap-shade" style:left="0" style:width=start></div>
            <div class="minimap-shade" style:right="0" style:width=rest></div>
            <div class="minimap-window" class:whole=move || trace.window.with(TimeWindow::is_whole) style:left=start style:width=length></div>
            <Handle trace end=false />
            <Handle trace end=true />
        </div>
    }
}

/// The static part: where time was spent, and where spans failed.
#[component]
fn Picture(trace: OpenTrace) -> impl IntoView {
    let columns = trace.columns();
    let map = view::minimap_paths(&columns.minimap);
    let failures = columns.failed_rows.len() as u64;
    let label = format!(
        "{} over {}, {}",
        format::counted(Some(columns.len() as u64), "span", "spans"),
        format::duration(columns.duration_nanos),
        format::failures_text(Some(failures))
    );
    let paths = map
        .paths
        .into_iter()
        .map(|(kind, strength, path)| {
            let class = kind.map_or_else(|| "strip-failed".into(), |kind| format!("kind-{}", kind.label()));
            view! { <path class=class fill-opacity=format!("{strength}") d=path></path> }
        })
        .collect::<Vec<_>>();
    view! {
        <svg class="minimap-picture" role="img" aria-label=label viewBox=format!("0 0 {} {}", map.width, map.height) preserveAspectRatio="none">{paths}</svg>
        <svg class="minimap-failures" aria-hidden="true" viewBox=format!("0 0 {} 1", map.width) preserveAspectRatio="none"><path d=map.failures></path></svg>
    }
}

/// An end of the window: a slider for the keyboard; the pointer drags it through the minimap.
#[component]
fn Handle(trace: OpenTrace, end: bool) -> impl IntoView {
    let app = App::get();
    let label = if end { "End of the shown part" } else { "Start of the shown part" };
    let part = memo(move || {
        let (start, length) = trace.window.with(TimeWindow::parts);
        if end { start + length } else { start }
    });
    let text = move || trace.window.with(|window| view::axis_time(if end { window.to() } else { window.from() }, window.length()));
    let press = move |event: KeyboardEvent| {
        let step = if event.shift_key() { 0.1 } else { 0.01 };
        let now = part.get_untracked();
        let to = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => now - step,
            "ArrowRight" | "ArrowUp" => now + step,
            "Home" => 0.0,
            "End" => 1.0,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        let grip = if end { Grip::End } else { Grip::Start };
        trace.show(app, view::drag(&trace.window.get_untracked(), grip, to, 0.001));
    };
    view! {
        <div
            class="minimap-handle"
            role="slider"
            tabindex="0"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || format!("{:.1}", part.get() * 100.0)
            aria-valuetext=text
            style:left=move || at(part.get())
            on:keydown=on_key(press)
        ></div>
    }
}
