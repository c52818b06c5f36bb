//! `quipu traces`: a table of traces.

use crate::arguments::Traces;
use crate::json;
use crate::open::open_indexed;
use crate::output::{Ink, Output, clean_line};
use crate::table::{Column, lines};
use anyhow::Result;
use quipu::protocol::{Request, Response, TraceOrder, TraceQuery, TraceRow};
use quipu::view;

const COLUMNS: [Column; 7] = [
    Column { heading: "TRACE", right: false },
    Column { heading: "START (UTC)", right: false },
    Column { heading: "DURATION", right: true },
    Column { heading: "SPANS", right: true },
    Column { heading: "FAILED", right: true },
    Column { heading: "TOKENS", right: true },
    Column { heading: "ROOT", right: false },
];

pub(crate) fn run(traces: &Traces, as_json: bool, output: &mut Output) -> Result<()> {
    let mut session = open_indexed(&traces.file)?;
    let order = if traces.slowest { TraceOrder::Slowest } else { TraceOrder::Newest };
    let query = TraceQuery { order, failed_only: traces.failed, offset: traces.offset, limit: traces.limit };
    let page = match session.handle(Request::ListTraces(query))? {
        Response::Traces(page) => page,
        other => return super::unexpected(other),
    };
    if as_json {
        return output.line(&format!("{:#}", json::traces(&page)));
    }
    let rows: Vec<Vec<String>> = page.rows.iter().map(cells).collect();
    for (number, line) in lines(&COLUMNS, &rows, output.width()).into_iter().enumerate() {
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
    let what = if traces.failed { "with a failure" } else { "in all" };
    let total = view::counted(page.total.map(u64::from), "trace", "traces");
    output.line(&output.ink(&format!("{} of {total} {what}", view::count(page.rows.len() as u64)), Ink::Faint))
}

fn cells(row: &TraceRow) -> Vec<String> {
    let count = |number: Option<u64>| number.map_or_else(|| view::DASH.to_owned(), view::count);
    vec![
        clean_line(&row.trace_id),
        row.start.map_or_else(|| view::DASH.to_owned(), |at| at.civil(0)),
        view::duration_text(row.duration_nanos),
        count(row.spans.map(u64::from)),
        row.failed.map_or_else(|| view::DASH.to_owned(), |failed| if failed == 0 { String::new() } else { view::count(failed.into()) }),
        count(row.tokens.and_then(|tokens| tokens.total)),
        row.root_name.as_deref().map_or_else(|| view::DASH.to_owned(), clean_line),
    ]
}
