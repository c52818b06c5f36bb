//! The buttons above the timeline: filters, jumps, zoom.
//!
//! Not here: their effects and keys (`open_trace`).

use super::open_trace::{OpenTrace, in_address};
use crate::actions::router::HistoryEntry;
use crate::reactive::{memo, on_mouse};
use crate::state::App;
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::address::TraceView;
use quipu_ui::view::{Jump, TimeWindow, WaterfallTree, ZoomKey};

/// The buttons.
#[component]
pub(super) fn TimelineTools(trace: OpenTrace) -> impl IntoView {
    let app = App::get();
    let columns = trace.columns();
    let framework_spans = columns.framework_spans;
    let collapse = move |_| {
        let columns = trace.columns();
        trace.tree.update(|tree| tree.collapse_from(&columns, 0));
    };
    let whole = move || trace.window.with(TimeWindow::is_whole);
    let zoom = move |key: ZoomKey, sign: &'static str, name: &'static str, keys: &'static str| {
        view! {
            <button type="button" class="quiet zoom-button" aria-label=name title=format!("{name} ({keys})") on:click=on_mouse(move |_| trace.zoom(app, key))>{sign}</button>
        }
    };
    // Jumps without a target in this trace are disabled.
    let jump = move |jump: Jump, name: &'static str, title: &'static str| {
        let none = jump.leads_nowhere(&trace.columns());
        view! { <button type="button" class="quiet" title=title disabled=none on:click=on_mouse(move |_| trace.jump(app, jump))>{name}</button> }
    };
    let switch = move |name: String, title: &'static str, read: fn(&TraceView) -> bool, turn: fn(&mut TraceView), entry: HistoryEntry| {
        let on = memo(move || in_address(app, read) == Some(true));
        view! {
            <button
                type="button"
                class="quiet switch"
                title=title
                aria-pressed=move || if on.get() { "true" } else { "false" }
                on:click=on_mouse(move |_| trace.navigate(app, entry, turn))
            >
                {name}
            </button>
        }
    };
    let fold = (framework_spans > 0).then(|| {
        switch(
            format!("Hide framework spans ({})", format::count(framework_spans.into())),
            "Hide internal wrapper spans; their time is added to the parent (p)",
            |view| view.timeline.scope.folded,
            |view| view.timeline.scope.folded = !view.timeline.scope.folded,
            HistoryEntry::Push,
        )
    });
    let path = switch(
        "Critical path".into(),
        "Critical path: the spans that set the total duration (x)",
        |view| view.timeline.critical_path,
        |view| view.timeline.critical_path = !view.timeline.critical_path,
        HistoryEntry::Replace,
    );
    view! {
        <div class="timeline-tools" role="toolbar" aria-label="Timeline tools">
            {fold}
            {path}
            <span class="tool-group" role="group" aria-label="Jump to">
                <span class="soft" aria-hidden="true">"Jump to"</span>
                {jump(Jump::Slowest, "slowest", "The span with the longest own time (t)")}
                {jump(Jump::Failure, "failure", "The next span where a failure began (e)")}
                {jump(Jump::Inference, "inference", "The next inference request (i)")}
            </span>
            <span class="tool-space"></span>
            {columns.has_branches.then(|| view! {
                <button type="button" class="quiet" on:click=on_mouse(move |_| trace.tree.update(WaterfallTree::expand_all))>"Expand all"</button>
                <button type="button" class="quiet" on:click=on_mouse(collapse)>"Collapse all"</button>
            })}
            <span class="zoom-tools" role="group" aria-label="Zoom">
                <button type="button" class="quiet" title="Show the whole trace (0)" disabled=whole on:click=on_mouse(move |_| trace.zoom(app, ZoomKey::Reset))>"Whole trace"</button>
                {zoom(ZoomKey::Out, "−", "Zoom out", "s")}
                {zoom(ZoomKey::In, "+", "Zoom in", "w")}
            </span>
        </div>
    }
}
