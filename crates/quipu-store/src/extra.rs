//! Reads the tables with data that the reference's schema has no columns for; docs/formats.md lists them.
//!
//! Not here: writing them (`writer`).

use super::database::Database;
use super::error::StoreError;
use super::layout::Layout;
use super::numbering::{Numbering, if_ours, number_in_order};
use super::reader::{bytes, owned, rowids, text};
use super::schema::Schema;
use quipu_model::{LogRecord, MetricPoint, SpanExtra};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use std::borrow::Cow;
use std::ops::ControlFlow;

fn has(schema: &Schema, table: &str) -> bool {
    schema.others.iter().any(|name| name == table)
}

fn unsigned(row: &Row<'_>, column: usize) -> Option<u64> {
    row.get::<_, Option<i64>>(column).ok().flatten().and_then(|number| u64::try_from(number).ok())
}

fn truth(row: &Row<'_>, column: usize) -> Option<bool> {
    row.get::<_, Option<i64>>(column).ok().flatten().map(|number| number != 0)
}

/// Additional data of the span in a row of `spans`; `None` if there is none.
pub fn span_extra(database: &Database, rowid: i64, span_id: &str) -> Result<Option<SpanExtra>, StoreError> {
    let connection = database.connection();
    if !has(database.schema(), "quipu_span_extra") {
        return Ok(None);
    }
    let by_row = find(database, "id = ?2", span_id, &[&rowid])?;
    if by_row.is_some() {
        return Ok(by_row);
    }
    match database.numbering()? {
        Numbering::Rows => Ok(None),
        Numbering::None => find(database, "TRUE", span_id, &[]),
        Numbering::Order { first, last } => match number_in_order(connection, span_id, first, last)? {
            Some(number) => find(database, "id = ?2", span_id, &[&number]),
            None => Ok(None),
        },
    }
}

/// Finds the row of a span that also meets a condition.
fn find(database: &Database, condition: &str, span_id: &str, more: &[&dyn ToSql]) -> Result<Option<SpanExtra>, StoreError> {
    let (connection, layout) = (database.connection(), database.schema().layout);
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
            more: owned(row, 8),
            event_more: owned(row, 9),
        })
    };
    let own = if layout == Layout::Quipu { "more, event_more" } else { "NULL, NULL" };
    let sql = format!(
        "SELECT span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, source_id, {own}
        FROM quipu_span_extra WHERE {condition} AND span_id = ?1"
    );
    let values: Vec<&dyn ToSql> = [&span_id as &dyn ToSql].into_iter().chain(more.iter().copied()).collect();
    let found = connection.prepare_cached(&sql).and_then(|mut statement| statement.query_row(values.as_slice(), read).optional());
    Ok(if_ours(found)?.flatten())
}

/// The resource and the scope with this number, each a JSON object.
pub fn source(connection: &Connection, schema: &Schema, number: i64) -> Result<Option<(String, String)>, StoreError> {
    if !has(schema, "quipu_sources") {
        return Ok(None);
    }
    let read = |row: &Row<'_>| Ok((owned(row, 0).unwrap_or_default(), owned(row, 1).unwrap_or_default()));
    let statement = connection.prepare_cached("SELECT resource, scope FROM quipu_sources WHERE id = ?1");
    Ok(if_ours(statement.and_then(|mut statement| statement.query_row([number], read).optional()))?.flatten())
}

/// Reads all resources and scopes, as JSON objects, with their numbers.
pub fn scan_sources(connection: &Connection, schema: &Schema, seen: &mut dyn FnMut(i64, &str, &str)) -> Result<(), StoreError> {
    if !has(schema, "quipu_sources") {
        return Ok(());
    }
    each(connection, "SELECT id, resource, scope FROM quipu_sources", &[], &mut |row| {
        if let (Ok(number), Some(resource)) = (row.get(0), owned(row, 1)) {
            seen(number, &resource, &owned(row, 2).unwrap_or_default());
        }
    })
}

/// Reads every resource with a scope that spans come from, as JSON objects, with the number of these spans.
pub fn scan_span_sources(connection: &Connection, schema: &Schema, seen: &mut dyn FnMut(&str, &str, u64)) -> Result<(), StoreError> {
    let spans = if schema.layout == Layout::Quipu { "quipu_spans" } else { "quipu_span_extra" };
    if !has(schema, "quipu_sources") || !has(schema, spans) {
        return Ok(());
    }
    let sql = format!(
        "SELECT resource, scope, spans FROM (SELECT source_id, count(*) AS spans FROM {spans} WHERE source_id IS NOT NULL GROUP BY source_id)
            JOIN quipu_sources ON id = source_id"
    );
    each(connection, &sql, &[], &mut |row| {
        seen(&owned(row, 0).unwrap_or_default(), &owned(row, 1).unwrap_or_default(), unsigned(row, 2).unwrap_or(0));
    })
}

