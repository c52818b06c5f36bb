//! Files as programs write them, each with what a reader of it expects.

mod chrome;
mod consoles;
mod damaged;
mod jaeger;
mod models;
mod packed;
mod refused;
mod wrapped;
mod zipkin;

use super::tools::{import_as, rows, sql_of};
use quipu::store::Layout;
use quipu::transfer::ImportReport;
use rusqlite::Connection;

/// Imports an input into Quipu's own layout.
pub(super) fn read(input: &[u8]) -> (Connection, ImportReport) {
    let (bytes, report) = import_as(Layout::Quipu, &[("input", input)]);
    (sql_of(&bytes), report)
}

/// Imports an input in which nothing is wrong.
pub(super) fn read_whole(input: &str) -> Connection {
    let (connection, report) = read(input.as_bytes());
    assert_eq!((report.problem_count, report.remark_count), (0, 0), "{report:?}");
    connection
}

/// Every span: trace, span, parent, name, kind, status, start and end in nanoseconds, service; in the order of the file.
pub(super) fn spans(connection: &Connection) -> Vec<String> {
    let id = |column: &str| format!("iif(typeof({column}) = 'blob', lower(hex({column})), coalesce({column}, '-'))");
    let sql = format!(
        "SELECT {}, {}, {}, (SELECT name FROM quipu_names n WHERE n.id = name_id),
            coalesce(CASE kind WHEN 1 THEN 'INTERNAL' WHEN 2 THEN 'SERVER' WHEN 3 THEN 'CLIENT' ELSE kind END, '-'),
            CASE status WHEN 0 THEN 'UNSET' WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' ELSE status END,
            coalesce(start_unix_nano, '-'), coalesce(end_unix_nano, '-'),
            coalesce((SELECT json_extract(attributes, '$.\"service.name\"') FROM quipu_resources r
                WHERE r.id = (SELECT resource_id FROM quipu_scopes c WHERE c.id = source_id)), '-')
        FROM quipu_spans s ORDER BY s.id",
        id("trace_id"),
        id("span_id"),
        id("parent_span_id"),
    );
    rows(connection, &sql).into_iter().map(|row| row.join(" ")).collect()
}

/// An attribute of the span with this name, as SQLite's JSON reads it.
pub(super) fn attribute(connection: &Connection, span: &str, key: &str) -> String {
    let sql = format!(
        "SELECT json_extract(attributes, '$.\"{key}\"') FROM quipu_spans WHERE name_id = (SELECT id FROM quipu_names WHERE name = '{span}')"
    );
    rows(connection, &sql).concat().concat()
}

/// Every event: name of the span, name, time, attributes.
pub(super) fn events(connection: &Connection) -> Vec<String> {
    let sql = "SELECT (SELECT n.name FROM quipu_names n JOIN quipu_spans s ON s.name_id = n.id WHERE s.id = span_row),
        (SELECT name FROM quipu_names n WHERE n.id = name_id), time_unix_nano, attributes FROM quipu_events ORDER BY id";
    rows(connection, sql).into_iter().map(|row| row.join(" ")).collect()
}

/// One value.
pub(super) fn one(connection: &Connection, sql: &str) -> String {
    rows(connection, sql).concat().concat()
}
