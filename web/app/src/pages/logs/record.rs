//! One log record in full, beside the list.

use super::super::span::{recorded, sources};
use super::{screen_of, select, severity_class};
use crate::actions::router;
use crate::dom::{El, el};
use crate::reactive::{dynamic, effect, on_mouse};
use crate::state::{App, Load};
use crate::widgets::{Build, Built, Icon, IconName, NotIndexedYet, folded_text};
use leptos::prelude::*;
use quipu_model::format::DASH;
use quipu_protocol::{GetLog, LogDetail, LogId, TextRef};
use std::rc::Rc;
use std::sync::Arc;

/// The panel.
#[component]
pub(super) fn LogPanel(
    /// Which record.
    id: Memo<Option<LogId>>,
) -> impl IntoView {
    let app = App::get();
    let load = RwSignal::new(Load::<Arc<LogDetail>>::Waiting);
    effect(move || {
        app.indexed.track();
        let Some(wanted) = id.get() else { return };
        app.ask(GetLog(wanted), move |answer| {
            // Another record may be selected by now, or none.
            if id.try_get_untracked() == Some(Some(wanted)) {
                let _ = load.try_set(answer.map(Arc::new).into());
            }
        });
    });
    view! {
        <aside class="span-panel log-panel" aria-label="Log record" role="complementary" tabindex="-1">
            <button type="button" class="icon-button panel-close" aria-label="Close" title="Close (Esc)" on:click=on_mouse(move |_| select(app, None))>
                <Icon name=IconName::Close />
            </button>
            {dynamic(move || match load.get() {
                Load::NotIndexed => view! { <NotIndexedYet what="The file is not indexed yet." /> }.into_any(),
                Load::Waiting => view! { <p class="state" role="status">"Reading the record…"</p> }.into_any(),
                Load::Failed(text) => view! { <div class="state"><p role="alert">{text}</p></div> }.into_any(),
                Load::Ready(detail) => view! { <Built content=Rc::new(move |build: &Build| content(build, &detail)) /> }.into_any(),
            })}
        </aside>
    }
}

fn content(build: &Build, detail: &LogDetail) -> Vec<El> {
    let item = &detail.item;
    let title = if item.name.is_empty() { "Log record" } else { &item.name };
    let severity =
        item.severity.map(|severity| el("p").class(&format!("log-severity {}", severity_class(item.severity))).text(severity.label()));
    let mut parts = vec![el("header").class("panel-head").child(el("h2").text(title)).maybe(severity)];
    if let Some(message) = &detail.message {
        parts.push(el("section").attr("aria-label", "Message").child(folded_text(build, &message.raw)));
    }
    parts.push(facts(build, detail));
    if !detail.notes.is_empty() {
        parts.push(el("ul").class("notes").children(detail.notes.iter().map(|note| el("li").text(note)).collect()));
    }
    let whole = detail.attributes_text.as_ref().map(|text| {
        let text_ref = match item.id {
            LogId::Event(id) => TextRef::EventAttribute { id, key: None },
            LogId::Record(id) => TextRef::LogAttribute { id, key: None },
        };
        recorded(build, "(the attributes’ text, which is not a JSON object)", text, &text_ref)
    });
    let attributes =
        detail.attributes.iter().map(|attribute| recorded(build, &attribute.key, &attribute.text, &attribute.text_ref)).collect();
    let empty = (detail.attributes.is_empty() && whole.is_none()).then(|| el("p").class("soft").text("None were recorded."));
    let attributes = el("section").attr("aria-label", "Attributes").child(el("h3").text("Attributes")).children(attributes);
    parts.push(attributes.maybe(whole).maybe(empty));
    parts.extend(sources(build, item.service.as_deref(), &detail.resource, &detail.scope));
    parts
}

fn facts(build: &Build, detail: &LogDetail) -> El {
    let item = &detail.item;
    let text = |text: Option<&str>| el("dd").text(text.unwrap_or(DASH));
    let time = match item.time {
        Some(at) => {
            el("dd").class("number").attr("title", detail.time_text.as_deref().unwrap_or_default()).child(build.time(at, None, false))
        }
        None => text(None),
    };
    let mut rows = vec![("Time", time)];
    if let Some(observed) = detail.observed.filter(|observed| Some(*observed) != item.time) {
        rows.push(("Observed", el("dd").class("number").child(build.time(observed, None, false))));
    }
    if detail.severity_text.is_some() {
        rows.push(("Severity", text(detail.severity_text.as_deref())));
    }
    rows.push(("Service", text(item.service.as_deref())));
    if let Some(trace_id) = &item.trace_id {
        let link = screen_of(item).map(|screen| router::address(build.app, |view| view.screen = screen)).unwrap_or_default();
        rows.push(("Trace", el("dd").class("mono").child(el("a").attr("href", &link).text(trace_id))));
    }
    if let Some(span_id) = &item.span_id {
        let rest = match &item.span_name {
            Some(name) => format!(" {name}"),
            None => " (not in the file)".to_owned(),
        };
        rows.push(("Span", el("dd").child(el("span").class("mono").text(span_id)).child(el("span").class("soft").text(&rest))));
    }
    let rows = rows.into_iter().flat_map(|(word, value)| [el("dt").text(word), value]).collect();
    el("section").attr("aria-label", "Facts").child(el("dl").class("facts-table").children(rows))
}