/// Reads all metric points, in insertion order.
pub fn scan_points(connection: &Connection, schema: &Schema, seen: &mut dyn FnMut(MetricPoint)) -> Result<(), StoreError> {
    scan(connection, schema, "quipu_metric_points", points(schema), &mut |row| seen(point(row)))
}

/// Position in a table, and limits of one read.
#[derive(Clone, Copy, Debug)]
pub struct RowsAfter {
    /// Row number to start after.
    pub id: i64,
    /// Maximum number of rows.
    pub rows: usize,
    /// Approximate limit on the bytes of their strings. The first row is always returned.
    pub bytes: usize,
}

/// Reads metric points after a position, with their row numbers. No lock is held between two calls.
pub fn points_after(connection: &Connection, schema: &Schema, from: RowsAfter) -> Result<Vec<(i64, MetricPoint)>, StoreError> {
    let weight = |point: &MetricPoint| point.attributes.len() + point.detail.as_ref().map_or(0, String::len);
    rows_after(connection, schema, ("quipu_metric_points", "TRUE"), points(schema), from, point, weight)
}

/// Which log records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogsOf {
    /// Those that belong to no span of the file.
    NoSpan,
    /// All. In the reference's layout those of spans are events, and no log records any more.
    All,
}

/// Reads log records after a position, with their row numbers.
pub fn logs_after(connection: &Connection, schema: &Schema, of: LogsOf, from: RowsAfter) -> Result<Vec<(i64, LogRecord)>, StoreError> {
    let weight = |log: &LogRecord| log.attributes.as_ref().map_or(0, String::len);
    let condition = if of == LogsOf::All { "TRUE" } else { unattached(schema, "quipu_log_records") };
    rows_after(connection, schema, ("quipu_log_records", condition), logs(schema), from, log, weight)
}

/// A log record as read for lists.
pub struct ScanLog<'r> {
    /// `quipu_log_records.id`.
    pub id: i64,
    /// The trace it names.
    pub trace_id: Option<Cow<'r, str>>,
    /// The span it names.
    pub span_id: Option<Cow<'r, str>>,
    /// The name of the event.
    pub name: Option<Cow<'r, str>>,
    /// Nanoseconds since 1970.
    pub time: Option<i64>,
    /// As in [`LogRecord`].
    pub attributes: &'r [u8],
    /// Number of its resource and scope.
    pub source: Option<i64>,
    /// The row of its span; `None` if that is not in the file.
    pub span_row: Option<i64>,
}

