//! `quipu trace`: prints a trace as a tree with a bar for each span.

use crate::json;
use crate::open::open_indexed;
use crate::output::{Ink, Output, clean_line};
use crate::table::{cut, fill};
use anyhow::Result;
use quipu::format;
use quipu::model::SpanFlags;
use quipu::protocol::{GetLog, GetTrace, LogItem, TraceColumns};
use quipu::view::{TimeWindow, WaterfallRow, WaterfallTree, waterfall_rows};
use std::path::Path;

/// Maximum number of log records without a span that are printed.
const MOST_LOGS: usize = 1_000;

pub(crate) fn run(path: &Path, trace_id: &str, as_json: bool, output: &mut Output) -> Result<()> {
    let mut session = open_indexed(path)?;
    let trace_id = session.complete_trace_id(trace_id)?;
    let trace = session.ask(GetTrace { trace_id, scope: Default::default() })?;
    let logs = session.list_trace_logs(&trace.trace_id, MOST_LOGS + 1)?;
    if as_json {
        let details = logs.iter().take(MOST_LOGS).map(|item| session.ask(GetLog(item.id))).collect::<Result<Vec<_>, _>>()?;
        return output.line(&format!("{:#}", json::trace(&trace, &details)));
    }
    heading(&trace, output)?;
    let tree = WaterfallTree::new(&trace);
    let rows = waterfall_rows(&trace, &tree, 0..tree.visible(), &TimeWindow::whole(trace.duration_nanos), 0.0);
    // Ids and durations get the width they need, bars a third of the rest.
    let (id_width, duration_width) = (16, rows.iter().map(|row| row.duration.chars().count()).max().unwrap_or(1));
    let left = output.width().saturating_sub(id_width + duration_width + 8);
    let bar_width = (left / 3).clamp(8, 60);
    let name_width = left.saturating_sub(bar_width).max(12);
    for row in &rows {
        let text = format!("{}{}", "  ".repeat((row.depth as usize).min(name_width / 3)), label(row, &trace));
        let name = fill(&cut(&clean_line(&text), name_width), name_width, false);
        let ink = if row.failed() { Ink::Failed } else { Ink::Plain };
        let mark = if row.failed() { "✗" } else { " " };
        output.line(&format!(
            "{} {} {} {} {}",
            output.ink(mark, Ink::Failed),
            output.ink(&name, ink),
            output.ink(&bar(row, bar_width), if row.failed() { Ink::Failed } else { Ink::Bar }),
            fill(&row.duration, duration_width, true),
            output.ink(&clean_line(&row.span_id), Ink::Faint),
        ))?;
    }
    print_logs(&logs, output)
}

/// Prints the log records that belong to the trace, and to no span of the file.
fn print_logs(logs: &[LogItem], output: &mut Output) -> Result<()> {
    if logs.is_empty() {
        return Ok(());
    }
    output.line(&format!("\n{}", output.ink("logs that belong to the trace, and to no span of the file", Ink::Faint)))?;
    for item in logs.iter().take(MOST_LOGS) {
        super::logs::print(item, output)?;
    }
    match logs.len() > MOST_LOGS {
        true => output.line(&output.ink("and more: quipu logs FILE trace:ID", Ink::Faint)),
        false => Ok(()),
    }
}

fn heading(trace: &TraceColumns, output: &mut Output) -> Result<()> {
    let failed = trace.failed_rows.len() as u64;
    let start = trace.start.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0) + " UTC");
    output.line(&format!("{}  {}", output.ink("trace", Ink::Faint), output.ink(&clean_line(&trace.trace_id), Ink::Strong)))?;
    let parts = [
        start,
        format::duration(trace.duration_nanos),
        format::counted(Some(trace.len() as u64), "span", "spans"),
        format::failures_text(Some(failed)),
    ];
    output.line(&parts.join(" · "))?;
    if let Some(tokens) = format::token_sentence(&trace.token_totals) {
        output.line(&format!("{}  {tokens}", output.ink("tokens", Ink::Faint)))?;
    }
    for warning in &trace.warnings {
        output.line(&format!("{} {}", output.ink("!", Ink::Note), clean_line(&warning.text)))?;
    }
    output.line("")
}

/// The span's name, with its tokens if it is an inference request.
fn label(row: &WaterfallRow, trace: &TraceColumns) -> String {
    let tokens = trace.tokens_of(row.row).and_then(|record| record.total);
    let request = if row.flags.has(SpanFlags::REQUEST) && row.depth > 0 { " (separate request)" } else { "" };
    match tokens {
        Some(total) => format!("{}{request} [{} tokens]", row.name, format::count(total.tokens)),
        None => format!("{}{request}", row.name),
    }
}

/// The span's bar, scaled to the duration of the trace.
fn bar(row: &WaterfallRow, width: usize) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the width")]
    let at = |part: f64| ((part * width as f64).round() as usize).min(width);
    let start = at(row.bar.start).min(width.saturating_sub(1));
    let end = at(row.bar.start + row.bar.length).max(start + 1);
    let glyph = if row.bar.length == 0.0 { "│" } else { "━" };
    format!("{}{}{}", " ".repeat(start), glyph.repeat(end - start), " ".repeat(width - end))
}
