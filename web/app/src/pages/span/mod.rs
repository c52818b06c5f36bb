//! The panel of the selected span: its error first, then its facts, input and output, and everything recorded.

mod chat;
mod compare;
mod events;
mod facts;
mod matches;
mod recorded;
mod source;

use super::open_trace::OpenTrace;
use crate::dom::{El, el, nearest};
use crate::reactive::{dynamic, effect, memo, on_event, on_mouse};
use crate::state::{App, Load};
use crate::widgets::{Build, Built, Icon, IconName, Marking, NotIndexedYet, folded_text, icon, portions};
use chat::chats;
use compare::compare;
use events::events;
use facts::facts;
use leptos::prelude::*;
use matches::{Matches, attribute_id, follow};
use quipu_model::Timestamp;
use quipu_protocol::address::Screen;
use quipu_protocol::{GetSpan, SpanDetail, SpanFailure, TextRef};
use quipu_ui::view;
pub(super) use recorded::recorded;
use source::links;
pub(super) use source::sources;
use std::rc::Rc;
use std::sync::Arc;

/// Attributes built at once.
const PORTION: usize = 60;

/// The panel.
#[component]
pub(super) fn SpanPanel(
    /// The trace around it.
    trace: OpenTrace,
    /// Which span.
    span_id: Signal<String>,
) -> impl IntoView {
    let app = App::get();
    // A search in the panel takes precedence over the search in the trace.
    let own = RwSignal::new(String::new());
    let find = memo(move || match own.get() {
        own if !own.is_empty() => own,
        _ => app.view.with(|view| match &view.screen {
            Screen::Trace(view) => view.find.clone(),
            _ => String::new(),
        }),
    });
    let marking = Marking { find, shown: RwSignal::new(None) };
    provide_context(marking);
    let load = RwSignal::new(Load::<Arc<SpanDetail>>::Waiting);
    let current = memo(move || span_id.get());
    effect(move || {
        let span_id = current.get();
        marking.shown.set(None);
        // A restarted worker has to index the file again; what is loaded stays.
        app.indexed.track();
        if matches!(&*load.read_untracked(), Load::Ready(detail) if detail.span_id == span_id) {
            return;
        }
        let question = GetSpan { trace_id: trace.columns().trace_id.clone(), span_id: span_id.clone() };
        app.ask(question, move |answer| {
            // Another span may be selected by now, or none.
            if current.try_get_untracked() != Some(span_id) {
                return;
            }
            let _ = load.try_set(answer.map(Arc::new).into());
        });
    });
    let close = move |_| trace.unselect(app);
    let press = move |event: leptos::ev::MouseEvent| {
        if let Some(id) = nearest(&event, "[data-span]").and_then(|pressed| pressed.get_attribute("data-span")) {
            trace.select_id(app, id);
        }
    };
    view! {
        <aside class="span-panel" id="span-panel" aria-label="Span" role="complementary" tabindex="-1" on:click=on_mouse(press)>
            <button type="button" class="icon-button panel-close" aria-label="Close" title="Close (Esc)" on:click=on_mouse(close)><Icon name=IconName::Close /></button>
            <input
                type="search"
                class="panel-find"
                aria-label="Find in this span"
                placeholder="Find in this span"
                autocomplete="off"
                spellcheck="false"
                on:input=on_event(move |event| own.set(event_target_value(&event)))
            />
            {dynamic(move || match load.get() {
                Load::NotIndexed => view! { <NotIndexedYet what="The index has not reached this span yet." /> }.into_any(),
                Load::Waiting => view! { <p class="state" role="status">"Reading the span…"</p> }.into_any(),
                Load::Failed(text) => view! { <div class="state"><p role="alert">{text}</p></div> }.into_any(),
                Load::Ready(detail) => view! { <Detail trace detail /> }.into_any(),
            })}
        </aside>
    }
}

/// The content of the panel, below the span's name.
#[component]
fn Detail(trace: OpenTrace, detail: Arc<SpanDetail>) -> impl IntoView {
    let columns = trace.columns();
    let zero = columns.start;
    let own = columns.span_id.find(&detail.span_id).and_then(|row| view::own_nanos(&columns, row));
    let Marking { shown, .. } = expect_context();
    let known = detail.clone();
    effect(move || {
        if let Some(place) = shown.get() {
            follow(&known, &place);
        }
    });
    let (for_head, for_rest) = (detail.clone(), detail.clone());
    view! {
        <Built content=Rc::new(move |build: &Build| vec![head(build, &for_head)]) />
        <Matches detail />
        <Built content=Rc::new(move |build: &Build| rest(build, &for_rest, zero, own)) />
    }
}

fn head(build: &Build, detail: &SpanDetail) -> El {
    let kind = detail.kind.label();
    let word = el("span").class(&format!("kind-word kind-{kind}")).text(kind);
    let line = el("p").child(el("i").class(&format!("kind-mark kind-{kind}"))).child(word);
    el("header").class("panel-head").child(build.marked("h2", &detail.name)).child(line)
}

fn rest(build: &Build, detail: &Arc<SpanDetail>, zero: Option<Timestamp>, own: Option<u64>) -> Vec<El> {
    let mut parts = Vec::new();
    if !detail.failures.is_empty() {
        let items = detail.failures.iter().map(|found| failure(build, found)).collect();
        parts.push(el("section").class("panel-failures").attr("aria-label", "Why it failed").children(items));
    }
    parts.push(facts(build, detail, zero, own));
    if !detail.notes.is_empty() {
        let items = detail.notes.iter().map(|note| el("li").text(note)).collect();
        let title = el("h3").attr("id", "notes-title").text("Notes");
        let notes = el("ul").class("notes").children(items);
        parts.push(el("section").attr("aria-labelledby", "notes-title").child(title).child(notes));
    }
    parts.extend(chats(build, detail));
    parts.extend(compare(build, detail));
    parts.push(attributes(build, detail));
    parts.extend(events(build, detail, zero));
    parts.extend(links(build, &detail.links, detail.trace_state.as_deref()));
    parts.extend(sources(build, detail.service.as_deref(), &detail.resource, &detail.scope));
    parts
}

fn failure(build: &Build, failure: &SpanFailure) -> El {
    let message = if failure.message.is_empty() { "No message was recorded." } else { failure.message.as_str() };
    let source = el("p").class("soft").text(&format!("Source: {}", failure.source));
    el("div").class("panel-failure").child(icon(IconName::Failed)).child(el("div").child(folded_text(build, message)).child(source))
}

fn attributes(build: &Build, detail: &Arc<SpanDetail>) -> El {
    let count = detail.attributes.len();
    let whole = detail.attributes_text.as_ref().map(|text| {
        let text_ref = TextRef::SpanAttribute { rowid: detail.rowid, key: None };
        recorded(build, "(the attributes’ text, which is not a JSON object)", text, &text_ref)
    });
    let (for_item, of) = (build.clone(), detail.clone());
    let list = portions(build, el("div"), count, PORTION, move |place| {
        let found = of.attributes.get(place)?;
        let value = recorded(&for_item, &found.key, &found.text, &found.text_ref);
        Some(el("div").attr("id", &attribute_id(place)).child(value))
    });
    let empty = (count == 0 && detail.attributes_text.is_none()).then(|| el("p").class("soft").text("None were recorded."));
    let title = el("h3").attr("id", "attributes-title").text("Attributes");
    el("section").attr("aria-labelledby", "attributes-title").child(title).maybe(whole).child(list).maybe(empty)
}
