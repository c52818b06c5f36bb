//! `quipu info`: prints a summary of a file.

use crate::json;
use crate::open::open_indexed;
use crate::output::{Ink, Output, clean_line};
use anyhow::Result;
use quipu::Session;
use quipu::format;
use quipu::model::Timestamp;
use quipu::protocol::{GetFile, LogListQuery};
use quipu::query::Writer;
use std::path::Path;

pub(crate) fn run(path: &Path, as_json: bool, output: &mut Output) -> Result<()> {
    let mut session = open_indexed(path)?;
    let file = session.ask(GetFile)?;
    let releases = session.guess_releases()?;
    let writers = session.writers()?;
    if as_json {
        return output.line(&format!("{:#}", json::file(&file, &releases, &writers)));
    }
    let (start, end) = match (file.start, file.log_records) {
        (None, Some(1..)) => times_of_logs(&mut session)?,
        _ => (file.start, file.end),
    };
    let title = output.ink(&clean_line(&file.name), Ink::Strong);
    output.line(&format!("{title}  {}", format::bytes(file.size_bytes)))?;
    let services: Vec<&str> = file.service_names.iter().map(|name| service(name)).collect();
    let counted = |number: Option<u64>, one: &str, many: &str| format::counted(number, one, many);
    let failures = |failed: Option<u64>| format::failures_text(failed);
    let time = |at: Option<Timestamp>| at.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0) + " UTC");
    let sdks: Vec<String> = writers.sdks.iter().map(Writer::title).collect();
    let written_by = match sdks.is_empty() {
        _ if releases.is_llama_stack() => format!("Llama Stack {} ({})", releases.releases, releases.because),
        true => "unknown: the file names no SDK".to_owned(),
        false => clean_line(&some_of(sdks)),
    };
    let named = |writer: &Writer| format!("{}, {}", writer.title(), counted(Some(writer.spans), "span", "spans"));
    let instrumentations: Vec<String> = writers.instrumentations.iter().map(named).collect();
    let mut lines = vec![
        ("written by", written_by),
        ("service", if services.is_empty() { format::DASH.into() } else { clean_line(&services.join(", ")) }),
        ("time", format!("{} to {}", time(start), time(end))),
        ("traces", format!("{}, {} with a failure", counted(file.traces, "trace", "traces"), number(file.failed_traces))),
        ("spans", format!("{}, {}", counted(file.spans, "span", "spans"), failures(file.failed_spans))),
        ("events", counted(file.events, "event", "events")),
        ("requests", counted(file.requests, "request", "requests")),
        ("tokens", file.tokens.as_ref().and_then(format::token_sentence).unwrap_or_else(|| "no inference request".into())),
    ];
    let stored = [
        ("logs", file.log_records, "log record", "log records"),
        ("points", file.metric_points, "metric point", "metric points"),
    ];
    let stored = stored.into_iter().filter(|(_, number, ..)| number.is_some_and(|number| number > 0));
    lines.extend(stored.map(|(name, number, one, many)| (name, counted(number, one, many))));
    if !instrumentations.is_empty() {
        lines.insert(1, ("scopes", clean_line(&some_of(instrumentations))));
    }
    for (name, value) in lines {
        output.line(&format!("  {}  {value}", output.ink(&format!("{name:<10}"), Ink::Faint)))?;
    }
    for warning in &file.warnings {
        output.line("")?;
        output.line(&format!("{} {}", output.ink("!", Ink::Note), clean_line(&warning.text)))?;
        output.line(&output.ink(&format!("  {}", clean_line(&warning.meaning)), Ink::Faint))?;
    }
    Ok(())
}

/// The first and the last time of the log records.
fn times_of_logs(session: &mut Session) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let mut first = |oldest_first| -> Result<Option<Timestamp>> {
        let page = session.list_all_logs(&LogListQuery { oldest_first, limit: 1, ..LogListQuery::default() })?;
        Ok(page.items.first().and_then(|item| item.time))
    };
    Ok((first(true)?, first(false)?))
}

/// The first ones, and how many more there are.
fn some_of(mut names: Vec<String>) -> String {
    const MOST: usize = 6;
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    names.join("; ") + &more
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(|| format::DASH.to_owned(), format::count)
}

/// Servers without a configured name record a zero-width space.
fn service(name: &str) -> &str {
    if name.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{200b}').is_empty() { "(no service name)" } else { name }
}
