//! The two layouts of a file: the reference's three tables, and Quipu's own for what arrives by OTLP.
//!
//! In the reference's tables the id of a span is unique, a trace has one service, ids are text and times whole microseconds. Quipu's own
//! layout keeps what OTLP sends: spans are identified by trace and span, each has its resource and scope, times are nanoseconds, ids
//! bytes. Rows are only appended, and no index lies on the spans, since an index of random ids costs more than the rows. Views with the
//! names and columns of the reference's tables make its queries, and everybody's, run on such a file.
//!
//! Not here: writing rows (`writer`), and reading them (`reader`, `extra`).

use quipu_model::{SPAN_KINDS, STATUS_CODES};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::borrow::Cow;

/// How spans are stored in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// The tables `traces`, `spans` and `span_events` of Llama Stack.
    #[default]
    Reference,
    /// The tables `quipu_traces`, `quipu_spans` and `quipu_events`, with views named like the reference's tables.
    Quipu,
}

impl Layout {
    /// The page size of a new file. A span with its attributes takes several hundred bytes, and what is left of a page is lost.
    pub(crate) fn page_bytes(self) -> u64 {
        match self {
            Layout::Reference => 4 << 10,
            Layout::Quipu => 16 << 10,
        }
    }
}

/// The table by which Quipu's own layout is recognised.
pub(crate) const SPANS: &str = "quipu_spans";

/// `PRAGMA user_version` of files in Quipu's own layout.
pub(crate) const VERSION: i64 = 1;

/// The tables of Quipu's own layout. Ids are blobs of 8 and 16 bytes, and text where the sender's are not hexadecimal numbers. Times are
/// nanoseconds since 1970, NULL where none was sent. `more` is a JSON object of what few spans have.
pub(crate) const TABLES: [&str; 13] = [
    "CREATE TABLE IF NOT EXISTS quipu_names (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE UNIQUE INDEX IF NOT EXISTS quipu_names_name ON quipu_names(name)",
    "CREATE TABLE IF NOT EXISTS quipu_resources (id INTEGER PRIMARY KEY, attributes TEXT)",
    "CREATE TABLE IF NOT EXISTS quipu_scopes (id INTEGER PRIMARY KEY, resource_id INTEGER, scope TEXT)",
    "CREATE TABLE IF NOT EXISTS quipu_traces (
        id INTEGER PRIMARY KEY, trace_id, service_id INTEGER, root_span_id, start_unix_nano INTEGER, end_unix_nano INTEGER,
        created_unix INTEGER, first_span_row INTEGER, last_span_row INTEGER, is_pinned INTEGER)",
    "CREATE UNIQUE INDEX IF NOT EXISTS quipu_traces_trace_id ON quipu_traces(trace_id)",
    "CREATE TABLE IF NOT EXISTS quipu_spans (
        id INTEGER PRIMARY KEY, trace_id, span_id, parent_span_id, name_id INTEGER, start_unix_nano INTEGER, end_unix_nano INTEGER,
        status, kind, source_id INTEGER, attributes TEXT, more TEXT)",
    "CREATE TABLE IF NOT EXISTS quipu_events (
        id INTEGER PRIMARY KEY, span_row INTEGER, name_id INTEGER, time_unix_nano INTEGER, attributes TEXT, more TEXT, log_id INTEGER)",
    // A record of a span has an event, without attributes of its own, which makes it known to readers of events.
    "CREATE TABLE IF NOT EXISTS quipu_log_records (
        id INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT, span_id TEXT, name TEXT, timestamp TIMESTAMP, time_unix_nano INTEGER,
        attributes TEXT, source_id INTEGER, more TEXT, span_row INTEGER)",
    "CREATE TABLE IF NOT EXISTS quipu_metric_points (
        id INTEGER PRIMARY KEY, metric TEXT, unit TEXT, kind TEXT, cumulative INTEGER, monotonic INTEGER, start_unix_nano INTEGER,
        time_unix_nano INTEGER, attributes TEXT, value REAL, count INTEGER, detail TEXT, source_id INTEGER, about_id INTEGER)",
    "CREATE INDEX IF NOT EXISTS quipu_log_records_span ON quipu_log_records(span_id) WHERE span_id IS NOT NULL AND span_row IS NULL",
    // Finds the records of a trace that belong to none of its spans.
    "CREATE INDEX IF NOT EXISTS quipu_log_records_trace ON quipu_log_records(trace_id) WHERE trace_id IS NOT NULL AND span_row IS NULL",
    // Events are appended with their spans, so this index grows at its end.
    "CREATE INDEX IF NOT EXISTS quipu_events_span_row ON quipu_events(span_row)",
];

