//! A container of markup that is built from data, not from signals.

use crate::browser::all;
use crate::dom::{El, PressHandlers, append, el, fill};
use crate::reactive::{effect, effect_with, on_mouse};
use crate::state::App;
use crate::widgets::{Marking, more};
use leptos::prelude::*;
use quipu_model::Timestamp;
use quipu_model::fold::Needle;
use quipu_model::format;
use quipu_ui::view::pieces;
use std::cell::Cell;
use std::rc::Rc;
use web_sys::Element;

/// Shared by the builders of one container.
#[derive(Clone)]
pub(crate) struct Build {
    /// The page.
    pub(crate) app: App,
    /// The handlers of its buttons.
    pub(crate) handlers: PressHandlers,
    marking: Option<Marking>,
}

impl Build {
    /// For a container in the calling component. The handlers are dropped with the component, because they hold the builders.
    pub(crate) fn here() -> Build {
        let handlers = PressHandlers::default();
        let at_end = StoredValue::new_local(handlers.clone());
        on_cleanup(move || {
            let _ = at_end.try_with_value(PressHandlers::clear);
        });
        Build { app: App::get(), handlers, marking: use_context() }
    }

    /// Whether text here is marked.
    pub(crate) fn is_marking(&self) -> bool {
        self.marking.is_some()
    }

    /// An instant in the chosen style; relative times count from `zero`.
    /// Cut to milliseconds where `short`.
    pub(crate) fn time(&self, at: Timestamp, zero: Option<Timestamp>, short: bool) -> El {
        let time = el("time").attr("data-at", &at.0.to_string()).text(&time_text(self.app, at, zero, short));
        let time = if short { time.attr("data-short", "") } else { time };
        match zero {
            Some(zero) => time.attr("data-zero", &zero.0.to_string()),
            None => time,
        }
    }

    /// Updates the container when the search text or the style of times changes; opened parts stay open.
    pub(crate) fn follow(self, container: NodeRef<leptos::html::Div>) {
        let app = self.app;
        effect_with(move |before: Option<()>| {
            app.view.with(|view| view.times);
            if let Some(root) = container.get_untracked().filter(|_| before.is_some()) {
                write_times(&root, app);
            }
        });
        let Some(Marking { find, .. }) = self.marking else { return };
        effect_with(move |before: Option<()>| {
            find.track();
            if let Some(root) = container.get_untracked().filter(|_| before.is_some()) {
                mark_again(&root, self.needle().as_ref());
            }
        });
    }

    /// The current search text.
    pub(crate) fn needle(&self) -> Option<Needle> {
        Needle::new(&self.marking?.find.try_get_untracked()?)
    }

    /// A text in which matches of the search are marked, and marked again when the search text changes.
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
            append(element, vec![el("mark").text(piece)]);
        } else {
            let _ = element.append_with_str_1(piece);
        }
    }
}

/// Marks the texts in `root` again; opened parts stay open.
fn mark_again(root: &Element, needle: Option<&Needle>) {
    for element in all(root, "[data-marked]") {
        mark(&element, &element.text_content().unwrap_or_default(), needle);
    }
}

fn write_times(root: &Element, app: App) {
    for element in all(root, "[data-at]") {
        let nanos = |name| element.get_attribute(name).and_then(|nanos| nanos.parse().ok()).map(Timestamp);
        if let Some(at) = nanos("data-at") {
            let short = element.has_attribute("data-short");
            element.set_text_content(Some(&time_text(app, at, nanos("data-zero"), short)));
        }
    }
}

fn time_text(app: App, at: Timestamp, zero: Option<Timestamp>, short: bool) -> String {
    let text = app.time_text(at, zero);
    if short { format::cut_to_millis(&text).to_owned() } else { text }
}

/// The class of the button that shows the next portion of a list.
pub(crate) const NEXT_PORTION: &str = "next-portion";

/// A list of `count` items in `list`: `portion` of them at first, and as many with each press of a button below. `item` builds one.
pub(crate) fn portions(build: &Build, list: El, count: usize, portion: usize, item: impl Fn(usize) -> Option<El> + 'static) -> El {
    let list = list.children((0..count.min(portion)).filter_map(&item).collect());
    let shown = Cell::new(portion);
    let label = move |left: usize| format!("Show {} more of {}", left.min(portion), format::count(count as u64));
    let button = (count > portion).then(|| {
        let button = more(&label(count - portion)).class(&format!("more {NEXT_PORTION}"));
        button.on_press(&build.handlers, move |button| {
            let from = shown.replace(shown.get() + portion);
            if let Some(list) = button.previous_element_sibling() {
                append(&list, (from..count.min(from + portion)).filter_map(&item).collect());
            }
            match count.saturating_sub(from + portion) {
                0 => button.remove(),
                left => button.set_text_content(Some(&label(left))),
            }
        })
    });
    el("div").child(list).maybe(button)
}

/// What builds the content.
pub(crate) type Builder = Rc<dyn Fn(&Build) -> Vec<El>>;

/// The container. It is redrawn when a signal that `content` reads changes.
#[component]
pub(crate) fn Built(
    /// Its classes.
    #[prop(default = "built")]
    class: &'static str,
    /// Builds the content.
    content: Builder,
) -> impl IntoView {
    let node = NodeRef::<leptos::html::Div>::new();
    let shared = Build::here();
    let for_press = shared.handlers.clone();
    shared.clone().follow(node);
    effect(move || {
        if let Some(root) = node.get() {
            shared.handlers.clear();
            fill(&root, content(&shared));
        }
    });
    view! { <div class=class node_ref=node on:click=on_mouse(move |event| for_press.run(&event))></div> }
}
