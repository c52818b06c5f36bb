//! Markup from the metrics worker, as part of the Metrics screen.
//!
//! Not here: the actions of its buttons (`page`, `query`).

use crate::dom::{el, fill};
use crate::reactive::{effect, on_mouse};
use crate::widgets::{Build, Nodes};
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use quipu_protocol::markup::Node;

/// The markup. It is redrawn when a signal that `content` reads changes.
#[component]
pub(super) fn SheetPart(
    /// What is on it.
    content: impl Fn() -> Vec<Node> + 'static,
    /// Called for every press.
    press: impl Fn(&MouseEvent) + 'static,
) -> impl IntoView {
    let node = NodeRef::<leptos::html::Div>::new();
    let build = Build::here();
    build.clone().follow(node);
    let handlers = build.handlers.clone();
    effect(move || {
        let Some(root) = node.get() else { return };
        build.handlers.clear();
        fill(&root, vec![Nodes(build.clone()).all(el("div"), content())]);
    });
    let on_press = move |event: MouseEvent| {
        handlers.run(&event);
        press(&event);
    };
    view! { <div class="sheet-part" node_ref=node on:click=on_mouse(on_press)></div> }
}
