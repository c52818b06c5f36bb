//! `quipu logs`: prints log records and the events of spans.

use super::check_filter;
use crate::arguments::Logs;
use crate::json;
use crate::open::open_indexed;
use crate::output::{Ink, Output, clean_line};
use crate::table::cut;
use anyhow::Result;
use quipu::format;
use quipu::model::LogSeverity;
use quipu::protocol::{GetLog, LogItem, LogListQuery};

/// Runs the command. Returns whether anything was found.
pub(crate) fn run(logs: &Logs, as_json: bool, output: &mut Output) -> Result<bool> {
    let filter = logs.filter.join(" ");
    check_filter(&filter)?;
    let mut session = open_indexed(&logs.file)?;
    let query = LogListQuery {
        filter,
        min_severity: logs.severity.as_deref().and_then(LogSeverity::from_name),
        oldest_first: logs.oldest,
        offset: logs.offset,
        limit: logs.limit,
        bars: 0,
    };
    let page = session.list_all_logs(&query)?;
    if as_json {
        let details = page.items.iter().map(|item| session.ask(GetLog(item.id))).collect::<Result<Vec<_>, _>>()?;
        output.line(&format!("{:#}", json::logs(page.total, &details)))?;
        return Ok(page.total > 0);
    }
    for item in &page.items {
        print(item, output)?;
    }
    for note in &page.notes {
        output.line(&format!("{} {note}", output.ink("!", Ink::Note)))?;
    }
    let (one, more) = if query.filter.is_empty() && query.min_severity.is_none() {
        ("log record or event", "log records and events")
    } else {
        ("match", "matches")
    };
    let total = format::counted(Some(page.total.into()), one, more);
    output.line(&output.ink(&format!("{} of {total}", format::count(page.items.len() as u64)), Ink::Faint))?;
    Ok(page.total > 0)
}

/// Prints a record on one line: when, how severe, by whom, what.
pub(super) fn print(item: &LogItem, output: &mut Output) -> Result<()> {
    let time = item.time.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0));
    let severity = item.severity.map_or("", LogSeverity::label);
    let ink = match item.severity {
        Some(LogSeverity::Error | LogSeverity::Critical) => Ink::Failed,
        Some(LogSeverity::Warn) => Ink::Note,
        _ => Ink::Plain,
    };
    let head = format!("{:<23}  ", format::cut_to_millis(&time));
    let by = match (&item.service, &item.span_name) {
        (_, Some(span)) => clean_line(span),
        (Some(service), None) => clean_line(service),
        (None, None) => String::new(),
    };
    let by = if by.is_empty() { by } else { format!("{}  ", cut(&by, 28)) };
    let words: Vec<&str> = [&item.name, &item.message].into_iter().filter(|text| !text.is_empty()).map(String::as_str).collect();
    // Claude Code and others repeat the name of the event in the message.
    let text = if words.len() == 2 && item.message.ends_with(&item.name) { item.message.clone() } else { words.join("  ") };
    let left = output.width().saturating_sub(head.chars().count() + 10 + by.chars().count()).max(20);
    let text = cut(&clean_line(&text), left);
    let rest = cut(&clean_line(&item.rest), left.saturating_sub(text.chars().count() + 2));
    let line = [
        output.ink(&head, Ink::Faint),
        output.ink(&format!("{severity:<10}"), ink),
        output.ink(&by, Ink::Bar),
        output.ink(&text, if ink == Ink::Failed { ink } else { Ink::Plain }),
        "  ".to_owned(),
        output.ink(&rest, Ink::Faint),
    ];
    output.line(line.concat().trim_end())
}
