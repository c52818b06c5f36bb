//! Builds elements from markup nodes, which the worker sends.
//!
//! Not here: the content of the markup, which the core writes.

use crate::actions::router::span_address;
use crate::browser;
use crate::dom::{El, append, el};
use crate::widgets::{Build, IconName, folded_text, icon, more, text_block, value_tree};
use leptos::prelude::untrack;
use quipu_model::format;
use quipu_protocol::markup;
use quipu_protocol::markup::{Attr, Icon, Node, Tag};
use std::cell::RefCell;
use std::sync::Arc;
use web_sys::Element;

/// Characters of a text shown at first.
const HEAD: usize = 1_500;

/// Makes elements of nodes in the container of a [`Build`].
#[derive(Clone)]
pub(crate) struct Nodes(pub(crate) Build);

impl Nodes {
    /// The element of a node, and the children still to be added.
    pub(crate) fn element(&self, node: Node) -> (El, Vec<Node>) {
        let build = &self.0;
        let whole = match node {
            Node::El(found) => return self.plain(found),
            Node::Text(text) => build.marked("span", &text),
            Node::Long(text) => text_block(build, Arc::from(text), HEAD),
            Node::Folded(text) => folded_text(build, &text),
            Node::Tree(value) => value_tree(build, Arc::new(value)),
            Node::Icon(shown) => icon(if shown == Icon::Failed { IconName::Failed } else { IconName::Odd }),
            Node::Time { at: None, .. } => el("time").text(format::DASH),
            Node::Time { at: Some(at), zero } => build.time(at, zero, true),
            Node::Details { class, summary, inside } => {
                let (nodes, kept) = (self.clone(), RefCell::new(Some(inside)));
                let open = move |summary: &Element| {
                    if let (Some(inside), Some(fold)) = (kept.borrow_mut().take(), summary.parent_element()) {
                        append(&fold, vec![nodes.all(el("div").class("fold-inside"), inside)]);
                    }
                };
                el("details").class(&class).child(self.all(el("summary"), summary).on_press(&build.handlers, open))
            }
            Node::RawToggle { drawn, raw } => self.twin(*drawn, Arc::from(raw), false),
        };
        (whole, Vec::new())
    }

    /// A value with a switch between decoded and raw.
    fn twin(&self, drawn: Node, raw: Arc<str>, is_raw: bool) -> El {
        let (nodes, for_press, text) = (self.clone(), drawn.clone(), raw.clone());
        let switch = more("raw")
            .class("quiet raw-switch")
            .attr("title", "The text as it was recorded")
            .attr("aria-pressed", if is_raw { "true" } else { "false" })
            .on_press(&self.0.handlers, move |switch| {
                if let Some(twin) = switch.parent_element() {
                    let turned = nodes.twin(for_press.clone(), text.clone(), !is_raw).done();
                    let _ = twin.replace_with_with_node_1(&turned);
                    if let Some(switch) = turned.first_element_child() {
                        browser::focus_element(&switch);
                    }
                }
            });
        let twin = el("div").class("twin").child(switch);
        if is_raw { twin.child(text_block(&self.0, raw, HEAD).class("text-block mono")) } else { self.all(twin, vec![drawn]) }
    }

    fn plain(&self, found: markup::El) -> (El, Vec<Node>) {
        let mut made = el(found.tag.name());
        if found.tag == Tag::Button {
            made = made.attr("type", "button");
        }
        let mut leads_away = found.tag == Tag::A;
        for (attr, value) in found.attrs {
            if attr == Attr::Trace {
                let (trace_id, span_id) = value.rsplit_once('/').unwrap_or((&value, ""));
                // A change of the view is no reason to draw the nodes anew.
                made = made.attr("href", &untrack(|| span_address(self.0.app, trace_id, span_id)));
                leads_away = false;
                continue;
            }
            // The core checked these; any other kind of link or image would be a fault there.
            let is_fine = match attr {
                Attr::Href => value.starts_with("https://") || value.starts_with("http://"),
                Attr::Src => value.starts_with("data:image/"),
                _ => true,
            };
            if is_fine {
                made = made.attr(attr.name(), &value);
            }
        }
        if leads_away {
            made = made.attr("target", "_blank").attr("rel", "noopener noreferrer");
        }
        match found.inside.as_slice() {
            // Most elements hold one text, which needs no element of its own.
            [Node::Text(text)] if !self.0.is_marking() => (made.text(text), Vec::new()),
            _ => (made, found.inside),
        }
    }

    /// Everything at once: for a part that the reader opened.
    pub(crate) fn all(&self, parent: El, nodes: Vec<Node>) -> El {
        nodes.into_iter().fold(parent, |parent, node| {
            let (child, inside) = self.element(node);
            parent.child(self.all(child, inside))
        })
    }
}
