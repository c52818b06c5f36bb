//! `quipu export`: spans as JSON lines or CSV, whole traces in other formats or as a telemetry file.

use super::share::{print_removed, redact_options, warn_of, warn_of_keys};
use crate::arguments::Export;
use crate::open::{new_file, open_indexed};
use crate::output::{Output, WrongCommandLine, clean_line};
use anyhow::{Context, Result, bail};
use quipu::format::counted;
use quipu::protocol::{Contents, FileFormat, GetFile, PrivateKind, RedactOptions};
use quipu::{ExportOptions, Selection, Session, UnattachedSignal};
use serde_json::{Value as Json, json};
use std::io::{BufWriter, Write};
use std::path::Path;

pub(crate) fn run(export: &Export, as_json: bool, output: &mut Output) -> Result<()> {
    if export.markdown || export.link {
        return super::share::run(export, output);
    }
    if let Some(path) = &export.html {
        return super::html::run(export, path, output);
    }
    if let Some(path) = &export.db {
        return database(export, path, as_json, output);
    }
    if let Some(format) = whole(export)? {
        return traces(export, if as_json && format == FileFormat::Csv { FileFormat::JsonLines } else { format }, output);
    }
    let mut filters = Vec::new();
    if let Some(session) = &export.session {
        filters.push(json!({ "key": "session_id", "op": "eq", "value": session }));
    }
    for condition in &export.filters {
        filters.push(read_condition(condition)?);
    }
    let mut attributes = export.attributes.clone();
    if attributes.is_empty() && export.session.is_some() {
        attributes = vec!["input".into(), "output".into()];
    }
    let params = json!({ "attribute_filters": filters, "attributes_to_save": attributes, "max_depth": export.max_depth }).to_string();
    let format = if as_json { FileFormat::JsonLines } else { export.format };
    let redact = redact_options(export)?;
    let mut session = open_indexed(&export.file)?;
    let mut failed = None;
    // Without redaction, rows are only searched for keys.
    let options = ExportOptions { redact: Some(redact.unwrap_or(RedactOptions::NOTHING)), raw: export.raw };
    let done = match &export.output {
        None => session
            .export_spans_with(&params, format, options, &mut |line| output.text(line).map_err(|error| failed = Some(error)).is_ok())?,
        Some(path) => {
            let mut file = BufWriter::new(new_file(path)?);
            let done = session.export_spans_with(&params, format, options, &mut |line| {
                file.write_all(line.as_bytes()).map_err(|error| failed = Some(error.into())).is_ok()
            })?;
            file.flush().with_context(|| format!("{} can't be written", path.display()))?;
            done
        }
    };
    if let Some(error) = failed {
        return Err(error);
    }
    output.flush()?;
    match redact {
        Some(_) => print_removed(&done.report),
        None => warn_of(done.report.places(PrivateKind::Secrets), true),
    }
    if done.left_out > 0 && attributes.is_empty() {
        let spans = counted(Some(done.left_out), "span", "spans");
        eprintln!("Left out: {spans} of these traces without attributes. With --trace, all spans of a trace are written.");
    }
    Ok(())
}

/// The format for exporting whole traces; `None` to export spans with selected attributes.
fn whole(export: &Export) -> Result<Option<FileFormat>> {
    let chooses = export.session.is_some() || !export.filters.is_empty() || !export.attributes.is_empty() || export.max_depth.is_some();
    if chooses && export.traces.is_empty() && export.format.holds(Contents::Spans) {
        return Ok(None);
    }
    if chooses {
        let words = "This format exports whole traces. Choose them with --trace, without --session, --filter, --attribute and --max-depth.";
        bail!(WrongCommandLine(words.into()));
    }
    Ok(Some(export.format))
}

