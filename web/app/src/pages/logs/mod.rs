//! The screen of log records: a filter, how many there are over time, the list, and one record in full.
//!
//! Not here: the events of one trace, which are a tab of it.

mod chart;
mod record;

use super::filter_bar::{FilterBar, FilterOf};
use super::list_grid::{RowAction, Table, list_grid, list_state, row_id};
use super::trace_grid::coming;
use crate::actions::router::{self, HistoryEntry};
use crate::dom::{El, el, fill};
use crate::reactive::{effect, memo, when};
use crate::state::{App, ListedBy, Row};
use crate::widgets::{Build, Choice, ImportBar, IndexBar, Segmented, Viewport, more};
use chart::chart;
use leptos::prelude::*;
use quipu_model::LogSeverity;
use quipu_model::format::{self, DASH};
use quipu_protocol::address::{LogView, Screen, TraceView};
use quipu_protocol::{LogId, LogItem};
use record::LogPanel;
use std::rc::Rc;
use web_sys::Element;

/// The headings and their classes.
const HEADINGS: [(&str, &str); 4] = [("Time", "cell-start"), ("Severity", "cell-severity"), ("From", "cell-from"), ("Record", "")];

/// The screen.
#[component]
pub(crate) fn LogsPage() -> impl IntoView {
    let app = App::get();
    let logs = memo(move || in_address(app));
    effect(move || {
        let shown = logs.get();
        if app.view.with_untracked(|view| matches!(view.screen, Screen::Logs(_))) {
            app.log_view.set_value(shown);
        }
    });
    let severities = vec![
        Choice { value: None, label: "All", title: "Records of every severity, and those without one" },
        Choice { value: Some(LogSeverity::Info), label: "Info", title: "Information, warnings and errors" },
        Choice { value: Some(LogSeverity::Warn), label: "Warnings", title: "Warnings and errors" },
        Choice { value: Some(LogSeverity::Error), label: "Errors", title: "Errors only" },
    ];
    let orders = vec![
        Choice { value: false, label: "Latest first", title: "The latest record is at the top" },
        Choice { value: true, label: "Oldest first", title: "The oldest record is at the top" },
    ];
    let selected = memo(move || logs.get().log);
    view! {
        <main class="screen logs-screen">
            <h1 class="off-screen">"Logs"</h1>
            <ImportBar />
            <IndexBar />
            <div class="toolbar">
                <FilterBar of=FilterOf::Logs />
                <Segmented
                    label="Severity"
                    choices=severities
                    current=Signal::derive(move || logs.get().min_severity)
                    choose=move |severity| change(app, HistoryEntry::Push, move |logs| logs.min_severity = severity)
                />
                <Segmented
                    label="Order"
                    choices=orders
                    current=Signal::derive(move || logs.get().oldest_first)
                    choose=move |oldest| change(app, HistoryEntry::Push, move |logs| logs.oldest_first = oldest)
                />
            </div>
            <div class="overview">
                <span class="list-count number soft" role="status" aria-label="Count">{move || count_text(app)}</span>
            </div>
            {chart(app)}
            <div class="trace-body" class:with-panel=move || selected.get().is_some()>
                <div class="logs-list">{list(app, logs)}</div>
                {when(move || selected.get().is_some(), move || view! { <LogPanel id=selected /> })}
            </div>
        </main>
    }
}

/// The view in the address.
fn in_address(app: App) -> LogView {
    app.view.with(|view| match &view.screen {
        Screen::Logs(logs) => logs.clone(),
        _ => LogView::default(),
    })
}

/// Changes the view in the address.
fn change(app: App, entry: HistoryEntry, change: impl FnOnce(&mut LogView)) {
    router::navigate(app, entry, |view| {
        if let Screen::Logs(logs) = &mut view.screen {
            change(logs);
        }
    });
}

/// Shows a record in full, or none.
fn select(app: App, id: Option<LogId>) {
    change(app, HistoryEntry::Replace, |logs| logs.log = id);
}

/// How many records are listed, of how many; while the file is read, how far that is.
fn count_text(app: App) -> Option<String> {
    let page = app.log_page.get()?;
    let (found, all) = (format::count(page.total.into()), u64::from(page.of_all));
    let reading = page.reading;
    if !reading.done {
        let share = format::share_text(reading.rows, reading.expected.max(1));
        let so_far =
            if page.of_all > 0 { format!("≥ {found} of {}, ", format::counted(Some(all), "record", "records")) } else { String::new() };
        return Some(format!("{so_far}reading the file: {share}"));
    }
    let notes = page.notes.iter().fold(String::new(), |text, note| text + " · " + note);
    let of = if u64::from(page.total) == all { String::new() } else { format!("{found} of ") };
    Some(format!("{of}{}{notes}", format::counted(Some(all), "record", "records")))
}

