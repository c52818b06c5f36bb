//! The statements of the index and the page, one function each. Scans of millions of rows borrow their strings.
//!
//! Not here: interpretation. NULLs, numbers in text columns and damaged text are returned as they are.

#![expect(missing_docs, reason = "fields are named like their columns")]

use super::error::StoreError;
use super::layout::{self, Layout};
use super::names::Names;
use super::schema::{SPANS, Schema, TRACES};
use quipu_model::recorded::repaired;
use quipu_model::{EventRecord, SpanRecord, TraceRecord};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// A column as text: `None` for NULL, numbers as printed by SQLite, invalid UTF-8 replaced by U+FFFD.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Option<Cow<'r, str>> {
    match row.get_ref(column) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Some(repaired(bytes)),
        Ok(ValueRef::Integer(number)) => Some(Cow::Owned(number.to_string())),
        Ok(ValueRef::Real(number)) => Some(Cow::Owned(number.to_string())),
        Ok(ValueRef::Null) | Err(_) => None,
    }
}

/// A column as the unchecked bytes of its text: `None` for NULL, numbers as printed by SQLite.
fn raw<'r>(row: &'r Row<'_>, column: usize) -> Option<Cow<'r, [u8]>> {
    match row.get_ref(column) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Some(Cow::Borrowed(bytes)),
        _ => text(row, column).map(|text| Cow::Owned(text.into_owned().into_bytes())),
    }
}

pub(super) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> &'r [u8] {
    match row.get_ref(column) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => bytes,
        _ => &[],
    }
}

pub(super) fn owned(row: &Row<'_>, column: usize) -> Option<String> {
    text(row, column).map(Cow::into_owned)
}

/// An id or a time as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored<'r> {
    /// NULL.
    Null,
    /// A text, which may be invalid UTF-8: every id and time of the reference's layout.
    Text(Cow<'r, [u8]>),
    /// An id as bytes.
    Bytes(&'r [u8]),
    /// Nanoseconds since 1970.
    Nanos(i64),
}

/// A row of `spans` as read by the index. Strings are bytes, which may be invalid UTF-8.
pub struct ScanSpan<'r> {
    pub rowid: i64,
    pub span_id: Stored<'r>,
    pub trace_id: Stored<'r>,
    pub parent_span_id: Stored<'r>,
    pub name: Option<Cow<'r, [u8]>>,
    pub start: Stored<'r>,
    pub end: Stored<'r>,
    pub attributes: &'r [u8],
    pub status: Option<Cow<'r, [u8]>>,
    /// Whether its recorded kind is `SERVER`.
    pub is_server: bool,
    /// The number of its resource and scope, in Quipu's own layout.
    pub source: Option<i64>,
}

/// The span that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventOwner<'r> {
    /// The span with this id, if any.
    Id(Option<Cow<'r, str>>),
    /// The span in this row.
    Row(i64),
}

/// A row of `span_events` as read by the index.
pub struct ScanEvent<'r> {
    pub id: i64,
    pub span: EventOwner<'r>,
    pub name: Option<Cow<'r, str>>,
    pub time: Stored<'r>,
    pub attributes: &'r [u8],
    /// Whether it is a log record of its span, which is a row of its own as well.
    pub is_log_record: bool,
}

/// A row of `traces` as read by the index.
pub struct ScanTrace<'r> {
    pub rowid: i64,
    pub trace_id: Stored<'r>,
    pub service_name: Option<Cow<'r, str>>,
    pub root_span_id: Stored<'r>,
    pub start: Stored<'r>,
    pub end: Stored<'r>,
    pub created_at: Stored<'r>,
}

/// A row of `traces` as recorded.
pub struct NewestTrace<'r> {
    pub trace_id: Option<Cow<'r, str>>,
    pub root_span_id: Option<Cow<'r, str>>,
    pub start: Option<Cow<'r, str>>,
    pub end: Option<Cow<'r, str>>,
    pub created_at: Option<Cow<'r, str>>,
}

/// The first and the last rowid of a table; `(1, 0)` if it is empty or missing.
pub fn rowids(connection: &Connection, exists: bool, table: &'static str) -> Result<(i64, i64), StoreError> {
    if !exists {
        return Ok((1, 0));
    }
    let end = |order: &str| {
        let sql = format!("SELECT {order}(rowid) FROM {table}");
        Ok::<_, StoreError>(connection.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))?)
    };
    Ok(end("min")?.zip(end("max")?).unwrap_or((1, 0)))
}