/// Writes the chosen traces, or all, in a format for whole traces.
fn traces(export: &Export, format: FileFormat, output: &mut Output) -> Result<()> {
    let mut session = open_indexed(&export.file)?;
    let ids = export.traces.iter().map(|id| session.complete_trace_id(id)).collect::<Result<Vec<_>, _>>()?;
    let selection = if ids.is_empty() { Selection::All } else { Selection::Traces(&ids) };
    let options = ExportOptions { redact: redact_options(export)?, raw: export.raw };
    let done = if let Some(path) = &export.output {
        let mut file = BufWriter::new(new_file(path)?);
        let fail = || format!("{} can't be written", path.display());
        let done =
            session.export_with::<anyhow::Error>(selection, format, options, &mut |bytes| file.write_all(bytes).with_context(fail))?;
        file.flush().with_context(fail)?;
        done
    } else {
        session.export_with::<anyhow::Error>(selection, format, options, &mut |bytes| output.bytes(bytes))?
    };
    output.flush()?;
    print_removed(&done.report);
    if ids.is_empty() {
        say_left_out(&mut session, format)?;
    }
    warn_of_keys(&mut session, selection, options.redact)
}

/// Says what a format has no place for, of a whole file.
fn say_left_out(session: &mut Session, format: FileFormat) -> Result<()> {
    let mut left_out = Vec::new();
    let events = session.ask(GetFile)?.events.filter(|events| *events > 0 && format == FileFormat::Csv);
    left_out.extend(events.map(|events| counted(Some(events), "event", "events")));
    if format != FileFormat::OtlpJson {
        for (which, one, many) in [
            (UnattachedSignal::Logs, "log record without a span", "log records without a span"),
            (UnattachedSignal::Points, "metric point", "metric points"),
        ] {
            let count = session.remaining_after(which, 0)?.map(|(count, _)| count).filter(|count| *count > 0);
            left_out.extend(count.map(|count| counted(Some(count), one, many)));
        }
    }
    if !left_out.is_empty() {
        eprintln!("Left out, because the format has no place for them: {}. --format otlp-json has everything.", left_out.join(", "));
    }
    Ok(())
}

/// Writes the chosen traces, or all, to a new telemetry file.
fn database(export: &Export, path: &Path, as_json: bool, output: &mut Output) -> Result<()> {
    let mut session = open_indexed(&export.file)?;
    let ids = export.traces.iter().map(|id| session.complete_trace_id(id)).collect::<Result<Vec<_>, _>>()?;
    let selection = if ids.is_empty() { Selection::All } else { Selection::Traces(&ids) };
    let redact = redact_options(export)?;
    let copied = match redact {
        None => {
            warn_of_keys(&mut session, selection, None)?;
            session.write_database(selection, path)?
        }
        Some(redact) => session.write_redacted(selection, redact, path)?,
    };
    if as_json {
        let rows = json!({ "traces": copied.traces, "spans": copied.spans, "events": copied.events, "left_out": copied.left_out });
        return output.line(&rows.to_string());
    }
    let parts = [
        counted(Some(copied.traces), "trace", "traces"),
        counted(Some(copied.spans), "span", "spans"),
        counted(Some(copied.events), "event", "events"),
    ];
    output.line(&format!("{}: {}", clean_line(&path.display().to_string()), parts.join(", ")))?;
    if copied.left_out > 0 {
        let rows = counted(Some(copied.left_out), "row", "rows");
        output.line(&format!("{rows} skipped: an earlier row has the same id."))?;
    }
    Ok(())
}

/// Parses `KEY=VALUE`, `KEY!=VALUE`, `KEY>VALUE` or `KEY<VALUE` into an attribute filter of the API.
fn read_condition(text: &str) -> Result<Json> {
    let Some(at) = text.find(['=', '!', '<', '>']).filter(|at| *at > 0) else {
        bail!("--filter {text:?} is not a condition; use KEY=VALUE, KEY!=VALUE, KEY>VALUE or KEY<VALUE.");
    };
    let (key, rest) = text.split_at(at);
    let operators = [("!=", "ne"), ("=", "eq"), (">", "gt"), ("<", "lt")];
    let Some((op, value)) = operators.into_iter().find_map(|(sign, op)| Some((op, rest.strip_prefix(sign)?))) else {
        bail!("--filter {text:?} has no operator; use KEY=VALUE, KEY!=VALUE, KEY>VALUE or KEY<VALUE.");
    };
    let value = match serde_json::from_str(value) {
        Ok(value @ (Json::Number(_) | Json::Bool(_) | Json::String(_) | Json::Null)) => value,
        _ => json!(value),
    };
    Ok(json!({ "key": key, "op": op, "value": value }))
}
