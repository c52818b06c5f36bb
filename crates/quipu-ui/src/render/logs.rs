//! The events of a trace by time, with a filter by severity. Each row links to its span.

use super::{nothing, page_of, pages};
use crate::view::{LogPage, LogRow};
use quipu_model::format::{bytes, count, counted};
use quipu_model::{LogSeverity, Timestamp};
use quipu_protocol::SheetView;
use quipu_protocol::markup::{Attr, El, Icon, Node, Tag, el};
use quipu_protocol::markup::{button, soft, span_link};

/// Rows per page.
pub const LOGS_PAGE: usize = 200;

/// Renders the list. `zero` is the start of the trace.
pub fn logs_sheet(page: &LogPage, zero: Option<Timestamp>, view: &SheetView) -> Vec<Node> {
    let mut nodes: Vec<Node> = vec![tools(page, view).into()];
    nodes.extend(page.notes.iter().map(|note| el(Tag::P).class("soft").attr(Attr::Role, "note").text(note.as_str()).into()));
    if page.total == 0 {
        let text = match view.min_severity {
            None => "This trace has no events: the server recorded no logs for it.".to_owned(),
            Some(severity) => format!("No event in this trace has severity {} or above.", severity.label().to_ascii_uppercase()),
        };
        nodes.push(nothing(&[&text]).into());
        return nodes;
    }
    nodes.push(el(Tag::Ol).class("log-list").attr(Attr::Label, "Events").all(page.rows.iter().map(|found| row(found, zero))).into());
    let range = page_of(view.page, LOGS_PAGE, page.total as usize);
    nodes.extend(pages(range, LOGS_PAGE, page.total as usize, "event", "events").map(Node::from));
    nodes
}

fn tools(page: &LogPage, view: &SheetView) -> El {
    let option = |value: &str, label: String, is_chosen: bool| {
        let option = el(Tag::Option).attr(Attr::Value, value).text(label);
        if is_chosen { option.attr(Attr::Selected, "") } else { option }
    };
    let of = |severity: LogSeverity| {
        let count_from = page.of_severity.get(severity as usize..).unwrap_or_default().iter().copied().map(u64::from).sum();
        let words = if severity == LogSeverity::Critical { "" } else { " and above" };
        option(
            severity.label(),
            format!("{}{words} ({})", severity.label().to_ascii_uppercase(), count(count_from)),
            view.min_severity == Some(severity),
        )
    };
    let select = el(Tag::Select)
        .attr(Attr::Field, "severity")
        .attr(Attr::Id, "severity")
        .with(option("", format!("all events ({})", count(page.of_all.into())), view.min_severity.is_none()))
        .all(LogSeverity::ALL.map(of));
    let is_filtered = view.min_severity.is_some();
    let summary = soft(counted(Some(page.total.into()), "event", "events")).attr(Attr::Role, "status");
    let tools = el(Tag::Div).class("sheet-tools").with(el(Tag::Label).text("Severity ").with(select)).with(summary);
    if is_filtered { tools.with(button("All events", "severity=&page=").class("quiet")) } else { tools }
}

fn row(found: &LogRow, zero: Option<Timestamp>) -> El {
    let severity = found.severity.map(LogSeverity::label);
    let mut word = el(Tag::Span).class("log-severity");
    if found.severity >= Some(LogSeverity::Error) {
        word = word.with(Node::Icon(Icon::Failed));
    } else if found.severity == Some(LogSeverity::Warn) {
        word = word.with(Node::Icon(Icon::Odd));
    }
    let kind = if found.name.starts_with("metric.") { "metric" } else { "event" };
    let mut text = el(Tag::Div).class("log-text");
    if found.name != "unstructured_log" {
        text = text.with(el(Tag::Strong).text(format!("{} ", found.name)));
    }
    text = text.with(Node::Folded(found.text.clone()));
    if found.len_bytes > found.text.len() as u64 {
        let whole = bytes(found.len_bytes);
        let place = if found.is_of_trace { "screen Logs" } else { "span panel" };
        text = text.with(el(Tag::P).class("soft").text(format!("First part of {whole}; the {place} shows all of it.")));
    }
    let item = el(Tag::Li).class(&format!("log-row severity-{}", severity.unwrap_or("none")));
    let item = if found.is_of_trace { item } else { item.attr(Attr::Event, found.id.to_string()) };
    let of = match found.is_of_trace {
        false => span_link(&found.span_id, found.span_name.as_str()),
        true if found.span_id.is_empty() => soft("belongs to the trace").attr(Attr::Title, "This log record names no span"),
        true => soft("belongs to the trace").attr(Attr::Title, format!("Its span {} is not in the file", found.span_id)),
    };
    item.with(el(Tag::Span).class("number soft").with(Node::Time { at: found.time, zero }))
        .with(word.text(severity.unwrap_or(kind)))
        .with(text)
        .with(of)
}
