//! `quipu import`: files of other formats become one telemetry file.

use crate::arguments::Import;
use crate::open::import_into;
use crate::output::{Ink, Output, clean_line};
use anyhow::{Result, bail};
use quipu::format::counted;
use quipu::store::Writer;
use quipu::transfer::{Importer, Problem};
use serde_json::json;

pub(crate) fn run(import: &Import, as_json: bool, output: &mut Output) -> Result<()> {
    let mut importer = Importer::new(Writer::create_with(&import.db, import.layout.into())?)?;
    for file in &import.files {
        import_into(&mut importer, file)?;
    }
    let (writer, report) = importer.finish()?;
    writer.finish()?;
    let names: Vec<String> = import.files.iter().map(|file| file.display().to_string()).collect();
    if let Some(message) = report.nothing(&names.join(", ")) {
        // It was created above, and holds nothing.
        std::fs::remove_file(&import.db)?;
        bail!(message);
    }
    if as_json {
        let listed =
            |them: &[Problem]| them.iter().map(|it| json!({ "input": it.input, "place": it.place, "what": it.what })).collect::<Vec<_>>();
        return output.line(&format!(
            "{:#}",
            json!({
                "spans": report.spans,
                "repeated_spans": report.repeated_spans,
                "events": report.events,
                "log_records": report.logs,
                "log_records_without_span": report.logs_without_span,
                "metric_points": report.points,
                "problem_count": report.problem_count,
                "problems": listed(&report.problems),
                "remark_count": report.remark_count,
                "remarks": listed(&report.remarks),
            })
        ));
    }
    let parts = [
        counted(Some(report.spans), "span", "spans"),
        counted(Some(report.events), "event", "events"),
        counted(Some(report.logs), "log record", "log records"),
        counted(Some(report.points), "metric point", "metric points"),
    ];
    output.line(&format!("{}: {}", clean_line(&import.db.display().to_string()), parts.join(", ")))?;
    if report.repeated_spans > 0 {
        output.line(&format!("Skipped {} that occurred more than once.", counted(Some(report.repeated_spans), "span", "spans")))?;
    }
    if report.logs_without_span > 0 {
        let records = counted(Some(report.logs_without_span), "log record", "log records");
        output.line(&format!("{records} without a span: stored in the table quipu_log_records."))?;
    }
    for problem in &report.problems {
        output.line(&format!("{} {}", output.ink("!", Ink::Note), clean_line(&problem.to_string())))?;
    }
    for remark in &report.remarks {
        output.line(&format!("{} {}", output.ink("!", Ink::Note), clean_line(&remark.to_string())))?;
    }
    let unlisted = report.problem_count.saturating_sub(report.problems.len() as u64);
    if unlisted > 0 {
        output.line(&format!("{} {} more could not be read.", output.ink("!", Ink::Note), counted(Some(unlisted), "piece", "pieces")))?;
    }
    Ok(())
}