/// The tables of Quipu's own layout, those first that others refer to.
pub const STORED_TABLES: [&str; 8] = [
    "quipu_names",
    "quipu_resources",
    "quipu_scopes",
    "quipu_traces",
    "quipu_spans",
    "quipu_events",
    "quipu_log_records",
    "quipu_metric_points",
];

/// A stored id as the text that the reference would write.
macro_rules! id {
    ($column:literal) => {
        concat!("iif(typeof(", $column, ") = 'blob', lower(hex(", $column, ")), ", $column, ")")
    };
}
pub(crate) use id;

/// Microseconds of nanoseconds after the whole second, by the rule of `quipu_model::reference_time`: through a double, half to even, which
/// adding and subtracting 2^52 does.
macro_rules! micros {
    ($column:literal) => {
        concat!(
            "CAST((",
            $column,
            " / 1e9 - CAST(",
            $column,
            " / 1e9 AS INTEGER)) * 1e6 + 4503599627370496.0 - 4503599627370496.0 AS INTEGER)"
        )
    };
}

/// Nanoseconds as the text that the reference would write, see [`micros`].
macro_rules! time {
    ($column:literal) => {
        concat!(
            "strftime('%Y-%m-%dT%H:%M:%S', CAST(",
            $column,
            " / 1e9 AS INTEGER) + ",
            micros!($column),
            " / 1000000, 'unixepoch') || iif(",
            micros!($column),
            " % 1000000 = 0, '', printf('.%06d', ",
            micros!($column),
            " % 1000000)) || '+00:00'"
        )
    };
}

/// The attributes of an event, which are those of its log record if it is one.
macro_rules! attributes {
    () => {
        "iif(log_id IS NULL, attributes, (SELECT l.attributes FROM main.quipu_log_records l WHERE l.id = log_id))"
    };
}

/// A number of OTLP's enumeration as its name; other texts as they are.
macro_rules! status {
    () => {
        "iif(typeof(status) = 'integer', CASE status WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' ELSE 'UNSET' END, status)"
    };
}

macro_rules! kind {
    () => {
        "iif(typeof(kind) = 'integer', CASE kind WHEN 1 THEN 'INTERNAL' WHEN 2 THEN 'SERVER' WHEN 3 THEN 'CLIENT' \
         WHEN 4 THEN 'PRODUCER' WHEN 5 THEN 'CONSUMER' END, kind)"
    };
}

/// The views: the reference's tables with their columns in order, and the table that its files have for the rest. `{id}` is a row's number, and only in a connection of Quipu's a column: a view has
/// no rowid.
pub(crate) const VIEWS: [(&str, &str); 5] = [
    (
        "traces",
        concat!(
            "SELECT ",
            id!("trace_id"),
            " AS trace_id, (SELECT n.name FROM main.quipu_names n WHERE n.id = service_id) AS service_name, ",
            id!("root_span_id"),
            " AS root_span_id, ",
            time!("start_unix_nano"),
            " AS start_time, ",
            time!("end_unix_nano"),
            " AS end_time, datetime(created_unix, 'unixepoch') AS created_at{id} FROM main.quipu_traces"
        ),
    ),
    (
        "spans",
        concat!(
            "SELECT ",
            id!("span_id"),
            " AS span_id, ",
            id!("trace_id"),
            " AS trace_id, ",
            id!("parent_span_id"),
            " AS parent_span_id, (SELECT n.name FROM main.quipu_names n WHERE n.id = name_id) AS name, ",
            time!("start_unix_nano"),
            " AS start_time, ",
            time!("end_unix_nano"),
            " AS end_time, attributes, ",
            status!(),
            " AS status, ",
            kind!(),
            " AS kind{id} FROM main.quipu_spans"
        ),
    ),
    (
        "span_events",
        concat!(
            "SELECT id, (SELECT ",
            id!("s.span_id"),
            " FROM main.quipu_spans s WHERE s.id = span_row) AS span_id, (SELECT n.name FROM main.quipu_names n WHERE n.id = name_id) AS name, ",
            time!("time_unix_nano"),
            " AS timestamp, ",
            attributes!(),
            " AS attributes{id} FROM main.quipu_events"
        ),
    ),
    (
        "quipu_sources",
        "SELECT id, (SELECT r.attributes FROM main.quipu_resources r WHERE r.id = resource_id) AS resource, scope FROM main.quipu_scopes",
    ),
    (
        "quipu_span_extra",
        concat!(
            "SELECT id, ",
            id!("span_id"),
            " AS span_id, start_unix_nano, end_unix_nano, json_extract(more, '$.status_message') AS status_message, \
             json_extract(more, '$.trace_state') AS trace_state, json_extract(more, '$.links') AS links, \
             (SELECT nullif(json_group_array(e.time_unix_nano), '[]') FROM main.quipu_events e WHERE e.span_row = quipu_spans.id) \
             AS event_unix_nanos, source_id, more, \
             (SELECT iif(count(e.more), json_group_array(json(e.more)), NULL) FROM main.quipu_events e WHERE e.span_row = quipu_spans.id) \
             AS event_more FROM main.quipu_spans"
        ),
    ),
];

