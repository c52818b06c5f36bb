//! The open file: name, size, times, counts and tokens.
//!
//! Not here: the totals of the list (`scatter`).

use crate::dom::{El, el};
use crate::state::App;
use crate::widgets::{Build, Built};
use leptos::prelude::*;
use quipu_model::format;
use quipu_model::format::{DASH, TimeStyle};
use std::rc::Rc;

/// Name, size, times, counts and tokens of the file.
#[component]
pub(super) fn FileHead() -> impl IntoView {
    let app = App::get();
    let content = move |_: &Build| draw(app).into_iter().collect();
    view! { <Built content=Rc::new(content) /> }
}

fn draw(app: App) -> Option<El> {
    let summary = app.summary()?;
    let times = app.view.with(|view| view.times);
    let range = match (summary.start, summary.end) {
        (Some(start), Some(end)) => {
            let length = u64::try_from(end.nanos_since(start)).ok();
            // The range is absolute in every style, because relative times count from it.
            let relative = times == TimeStyle::Relative;
            let text = |at| seconds(&if relative { format::time(at, TimeStyle::Utc, 0, None) } else { app.time_text(at, None) });
            format!("{} to {} ({})", text(start), text(end), format::duration_text(length))
        }
        _ => DASH.into(),
    };
    let clock = if times == TimeStyle::Local { " this computer’s clock" } else { " UTC" };
    let clock = summary.start.map(|_| el("span").class("soft").text(clock));
    let services: Vec<String> = summary.service_names.iter().map(|name| shown_name(name)).collect();
    let services = if services.is_empty() { DASH.to_owned() } else { services.join(", ") };
    let failed = summary.failed_traces.filter(|failed| *failed > 0);
    let failed = failed.map(|failed| el("span").class("failed").text(&format!(" ({} failed)", format::count(failed))));
    let tokens = summary
        .tokens
        .as_ref()
        .map_or_else(|| DASH.into(), |tokens| format::token_sentence(tokens).unwrap_or_else(|| "no inference requests".into()));
    let fact = |name: &str, value: El| el("div").child(el("dt").text(name)).child(value);
    let text = |text: &str| el("dd").text(text);
    // Only files of OTLP have tables for them.
    let stored = |name, number: Option<u64>| number.filter(|number| *number > 0).map(|number| fact(name, text(&format::count(number))));
    let facts = el("dl")
        .class("facts")
        .child(fact("Size", text(&format::bytes(summary.size_bytes))))
        .child(fact("Traces", text(&count(summary.traces)).maybe(failed)))
        .child(fact("Requests", text(&count(summary.requests))))
        .child(fact("Spans", text(&count(summary.spans))))
        .child(fact("Events", text(&count(summary.events))))
        .maybe(stored("Log records", summary.log_records))
        .maybe(stored("Metric points", summary.metric_points))
        .child(fact("Service", text(&services)))
        .child(fact("Time", text(&range).attr("title", format::zone_sentence(summary.zone)).maybe(clock)))
        .child(fact("Tokens", text(&tokens)));
    Some(el("section").class("file-head").attr("aria-label", "File").child(el("h1").text(&summary.name)).child(facts))
}

fn count(number: Option<u64>) -> String {
    number.map_or_else(|| DASH.into(), format::count)
}

/// Shown for a blank service name; the default one is a single zero-width space.
fn shown_name(name: &str) -> String {
    let blank = name.chars().all(|letter| letter.is_whitespace() || letter == '\u{200b}');
    if blank { "(no service name)".into() } else { name.to_owned() }
}

/// A time without fractions of a second.
fn seconds(text: &str) -> String {
    text.split('.').next().unwrap_or(text).to_owned()
}