/// Reads log records after row `after`, those of spans included, in insertion order, until `seen` breaks. In the reference's layout those
/// of spans are events, and no log records any more.
pub fn scan_log_records(
    connection: &Connection,
    schema: &Schema,
    after: i64,
    seen: &mut dyn FnMut(ScanLog<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if !has(schema, "quipu_log_records") {
        return Ok(());
    }
    let span_row = if schema.layout == Layout::Quipu { "span_row" } else { "NULL" };
    let sql = format!(
        "SELECT id, trace_id, span_id, name, time_unix_nano, attributes, source_id, {span_row} FROM quipu_log_records
        WHERE id > ?1 ORDER BY id"
    );
    let Some(mut statement) = if_ours(connection.prepare_cached(&sql))? else { return Ok(()) };
    let mut rows = statement.query([after])?;
    while let Some(row) = rows.next()? {
        let log = ScanLog {
            id: row.get(0).unwrap_or_default(),
            trace_id: text(row, 1),
            span_id: text(row, 2),
            name: text(row, 3),
            time: row.get(4).unwrap_or_default(),
            attributes: bytes(row, 5),
            source: row.get(6).unwrap_or_default(),
            span_row: row.get(7).unwrap_or_default(),
        };
        if seen(log).is_break() {
            break;
        }
    }
    Ok(())
}

/// The log record in a row; `None` if there is no such row.
pub fn log_record(connection: &Connection, schema: &Schema, id: i64) -> Result<Option<LogRecord>, StoreError> {
    if !has(schema, "quipu_log_records") {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM quipu_log_records WHERE id = ?1", logs(schema));
    let found = connection.prepare_cached(&sql).and_then(|mut statement| statement.query_row([id], |row| Ok(log(row))).optional());
    Ok(if_ours(found)?.flatten())
}

/// The log records of the span in this row, in insertion order; in Quipu's own layout only.
pub fn logs_of_span(connection: &Connection, row: i64) -> Result<Vec<LogRecord>, StoreError> {
    let sql = "SELECT id, trace_id, span_id, name, timestamp, time_unix_nano, attributes, source_id, more FROM main.quipu_log_records
        WHERE id IN (SELECT log_id FROM main.quipu_events WHERE span_row = ?1) ORDER BY id";
    let mut found = Vec::new();
    each(connection, sql, &[&row], &mut |row| found.push(log(row)))?;
    Ok(found)
}

/// The row numbers of the log records that name a trace, and no span of the file, in insertion order, at most `most`. `None` if there are too
/// many log records to read them all, and no index.
pub fn logs_of_trace(connection: &Connection, schema: &Schema, trace_id: &str, most: usize) -> Result<Option<Vec<i64>>, StoreError> {
    const INDEXED: &str = "SELECT count(*) FROM main.sqlite_schema WHERE type = 'index' AND name = 'quipu_log_records_trace'";
    if !has(schema, "quipu_log_records") {
        return Ok(Some(Vec::new()));
    }
    let mut is_indexed = false;
    each(connection, INDEXED, &[], &mut |row| is_indexed = unsigned(row, 0) == Some(1))?;
    let (first, last) = log_ids(connection, schema)?;
    if !is_indexed && last.saturating_sub(first) > MAX_UNINDEXED {
        return Ok(None);
    }
    let of = unattached(schema, "quipu_log_records");
    let sql = format!("SELECT id FROM quipu_log_records WHERE trace_id = ?1 AND {of} ORDER BY id LIMIT ?2");
    let mut found = Vec::new();
    each(connection, &sql, &[&trace_id, &i64::try_from(most).unwrap_or(i64::MAX)], &mut |row| found.extend(row.get::<_, i64>(0)))?;
    Ok(Some(found))
}

/// Log records that are read to find those of a trace. An index finds them among any number.
const MAX_UNINDEXED: i64 = 100_000;

/// The first and the last row number of the log records; `(1, 0)` if there are none.
pub fn log_ids(connection: &Connection, schema: &Schema) -> Result<(i64, i64), StoreError> {
    rowids(connection, has(schema, "quipu_log_records"), "quipu_log_records")
}

/// The number of log records or metric points; `None` if the file has no table for them.
pub fn count_rows(connection: &Connection, schema: &Schema, is_points: bool) -> Result<Option<u64>, StoreError> {
    let table = if is_points { "quipu_metric_points" } else { "quipu_log_records" };
    if !has(schema, table) {
        return Ok(None);
    }
    if schema.layout == Layout::Quipu {
        // Rows are only appended, so that the table need not be read.
        let (first, last) = rowids(connection, true, table)?;
        return Ok(u64::try_from(last.saturating_sub(first).saturating_add(1)).ok());
    }
    let mut count = None;
    each(connection, &format!("SELECT count(*) FROM {table}"), &[], &mut |row| count = unsigned(row, 0))?;
    Ok(count)
}

/// Whether an event is a log record of its span, which only Quipu's own layout tells.
pub fn is_log_event(connection: &Connection, schema: &Schema, id: i64) -> Result<bool, StoreError> {
    if schema.layout != Layout::Quipu {
        return Ok(false);
    }
    let mut statement = connection.prepare_cached("SELECT log_id IS NOT NULL FROM main.quipu_events WHERE id = ?1")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// The number of rows after this row number in the table of points or log records, and the last row number. `None` if there are none.
pub fn count_after(connection: &Connection, schema: &Schema, is_points: bool, id: i64) -> Result<Option<(u64, i64)>, StoreError> {
    let table = if is_points { "quipu_metric_points" } else { "quipu_log_records" };
    let mut rest = None;
    if has(schema, table) {
        let of = unattached(schema, table);
        let sql = format!("SELECT (SELECT max(id) FROM {table} WHERE {of}), (SELECT count(*) FROM {table} WHERE id > ?1 AND {of})");
        each(connection, &sql, &[&id], &mut |row| rest = row.get(0).ok().zip(unsigned(row, 1)))?;
    }
    Ok(rest.map(|(last, count)| (count, last)))
}

/// The highest row number ever assigned to a log record, if the table keeps it. Records are removed when their span arrives.
pub fn max_log_id(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let mut greatest = None;
    each(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'quipu_log_records'", &[], &mut |row| greatest = row.get(0).ok())?;
    Ok(greatest)
}

/// Reads every series that has points: metric, labels, and start time in nanoseconds since 1970.
pub fn scan_point_series(connection: &Connection, schema: &Schema, seen: &mut dyn FnMut(String, String, u64)) -> Result<(), StoreError> {
    if !has(schema, "quipu_metric_points") {
        return Ok(());
    }
    let sql = "SELECT metric, attributes, min(coalesce(start_unix_nano, time_unix_nano)) FROM quipu_metric_points GROUP BY 1, 2";
    each(connection, sql, &[], &mut |row| {
        if let (Some(metric), Some(labels)) = (owned(row, 0), owned(row, 1)) {
            seen(metric, labels, unsigned(row, 2).unwrap_or(0));
        }
    })
}

/// The columns of points. Only Quipu's own layout has what is said about a metric.
fn points(schema: &Schema) -> &'static str {
    match schema.layout {
        Layout::Quipu => {
            "id, metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, attributes, value, count, detail, source_id, \
             (SELECT n.name FROM main.quipu_names n WHERE n.id = about_id)"
        }
        Layout::Reference => {
            "id, metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, attributes, value, count, detail, source_id, NULL"
        }
    }
}
/// The columns of log records.
fn logs(schema: &Schema) -> &'static str {
    match schema.layout {
        Layout::Quipu => "id, trace_id, span_id, name, timestamp, time_unix_nano, attributes, source_id, more",
        Layout::Reference => "id, trace_id, span_id, name, timestamp, time_unix_nano, attributes, source_id, NULL",
    }
}

/// What holds of the rows that belong to no span. The reference's layout has no others.
fn unattached(schema: &Schema, table: &str) -> &'static str {
    if schema.layout == Layout::Quipu && table == "quipu_log_records" { "span_row IS NULL" } else { "TRUE" }
}

fn point(row: &Row<'_>) -> MetricPoint {
    MetricPoint {
        metric: owned(row, 1).unwrap_or_default(),
        unit: owned(row, 2),
        kind: owned(row, 3).unwrap_or_default(),
        cumulative: truth(row, 4),
        monotonic: truth(row, 5),
        start_nanos: unsigned(row, 6),
        time_nanos: unsigned(row, 7),
        attributes: owned(row, 8).unwrap_or_default(),
        value: row.get(9).unwrap_or_default(),
        count: unsigned(row, 10),
        detail: owned(row, 11),
        source: row.get(12).unwrap_or_default(),
        about: owned(row, 13),
    }
}

pub(super) fn log(row: &Row<'_>) -> LogRecord {
    LogRecord {
        trace_id: owned(row, 1),
        span_id: owned(row, 2),
        name: owned(row, 3),
        timestamp: owned(row, 4),
        time_nanos: unsigned(row, 5),
        attributes: owned(row, 6),
        source: row.get(7).unwrap_or_default(),
        more: owned(row, 8),
    }
}

fn scan(connection: &Connection, schema: &Schema, table: &str, columns: &str, seen: &mut dyn FnMut(&Row<'_>)) -> Result<(), StoreError> {
    if !has(schema, table) {
        return Ok(());
    }
    each(connection, &format!("SELECT {columns} FROM {table} WHERE {} ORDER BY id", unattached(schema, table)), &[], seen)
}

fn rows_after<T>(
    connection: &Connection,
    schema: &Schema,
    (table, condition): (&str, &str),
    columns: &str,
    from: RowsAfter,
    read: fn(&Row<'_>) -> T,
    weight: impl Fn(&T) -> usize,
) -> Result<Vec<(i64, T)>, StoreError> {
    let mut found = Vec::new();
    if !has(schema, table) {
        return Ok(found);
    }
    let sql = format!("SELECT {columns} FROM {table} WHERE id > ?1 AND {condition} ORDER BY id LIMIT ?2");
    let Some(mut statement) = if_ours(connection.prepare_cached(&sql))? else { return Ok(found) };
    let mut rows = statement.query((from.id, i64::try_from(from.rows.max(1)).unwrap_or(i64::MAX)))?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let item = read(row);
        bytes += weight(&item);
        if bytes > from.bytes && !found.is_empty() {
            break;
        }
        found.push((row.get(0)?, item));
    }
    Ok(found)
}

fn each(connection: &Connection, sql: &str, values: &[&dyn ToSql], seen: &mut dyn FnMut(&Row<'_>)) -> Result<(), StoreError> {
    let Some(mut statement) = if_ours(connection.prepare_cached(sql))? else { return Ok(()) };
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        seen(row);
    }
    Ok(())
}
