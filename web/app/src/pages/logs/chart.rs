//! How many log records there are over time, as bars by severity. A click on a bar asks for its time alone.

use super::change;
use crate::actions::router::HistoryEntry;
use crate::dom::{El, el, nearest};
use crate::reactive::{dynamic, on_mouse};
use crate::state::App;
use crate::widgets::{Build, Built};
use leptos::prelude::*;
use quipu_model::format::{self, counted};
use quipu_model::{LogSeverity, Timestamp};
use quipu_protocol::LogChart;
use quipu_protocol::filter::without_ranges;
use std::rc::Rc;

/// The parts of a bar, from below: their class, their name, and the severities in each by number; the last is none.
const PARTS: [(&str, &str, std::ops::Range<usize>); 3] = [
    ("log-bar-error", "errors", LogSeverity::Error as usize..6),
    ("log-bar-warn", "warnings", LogSeverity::Warn as usize..LogSeverity::Error as usize),
    ("log-bar-rest", "others", 0..LogSeverity::Warn as usize),
];

/// The chart; nothing while there is none.
pub(super) fn chart(app: App) -> impl IntoView {
    let press = move |event: leptos::ev::MouseEvent| {
        let range = nearest(&event, "[data-range]").and_then(|bar| bar.get_attribute("data-range"));
        if let Some(range) = range {
            change(app, HistoryEntry::Push, |logs| {
                let rest = without_ranges(&logs.filter, "start");
                logs.filter = if rest.is_empty() { range } else { format!("{rest} {range}") };
            });
        }
    };
    let content = move |_: &Build| {
        let page = app.log_page.get();
        let chart = page.as_ref().and_then(|page| page.chart.as_ref());
        chart.map(|chart| vec![drawn(app, chart)]).unwrap_or_default()
    };
    dynamic(move || {
        let has_chart = app.log_page.get().is_some_and(|page| page.chart.is_some());
        has_chart.then(|| view! { <div class="log-chart" on:click=on_mouse(press)><Built content=Rc::new(content) /></div> })
    })
}

fn drawn(app: App, chart: &LogChart) -> El {
    let sum = |bar: &[u32; 7], of: &std::ops::Range<usize>| -> u64 {
        bar.get(of.clone()).unwrap_or_default().iter().copied().map(u64::from).sum()
    };
    // Those without a severity stand with the others.
    let parts = |bar: &[u32; 7]| PARTS.map(|(_, word, of)| sum(bar, &of) + if word == "others" { u64::from(bar[6]) } else { 0 });
    let highest = chart.bars.iter().map(|bar| parts(bar).iter().sum::<u64>()).max().unwrap_or(1).max(1);
    let width = i64::try_from(chart.bar_nanos).unwrap_or(i64::MAX);
    let at = |bar: usize| Timestamp(chart.start.0.saturating_add(width.saturating_mul(i64::try_from(bar).unwrap_or(i64::MAX))));
    let bar = |(place, bar): (usize, &[u32; 7])| {
        let counts = parts(bar);
        let total: u64 = counts.iter().sum();
        let mut shown = el("span").class("log-bar");
        if total > 0 {
            let named = PARTS.iter().zip(counts).filter(|(_, count)| *count > 0);
            let words: Vec<String> = named.map(|((_, word, _), count)| format!("{} {word}", format::count(count))).collect();
            let time = untrack(|| app.time_text(at(place), app.summary().and_then(|summary| summary.start)));
            let title = format!("{}: {} ({})", format::cut_to_millis(&time), counted(Some(total), "record", "records"), words.join(", "));
            let last = Timestamp(at(place + 1).0.saturating_sub(1));
            let range = format!("start:{}..{}", iso(at(place)), iso(last));
            shown = shown.attr("title", &title).attr("data-range", &range);
        }
        let piece = |((class, ..), count): (&(&str, &str, std::ops::Range<usize>), u64)| {
            let height = format!("height:{:.2}%", count as f64 * 100.0 / highest as f64);
            (count > 0).then(|| el("i").class(class).attr("style", &height))
        };
        // The last child is drawn lowest.
        let pieces = PARTS.iter().zip(counts).rev().filter_map(piece).collect();
        shown.children(pieces)
    };
    let bars = chart.bars.iter().enumerate().map(bar).collect();
    let time = |at: Timestamp| {
        let text = app.time_text(at, app.summary().and_then(|summary| summary.start));
        let text = format::cut_to_millis(&text);
        text.strip_suffix(".000").unwrap_or(text).to_owned()
    };
    let label = format!("Records over time, {} a bar", format::duration_text(Some(chart.bar_nanos)));
    let ends = el("div")
        .class("log-chart-ends number soft")
        .child(el("span").text(&time(chart.start)))
        .child(el("span").text(&format!("{} a bar", format::duration_text(Some(chart.bar_nanos)))))
        .child(el("span").text(&time(at(chart.bars.len()))));
    el("figure").attr("aria-label", &label).child(el("div").class("log-bars").children(bars)).child(ends)
}

/// An instant as the filter language has it.
fn iso(at: Timestamp) -> String {
    at.civil(0).replace(' ', "T")
}
