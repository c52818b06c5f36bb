//! What the page should show, asked of the files by SQL and computed here, past the core.

use anyhow::Result;
use quipu_tests::failures::FAILED;
use quipu_tests::fixtures::{self, SpanRow};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row of the timeline: span id, level from 1, and the parent's id where the parent is in the same trace.
pub(crate) type TimelineRow = (String, u32, Option<String>);

/// The rows of every trace, by trace id.
pub(crate) fn timelines(connection: &Connection) -> Result<BTreeMap<String, BTreeSet<TimelineRow>>> {
    let mut traces: BTreeMap<String, Vec<SpanRow>> = BTreeMap::new();
    for span in fixtures::spans(connection)? {
        traces.entry(span.trace_id.clone()).or_default().push(span);
    }
    Ok(traces.into_iter().map(|(trace_id, spans)| (trace_id, timeline(&spans))).collect())
}

/// A span is on level 1 unless its parent is in the trace; then it is one below that.
fn timeline(spans: &[SpanRow]) -> BTreeSet<TimelineRow> {
    let parents: HashMap<&str, Option<&str>> = spans.iter().map(|span| (span.span_id.as_str(), span.parent_span_id.as_deref())).collect();
    let parent_in_trace = |id: &str| parents.get(id).copied().flatten().filter(|parent| parents.contains_key(parent));
    let level = |id: &str| {
        let mut level = 1;
        let mut at = id;
        // No fixture has a cycle; a limit keeps a broken one from running forever.
        while let (Some(parent), true) = (parent_in_trace(at), level < 10_000) {
            (at, level) = (parent, level + 1);
        }
        level
    };
    spans.iter().map(|span| (span.span_id.clone(), level(&span.span_id), parent_in_trace(&span.span_id).map(str::to_owned))).collect()
}

/// The traces that hold a failed span.
pub(crate) fn failed_traces(connection: &Connection) -> Result<BTreeSet<String>> {
    Ok(fixtures::texts(connection, &format!("SELECT trace_id FROM spans WHERE {FAILED}"))?.into_iter().collect())
}

/// Each trace's duration in microseconds, from its first start to its last end.
pub(crate) fn durations(connection: &Connection) -> Result<HashMap<String, i64>> {
    // unixepoch counts whole seconds; the fraction is read from the text.
    let micros = |column: &str| {
        let fraction = format!("CASE WHEN substr({column}, 20, 1) = '.' THEN CAST(substr({column}, 21, 6) AS INTEGER) ELSE 0 END");
        format!("(unixepoch({column}) * 1000000 + {fraction})")
    };
    let sql = format!("SELECT trace_id, max({}) - min({}) FROM spans GROUP BY trace_id", micros("end_time"), micros("start_time"));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
