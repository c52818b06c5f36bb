//! The events of a span: logs with severity and time, tracebacks folded, metrics and others by their attributes.

use super::matches::{event_id, follow};
use super::recorded::Recorded;
use crate::state::App;
use crate::widgets::{FoldedText, marked};
use leptos::prelude::*;
use quipu::model::Timestamp;
use quipu::protocol::{MatchPlace, SpanDetail, SpanEvent, TextRef};
use quipu::view::{self, DASH, TimeStyle};
use std::sync::Arc;

/// Events built at once.
const PORTION: usize = 50;

/// The list.
#[component]
pub(super) fn Events(
    /// The span.
    detail: Arc<SpanDetail>,
    /// The start of its trace.
    zero: Option<Timestamp>,
) -> impl IntoView {
    let (count, all) = (detail.events.len(), detail.event_count as usize);
    if all == 0 {
        return ().into_any();
    }
    let shown = RwSignal::new(PORTION);
    let events = detail.clone();
    follow(move |place| {
        let MatchPlace::Event { id, .. } = place else { return None };
        let number = events.events.iter().position(|event| event.id == *id)?;
        shown.update(|shown| *shown = (*shown).max(number + 1));
        Some(event_id(*id))
    });
    let each = {
        let detail = detail.clone();
        move || detail.events.iter().take(shown.get()).cloned().collect::<Vec<_>>()
    };
    let more = move || {
        let left = count.saturating_sub(shown.get());
        (left > 0).then(|| {
            let label = format!("Show {} more of {}", left.min(PORTION), view::count(count as u64));
            view! { <button type="button" class="more" on:click=move |_| shown.update(|shown| *shown += PORTION)>{label}</button> }
        })
    };
    let beyond = (all > count).then(|| view! { <p class="soft">{format!("These are the first {} of {} events.", view::count(count as u64), view::count(all as u64))}</p> });
    view! {
        <section aria-labelledby="events-title">
            <h3 id="events-title">{format!("Events ({})", view::count(all as u64))}</h3>
            <ol class="events"><For each=each key=|event| event.id children=move |event| item(event, zero) /></ol>
            {more}
            {beyond}
        </section>
    }
    .into_any()
}

fn item(event: SpanEvent, zero: Option<Timestamp>) -> impl IntoView {
    let app = App::get();
    let severity = event.severity.clone();
    let class = match severity.as_deref() {
        Some("error" | "critical") => "severity severity-error",
        Some("warn" | "warning") => "severity severity-warn",
        _ => "severity",
    };
    let time = {
        let at = event.time;
        move || match (at, app.view.with(|view| view.times)) {
            (None, _) => DASH.to_owned(),
            (Some(at), TimeStyle::Relative) => app.time_text(at, zero),
            (Some(at), _) => app.time_text(at, None),
        }
    };
    let relative = event.time.zip(zero).map(|(at, zero)| view::offset_text(at.nanos_since(zero)));
    let recorded = event.time_text.clone().map(|text| format!("Recorded as {text}"));
    // Only what is not the usual log needs its name.
    let name = (event.name != "unstructured_log").then(|| event.name.clone());
    let message = event.message.clone().map(|message| view! { <FoldedText text=message /> });
    let attributes = event
        .attributes
        .into_iter()
        .map(|attribute| view! { <Recorded name=attribute.key text=attribute.text text_ref=attribute.text_ref /> })
        .collect_view();
    let whole = event.attributes_text.map(|text| {
        view! { <Recorded name="(the attributes’ text, which is no JSON object)".to_owned() text text_ref=TextRef::EventAttribute { id: event.id, key: None } /> }
    });
    view! {
        <li class="event" id=event_id(event.id)>
            <p class="event-head">
                {severity.map(|severity| view! { <span class=class>{severity}</span> })}
                {name.map(|name| view! { <strong class="mono">{marked(name)}</strong> })}
                <span class="number soft" title=recorded>{relative.unwrap_or_else(|| DASH.into())}</span>
                <span class="number soft event-clock">{time}</span>
            </p>
            {message}
            {attributes}
            {whole}
        </li>
    }
}
