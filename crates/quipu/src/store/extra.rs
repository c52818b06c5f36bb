//! Statements over the tables that hold what the reference's schema cannot: docs/formats.md lists them.
//!
//! What is not here: writing them (`writer`).

use super::error::StoreError;
use super::reader::owned;
use super::schema::Schema;
use crate::model::{LogRecord, MetricPoint, SpanExtra};
use rusqlite::{Connection, OptionalExtension, Row};

fn has(schema: &Schema, table: &str) -> bool {
    schema.others.iter().any(|name| name == table)
}

/// A table of that name that another program made has other columns: then there is nothing to read.
fn if_ours<T>(read: rusqlite::Result<T>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(found) => Ok(Some(found)),
        // What is wrong with a statement, as with names it has, is an error of its own kind.
        Err(rusqlite::Error::SqlInputError { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn unsigned(row: &Row<'_>, column: usize) -> Option<u64> {
    row.get::<_, Option<i64>>(column).ok().flatten().and_then(|number| u64::try_from(number).ok())
}

fn truth(row: &Row<'_>, column: usize) -> Option<bool> {
    row.get::<_, Option<i64>>(column).ok().flatten().map(|number| number != 0)
}

/// What is known of a span beyond its row.
pub(crate) fn span_extra(connection: &Connection, schema: &Schema, span_id: &str) -> Result<Option<SpanExtra>, StoreError> {
    if !has(schema, "quipu_span_extra") {
        return Ok(None);
    }
    let read = |row: &Row<'_>| {
        Ok(SpanExtra {
            span_id: owned(row, 0).unwrap_or_default(),
            start_nanos: unsigned(row, 1),
            end_nanos: unsigned(row, 2),
            status_message: owned(row, 3),
            trace_state: owned(row, 4),
            links: owned(row, 5),
            event_nanos: owned(row, 6),
            source: row.get(7).unwrap_or_default(),
        })
    };
    let find = |condition: &str| {
        let sql = format!(
            "SELECT span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, source_id
            FROM quipu_span_extra WHERE {condition}"
        );
        connection.prepare_cached(&sql).and_then(|mut statement| statement.query_row([span_id], read).optional())
    };
    let by_row = if_ours(find("id = (SELECT rowid FROM spans WHERE span_id = ?1) AND span_id = ?1"))?;
    match by_row.flatten() {
        None if !is_in_step(connection)? => Ok(if_ours(find("span_id = ?1"))?.flatten()),
        found => Ok(found),
    }
}

/// Whether rows of `quipu_span_extra` have the row numbers of their spans. The table has a row for nearly every span that comes by OTLP;
/// an index of ids, which lie anywhere in it, would cost a collector as much as that of the spans themselves. It is not in step where a
/// file was written out as SQL and read in again after rows were deleted, and where the table is of a Quipu that had such an index.
pub(super) fn is_in_step(connection: &Connection) -> Result<bool, StoreError> {
    // Spans of the last rows may have been deleted.
    let last = "SELECT e.id = s.rowid FROM quipu_span_extra e CROSS JOIN spans s ON s.span_id = e.span_id ORDER BY e.id DESC LIMIT 1";
    let found = connection.prepare_cached(last).and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional());
    Ok(if_ours(found)?.is_some_and(|found| found.unwrap_or(true)))
}

/// The resource and the scope with this number, each a JSON object.
pub(crate) fn source(connection: &Connection, schema: &Schema, number: i64) -> Result<Option<(String, String)>, StoreError> {
    if !has(schema, "quipu_sources") {
        return Ok(None);
    }
    let read = |row: &Row<'_>| Ok((owned(row, 0).unwrap_or_default(), owned(row, 1).unwrap_or_default()));
    let statement = connection.prepare_cached("SELECT resource, scope FROM quipu_sources WHERE id = ?1");
    Ok(if_ours(statement.and_then(|mut statement| statement.query_row([number], read).optional()))?.flatten())
}

/// Every resource, a JSON object, with its number.
pub(crate) fn scan_sources(connection: &Connection, schema: &Schema, seen: &mut dyn FnMut(i64, &str)) -> Result<(), StoreError> {
    if !has(schema, "quipu_sources") {
        return Ok(());
    }
    each(connection, "SELECT id, resource FROM quipu_sources", &mut |row| {
        if let (Ok(number), Some(resource)) = (row.get(0), owned(row, 1)) {
            seen(number, &resource);
        }
    })
}

/// Every point of a metric, in the order they came.
pub(crate) fn scan_points(connection: &Connection, schema: &Schema, seen: &mut dyn FnMut(MetricPoint)) -> Result<(), StoreError> {
    if !has(schema, "quipu_metric_points") {
        return Ok(());
    }
    let sql =
        "SELECT metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, attributes, value, count, detail, source_id
        FROM quipu_metric_points ORDER BY id";
    each(connection, sql, &mut |row| {
        seen(MetricPoint {
            metric: owned(row, 0).unwrap_or_default(),
            unit: owned(row, 1),
            kind: owned(row, 2).unwrap_or_default(),
            cumulative: truth(row, 3),
            monotonic: truth(row, 4),
            start_nanos: unsigned(row, 5),
            time_nanos: unsigned(row, 6),
            attributes: owned(row, 7).unwrap_or_default(),
            value: row.get(8).unwrap_or_default(),
            count: unsigned(row, 9),
            detail: owned(row, 10),
            source: row.get(11).unwrap_or_default(),
        });
    })
}

/// Every log record of no span, in the order they came.
pub(crate) fn scan_logs(connection: &Connection, schema: &Schema, seen: &mut dyn FnMut(LogRecord)) -> Result<(), StoreError> {
    if !has(schema, "quipu_log_records") {
        return Ok(());
    }
    let sql = "SELECT trace_id, span_id, name, timestamp, time_unix_nano, attributes, source_id FROM quipu_log_records ORDER BY id";
    each(connection, sql, &mut |row| {
        seen(LogRecord {
            trace_id: owned(row, 0),
            span_id: owned(row, 1),
            name: owned(row, 2),
            timestamp: owned(row, 3),
            time_nanos: unsigned(row, 4),
            attributes: owned(row, 5),
            source: row.get(6).unwrap_or_default(),
        });
    })
}

fn each(connection: &Connection, sql: &str, seen: &mut dyn FnMut(&Row<'_>)) -> Result<(), StoreError> {
    let Some(mut statement) = if_ours(connection.prepare_cached(sql))? else { return Ok(()) };
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        seen(row);
    }
    Ok(())
}