/// The list.
fn list(app: App, logs: Memo<LogView>) -> impl IntoView {
    let list = app.logs;
    let viewport = Viewport::new(list.scroll_top.get_value());
    on_cleanup(move || list.scroll_top.set_value(viewport.top()));
    let shown = memo(move || ListedBy::Logs(logs.get().rows()));
    viewport.load(app, list, shown);
    let version = memo(move || {
        let address = router::address(app, |view| view.screen = Screen::Traces);
        let times = app.summary().map(|summary| (summary.start, summary.zone));
        format!("{address} {times:?}")
    });
    let head = |root: &Element| {
        let heading = |(text, class): (&str, &str)| el("span").class(class).attr("role", "columnheader").text(text);
        root.set_class_name("grid-head hit-row log-line");
        fill(root, HEADINGS.into_iter().map(heading).collect());
    };
    let row = move |place: u32, row: Option<&Row>| match row {
        Some(Row::Log(log)) => log_row(app, place, log),
        _ => coming(place, "hit-row log-line coming"),
    };
    let on_action = move |_: u32, row: &Row, action: RowAction| {
        let Row::Log(log) = row else { return false };
        match action {
            RowAction::Open => select(app, Some(log.id)),
            RowAction::Close if logs.with_untracked(|logs| logs.log.is_some()) => select(app, None),
            _ => return false,
        }
        true
    };
    view! {
        {list_state(app, list, "Log records are listed when the file is indexed.", Rc::new(move |build: &Build| nothing(app, build)))}
        {list_grid(
            app,
            Table {
                label: "Log records",
                class: "grid hit-grid",
                list,
                viewport,
                version,
                head: Rc::new(head),
                row: Rc::new(row),
                on_action: Rc::new(on_action),
                press: Rc::new(|_| {}),
            },
        )}
    }
}

/// The message of an empty list.
fn nothing(app: App, build: &Build) -> Vec<El> {
    let all = app.log_page.get().map_or(0, |page| page.of_all);
    if all == 0 {
        return vec![
            el("p").text("This file holds no log records, and its spans have no events."),
            el("p").text("Records come over OTLP; Llama Stack writes its log messages as events of spans."),
        ];
    }
    let text = format!("None of the {} matches.", format::counted(Some(all.into()), "record", "records"));
    let clear =
        more("Show all records").on_press(&build.handlers, move |_| change(app, HistoryEntry::Push, |logs| *logs = LogView::default()));
    vec![el("p").text(&text), clear]
}

/// The view that a record links to: its trace, with its span selected.
fn screen_of(log: &LogItem) -> Option<Screen> {
    let trace_id = log.trace_id.clone()?;
    let span_id = log.span_id.clone().filter(|_| log.span_name.is_some());
    Some(Screen::Trace(TraceView { trace_id, span_id, ..TraceView::default() }))
}

/// The class of a line by its severity.
fn severity_class(severity: Option<LogSeverity>) -> &'static str {
    match severity {
        Some(LogSeverity::Critical) => "severity-critical",
        Some(LogSeverity::Error) => "severity-error",
        Some(LogSeverity::Warn) => "severity-warn",
        _ => "",
    }
}

fn log_row(app: App, place: u32, log: &LogItem) -> El {
    let zero = app.summary().and_then(|summary| summary.start);
    let time = log.time.map(|at| app.time_text(at, zero));
    let cell = |class: &str| el("span").attr("role", "gridcell").class(class);
    let from = log.span_name.as_deref().or(log.service.as_deref()).unwrap_or_default();
    let from_cell = match screen_of(log).filter(|_| log.span_name.is_some()) {
        Some(screen) => {
            let link = untrack(|| router::address(app, |view| view.screen = screen));
            cell("cell-from").child(el("a").attr("href", &link).attr("tabindex", "-1").attr("title", from).text(from))
        }
        None => cell("cell-from").attr("title", from).text(from),
    };
    // Where a message repeats the name of the event, the message says it. The spaces are for who copies the line.
    let name =
        (!log.name.is_empty() && !log.message.ends_with(&log.name)).then(|| el("b").class("log-name").text(&format!("{} ", log.name)));
    let is_cursor = app.logs.cursor.get_untracked() == Some(place);
    el("div")
        .class(&format!("hit-row log-line {}", severity_class(log.severity)))
        .attr("role", "row")
        .attr("id", &row_id(place))
        .attr("data-place", &place.to_string())
        .attr("data-log", &log.id.text())
        .attr("aria-rowindex", &(place + 2).to_string())
        .attr("aria-selected", if is_cursor { "true" } else { "false" })
        .child(cell("cell-start number").text(time.as_deref().map_or(DASH, format::cut_to_millis)))
        .child(cell("cell-severity log-severity").text(log.severity.map_or("", LogSeverity::label)))
        .child(from_cell)
        .child(
            cell("")
                .maybe(name)
                .child(el("span").class("log-message").text(&format!("{} ", log.message)))
                .child(el("span").class("soft").text(&log.rest)),
        )
}
