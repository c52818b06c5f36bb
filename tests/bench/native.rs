//! The core beside the `sqlite3` shell, each as a process of its own.

use crate::Place;
use crate::figures::{Figure, Figures, Subject};
use crate::queries::{AGGREGATE, Asked, FILTER, SUM};
use anyhow::{Context, Result, bail};
use quipu::model::number::truncated;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Measures one subject once.
pub(crate) fn measure(subject: Subject, file: &Path, asked: &Asked, place: &Place, figures: &mut Figures) -> Result<()> {
    match subject {
        Subject::Core => core(&place.measure, file, asked, figures),
        _ => shell(file, asked, figures),
    }
}

fn core(program: &Path, file: &Path, asked: &Asked, figures: &mut Figures) -> Result<()> {
    let output = Command::new(program).arg(file).arg(&asked.trace_id).arg(FILTER).output();
    let output = output.with_context(|| format!("{} could not be started.", program.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    }
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (name, value) = line.split_once(' ').with_context(|| format!("This is no figure: {line}"))?;
        let value: f64 = value.parse().with_context(|| format!("This is no figure: {line}"))?;
        let figure = match name {
            "first_rows_ms" => Figure::FirstRows,
            "index_ms" => Figure::Indexed,
            "filter_ms" => Figure::Filter,
            "trace_ms" => Figure::Trace,
            "peak_bytes" => Figure::ProcessMemory,
            "matching" => {
                if truncated::<i64>(value) != asked.matching {
                    figures.fail(Subject::Core, Figure::Filter, &format!("the filter finds {value} traces, SQL {}", asked.matching));
                }
                continue;
            }
            other => bail!("{other} is no figure."),
        };
        figures.add(Subject::Core, figure, value);
    }
    Ok(())
}

fn shell(file: &Path, asked: &Asked, figures: &mut Figures) -> Result<()> {
    let filter = asked.filter_sql();
    let trace = asked.trace_sql();
    for (figure, sql) in [
        (Figure::Sum, SUM),
        (Figure::Filter, &filter),
        (Figure::Trace, &trace),
        (Figure::Aggregate, AGGREGATE),
    ] {
        let began = Instant::now();
        let status = Command::new("sqlite3").arg("-readonly").arg(file).arg(sql).stdout(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => figures.add(Subject::Shell, figure, began.elapsed().as_secs_f64() * 1e3),
            Ok(status) => figures.fail(Subject::Shell, figure, &format!("sqlite3 ended with {status}")),
            Err(_) => figures.fail(Subject::Shell, figure, "there is no sqlite3 on the PATH"),
        }
    }
    Ok(())
}
