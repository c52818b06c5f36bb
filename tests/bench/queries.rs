//! What is asked of a file: the same of everybody, to Quipu in its own words, to the others in SQL.

use anyhow::{Context, Result};
use quipu_tests::fixtures::{number, open_as_it_lies};
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;

/// The newest traces, with the name of the root, as a viewer's first screen shows them.
const NEWEST: &str = "SELECT traces.trace_id, spans.name, traces.service_name, traces.start_time, traces.end_time
    FROM traces LEFT JOIN spans ON spans.span_id = traces.root_span_id ORDER BY traces.start_time DESC LIMIT 100";
/// Sum of durations by name.
pub(crate) const AGGREGATE: &str =
    "SELECT name, count(*), sum((julianday(end_time) - julianday(start_time)) * 86400) FROM spans GROUP BY name";
/// Reads every attribute once and does as little as possible with it.
pub(crate) const SUM: &str = "SELECT sum(length(attributes)) FROM spans";
/// What Quipu is asked for.
pub(crate) const FILTER: &str = "duration>2s error:true";
/// The traces it means: some span took so long, and some span failed, by itself or by what its events say.
const FILTERED: &str = "SELECT trace_id FROM spans WHERE (julianday(end_time) - julianday(start_time)) * 86400 > 2
    INTERSECT SELECT trace_id FROM (
        SELECT trace_id FROM spans WHERE status = 'ERROR' OR json_extract(attributes, '$.error') IS NOT NULL
        UNION SELECT spans.trace_id FROM span_events JOIN spans USING (span_id)
        WHERE span_events.name = 'unstructured_log' AND json_extract(span_events.attributes, '$.severity') IN ('error', 'critical')
            AND (json_extract(span_events.attributes, '$.message') LIKE 'Error executing endpoint%'
                OR json_extract(span_events.attributes, '$.message') LIKE 'Error in sse_generator%'))";

/// A file with what is asked of it.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its size.
    pub(crate) bytes: u64,
    pub(crate) spans: i64,
    pub(crate) traces: i64,
    /// Traces the filter should find.
    pub(crate) matching: i64,
    /// A trace from the middle of the file.
    pub(crate) trace_id: String,
}

impl Asked {
    /// Asks the file itself for what must be known beforehand.
    pub(crate) fn of(file: &Path) -> Result<Asked> {
        let failed = || format!("{} cannot be read.", file.display());
        let connection = open_as_it_lies(file).with_context(failed)?;
        let traces = number(&connection, "SELECT count(*) FROM traces").with_context(failed)?;
        let text = |sql: &str| -> Result<String> { Ok(Connection::query_row(&connection, sql, [], |row| row.get(0))?) };
        Ok(Asked {
            bytes: std::fs::metadata(file)?.len(),
            spans: number(&connection, "SELECT count(*) FROM spans")?,
            traces,
            matching: number(&connection, &format!("SELECT count(DISTINCT trace_id) FROM ({FILTERED})"))?,
            trace_id: text(&format!("SELECT trace_id FROM traces ORDER BY rowid LIMIT 1 OFFSET {}", traces / 2)).with_context(failed)?,
        })
    }

    /// All spans of the trace.
    pub(crate) fn trace_sql(&self) -> String {
        let id = &self.trace_id;
        format!("SELECT span_id, parent_span_id, name, start_time, end_time, status FROM spans WHERE trace_id = '{id}' ORDER BY start_time")
    }

    /// The newest of the filtered traces.
    pub(crate) fn filter_sql(&self) -> String {
        format!(
            "SELECT trace_id, service_name, start_time, end_time FROM traces WHERE trace_id IN ({FILTERED}) ORDER BY start_time DESC LIMIT 100"
        )
    }

    /// What the page of a peer gets in its address.
    pub(crate) fn sql(&self) -> String {
        json!({ "newest": NEWEST, "filter": self.filter_sql(), "trace": self.trace_sql(), "aggregate": AGGREGATE }).to_string()
    }
}
