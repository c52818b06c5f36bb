//! SQL statements that create and fill the tables.
//!
//! Not here: when they run (`super`).

use rusqlite::Connection;

/// The reference's tables and their index, exactly as in its source, because SQLite stores these texts including whitespace.
const SCHEMA: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS traces (
                trace_id TEXT PRIMARY KEY,
                service_name TEXT,
                root_span_id TEXT,
                start_time TIMESTAMP,
                end_time TIMESTAMP,
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
            )",
    "CREATE TABLE IF NOT EXISTS spans (
                span_id TEXT PRIMARY KEY,
                trace_id TEXT REFERENCES traces(trace_id),
                parent_span_id TEXT,
                name TEXT,
                start_time TIMESTAMP,
                end_time TIMESTAMP,
                attributes TEXT,
                status TEXT,
                kind TEXT
            )",
    "CREATE TABLE IF NOT EXISTS span_events (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                span_id TEXT REFERENCES spans(span_id),
                name TEXT,
                timestamp TIMESTAMP,
                attributes TEXT
            )",
    "CREATE INDEX IF NOT EXISTS idx_traces_created_at
            ON traces(created_at)
        ",
];

/// Copies a row of `traces`. An existing trace is not changed.
pub(super) const COPY_TRACE: &str = "INSERT INTO traces (trace_id, service_name, root_span_id, start_time, end_time, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

/// Creates or updates a trace. The first root and name are kept, the times widened. Times are compared as strings, like in the reference.
/// `created_at` defaults to the current time.
pub(super) const UPDATE_TRACE: &str = "INSERT INTO traces (trace_id, service_name, root_span_id, start_time, end_time, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, COALESCE(?6, CURRENT_TIMESTAMP))
    ON CONFLICT(trace_id) DO UPDATE SET
        root_span_id = COALESCE(root_span_id, excluded.root_span_id),
        start_time = MIN(excluded.start_time, start_time),
        end_time = MAX(excluded.end_time, end_time)";

/// Inserts a row of `spans`. An existing span is not changed.
pub(super) const ADD_SPAN: &str =
    "INSERT INTO spans (span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";

/// Whether a span is there.
pub(super) const HAS_SPAN: &str = "SELECT EXISTS (SELECT 1 FROM spans WHERE span_id = ?1)";

/// Inserts a row of `span_events`. `OR ABORT` goes before what a file's own table says about conflicts, such as to ignore or replace rows.
pub(super) const ADD_EVENT: &str = "INSERT OR ABORT INTO span_events (span_id, name, timestamp, attributes) VALUES (?1, ?2, ?3, ?4)";

/// Inserts rows of `span_events` from a table with the same columns, whose name is to be appended.
pub(super) const ADD_EVENT_FROM: &str =
    "INSERT OR ABORT INTO span_events (span_id, name, timestamp, attributes) SELECT span_id, name, timestamp, attributes";

/// Inserts the log records waiting for a span as rows of `span_events`, in the order they arrived.
pub(super) const ADD_WAITING_EVENTS: &str = "INSERT OR ABORT INTO span_events (span_id, name, timestamp, attributes)
    SELECT span_id, name, timestamp, attributes FROM quipu_log_records WHERE span_id = ?1 ORDER BY id";

/// Creates the reference's tables where they are missing.
pub(super) fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    SCHEMA.iter().try_for_each(|statement| connection.execute(statement, []).map(|_| ()))
}
