//! Statements of the query API, one function each. Values keep their SQLite type where the order matters.
//!
//! Long scans are split into blocks, one statement each. In between, no lock is held on a file that a server may be writing. Not here:
//! conditions and answers (`query`), statements of the index and the page (`reader`).

#![expect(missing_docs, reason = "fields are named like their columns")]

use super::error::StoreError;
use super::reader::{bytes, owned, text};
use super::schema::Schema;
use quipu_model::number::truncated;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// Rows per statement in a long scan.
const BLOCK: u32 = 8_192;

/// A SQLite value, ordered like in SQLite: NULL, numbers, strings by their bytes, blobs.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderValue {
    Null,
    Integer(i64),
    Real(f64),
    Text(Box<[u8]>),
    Blob(Box<[u8]>),
}

impl OrderValue {
    fn read(row: &Row<'_>, column: usize) -> OrderValue {
        match row.get_ref(column) {
            Ok(ValueRef::Integer(number)) => OrderValue::Integer(number),
            Ok(ValueRef::Real(number)) => OrderValue::Real(number),
            Ok(ValueRef::Text(bytes)) => OrderValue::Text(bytes.into()),
            Ok(ValueRef::Blob(bytes)) => OrderValue::Blob(bytes.into()),
            Ok(ValueRef::Null) | Err(_) => OrderValue::Null,
        }
    }

    fn class(&self) -> u8 {
        match self {
            OrderValue::Null => 0,
            OrderValue::Integer(_) | OrderValue::Real(_) => 1,
            OrderValue::Text(_) => 2,
            OrderValue::Blob(_) => 3,
        }
    }

    /// Compares in SQLite's order.
    pub fn order(&self, other: &OrderValue) -> Ordering {
        match (self, other) {
            (OrderValue::Integer(one), OrderValue::Integer(two)) => one.cmp(two),
            (OrderValue::Integer(one), OrderValue::Real(two)) => compare_integer_real(*one, *two),
            (OrderValue::Real(one), OrderValue::Integer(two)) => compare_integer_real(*two, *one).reverse(),
            (OrderValue::Real(one), OrderValue::Real(two)) => one.total_cmp(two),
            (OrderValue::Text(one), OrderValue::Text(two)) | (OrderValue::Blob(one), OrderValue::Blob(two)) => one.cmp(two),
            _ => self.class().cmp(&other.class()),
        }
    }
}

/// Compares an integer with a double exactly, without converting either.
pub fn compare_integer_real(integer: i64, real: f64) -> Ordering {
    if real.is_nan() {
        return Ordering::Greater;
    }
    if real < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    if real >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    // The value is within the range of i64, so truncation is exact.
    let whole = truncated::<i64>(real);
    integer.cmp(&whole).then_with(|| 0.0_f64.total_cmp(&(real - whole as f64 + 0.0)))
}

/// A column of `traces` by which results can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceColumn {
    TraceId,
    ServiceName,
    RootSpanId,
    StartTime,
    EndTime,
    CreatedAt,
}

impl TraceColumn {
    pub const ALL: [(&'static str, TraceColumn); 6] = [
        ("trace_id", TraceColumn::TraceId),
        ("service_name", TraceColumn::ServiceName),
        ("root_span_id", TraceColumn::RootSpanId),
        ("start_time", TraceColumn::StartTime),
        ("end_time", TraceColumn::EndTime),
        ("created_at", TraceColumn::CreatedAt),
    ];

    fn name(self) -> &'static str {
        TraceColumn::ALL.into_iter().find(|(_, column)| *column == self).map_or("trace_id", |(name, _)| name)
    }
}

/// A row of `traces`, with the values to order by.
pub struct TraceFull {
    pub trace_id: Option<String>,
    pub root_span_id: Option<String>,
    pub start: Option<String>,
    pub end: Option<String>,
    pub order: Vec<OrderValue>,
}

fn trace_full(row: &Row<'_>) -> rusqlite::Result<TraceFull> {
    Ok(TraceFull {
        trace_id: owned(row, 0),
        root_span_id: owned(row, 1),
        start: owned(row, 2),
        end: owned(row, 3),
        order: (4..row.as_ref().column_count()).map(|column| OrderValue::read(row, column)).collect(),
    })
}