fn scan(connection: &Connection, sql: &str, after: i64, row_read: &mut dyn FnMut(&Row<'_>) -> ControlFlow<()>) -> Result<(), StoreError> {
    // Nothing is below the least number.
    let with_first = if after == i64::MIN { Cow::Owned(sql.replace("id > ?1", "id >= ?1")) } else { Cow::Borrowed(sql) };
    let mut statement = connection.prepare_cached(&with_first)?;
    let mut rows = statement.query([after])?;
    while let Some(row) = rows.next()? {
        if row_read(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// A column of the reference's layout.
fn recorded<'r>(row: &'r Row<'_>, column: usize) -> Stored<'r> {
    raw(row, column).map_or(Stored::Null, Stored::Text)
}

/// A column of Quipu's own layout.
fn stored<'r>(row: &'r Row<'_>, column: usize) -> Stored<'r> {
    match row.get_ref(column) {
        Ok(ValueRef::Blob(bytes)) => Stored::Bytes(bytes),
        Ok(ValueRef::Integer(nanos)) => Stored::Nanos(nanos),
        Ok(ValueRef::Text(text)) => Stored::Text(Cow::Borrowed(text)),
        _ => Stored::Null,
    }
}

/// Reads `spans` after rowid `after`, in rowid order, until the end or until `seen` breaks.
pub fn scan_spans(
    connection: &Connection,
    schema: &Schema,
    after: i64,
    seen: &mut dyn FnMut(ScanSpan<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if schema.layout == Layout::Quipu {
        let mut names = Names::new(connection);
        return scan(connection, layout::SCAN_SPANS, after, &mut |row| {
            seen(ScanSpan {
                rowid: row.get(0).unwrap_or_default(),
                span_id: stored(row, 1),
                trace_id: stored(row, 2),
                parent_span_id: stored(row, 3),
                name: names.of(row, 4).map(Cow::Borrowed),
                start: stored(row, 5),
                end: stored(row, 6),
                attributes: bytes(row, 7),
                status: layout::status(row, 8),
                is_server: layout::is_server(row, 9),
                source: Some(row.get(10).unwrap_or_default()),
            })
        });
    }
    let of = |column| schema.spans.or_null(column);
    let sql = format!(
        "SELECT rowid, {}, {}, {}, {}, {}, {}, {}, {}, {} FROM spans WHERE rowid > ?1 ORDER BY rowid",
        of("span_id"),
        of("trace_id"),
        of("parent_span_id"),
        of("name"),
        of("start_time"),
        of("end_time"),
        of("attributes"),
        of("status"),
        of("kind"),
    );
    scan(connection, &sql, after, &mut |row| {
        seen(ScanSpan {
            rowid: row.get(0).unwrap_or_default(),
            span_id: recorded(row, 1),
            trace_id: recorded(row, 2),
            parent_span_id: recorded(row, 3),
            name: raw(row, 4),
            start: recorded(row, 5),
            end: recorded(row, 6),
            attributes: bytes(row, 7),
            status: raw(row, 8),
            is_server: raw(row, 9).is_some_and(|kind| kind.eq_ignore_ascii_case(b"SERVER")),
            source: None,
        })
    })
}

/// Reads `span_events` after id `after`, in insertion order, until the end or until `seen` breaks.
pub fn scan_events(
    connection: &Connection,
    schema: &Schema,
    after: i64,
    seen: &mut dyn FnMut(ScanEvent<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if schema.layout == Layout::Quipu {
        let mut names = Names::new(connection);
        return scan(connection, layout::SCAN_EVENTS, after, &mut |row| {
            seen(ScanEvent {
                id: row.get(0).unwrap_or_default(),
                span: EventOwner::Row(row.get(1).unwrap_or_default()),
                name: names.of(row, 2).map(repaired),
                time: stored(row, 3),
                attributes: bytes(row, 4),
                is_log_record: row.get(5).unwrap_or_default(),
            })
        });
    }
    let of = |column| schema.events.or_null(column);
    let sql = format!(
        "SELECT rowid, {}, {}, {}, {} FROM span_events WHERE rowid > ?1 ORDER BY rowid",
        of("span_id"),
        of("name"),
        of("timestamp"),
        of("attributes"),
    );
    scan(connection, &sql, after, &mut |row| {
        seen(ScanEvent {
            id: row.get(0).unwrap_or_default(),
            span: EventOwner::Id(text(row, 1)),
            name: text(row, 2),
            time: recorded(row, 3),
            attributes: bytes(row, 4),
            is_log_record: false,
        })
    })
}

fn trace_columns(schema: &Schema) -> String {
    TRACES.map(|column| schema.traces.or_null(column)).join(", ")
}

/// Reads `traces` after rowid `after`, in rowid order, until the end or until `seen` breaks.
pub fn scan_traces(
    connection: &Connection,
    schema: &Schema,
    after: i64,
    seen: &mut dyn FnMut(ScanTrace<'_>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if schema.layout == Layout::Quipu {
        let mut names = Names::new(connection);
        return scan(connection, layout::SCAN_TRACES, after, &mut |row| {
            seen(ScanTrace {
                rowid: row.get(0).unwrap_or_default(),
                trace_id: stored(row, 1),
                service_name: names.of(row, 2).map(repaired),
                root_span_id: stored(row, 3),
                start: stored(row, 4),
                end: stored(row, 5),
                created_at: stored(row, 6),
            })
        });
    }
    let sql = format!("SELECT rowid, {} FROM traces WHERE rowid > ?1 ORDER BY rowid", trace_columns(schema));
    scan(connection, &sql, after, &mut |row| {
        seen(ScanTrace {
            rowid: row.get(0).unwrap_or_default(),
            trace_id: recorded(row, 1),
            service_name: text(row, 2),
            root_span_id: recorded(row, 3),
            start: recorded(row, 4),
            end: recorded(row, 5),
            created_at: recorded(row, 6),
        })
    })
}

/// Reads the newest traces, by `created_at` if it is indexed, otherwise by rowid. Touches only a few pages at the end of the file.
pub fn newest_traces(
    connection: &Connection,
    schema: &Schema,
    offset: u32,
    limit: u32,
    mut seen: impl FnMut(NewestTrace<'_>),
) -> Result<(), StoreError> {
    if !schema.traces.exists {
        return Ok(());
    }
    let order = if schema.created_at_indexed { "created_at DESC, rowid DESC" } else { "rowid DESC" };
    let sql = format!("SELECT rowid, {} FROM traces ORDER BY {order} LIMIT ?1 OFFSET ?2", trace_columns(schema));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([limit, offset])?;
    while let Some(row) = rows.next()? {
        seen(NewestTrace {
            trace_id: text(row, 1),
            root_span_id: text(row, 3),
            start: text(row, 4),
            end: text(row, 5),
            created_at: text(row, 6),
        });
    }
    Ok(())
}

/// Reads id, parent and name of the most recently written spans, newest first; enough to name the roots of the newest traces.
pub fn newest_spans(
    connection: &Connection,
    schema: &Schema,
    limit: u32,
    mut seen: impl FnMut(Option<Cow<'_, str>>, Option<Cow<'_, str>>, Option<Cow<'_, str>>, Option<Cow<'_, str>>),
) -> Result<(), StoreError> {
    if !schema.spans.exists {
        return Ok(());
    }
    let of = |column| schema.spans.or_null(column);
    let sql = format!(
        "SELECT {}, {}, {}, {} FROM spans ORDER BY rowid DESC LIMIT ?1",
        of("span_id"),
        of("trace_id"),
        of("parent_span_id"),
        of("name")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([limit])?;
    while let Some(row) = rows.next()? {
        seen(text(row, 0), text(row, 1), text(row, 2), text(row, 3));
    }
    Ok(())
}

/// A table whose rows have a name and attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTable {
    Spans,
    Events,
}

/// Reads rowid, name and attributes of the rows from `first` to `last`, in ascending order, until `seen` breaks.
pub fn scan_texts(
    connection: &Connection,
    schema: &Schema,
    table: TextTable,
    (first, last): (i64, i64),
    mut seen: impl FnMut(i64, Option<Cow<'_, str>>, &[u8]) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let (shape, table) = match table {
        TextTable::Spans => (&schema.spans, "spans"),
        TextTable::Events => (&schema.events, "span_events"),
    };
    if !shape.exists {
        return Ok(());
    }
    let (name, attributes) = (shape.or_null("name"), shape.or_null("attributes"));
    let sql = format!("SELECT rowid, {name}, {attributes} FROM {table} WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        if seen(row.get(0).unwrap_or_default(), text(row, 1), bytes(row, 2)).is_break() {
            break;
        }
    }
    Ok(())
}

/// A complete row of `spans`.
pub struct SpanRow {
    pub span_id: Option<String>,
    pub trace_id: Option<String>,
    pub parent_span_id: Option<String>,
    pub name: Option<String>,
    pub start: Option<String>,
    pub end: Option<String>,
    pub attributes: Option<String>,
    pub status: Option<String>,
    pub kind: Option<String>,
}

/// Reads the row of `spans` with this rowid.
pub fn span_row(connection: &Connection, schema: &Schema, rowid: i64) -> Result<Option<SpanRow>, StoreError> {
    let columns = SPANS.map(|column| schema.spans.or_null(column)).join(", ");
    let mut statement = connection.prepare_cached(&format!("SELECT {columns} FROM spans WHERE rowid = ?1"))?;
    let row = statement.query_row([rowid], |row| {
        Ok(SpanRow {
            span_id: owned(row, 0),
            trace_id: owned(row, 1),
            parent_span_id: owned(row, 2),
            name: owned(row, 3),
            start: owned(row, 4),
            end: owned(row, 5),
            attributes: owned(row, 6),
            status: owned(row, 7),
            kind: owned(row, 8),
        })
    });
    Ok(row.optional()?)
}

/// A complete row of `span_events`.
pub struct EventRow {
    pub id: i64,
    pub name: Option<String>,
    pub timestamp: Option<String>,
    pub attributes: Option<String>,
}

/// Reads the row of `span_events` with this id.
pub fn event_row(connection: &Connection, schema: &Schema, id: i64) -> Result<Option<EventRow>, StoreError> {
    let columns = ["name", "timestamp", "attributes"].map(|column| schema.events.or_null(column)).join(", ");
    let mut statement = connection.prepare_cached(&format!("SELECT {columns} FROM span_events WHERE rowid = ?1"))?;
    let row =
        statement.query_row([id], |row| Ok(EventRow { id, name: owned(row, 0), timestamp: owned(row, 1), attributes: owned(row, 2) }));
    Ok(row.optional()?)
}

/// Reads the row of `spans` with this rowid, for a copy.
pub fn span_record(connection: &Connection, schema: &Schema, rowid: i64) -> Result<Option<SpanRecord>, StoreError> {
    let record = |row: SpanRow| SpanRecord {
        span_id: row.span_id.unwrap_or_default(),
        trace_id: row.trace_id,
        parent_span_id: row.parent_span_id,
        name: row.name,
        start_time: row.start,
        end_time: row.end,
        attributes: row.attributes,
        status: row.status,
        kind: row.kind,
    };
    Ok(span_row(connection, schema, rowid)?.map(record))
}

/// Reads the row of `span_events` with this id, for a copy.
pub fn event_record(connection: &Connection, schema: &Schema, id: i64) -> Result<Option<EventRecord>, StoreError> {
    let columns = ["span_id", "name", "timestamp", "attributes"].map(|column| schema.events.or_null(column)).join(", ");
    let mut statement = connection.prepare_cached(&format!("SELECT {columns} FROM span_events WHERE rowid = ?1"))?;
    let record = |row: &Row<'_>| {
        Ok(EventRecord { span_id: owned(row, 0), name: owned(row, 1), timestamp: owned(row, 2), attributes: owned(row, 3) })
    };
    Ok(statement.query_row([id], record).optional()?)
}

/// Reads the row of `traces` with this rowid, for a copy.
pub fn trace_record(connection: &Connection, schema: &Schema, rowid: i64) -> Result<Option<TraceRecord>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {} FROM traces WHERE rowid = ?1", trace_columns(schema)))?;
    let record = |row: &Row<'_>| {
        Ok(TraceRecord {
            trace_id: owned(row, 0).unwrap_or_default(),
            service_name: owned(row, 1),
            root_span_id: owned(row, 2),
            start_time: owned(row, 3),
            end_time: owned(row, 4),
            created_at: owned(row, 5),
        })
    };
    Ok(statement.query_row([rowid], record).optional()?)
}

/// Data in a row of `traces` other than times.
#[derive(Default)]
pub struct TraceRecorded {
    pub service_name: Option<String>,
    pub root_span_id: Option<String>,
}

/// Reads that data from the row of `traces` with this rowid.
pub fn trace_recorded(connection: &Connection, schema: &Schema, rowid: i64) -> Result<Option<TraceRecorded>, StoreError> {
    let of = |column| schema.traces.or_null(column);
    let sql = format!("SELECT {}, {} FROM traces WHERE rowid = ?1", of("service_name"), of("root_span_id"));
    let mut statement = connection.prepare_cached(&sql)?;
    let read = |row: &Row<'_>| Ok(TraceRecorded { service_name: owned(row, 0), root_span_id: owned(row, 1) });
    Ok(statement.query_row([rowid], read).optional()?)
}
