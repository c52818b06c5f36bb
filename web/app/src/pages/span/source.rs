//! Where a span comes from, and what it is linked to: its resource and scope, folded, and its links.

use super::recorded::recorded;
use crate::actions::router;
use crate::dom::{El, el};
use crate::widgets::Build;
use quipu_model::format;
use quipu_protocol::{Attribute, SpanLink};

/// The sections of the scope and of the resource; none of what was not recorded.
pub(in super::super) fn sources(build: &Build, service: Option<&str>, resource: &[Attribute], scope: &[Attribute]) -> Vec<El> {
    let name_in = |key: &str| scope.iter().find(|attribute| attribute.key == key).map(|found| found.text.raw.clone());
    let version = name_in("version").map_or_else(String::new, |version| format!(" {version}"));
    let of_scope = name_in("name").map(|name| name + &version);
    let scope = folded(build, "Scope", of_scope, scope);
    scope.into_iter().chain(folded(build, "Resource", service.map(str::to_owned), resource)).collect()
}

/// Attributes under a line that names what they are of.
fn folded(build: &Build, title: &str, of: Option<String>, attributes: &[Attribute]) -> Option<El> {
    if attributes.is_empty() {
        return None;
    }
    let word = el("h3").text(title);
    let of =
        el("span").class("soft").text(&of.unwrap_or_else(|| format::counted(Some(attributes.len() as u64), "attribute", "attributes")));
    let list = attributes.iter().map(|attribute| recorded(build, &attribute.key, &attribute.text, &attribute.text_ref)).collect();
    let inside = el("details").child(el("summary").child(word).child(of)).children(list);
    Some(el("section").class("panel-source").attr("aria-label", title).child(inside))
}

/// The section of the links; `None` if there are none.
pub(super) fn links(build: &Build, links: &[SpanLink], trace_state: Option<&str>) -> Option<El> {
    if links.is_empty() && trace_state.is_none() {
        return None;
    }
    let item = |link: &SpanLink| {
        let text = format!("span {} of trace {}", link.span_id, link.trace_id);
        let place = if link.found {
            el("a").attr("href", &router::span_address(build.app, &link.trace_id, &link.span_id)).text(&text)
        } else {
            el("span").text(&text).child(el("span").class("soft").text(" (not in the file)"))
        };
        let attributes = (!link.attributes.is_empty()).then(|| el("div").class("text-block mono").text(&link.attributes));
        el("li").child(place.class("mono")).maybe(attributes)
    };
    let state =
        trace_state.map(|state| el("p").child(el("span").class("soft").text("Trace state ")).child(el("span").class("mono").text(state)));
    let title = el("h3").text(&format!("Links ({})", format::count(links.len() as u64)));
    let list = el("ul").class("panel-links").children(links.iter().map(item).collect());
    Some(el("section").attr("aria-label", "Links").child(title).child(list).maybe(state))
}