fn trace_sql(schema: &Schema, order: &[TraceColumn], condition: &str) -> String {
    let mut columns = ["trace_id", "root_span_id", "start_time", "end_time"].map(|column| schema.traces.or_null(column)).to_vec();
    columns.extend(order.iter().map(|column| schema.traces.or_null(column.name())));
    format!("SELECT {} FROM traces WHERE {condition}", columns.join(", "))
}

/// Finds the row of `traces` with this id. `None` if there is none, or no such table.
pub fn trace_by_id(
    connection: &Connection,
    schema: &Schema,
    trace_id: &str,
    order: &[TraceColumn],
) -> Result<Option<TraceFull>, StoreError> {
    if !schema.traces.exists || !schema.traces.has("trace_id") {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(&trace_sql(schema, order, "trace_id = ?1"))?;
    Ok(statement.query_row([trace_id], trace_full).optional()?)
}

/// Reads the row of `traces` with this rowid.
pub fn trace_by_rowid(
    connection: &Connection,
    schema: &Schema,
    rowid: i64,
    order: &[TraceColumn],
) -> Result<Option<TraceFull>, StoreError> {
    let mut statement = connection.prepare_cached(&trace_sql(schema, order, "rowid = ?1"))?;
    Ok(statement.query_row([rowid], trace_full).optional()?)
}

/// Finds the rowid of the span with this id.
pub fn span_rowid(connection: &Connection, schema: &Schema, span_id: &str) -> Result<Option<i64>, StoreError> {
    if !schema.spans.exists || !schema.spans.has("span_id") {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached("SELECT rowid FROM spans WHERE span_id = ?1")?;
    Ok(statement.query_row([span_id], |row| row.get(0)).optional()?)
}

/// Runs `sql` block by block until the end or until `seen` breaks. The statement takes the rowid to start after and a number of rows.
fn scan_blocks(connection: &Connection, sql: &str, mut seen: impl FnMut(i64, &Row<'_>) -> ControlFlow<()>) -> Result<(), StoreError> {
    let mut after = i64::MIN;
    loop {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query((after, BLOCK))?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            after = row.get(0)?;
            count += 1;
            if seen(after, row).is_break() {
                return Ok(());
            }
        }
        if count < BLOCK {
            return Ok(());
        }
    }
}

/// Reads rowid, trace and attributes of all spans in rowid order, until the end or until `seen` breaks.
pub fn scan_attributes(
    connection: &Connection,
    schema: &Schema,
    mut seen: impl FnMut(i64, &[u8], &[u8]) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if !schema.spans.exists || !schema.spans.has("trace_id") {
        return Ok(());
    }
    let sql = format!("SELECT rowid, trace_id, {} FROM spans WHERE rowid > ?1 ORDER BY rowid LIMIT ?2", schema.spans.or_null("attributes"));
    scan_blocks(connection, &sql, |rowid, row| seen(rowid, bytes(row, 1), bytes(row, 2)))
}

/// Reads the attributes of the span with this rowid. Does nothing if it was deleted.
pub fn attributes_at<T>(
    connection: &Connection,
    schema: &Schema,
    rowid: i64,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<Option<T>, StoreError> {
    let sql = format!("SELECT {} FROM spans WHERE rowid = ?1", schema.spans.or_null("attributes"));
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([rowid], |row| Ok(read(bytes(row, 0)))).optional()?)
}

/// Like [`attributes_at`], but reads only the length of attributes longer than `max_bytes`.
pub fn small_attributes_at<T>(
    connection: &Connection,
    schema: &Schema,
    rowid: i64,
    max_bytes: u32,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<Option<T>, StoreError> {
    let attributes = schema.spans.or_null("attributes");
    let sql = format!("SELECT {attributes} FROM spans WHERE rowid = ?1 AND octet_length({attributes}) <= ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row((rowid, max_bytes), |row| Ok(read(bytes(row, 0)))).optional()?)
}

/// Runs many small reads under a single lock.
pub fn under_one_lock<T, E: From<StoreError>>(connection: &Connection, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let transaction = connection.unchecked_transaction().map_err(StoreError::from)?;
    let outcome = work();
    // This rolls back, which for reads is the same as a commit.
    drop(transaction);
    outcome
}

/// Reads the trace id of all spans in rowid order, until the end or until `seen` breaks, without reading attributes.
pub fn scan_trace_ids(connection: &Connection, schema: &Schema, mut seen: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
    if !schema.spans.exists || !schema.spans.has("trace_id") {
        return Ok(());
    }
    scan_blocks(connection, "SELECT rowid, trace_id FROM spans WHERE rowid > ?1 ORDER BY rowid LIMIT ?2", |_, row| seen(bytes(row, 1)))
}

/// Reads span id, trace, parent and start of all spans in rowid order.
pub fn scan_links(
    connection: &Connection,
    schema: &Schema,
    mut seen: impl FnMut(&[u8], Option<Cow<'_, str>>, Option<Cow<'_, str>>, Option<Cow<'_, str>>),
) -> Result<(), StoreError> {
    if !schema.spans.exists || !schema.spans.has("trace_id") {
        return Ok(());
    }
    let of = |column| schema.spans.or_null(column);
    let sql = format!(
        "SELECT rowid, trace_id, {}, {}, {} FROM spans WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
        of("span_id"),
        of("parent_span_id"),
        of("start_time")
    );
    scan_blocks(connection, &sql, |_, row| {
        seen(bytes(row, 1), text(row, 2), text(row, 3), text(row, 4));
        ControlFlow::Continue(())
    })
}

/// An event with the columns that metrics need.
pub struct EventColumns<'r> {
    pub id: i64,
    pub span_id: Option<Cow<'r, str>>,
    pub name: Option<Cow<'r, str>>,
    pub timestamp: Option<Cow<'r, str>>,
    pub attributes: &'r [u8],
}

fn event<'r>(row: &'r Row<'_>) -> EventColumns<'r> {
    EventColumns {
        id: row.get(0).unwrap_or_default(),
        span_id: text(row, 1),
        name: text(row, 2),
        timestamp: text(row, 3),
        attributes: bytes(row, 4),
    }
}

fn event_sql(schema: &Schema, condition: &str) -> String {
    let columns = ["span_id", "name", "timestamp", "attributes"].map(|column| schema.events.or_null(column)).join(", ");
    format!("SELECT rowid, {columns} FROM span_events WHERE {condition}")
}

/// Reads the events whose name has a given prefix, in insertion order.
pub fn scan_events_named(
    connection: &Connection,
    schema: &Schema,
    prefix: &str,
    mut seen: impl FnMut(EventColumns<'_>),
) -> Result<(), StoreError> {
    if !schema.events.exists {
        return Ok(());
    }
    let sql = event_sql(schema, "rowid > ?1 ORDER BY rowid LIMIT ?2");
    scan_blocks(connection, &sql, |_, row| {
        if bytes(row, 2).starts_with(prefix.as_bytes()) {
            seen(event(row));
        }
        ControlFlow::Continue(())
    })
}

/// Reads the event with this id.
pub fn event_columns<T>(
    connection: &Connection,
    schema: &Schema,
    id: i64,
    read: impl FnOnce(EventColumns<'_>) -> T,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(&event_sql(schema, "rowid = ?1"))?;
    Ok(statement.query_row([id], |row| Ok(read(event(row)))).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_doubles_compare_without_rounding() {
        assert_eq!(compare_integer_real(9_007_199_254_740_993, 9_007_199_254_740_992.0), Ordering::Greater);
        assert_eq!(compare_integer_real(5, 5.0), Ordering::Equal);
        assert_eq!(compare_integer_real(5, 5.5), Ordering::Less);
        assert_eq!(compare_integer_real(-5, -5.5), Ordering::Greater);
        assert_eq!(compare_integer_real(0, -0.0), Ordering::Equal);
        assert_eq!(compare_integer_real(i64::MAX, 9_223_372_036_854_775_808.0), Ordering::Less);
        assert_eq!(compare_integer_real(i64::MIN, -9_223_372_036_854_775_808.0), Ordering::Equal);
        assert_eq!(compare_integer_real(i64::MAX, f64::INFINITY), Ordering::Less);
        assert_eq!(compare_integer_real(i64::MIN, f64::NEG_INFINITY), Ordering::Greater);
    }
}
