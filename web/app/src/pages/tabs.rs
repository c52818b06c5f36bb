//! The tabs of a trace.

use super::open_trace::OpenTrace;
use crate::actions::router::HistoryEntry;
use crate::browser::focus;
use crate::dom::{El, el, nearest};
use crate::reactive::{effect, on_key};
use crate::state::App;
use crate::widgets::{Build, Built};
use leptos::prelude::*;
use quipu_protocol::TraceTab;
use std::rc::Rc;
use web_sys::Element;

/// The tabs; the arrow keys move between them.
#[component]
pub(super) fn Tabs(
    /// The trace.
    trace: OpenTrace,
) -> impl IntoView {
    let app = App::get();
    let choose = move |tab: TraceTab| trace.navigate(app, HistoryEntry::Push, |view| view.show_tab(tab));
    let content = move |build: &Build| {
        let chosen = trace.tab.get_untracked();
        let tab = |tab: TraceTab| {
            let shown = el("button").attr("type", "button").attr("role", "tab").attr("id", &id(tab)).attr("aria-controls", PANEL);
            let shown = shown.text(tab.title()).on_press(&build.handlers, move |_| choose(tab)).done();
            mark_chosen(&shown, tab == chosen);
            El::from(shown)
        };
        vec![el("div").attr("role", "tablist").attr("aria-label", "Views of the trace").children(TraceTab::ALL.map(tab).into())]
    };
    effect(move || {
        let chosen = trace.tab.get();
        for tab in TraceTab::ALL {
            if let Some(shown) = crate::browser::document().get_element_by_id(&id(tab)) {
                mark_chosen(&shown, tab == chosen);
            }
        }
    });
    let press = move |event: leptos::ev::KeyboardEvent| {
        if nearest(&event, "[role=tab]").is_none() {
            return;
        }
        if let Some(tab) = trace.tab.get_untracked().after_key(&event.key()) {
            event.prevent_default();
            choose(tab);
            focus(&id(tab));
        }
    };
    view! { <div class="tab-list" on:keydown=on_key(press)><Built content=Rc::new(content) /></div> }
}

fn id(tab: TraceTab) -> String {
    format!("tab-{}", tab.name())
}

fn mark_chosen(tab: &Element, is_chosen: bool) {
    let (selected, tabindex) = if is_chosen { ("true", "0") } else { ("false", "-1") };
    let _ = tab.set_attribute("aria-selected", selected);
    let _ = tab.set_attribute("tabindex", tabindex);
}

/// The id of the panel that the tabs switch.
pub(super) const PANEL: &str = "panel-view";
