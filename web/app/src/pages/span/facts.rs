//! What a span is in numbers: times, ids, status, tokens.

use crate::state::App;
use crate::widgets::CopyButton;
use leptos::prelude::*;
use quipu::model::{SpanMarks, Timestamp, TokenCount};
use quipu::protocol::SpanDetail;
use quipu::view::{self, DASH, TimeStyle};
use std::sync::Arc;

/// The table of facts.
#[component]
pub(super) fn Facts(
    /// The span.
    detail: Arc<SpanDetail>,
    /// The start of its trace.
    zero: Option<Timestamp>,
) -> impl IntoView {
    let nanos = match (detail.start, detail.end) {
        (Some(start), Some(end)) => u64::try_from(end.nanos_since(start)).ok(),
        _ => None,
    };
    let status = match &detail.status {
        None => DASH.to_owned(),
        Some(status) if detail.marks.has(SpanMarks::FAILED) && status != "ERROR" => format!("{status} as recorded, yet it failed"),
        Some(status) => status.clone(),
    };
    let parent = match &detail.parent_span_id {
        None => view! { <dd>"none: a root"</dd> }.into_any(),
        Some(parent) => {
            let id = parent.clone();
            view! {
                <dd class="mono">
                    {parent.clone()}
                    <CopyButton what="The parent’s id" text=move || id.clone() />
                    {(!detail.parent_found).then(|| view! { <span class="soft">" (not in the file)"</span> })}
                </dd>
            }
            .into_any()
        }
    };
    let tokens = detail.tokens.map(|tokens| {
        let row = |word: &'static str, count: Option<TokenCount>| {
            let text = count.map_or_else(|| DASH.into(), |count| view::count(count.tokens));
            let source = count.map(|count| view! { <span class="soft">{format!(" ({})", count.source.label())}</span> });
            view! { <dt>{word}</dt><dd><span class="number">{text}</span>{source}</dd> }
        };
        view! { {row("Prompt tokens", tokens.prompt)} {row("Completion tokens", tokens.completion)} {row("Total tokens", tokens.total)} }
    });
    let unknown_tokens = (detail.tokens.is_none() && detail.marks.has(SpanMarks::INFERENCE_REQUEST))
        .then(|| view! { <dt>"Tokens"</dt><dd>{DASH}<span class="soft">" (the file holds no count for this request)"</span></dd> });
    let (span_id, trace_id) = (detail.span_id.clone(), detail.trace_id.clone());
    view! {
        <section aria-label="Facts">
            <dl class="facts-table">
                <dt>"Duration"</dt>
                <dd class="number">{view::duration_text(nanos)}</dd>
                <Instant word="Start" at=detail.start text=detail.start_text.clone() zero />
                <Instant word="End" at=detail.end text=detail.end_text.clone() zero />
                <dt>"Status"</dt>
                <dd>{status}</dd>
                <dt>"Span id"</dt>
                <dd class="mono">{span_id.clone()}<CopyButton what="The span id" text=move || span_id.clone() /></dd>
                <dt>"Parent"</dt>
                {parent}
                <dt>"Trace id"</dt>
                <dd class="mono">{trace_id.clone()}<CopyButton what="The trace id" text=move || trace_id.clone() /></dd>
                <dt>"Recorded kind"</dt>
                <dd>{detail.recorded_kind.clone().unwrap_or_else(|| DASH.into())}</dd>
                {tokens}
                {unknown_tokens}
            </dl>
        </section>
    }
}

/// One instant: by the chosen clock, since the trace's start, and on hover as it stands in the file.
#[component]
fn Instant(word: &'static str, at: Option<Timestamp>, text: Option<String>, zero: Option<Timestamp>) -> impl IntoView {
    let app = App::get();
    let clock = move || match at {
        None => DASH.to_owned(),
        // Both stand here anyway, so that "relative" means UTC for the first.
        Some(at) if app.view.with(|view| view.times) == TimeStyle::Relative => view::time(at, TimeStyle::Utc, 0, None),
        Some(at) => app.time_text(at, None),
    };
    let relative =
        at.zip(zero).map(|(at, zero)| view! { <span class="soft">{format!(" {}", view::offset_text(at.nanos_since(zero)))}</span> });
    let recorded = text.map_or_else(|| "The file holds no such time.".to_owned(), |text| format!("Recorded as {text}"));
    let unreadable = at.is_none().then(|| view! { <span class="soft">{format!(" {recorded}")}</span> });
    view! {
        <dt>{word}</dt>
        <dd class="number" title=recorded.clone()>{clock}{relative}{unreadable}</dd>
    }
}
