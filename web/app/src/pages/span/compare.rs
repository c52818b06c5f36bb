//! Compares the input of the span with that of the previous span of the same name, on request.

use crate::dom::{El, append, el, fill};
use crate::widgets::{Build, Nodes, more};
use quipu_protocol::{CompareInput, SpanDetail};
use web_sys::Element;

/// A button that is replaced by the comparison. `None` when no input was recorded.
pub(super) fn compare(build: &Build, detail: &SpanDetail) -> Option<El> {
    detail.input_key.as_ref()?;
    let (trace_id, span_id) = (detail.trace_id.clone(), detail.span_id.clone());
    let for_press = build.clone();
    let ask = more("Compare with the previous input").on_press(&build.handlers, move |button| {
        let (Some(place), nodes) = (button.parent_element(), Nodes(for_press.clone())) else { return };
        let question = CompareInput { trace_id: trace_id.clone(), span_id: span_id.clone() };
        for_press.app.ask(question, move |answer| match answer {
            Ok(found) => {
                fill(&place, Vec::new());
                append(&place, vec![nodes.all(el("div"), found)]);
                crate::browser::focus_element(&place);
            }
            Err(failure) => say(&place, &failure.message),
        });
    });
    Some(el("section").class("comparison").attr("aria-label", "Compared input").attr("tabindex", "-1").child(ask))
}

fn say(place: &Element, text: &str) {
    append(place, vec![el("p").attr("role", "alert").class("failed").text(text)]);
}
