//! A container of markup that is built from data, not from signals.

use crate::dom::{Deeds, El, el, fill};
use crate::widgets::Marking;
use leptos::prelude::*;
use quipu::fold::Needle;
use quipu::view::pieces;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// What the builders of one container share.
#[derive(Clone, Default)]
pub(crate) struct Build {
    /// What its buttons do.
    pub(crate) deeds: Deeds,
    marking: Option<Marking>,
}

impl Build {
    /// What is searched for now.
    pub(crate) fn needle(&self) -> Option<Needle> {
        Needle::new(&self.marking?.find.try_get_untracked()?)
    }

    /// A text in which what is searched for is marked, now and when something else is searched for.
    pub(crate) fn marked(&self, tag: &str, text: &str) -> El {
        if self.marking.is_none() {
            return el(tag).text(text);
        }
        let found = el(tag).attr("data-marked", "").done();
        mark(&found, text, self.needle().as_ref());
        El::from(found)
    }
}

fn mark(element: &Element, text: &str, needle: Option<&Needle>) {
    let Some(needle) = needle else { return element.set_text_content(Some(text)) };
    element.set_text_content(None);
    for (is_match, piece) in pieces(text, needle) {
        if is_match {
            crate::dom::append(element, vec![el("mark").text(piece)]);
        } else {
            let _ = element.append_with_str_1(piece);
        }
    }
}

/// Marks the texts in `root` anew; what is open stays so.
fn mark_again(root: &Element, needle: Option<&Needle>) {
    let Ok(texts) = root.query_selector_all("[data-marked]") else { return };
    for at in 0..texts.length() {
        if let Some(element) = texts.get(at).and_then(|node| node.dyn_into::<Element>().ok()) {
            mark(&element, &element.text_content().unwrap_or_default(), needle);
        }
    }
}

/// What builds the content.
pub(crate) type Builder = Rc<dyn Fn(&Build) -> Vec<El>>;

/// The container. Signals that `content` reads draw it anew.
#[component]
pub(crate) fn Built(
    /// Its classes.
    #[prop(default = "built")]
    class: &'static str,
    /// Makes what is in it.
    content: Builder,
) -> impl IntoView {
    let node = NodeRef::<leptos::html::Div>::new();
    let shared = Build { deeds: Deeds::default(), marking: use_context() };
    let for_press = shared.deeds.clone();
    // What is built holds what builds it.
    let at_end = StoredValue::new_local(shared.deeds.clone());
    on_cleanup(move || {
        let _ = at_end.try_with_value(Deeds::clear);
    });
    let for_marks = shared.clone();
    Effect::new(move |_| {
        if let Some(root) = node.get() {
            shared.deeds.clear();
            fill(&root, content(&shared));
        }
    });
    if let Some(Marking { find, .. }) = for_marks.marking {
        Effect::new(move |before: Option<()>| {
            find.track();
            if let Some(root) = node.get_untracked().filter(|_| before.is_some()) {
                mark_again(&root, for_marks.needle().as_ref());
            }
        });
    }
    view! { <div class=class node_ref=node on:click=move |event| for_press.run(&event)></div> }
}
