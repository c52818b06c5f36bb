//! One recorded value: decoded as a tree, or raw; the whole of a long one only when asked for.

use crate::dom::el;
use crate::state::App;
use crate::widgets::{Build, Built, CopyButton, Marking, copy, marked, text_block, value_tree};
use leptos::prelude::*;
use quipu::model::{Encoding, Value};
use quipu::protocol::{MatchPlace, RecordedText, Request, Response, TextRef};
use quipu::view::{self, ValueKind};
use std::rc::Rc;
use std::sync::Arc;

/// A whole text up to this length is decoded on this thread; a longer one is shown as it is.
const DECODE_BYTES: usize = 256 * 1024;

/// A text up to this length is loaded whole when a match in it is to be shown.
const LOAD_BYTES: u64 = 4 << 20;

/// What is shown of the value now.
#[derive(Clone)]
struct Shown {
    raw: Arc<str>,
    value: Option<Arc<Value>>,
    encoding: Encoding,
    complete: bool,
}

/// A name and its value.
#[component]
pub(super) fn Recorded(
    /// The attribute's key.
    name: String,
    /// The value's text, or its head.
    text: RecordedText,
    /// Asks for the whole.
    text_ref: TextRef,
) -> impl IntoView {
    let app = App::get();
    let len = text.len_bytes;
    let shown = RwSignal::new(Shown {
        raw: Arc::from(text.raw),
        value: text.value.map(Arc::new),
        encoding: text.encoding,
        complete: text.complete,
    });
    let raw = RwSignal::new(false);
    let trouble = RwSignal::new(None::<String>);
    // Only lists and maps look different decoded.
    let has_tree = Memo::new(move |_| {
        shown.with(|shown| shown.value.as_ref().is_some_and(|value| matches!(view::value_kind(value), ValueKind::List | ValueKind::Map)))
    });
    let load = {
        let text_ref = text_ref.clone();
        move || {
            app.ask(Request::GetText(text_ref.clone()), move |answer| match answer {
                Ok(Response::Text(text)) => drop(shown.try_set(whole(text))),
                Ok(_) => drop(trouble.try_set(Some("The worker answered something else than the text; reload the page.".into()))),
                Err(failure) => drop(trouble.try_set(Some(failure.message))),
            });
        }
    };
    // A match may lie behind the head.
    if let Some(Marking { shown: wanted, .. }) = use_context() {
        let (load, text_ref) = (load.clone(), text_ref.clone());
        Effect::new(move |_| {
            let is_this = wanted.with(|place| place.as_ref().is_some_and(|place| is_place_of(&text_ref, place)));
            if is_this && len <= LOAD_BYTES && !shown.with_untracked(|shown| shown.complete) {
                load();
            }
        });
    }
    let copy_whole = move |_| {
        app.ask(Request::GetText(text_ref.clone()), move |answer| match answer {
            Ok(Response::Text(text)) => copy(app, "The value", text),
            Ok(_) => {}
            Err(failure) => drop(trouble.try_set(Some(failure.message))),
        });
    };
    let body = move |build: &Build| {
        let now = shown.get();
        match now.value.filter(|_| has_tree.get() && !raw.get()) {
            Some(value) => vec![value_tree(build, value)],
            None if now.raw.is_empty() => vec![el("p").class("value-null").text("empty text")],
            None => vec![text_block(build, now.raw, 700).class(if has_tree.get() { "text-block mono" } else { "text-block" })],
        }
    };
    let rest = move || {
        (!shown.with(|shown| shown.complete)).then(|| {
            let label = format!("Load all {}", view::bytes(len));
            let load = load.clone();
            view! { <button type="button" class="more" on:click=move |_| load()>{label}</button> }
        })
    };
    let copy_button = move || {
        if shown.with(|shown| shown.complete) {
            view! { <CopyButton what="The value" text=move || shown.with_untracked(|shown| shown.raw.to_string()) /> }.into_any()
        } else {
            view! { <button type="button" class="more" on:click=copy_whole.clone()>"Copy"</button> }.into_any()
        }
    };
    let about = move || {
        let encoding = shown.with(|shown| shown.encoding.label());
        if len >= 1_000 { format!("{encoding} · {}", view::bytes(len)) } else { encoding.to_owned() }
    };
    let switch = move || {
        has_tree.get().then(|| {
            view! {
                <span class="segmented small" role="group" aria-label="Form">
                    <button type="button" aria-pressed=move || if raw.get() { "false" } else { "true" } on:click=move |_| raw.set(false)>"Decoded"</button>
                    <button type="button" aria-pressed=move || if raw.get() { "true" } else { "false" } on:click=move |_| raw.set(true)>"Raw"</button>
                </span>
            }
        })
    };
    view! {
        <div class="recorded">
            <div class="recorded-head">
                <span class="recorded-name mono">{marked(name)}</span>
                <span class="soft small-text">{about}</span>
                <span class="recorded-tools">{switch}{copy_button}</span>
            </div>
            <Built content=Rc::new(body) />
            {rest}
            {move || trouble.get().map(|text| view! { <p role="alert" class="failed">{text}</p> })}
        </div>
    }
}

/// Whether a match stands in this text.
fn is_place_of(text: &TextRef, place: &MatchPlace) -> bool {
    match (text, place) {
        (TextRef::SpanAttribute { key: Some(key), .. }, MatchPlace::Attribute(found)) => key == found,
        (TextRef::EventAttribute { id, key: Some(key) }, MatchPlace::Event { id: event, key: Some(found) }) => id == event && key == found,
        _ => false,
    }
}

/// A text that came whole.
fn whole(text: String) -> Shown {
    if text.len() > DECODE_BYTES {
        return Shown { raw: Arc::from(text), value: None, encoding: Encoding::Text, complete: true };
    }
    let decoded = quipu::recorded::decode(&text);
    Shown { raw: Arc::from(text), value: Some(Arc::new(decoded.value)), encoding: decoded.encoding, complete: true }
}
