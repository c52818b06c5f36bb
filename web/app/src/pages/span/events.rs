//! The events of a span: logs with severity and time, tracebacks folded, metrics and others by their attributes.

use super::matches::event_id;
use super::recorded::recorded;
use crate::dom::{El, el};
use crate::widgets::{Build, folded_text, portions};
use quipu_model::Timestamp;
use quipu_model::format;
use quipu_model::format::DASH;
use quipu_protocol::{SpanDetail, SpanEvent, TextRef};
use std::sync::Arc;

/// Events built at once.
const PORTION: usize = 50;

/// The list. `None` when there are none. `zero` is the start of the trace.
pub(super) fn events(build: &Build, detail: &Arc<SpanDetail>, zero: Option<Timestamp>) -> Option<El> {
    let (count, all) = (detail.events.len(), detail.event_count as usize);
    if all == 0 {
        return None;
    }
    let (for_item, of) = (build.clone(), detail.clone());
    let list = portions(build, el("ol").class("events"), count, PORTION, move |place| {
        of.events.get(place).map(|event| item(&for_item, event, zero))
    });
    let beyond = (all > count).then(|| {
        let text = format!("These are the first {} of {} events.", format::count(count as u64), format::count(all as u64));
        el("p").class("soft").text(&text)
    });
    let title = el("h3").attr("id", "events-title").text(&format!("Events ({})", format::count(all as u64)));
    Some(el("section").attr("aria-labelledby", "events-title").child(title).child(list).maybe(beyond))
}

fn item(build: &Build, event: &SpanEvent, zero: Option<Timestamp>) -> El {
    let severity = event.severity.as_deref().map(|severity| {
        let class = match severity {
            "error" | "critical" => "severity severity-error",
            "warn" | "warning" => "severity severity-warn",
            _ => "severity",
        };
        el("span").class(class).text(severity)
    });
    let recorded_time = event.time_text.as_ref().map(|text| format!("Recorded as {text}")).unwrap_or_default();
    // Names are shown only for events that are not ordinary logs.
    let name = (event.name != "unstructured_log").then(|| build.marked("strong", &event.name).class("mono"));
    let relative = event.time.zip(zero).map_or_else(|| DASH.to_owned(), |(at, zero)| format::offset_text(at.nanos_since(zero)));
    let time = event.time.map_or_else(|| el("time").text(DASH), |at| build.time(at, zero, false));
    let head = el("p")
        .class("event-head")
        .maybe(severity)
        .maybe(name)
        .child(el("span").class("number soft").attr("title", &recorded_time).text(&relative))
        .child(time.class("number soft event-clock"));
    let whole = event.attributes_text.as_ref().map(|text| {
        recorded(build, "(the attributes’ text, which is not a JSON object)", text, &TextRef::EventAttribute { id: event.id, key: None })
    });
    el("li")
        .class("event")
        .attr("id", &event_id(event.id))
        .child(head)
        .maybe(event.message.as_ref().map(|message| folded_text(build, message)))
        .children(event.attributes.iter().map(|attribute| recorded(build, &attribute.key, &attribute.text, &attribute.text_ref)).collect())
        .maybe(whole)
}
