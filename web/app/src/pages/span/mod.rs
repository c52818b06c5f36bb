//! The panel of the selected span: its error first, then what it is, what went in and out, and everything recorded.

mod chat;
mod events;
mod facts;
mod matches;
mod recorded;

use super::open_trace::OpenTrace;
use crate::state::{App, Load};
use crate::widgets::{FoldedText, Icon, IconName, Marking, NotIndexedYet, marked};
use chat::Chat;
use events::Events;
use facts::Facts;
use leptos::prelude::*;
use matches::{Matches, attribute_id, follow};
use quipu::model::Timestamp;
use quipu::protocol::{MatchPlace, Request, Response, SpanDetail, SpanFailure};
use quipu::share::Place;
use quipu::view;
use recorded::Recorded;
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
    let find = Memo::new(move |_| {
        app.view.with(|view| match &view.place {
            Place::Trace(view) => view.find.clone(),
            _ => String::new(),
        })
    });
    let marking = Marking { find, shown: RwSignal::new(None) };
    provide_context(marking);
    let load = RwSignal::new(Load::<Arc<SpanDetail>>::Waiting);
    let current = Memo::new(move |_| span_id.get());
    Effect::new(move |_| {
        let span_id = current.get();
        marking.shown.set(None);
        // A worker that was restarted has to index the file again; what is here already stays.
        app.indexed.track();
        if matches!(&*load.read_untracked(), Load::Ready(detail) if detail.span_id == span_id) {
            return;
        }
        let request = Request::GetSpan { trace_id: trace.columns().trace_id.clone(), span_id: span_id.clone() };
        app.ask(request, move |answer| {
            // Another span may be selected by now, or none.
            if current.try_get_untracked() != Some(span_id) {
                return;
            }
            let _ = load.try_set(match answer {
                Ok(Response::Span(detail)) => Load::Ready(Arc::new(*detail)),
                Ok(_) => Load::NotIndexed,
                Err(failure) => Load::Failed(failure.message),
            });
        });
    });
    let zero = trace.columns().start;
    let close = move |_| trace.unselect(app);
    view! {
        <aside class="span-panel" id="span-panel" aria-label="Span" role="complementary" tabindex="-1">
            <button type="button" class="icon-button panel-close" aria-label="Close" title="Close (Esc)" on:click=close><Icon name=IconName::Close /></button>
            {move || match load.get() {
                Load::NotIndexed => view! { <NotIndexedYet what="The index has not reached this span yet." /> }.into_any(),
                Load::Waiting => view! { <p class="state" role="status">"Reading the span…"</p> }.into_any(),
                Load::Failed(text) => view! { <div class="state"><p role="alert">{text}</p></div> }.into_any(),
                Load::Ready(detail) => view! { <Detail detail zero /> }.into_any(),
            }}
        </aside>
    }
}

#[component]
fn Detail(detail: Arc<SpanDetail>, zero: Option<Timestamp>) -> impl IntoView {
    let kind = detail.kind.label();
    let failures = (!detail.failures.is_empty()).then(|| {
        let items = detail.failures.iter().map(failure).collect_view();
        view! { <section class="panel-failures" aria-label="Why it failed">{items}</section> }
    });
    let notes = (!detail.notes.is_empty()).then(|| {
        let items = detail.notes.iter().map(|note| view! { <li>{note.clone()}</li> }).collect_view();
        view! { <section aria-labelledby="notes-title"><h3 id="notes-title">"Notes"</h3><ul class="notes">{items}</ul></section> }
    });
    view! {
        <header class="panel-head">
            <h2>{marked(detail.name.clone())}</h2>
            <p><i class=format!("kind-mark kind-{kind}")></i><span class=format!("kind-word kind-{kind}")>{kind}</span></p>
        </header>
        <Matches detail=detail.clone() />
        {failures}
        <Facts detail=detail.clone() zero />
        {notes}
        <Chat title="Input" messages=detail.input_messages.clone() />
        <Chat title="Output" messages=detail.output_messages.clone() />
        <Attributes detail=detail.clone() />
        <Events detail=detail.clone() zero />
    }
}

fn failure(failure: &SpanFailure) -> impl IntoView + use<> {
    let message = if failure.message.is_empty() { "No message was recorded." } else { failure.message.as_str() };
    view! {
        <div class="panel-failure">
            <Icon name=IconName::Failed />
            <div>
                <FoldedText text=message.to_owned() />
                <p class="soft">{format!("Source: {}", failure.source)}</p>
            </div>
        </div>
    }
}

#[component]
fn Attributes(detail: Arc<SpanDetail>) -> impl IntoView {
    let count = detail.attributes.len();
    let shown = RwSignal::new(PORTION);
    let known = detail.clone();
    follow(move |place| {
        let MatchPlace::Attribute(key) = place else { return None };
        let number = known.attributes.iter().position(|attribute| attribute.key == *key)?;
        shown.update(|shown| *shown = (*shown).max(number + 1));
        Some(attribute_id(number))
    });
    let each = {
        let detail = detail.clone();
        move || detail.attributes.iter().take(shown.get()).cloned().enumerate().collect::<Vec<_>>()
    };
    let whole = detail.attributes_text.clone().map(|text| {
        let text_ref = quipu::protocol::TextRef::SpanAttribute { rowid: detail.rowid, key: None };
        view! { <Recorded name="(the attributes’ text, which is no JSON object)".to_owned() text text_ref /> }
    });
    let more = move || {
        let left = count.saturating_sub(shown.get());
        (left > 0).then(|| {
            let label = format!("Show {} more of {}", left.min(PORTION), view::count(count as u64));
            view! { <button type="button" class="more" on:click=move |_| shown.update(|shown| *shown += PORTION)>{label}</button> }
        })
    };
    let empty = (count == 0 && detail.attributes_text.is_none()).then(|| view! { <p class="soft">"None were recorded."</p> });
    view! {
        <section aria-labelledby="attributes-title">
            <h3 id="attributes-title">"Attributes"</h3>
            {whole}
            <For each=each key=|(place, _)| *place let((place, attribute))>
                <div id=attribute_id(place)><Recorded name=attribute.key text=attribute.text text_ref=attribute.text_ref /></div>
            </For>
            {more}
            {empty}
        </section>
    }
}
