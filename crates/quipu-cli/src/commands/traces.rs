//! `quipu traces`: prints a table of traces.

use super::check_filter;
use crate::arguments::Traces;
use crate::json;
use crate::open::open_indexed;
use crate::output::{Ink, Output, clean_line};
use crate::table::{Column, lines};
use anyhow::Result;
use quipu::format;
use quipu::protocol::{ListTraces, TraceOrder, TraceQuery, TraceRow};

/// The columns that fit `width`, and the cells of all rows.
fn columns(rows: &[TraceRow], width: usize) -> (Vec<Column>, Vec<Vec<String>>) {
    // On a narrow terminal, ids and times are cut first: `quipu trace` accepts the beginning of an id.
    let (wide, has_start) = (width >= 130, width >= 76);
    let left = |heading| Column { heading, right: false };
    let right = |heading| Column { heading, right: true };
    let mut columns = vec![left("TRACE")];
    if has_start {
        columns.push(left("START (UTC)"));
    }
    columns.extend([right("DURATION"), right("SPANS"), right("FAILED"), right("TOKENS"), left("ROOT")]);
    let cells = rows.iter().map(|row| {
        let mut cells = cells(row, wide);
        if !has_start {
            cells.remove(1);
        }
        cells
    });
    (columns, cells.collect())
}

pub(crate) fn run(traces: &Traces, as_json: bool, output: &mut Output) -> Result<()> {
    let filter = traces.filter.join(" ");
    check_filter(&filter)?;
    let mut session = open_indexed(&traces.file)?;
    let order = if traces.slowest { TraceOrder::SLOWEST } else { TraceOrder::NEWEST };
    let query = TraceQuery { order, failed_only: traces.failed, filter, groups: None, offset: traces.offset, limit: traces.limit };
    let mut page = session.ask(ListTraces(query.clone()))?;
    if session.has_search() {
        // Text and values that are not in the index are read from the file.
        session.run_search()?;
        page = session.ask(ListTraces(query))?;
    }
    if as_json {
        return output.line(&format!("{:#}", json::traces(&page)));
    }
    let (columns, rows) = columns(&page.rows, output.width());
    for (number, line) in lines(&columns, &rows, output.width()).into_iter().enumerate() {
        let failed =
            number.checked_sub(1).and_then(|row| page.rows.get(row)).is_some_and(|row| row.failed.is_some_and(|failed| failed > 0));
        let ink = if number == 0 {
            Ink::Faint
        } else if failed {
            Ink::Failed
        } else {
            Ink::Plain
        };
        output.line(&output.ink(&line, ink))?;
    }
    let what = if traces.failed { " with a failure" } else { "" };
    let (one, more) = if traces.filter.is_empty() { ("trace", "traces") } else { ("matching trace", "matching traces") };
    let total = format::counted(page.total.map(u64::from), one, more);
    output.line(&output.ink(&format!("{} of {total}{what}", format::count(page.rows.len() as u64)), Ink::Faint))
}

fn cells(row: &TraceRow, wide: bool) -> Vec<String> {
    let head = |text: String, width: usize| if wide { text } else { text.chars().take(width).collect() };
    let count = |number: Option<u64>| number.map_or_else(|| format::DASH.to_owned(), format::count);
    vec![
        head(clean_line(&row.trace_id), 12),
        head(row.start.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0)), 19),
        format::duration_text(row.duration_nanos),
        count(row.spans.map(u64::from)),
        row.failed.map_or_else(|| format::DASH.to_owned(), |failed| if failed == 0 { String::new() } else { format::count(failed.into()) }),
        count(row.tokens.and_then(|tokens| tokens.total)),
        row.root_name.as_deref().map_or_else(|| format::DASH.to_owned(), clean_line),
    ]
}
