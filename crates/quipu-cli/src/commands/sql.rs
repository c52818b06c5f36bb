//! `quipu sql`: runs a read-only SQL query.

use crate::arguments::Sql;
use crate::open::open_within;
use crate::output::{Ink, Output, clean_line};
use crate::table::{Column, cut, lines};
use anyhow::{Context, Result};
use quipu::Session;
use quipu::store::{OpenOptions, SqlLimits, SqlValue};
use std::io::Read;
use std::sync::OnceLock;
use std::time::Instant;

/// Maximum characters of a table cell; `--json` does not cut values.
const CELL: usize = 80;
/// Maximum rows of a table. They are all held in memory to determine the column widths.
const TABLE_ROWS: usize = 10_000;

pub(crate) fn run(sql: &Sql, as_json: bool, output: &mut Output) -> Result<()> {
    let mut query = sql.query.clone();
    if query == "-" {
        query.clear();
        std::io::stdin().read_to_string(&mut query).context("The query can't be read from standard input")?;
    }
    let options = OpenOptions { deadline_ms: u64::from(sql.timeout).saturating_mul(1_000), ..OpenOptions::with_clock(clock) };
    let mut session = open_within(&sql.file, options)?;
    let rows = usize::try_from(sql.limit).unwrap_or(usize::MAX);
    if as_json {
        return print_json(&mut session, &query, rows, output);
    }
    let answer = session.query_sql(&query, SqlLimits { rows: rows.min(TABLE_ROWS), ..SqlLimits::default() })?;
    let columns: Vec<Column> = answer.columns.iter().map(|_| Column { heading: "", right: false }).collect();
    // The headings are only known at run time, so they are passed as a first row.
    let shown = answer.rows.iter().map(|row| row.iter().map(cell).collect());
    let heading = answer.columns.iter().map(|name| clean_line(name)).collect();
    let table: Vec<Vec<String>> = std::iter::once(heading).chain(shown).collect();
    for (number, line) in lines(&columns, &table, output.width()).into_iter().skip(1).enumerate() {
        output.line(&output.ink(&line, if number == 0 { Ink::Faint } else { Ink::Plain }))?;
    }
    let count = quipu::format::counted(Some(answer.rows.len() as u64), "row", "rows");
    let more = if answer.cut.is_some() { " (more available: --json prints all rows up to --limit)" } else { "" };
    output.line(&output.ink(&format!("{count}{more}"), Ink::Faint))
}

fn print_json(session: &mut Session, query: &str, rows: usize, output: &mut Output) -> Result<()> {
    let answer = session.query_sql(query, SqlLimits { rows, ..SqlLimits::default() })?;
    output.line(&answer.to_json())?;
    if answer.cut.is_some() {
        eprintln!("Printed the first {} rows; raise --limit for more.", answer.rows.len());
    }
    Ok(())
}

fn cell(value: &SqlValue) -> String {
    match value {
        SqlValue::Null => quipu::format::DASH.to_owned(),
        SqlValue::Integer(number) => number.to_string(),
        SqlValue::Real(number) => number.to_string(),
        SqlValue::Text(text) => cut(&clean_line(text), CELL),
        SqlValue::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// Milliseconds since the first call.
fn clock() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}
