//! One recorded value: decoded as a tree, or raw. A long one is loaded in full only on request.

use crate::dom::{El, el, fill};
use crate::widgets::{Build, copy_button, more, text_block, value_tree};
use quipu_model::format;
use quipu_model::{Encoding, Value};
use quipu_protocol::{GetRecorded, GetText, RecordedText, TextRef};
use quipu_ui::view;
use quipu_ui::view::ValueKind;
use std::sync::Arc;
use web_sys::Element;

/// The class of the button that loads a text in full, for texts short enough to be loaded for a match.
pub(super) const LOAD: &str = "load-whole";
/// A text up to this length is loaded in full to show a match.
const LOAD_BYTES: u64 = 4 << 20;

/// A name and its value; `text_ref` identifies the full text.
pub(in super::super) fn recorded(build: &Build, name: &str, text: &RecordedText, text_ref: &TextRef) -> El {
    let shown = Shown {
        build: build.clone(),
        name: Arc::from(name),
        raw: Arc::from(text.raw.as_str()),
        value: text.value.clone().map(Arc::new),
        encoding: text.encoding,
        len: text.len_bytes,
        rest: (!text.complete).then(|| Arc::new(text_ref.clone())),
    };
    el("div").class("recorded").children(shown.parts(false))
}

/// The loaded part of the value.
#[derive(Clone)]
struct Shown {
    build: Build,
    name: Arc<str>,
    raw: Arc<str>,
    value: Option<Arc<Value>>,
    encoding: Encoding,
    len: u64,
    /// The reference of the full text, if only its head is loaded.
    rest: Option<Arc<TextRef>>,
}

impl Shown {
    fn parts(&self, is_raw: bool) -> Vec<El> {
        let handlers = &self.build.handlers;
        // Only lists and maps look different decoded.
        let tree = self.value.as_ref().filter(|value| matches!(view::value_kind(value), ValueKind::List | ValueKind::Map));
        let about = self.encoding.label();
        let about = if self.len >= 1_000 { format!("{about} · {}", format::bytes(self.len)) } else { about.to_owned() };
        let form = |label: &str, raw: bool| {
            let shown = self.clone();
            let pressed = if raw == is_raw { "true" } else { "false" };
            let turn = move |button: &Element| shown.draw(button, raw);
            el("button").attr("type", "button").attr("aria-pressed", pressed).text(label).on_press(handlers, turn)
        };
        let switch = tree.map(|_| {
            let group = el("span").class("segmented small").attr("role", "group").attr("aria-label", "Form");
            group.child(form("Decoded", false)).child(form("Raw", true))
        });
        let copy = match &self.rest {
            None => {
                let raw = self.raw.clone();
                copy_button(&self.build, "The value", move || raw.to_string())
            }
            Some(rest) => {
                let (app, rest) = (self.build.app, rest.clone());
                more("Copy").on_press(handlers, move |button| {
                    let button = button.clone();
                    app.ask(GetText((*rest).clone()), move |answer| match answer {
                        Ok(text) => crate::widgets::copy(app, "The value", text),
                        Err(failure) => trouble(&button, &failure.message),
                    });
                })
            }
        };
        let head = el("div")
            .class("recorded-head")
            .child(self.build.marked("span", &self.name).class("recorded-name mono"))
            .child(el("span").class("soft small-text").text(&about))
            .child(el("span").class("recorded-tools").maybe(switch).child(copy));
        let body = match tree.filter(|_| !is_raw) {
            Some(value) => value_tree(&self.build, value.clone()),
            None if self.raw.is_empty() => el("p").class("value-null").text("empty text"),
            None => text_block(&self.build, self.raw.clone(), 700).class(if tree.is_some() { "text-block mono" } else { "text-block" }),
        };
        let mut parts = vec![head, body];
        if let Some(rest) = &self.rest {
            let (shown, rest) = (self.clone(), rest.clone());
            let load = more(&format!("Load all {}", format::bytes(self.len))).on_press(handlers, move |button| shown.load(button, &rest));
            parts.push(if self.len <= LOAD_BYTES { load.class(&format!("more {LOAD}")) } else { load });
        }
        parts
    }

    /// Redraws the value around one of its buttons.
    fn draw(&self, button: &Element, is_raw: bool) {
        let Ok(Some(recorded)) = button.closest(".recorded") else { return };
        let is_switch = button.has_attribute("aria-pressed");
        fill(&recorded, self.parts(is_raw));
        let pressed = recorded.query_selector("[aria-pressed=true]").ok().flatten().filter(|_| is_switch);
        if let Some(pressed) = pressed {
            crate::browser::focus_element(&pressed);
        }
    }

    fn load(&self, button: &Element, rest: &Arc<TextRef>) {
        let (shown, button) = (self.clone(), button.clone());
        self.build.app.ask(GetRecorded((**rest).clone()), move |answer| match answer {
            Ok(text) => {
                let (raw, value) = (Arc::from(text.raw), text.value.map(Arc::new));
                Shown { raw, value, encoding: text.encoding, rest: None, ..shown }.draw(&button, false);
            }
            Err(failure) => trouble(&button, &failure.message),
        });
    }
}

/// A message below the value whose button was pressed.
fn trouble(button: &Element, text: &str) {
    if let Ok(Some(recorded)) = button.closest(".recorded") {
        crate::dom::append(&recorded, vec![el("p").attr("role", "alert").class("failed").text(text)]);
    }
}
