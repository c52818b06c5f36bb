//! The facts of a span: times, ids, status, tokens.

use crate::dom::{El, el};
use crate::widgets::{Build, copy_button};
use quipu_model::format;
use quipu_model::format::DASH;
use quipu_model::{SpanFlags, Timestamp, TokenCount};
use quipu_protocol::SpanDetail;

/// The table of facts; `zero` is the start of the trace, `own` the time that no child of the span covers, in nanoseconds.
pub(super) fn facts(build: &Build, detail: &SpanDetail, zero: Option<Timestamp>, own: Option<u64>) -> El {
    let nanos = match (detail.start, detail.end) {
        (Some(start), Some(end)) => u64::try_from(end.nanos_since(start)).ok(),
        _ => None,
    };
    let status = match &detail.status {
        None => DASH.to_owned(),
        Some(status) if detail.flags.has(SpanFlags::FAILED) && status != "ERROR" => format!("{status} as recorded, yet it failed"),
        Some(status) => status.clone(),
    };
    let id = |what: &'static str, id: &str| {
        let text = id.to_owned();
        el("dd").class("mono").text(id).child(copy_button(build, what, move || text.clone()))
    };
    let parent = match &detail.parent_span_id {
        None => el("dd").text("none: a root"),
        Some(parent) => {
            let lost = (!detail.parent_found).then(|| soft(" (not in the file)"));
            id("The parent’s id", parent).maybe(lost)
        }
    };
    let mut rows = vec![
        ("Duration", el("dd").class("number").text(&format::duration_text(nanos))),
        ("Own time", el("dd").class("number").text(&format::duration_text(own)).maybe(share_of(own, nanos))),
        ("Start", instant(build, detail.start, detail.start_text.as_deref(), zero)),
        ("End", instant(build, detail.end, detail.end_text.as_deref(), zero)),
        ("Status", el("dd").text(&status)),
        ("Service", el("dd").text(detail.service.as_deref().unwrap_or(DASH))),
        ("Span id", id("The span id", &detail.span_id)),
        ("Parent", parent),
        ("Trace id", id("The trace id", &detail.trace_id)),
        ("Recorded kind", el("dd").text(detail.recorded_kind.as_deref().unwrap_or(DASH))),
    ];
    if let Some(tokens) = &detail.tokens {
        let row = |count: Option<TokenCount>| {
            let text = count.map_or_else(|| DASH.into(), |count| format::count(count.tokens));
            let source = count.map(|count| soft(&format!(" ({})", count.source.label())));
            el("dd").child(el("span").class("number").text(&text)).maybe(source)
        };
        rows.push(("Prompt tokens", row(tokens.prompt)));
        rows.push(("Completion tokens", row(tokens.completion)));
        rows.push(("Total tokens", row(tokens.total)));
        let parts = format::call_facts(&detail.call).into_iter();
        rows.extend(parts.map(|(title, text)| (title, el("dd").class("number").text(&text))));
        if detail.cost.is_some() {
            rows.push(("Cost", el("dd").class("number").text(&format::cost_text(detail.cost))));
        }
    } else if detail.flags.has(SpanFlags::INFERENCE_REQUEST) {
        rows.push(("Tokens", el("dd").text(DASH).child(soft(" (the file holds no count for this request)"))));
    }
    let rows = rows.into_iter().flat_map(|(word, value)| [el("dt").text(word), value]).collect();
    el("section").attr("aria-label", "Facts").child(el("dl").class("facts-table").children(rows))
}

/// The span's own time, as a part of its duration.
fn share_of(own: Option<u64>, nanos: Option<u64>) -> Option<El> {
    Some(soft(&format!(" ({} of it)", format::share_text(own?, nanos?))))
}

fn soft(text: &str) -> El {
    el("span").class("soft").text(text)
}

/// One instant: in the chosen style, relative to the trace, and on hover as recorded in the file.
fn instant(build: &Build, at: Option<Timestamp>, text: Option<&str>, zero: Option<Timestamp>) -> El {
    let recorded = text.map_or_else(|| "Not recorded.".to_owned(), |text| format!("Recorded as {text}"));
    let shown = el("dd").class("number").attr("title", &recorded);
    match at {
        None => shown.text(DASH).child(soft(&format!(" {recorded}"))),
        // The relative time is shown anyway, so the first one is in UTC for the style "relative".
        Some(at) => {
            let relative = zero.map(|zero| soft(&format!(" {}", format::offset_text(at.nanos_since(zero)))));
            shown.child(build.time(at, None, false)).maybe(relative)
        }
    }
}
