//! The matches of the search in the span: each with its context, and a link to it.
//!
//! Not here: marks in the texts themselves (`widgets`).

use crate::browser::on_next_frame;
use crate::pages::span::recorded::LOAD;
use crate::reactive::{dynamic, effect_with, on_mouse};
use crate::state::App;
use crate::widgets::{Marking, NEXT_PORTION};
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::{FindInSpan, MatchPlace, SpanDetail, SpanMatch};
use quipu_ui::view;
use std::sync::Arc;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Matches shown at first.
const FIRST: usize = 4;
/// How long typing has to pause before the span is searched.
const PAUSE: Duration = Duration::from_millis(200);

/// The list. Empty while there is no search.
#[component]
pub(super) fn Matches(
    /// The span.
    detail: Arc<SpanDetail>,
) -> impl IntoView {
    let app = App::get();
    let Marking { find, shown } = expect_context();
    let found = RwSignal::new(None::<Result<Vec<SpanMatch>, String>>);
    let all = RwSignal::new(false);
    let ask = move |text: String| {
        let question = FindInSpan { trace_id: detail.trace_id.clone(), span_id: detail.span_id.clone(), text: text.clone() };
        app.ask(question, move |answer| {
            // Something else may be searched for by now, or nothing.
            if find.try_get_untracked() != Some(text) {
                return;
            }
            let _ = found.try_set(match answer {
                Ok(matches) => Some(Ok(matches)),
                Err(failure) if failure.is_not_indexed_yet() => None,
                Err(failure) => Some(Err(failure.message)),
            });
        });
    };
    effect_with(move |before: Option<()>| {
        let text = find.get();
        found.set(None);
        all.set(false);
        if text.is_empty() {
            return;
        }
        if before.is_none() {
            return ask(text);
        }
        // The text is being typed, and a span may be large.
        let (ask, busy) = (ask.clone(), app.idle().begin());
        set_timeout(
            move || {
                if find.try_get_untracked().as_ref() == Some(&text) {
                    ask(text);
                }
                drop(busy);
            },
            PAUSE,
        );
    });
    let line = move |found: &SpanMatch| {
        let place = found.place.clone();
        view! {
            <li>
                <button type="button" on:click=on_mouse(move |_| shown.set(Some(place.clone())))>
                    <span class="mono soft">{view::place_text(&found.place)}</span>
                    <span class="match-text">{found.before.clone()}<mark>{found.matched.clone()}</mark>{found.after.clone()}</span>
                </button>
            </li>
        }
    };
    let list = move |matches: Vec<SpanMatch>| {
        let count = matches.len();
        let title = match count {
            0 => "Not in this span".to_owned(),
            count => format::counted(Some(count as u64), "match in this span", "matches in this span"),
        };
        let lines = dynamic(move || matches.iter().take(if all.get() { count } else { FIRST }).map(line).collect_view());
        let more = dynamic(move || {
            (count > FIRST && !all.get()).then(|| {
                let label = format!("Show {} more", format::count((count - FIRST) as u64));
                view! { <button type="button" class="more" on:click=on_mouse(move |_| all.set(true))>{label}</button> }
            })
        });
        view! {
            <section class="matches" aria-label="Matches in this span">
                <h3>{dynamic(move || format!("“{}”: {title}", find.get()))}</h3>
                <ul>{lines}</ul>
                {more}
            </section>
        }
    };
    move || {
        Some(match found.get()? {
            Ok(matches) => list(matches).into_any(),
            Err(text) => view! { <p role="alert" class="failed">{text}</p> }.into_any(),
        })
    }
}

/// The id of an attribute's element.
pub(super) fn attribute_id(number: usize) -> String {
    format!("attribute-{number}")
}

/// The id of an event's element.
pub(super) fn event_id(id: i64) -> String {
    format!("event-{id}")
}

/// Goes to a match: loads and draws the value it is in, and scrolls to it.
pub(super) fn follow(detail: &SpanDetail, place: &MatchPlace) {
    let (id, list) = match place {
        MatchPlace::Name => return,
        MatchPlace::Attribute(key) => match detail.attributes.iter().position(|attribute| attribute.key == *key) {
            Some(number) => (attribute_id(number), "[aria-labelledby=attributes-title]"),
            None => return,
        },
        MatchPlace::Event { id, .. } => (event_id(*id), "[aria-labelledby=events-title]"),
    };
    let press = |within: &str, button: &str| {
        let button = document().query_selector(&format!("{within} {button}")).ok().flatten();
        button.and_then(|button| button.dyn_into::<HtmlElement>().ok()).map(|button| button.click()).is_some()
    };
    // A list is drawn in portions.
    while document().get_element_by_id(&id).is_none() && press(list, &format!(".{NEXT_PORTION}")) {}
    // It may be beyond the head of a long text.
    press(&format!("[id={id:?}]"), &format!(".{LOAD}"));
    // Drawn by then.
    on_next_frame(move || on_next_frame(move || reveal(&id)));
}

/// Scrolls to the first mark in the element with this id, or to the element.
fn reveal(id: &str) {
    let Some(element) = document().get_element_by_id(id) else { return };
    let mark = element.query_selector("mark").ok().flatten().unwrap_or(element);
    // The head of the panel and the bar above do not scroll.
    mark.scroll_into_view_with_bool(false);
}
