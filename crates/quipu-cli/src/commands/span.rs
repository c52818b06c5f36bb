//! `quipu span`: prints one span in full.

use crate::json;
use crate::open::open_indexed;
use crate::output::{Ink, Output, clean, clean_line};
use crate::table::cut;
use anyhow::Result;
use quipu::format;
use quipu::protocol::{GetSpan, GetText, RecordedText, SpanDetail};
use serde_json::{Value as Json, json as object};
use std::path::Path;

/// Characters of a value that are printed without `--full`.
const SHOWN: usize = 400;

pub(crate) fn run(path: &Path, span_id: &str, full: bool, as_json: bool, output: &mut Output) -> Result<()> {
    let mut session = open_indexed(path)?;
    let trace_id = session.trace_of_span(span_id)?;
    let span = session.ask(GetSpan { trace_id: trace_id.clone(), span_id: span_id.to_owned() })?;
    let params = object!({ "trace_id": trace_id, "span_id": span_id }).to_string();
    if as_json {
        let answer: Json = serde_json::from_str(&session.query("get_span", &params, None)?)?;
        let events: Json = serde_json::from_str(&session.query("list_span_events", &params, None)?)?;
        return output.line(&format!("{:#}", json::span(&span, &answer, &events)));
    }
    output.line(&output.ink(&clean_line(&span.name), Ink::Strong))?;
    facts(&span, output)?;
    for failure in &span.failures {
        let text = format!("✗ {} ({})", clean(&failure.message), failure.source);
        output.line(&output.ink(&text, Ink::Failed))?;
    }
    for note in &span.notes {
        output.line(&format!("{} {}", output.ink("!", Ink::Note), clean_line(note)))?;
    }
    if !span.attributes.is_empty() {
        output.line(&format!("\n{}", output.ink("ATTRIBUTES", Ink::Faint)))?;
    }
    for attribute in &span.attributes {
        let text = match full && !attribute.text.complete {
            true => session.ask(GetText(attribute.text_ref.clone())).ok(),
            false => None,
        };
        let text = text.unwrap_or_else(|| attribute.text.raw.clone());
        value(&attribute.key, &text, &attribute.text, full, output)?;
    }
    if let Some(text) = &span.attributes_text {
        value("(not a JSON object)", &text.raw, text, full, output)?;
    }
    for (title, list) in [("RESOURCE", &span.resource), ("SCOPE", &span.scope)] {
        if !list.is_empty() {
            output.line(&format!("\n{}", output.ink(title, Ink::Faint)))?;
        }
        for attribute in list {
            value(&attribute.key, &attribute.text.raw, &attribute.text, full, output)?;
        }
    }
    if !span.links.is_empty() {
        output.line(&format!("\n{}", output.ink("LINKS", Ink::Faint)))?;
    }
    for link in &span.links {
        let rest = if link.found { "" } else { " (not in this file)" };
        output.line(&clean_line(&format!("  trace {} span {}{rest} {}", link.trace_id, link.span_id, link.attributes)))?;
    }
    if !span.events.is_empty() {
        output.line(&format!("\n{}", output.ink("EVENTS", Ink::Faint)))?;
    }
    for event in &span.events {
        let at = event.time.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0));
        let what = event.severity.clone().unwrap_or_else(|| event.name.clone());
        let ink = if quipu::failure::is_error_severity(event.severity.as_deref()) { Ink::Failed } else { Ink::Plain };
        let message = event.message.clone().unwrap_or_else(|| {
            let pair = |attribute: &quipu::protocol::Attribute| format!("{}={}", attribute.key, attribute.text.raw);
            event.attributes.iter().map(pair).collect::<Vec<_>>().join(" ")
        });
        let message = if full { clean(&message) } else { cut(&clean_line(&message), SHOWN) };
        output.line(&format!("{}  {}", output.ink(&at, Ink::Faint), output.ink(&format!("{what}: {message}"), ink)))?;
    }
    Ok(())
}

fn facts(span: &SpanDetail, output: &mut Output) -> Result<()> {
    let time = |at: Option<quipu::model::Timestamp>| at.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0) + " UTC");
    let took = span.start.zip(span.end).and_then(|(start, end)| u64::try_from(end.nanos_since(start)).ok());
    let lines = [
        ("span", clean_line(&span.span_id)),
        ("trace", clean_line(&span.trace_id)),
        ("parent", span.parent_span_id.as_deref().map_or_else(|| format::DASH.to_owned(), clean_line)),
        ("service", span.service.as_deref().map_or_else(|| format::DASH.to_owned(), clean_line)),
        ("kind", span.kind.label().to_owned()),
        ("time", format!("{} to {}, {}", time(span.start), time(span.end), format::duration_text(took))),
        ("status", span.status.as_deref().map_or_else(|| format::DASH.to_owned(), clean_line)),
    ];
    let parts = format::call_facts(&span.call).into_iter();
    for (name, value) in lines.into_iter().chain(parts) {
        output.line(&format!("  {}  {value}", output.ink(&format!("{name:<7}"), Ink::Faint)))?;
    }
    Ok(())
}

fn value(key: &str, text: &str, recorded: &RecordedText, full: bool, output: &mut Output) -> Result<()> {
    let shown = if full { clean(text) } else { cut(&clean_line(text), SHOWN) };
    let rest = if full || (recorded.complete && text.chars().count() <= SHOWN) {
        String::new()
    } else {
        output.ink(&format!(" ({} in total; see --full)", format::bytes(recorded.len_bytes)), Ink::Faint)
    };
    output.line(&format!("  {} {shown}{rest}", output.ink(&format!("{}:", clean_line(key)), Ink::Faint)))
}
