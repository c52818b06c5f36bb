//! The failures of a trace, shown first: where each began, its error, and the spans it affected.
//!
//! Not here: grouping failures (`quipu_ui::view`).

use super::open_trace::OpenTrace;
use crate::reactive::{dynamic, effect_with, memo, on_mouse, when};
use crate::state::App;
use crate::widgets::{Icon, IconName};
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::GetSpan;
use quipu_ui::view;
use std::collections::HashMap;

/// Failures shown at first.
const FIRST_FAILURES: usize = 2;
/// Failures shown at most, on request: each requests its span.
const MOST_FAILURES: usize = 50;

/// The failures with their errors.
#[component]
pub(super) fn Failures(trace: OpenTrace) -> impl IntoView {
    let app = App::get();
    let columns = trace.columns();
    let count = view::failure_origins(&columns).len();
    let chains = StoredValue::new(view::failure_chains(&columns, MOST_FAILURES));
    let shown = RwSignal::new(FIRST_FAILURES);
    let messages = RwSignal::new(HashMap::<u32, String>::new());
    let rows = memo(move || {
        let shown = shown.get();
        chains.with_value(|chains| chains.iter().take(shown).map(|chain| chain.origin).collect::<Vec<u32>>())
    });
    effect_with(move |asked: Option<usize>| {
        let rows = rows.get();
        let columns = trace.columns();
        for row in rows.iter().skip(asked.unwrap_or(0)).copied() {
            let Some(span_id) = columns.span_id.get(row as usize) else { continue };
            app.ask(GetSpan { trace_id: columns.trace_id.clone(), span_id }, move |answer| {
                let text = match answer {
                    Ok(detail) => {
                        let message = detail.failures.iter().map(|failure| failure.message.as_str()).find(|message| !message.is_empty());
                        message.unwrap_or("Failed without a recorded message.").to_owned()
                    }
                    Err(failure) if failure.is_not_indexed_yet() => return,
                    Err(failure) => failure.message,
                };
                let _ = messages.try_update(|messages| messages.insert(row, text));
            });
        }
        rows.len()
    });
    let item = move |row: u32| {
        let columns = trace.columns();
        let name = columns.name_of(row as usize).to_owned();
        let effect = chains.with_value(|chains| {
            let chain = chains.iter().find(|chain| chain.origin == row);
            chain.map(|chain| view::chain_text(&columns, chain)).unwrap_or_default()
        });
        let message = dynamic(move || {
            messages.with(|messages| {
                let message = messages.get(&row).map_or("…", String::as_str);
                first_and_last_line(message)
            })
        });
        view! {
            <li>
                <button type="button" on:click=on_mouse(move |_| trace.select(app, row))>
                    <Icon name=IconName::Failed />
                    <span class="failure-name">{name}</span>
                    <span class="failure-text">{message}</span>
                    <span class="failure-effect">{effect}</span>
                </button>
            </li>
        }
    };
    let more = dynamic(move || {
        if shown.get() < count.min(MOST_FAILURES) {
            let label = match count > MOST_FAILURES {
                true => format!("Show {MOST_FAILURES} of {} failures", format::count(count as u64)),
                false => format!("Show {}", format::counted(Some((count - shown.get()) as u64), "more failure", "more failures")),
            };
            return Some(
                view! { <button type="button" class="more" on:click=on_mouse(move |_| shown.set(MOST_FAILURES))>{label}</button> }
                    .into_any(),
            );
        }
        // A list that is cut says so.
        (count > MOST_FAILURES).then(|| {
            let text = format!("{} more failures are marked in the timeline.", format::count((count - MOST_FAILURES) as u64));
            view! { <p class="soft">{text}</p> }.into_any()
        })
    });
    view! {
        {when(move || { count > 0 }, move || view! {
            <section class="failures" aria-label="Failed spans">
                <ul><For each=move || rows.get() key=|row| *row children=item /></ul>
                {more.clone()}
            </section>
        })}
    }
}

/// The first line of a traceback says where, the last one what.
fn first_and_last_line(message: &str) -> String {
    let cut = |line: &str| view::clip(line, 240).map_or_else(|| line.to_owned(), |head| format!("{head}…"));
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = cut(lines.next().unwrap_or_default());
    match lines.next_back() {
        Some(last) => format!("{first} … {}", cut(last)),
        None => first,
    }
}