/// The views of tables in which the reference's layout keeps what its tables have no columns for.
pub(crate) const EXTRA_VIEWS: [&str; 2] = ["quipu_sources", "quipu_span_extra"];

/// The columns that the index reads of spans, events and traces after a row, as they are stored.
pub(crate) const SCAN_SPANS: &str = "SELECT id, span_id, trace_id, parent_span_id, name_id, start_unix_nano, end_unix_nano, attributes, \
    status, kind, source_id FROM main.quipu_spans WHERE id > ?1 ORDER BY id";
pub(crate) const SCAN_EVENTS: &str = concat!(
    "SELECT id, span_row, name_id, time_unix_nano, ",
    attributes!(),
    ", log_id IS NOT NULL FROM main.quipu_events WHERE id > ?1 ORDER BY id"
);
pub(crate) const SCAN_TRACES: &str = "SELECT id, trace_id, service_id, root_span_id, start_unix_nano, end_unix_nano, \
    created_unix * 1000000000 FROM main.quipu_traces WHERE id > ?1 ORDER BY id";

/// Whether a stored kind is `SERVER`.
pub(crate) fn is_server(row: &Row<'_>, column: usize) -> bool {
    match row.get_ref(column) {
        Ok(ValueRef::Integer(number)) => usize::try_from(number).ok().and_then(|at| SPAN_KINDS.get(at)) == Some(&"SERVER"),
        Ok(ValueRef::Text(text)) => text.eq_ignore_ascii_case(b"SERVER"),
        _ => false,
    }
}

/// The name of a stored status.
pub(crate) fn status<'r>(row: &'r Row<'_>, column: usize) -> Option<Cow<'r, [u8]>> {
    match row.get_ref(column) {
        Ok(ValueRef::Integer(number)) => {
            usize::try_from(number).ok().and_then(|at| STATUS_CODES.get(at)).map(|name| Cow::Borrowed(name.as_bytes()))
        }
        Ok(ValueRef::Text(text) | ValueRef::Blob(text)) => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

/// Creates the tables, and the views for other programs.
pub(crate) fn make(connection: &Connection) -> rusqlite::Result<()> {
    TABLES.iter().try_for_each(|statement| connection.execute(statement, []).map(|_| ()))?;
    for (name, select) in VIEWS {
        connection.execute(&format!("CREATE VIEW IF NOT EXISTS {name} AS {}", select.replace("{id}", "").replace("main.", "")), [])?;
    }
    // Not `pragma_update`: it asks SQLite for its list of pragmas, which the page's SQLite does not have.
    connection.execute_batch(&format!("PRAGMA user_version = {VERSION}"))
}

/// Gives a connection the views, which hide those of the file: what a file brings is not run.
pub(crate) fn make_temporary_views(connection: &Connection) -> rusqlite::Result<()> {
    for (name, select) in VIEWS {
        connection.execute(&format!("CREATE TEMP VIEW {name} AS {}", select.replace("{id}", ", id AS rowid")), [])?;
    }
    Ok(())
}
