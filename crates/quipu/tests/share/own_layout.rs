//! Sharing from files in Quipu's own layout: what is recorded beyond the reference's tables leaves with the spans.

use crate::dialects::support::{inputs, recordings};
use crate::transfer::tools::{import_as, rows, session_of, sql_of};
use quipu::protocol::{FileFormat, MakeShare, RedactOptions, ShareForm, ShareOptions, ShareWhat};
use quipu::share::payload::{Form, deflated, inflated, seal, unseal};
use quipu::store::{Layout, OpenOptions};
use quipu::{Selection, Session};
use rusqlite::Connection;
use std::collections::BTreeSet;

const KEEP: ShareOptions = ShareOptions { redact: RedactOptions::NOTHING, leave_out_over: None };
/// Nothing goes, but every row is read and written on its way.
const REWRITE: ShareOptions = ShareOptions { redact: RedactOptions::NOTHING, leave_out_over: Some(u32::MAX) };
const STRUCTURE: ShareOptions = ShareOptions { redact: RedactOptions::STRUCTURE, leave_out_over: None };

/// What a file says, whatever the numbers of its rows are: queries over its tables and views, and how their rows are ordered.
const QUERIES: [&str; 6] = [
    "SELECT trace_id, service_name, root_span_id, start_time, end_time, created_at FROM traces",
    "SELECT span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind FROM spans",
    "SELECT span_id, name, timestamp, attributes FROM span_events",
    "SELECT x.span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_more, \
     json_remove(coalesce(x.more, '{}'), '$.status_message', '$.trace_state', '$.links'), s.resource, s.scope \
     FROM quipu_span_extra x LEFT JOIN quipu_sources s ON s.id = x.source_id",
    "SELECT l.trace_id, span_id, l.name, timestamp, time_unix_nano, l.attributes, l.more, s.resource, s.scope, span_row IS NULL \
     FROM quipu_log_records l LEFT JOIN quipu_sources s ON s.id = l.source_id",
    "SELECT metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, p.attributes, value, count, detail, n.name, s.resource, \
     s.scope FROM quipu_metric_points p LEFT JOIN quipu_names n ON n.id = p.about_id LEFT JOIN quipu_sources s ON s.id = p.source_id",
];

/// The rows of a query, sorted.
fn sorted(connection: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut rows = rows(connection, sql);
    rows.sort();
    rows
}

/// A recording as a database in Quipu's own layout.
fn imported(name: &str) -> Vec<u8> {
    let files = inputs(name);
    import_as(Layout::Quipu, &files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>()).0
}

/// Everything in a file.
fn said(bytes: &[u8]) -> Vec<Vec<Vec<String>>> {
    let connection = sql_of(bytes);
    QUERIES.iter().map(|sql| sorted(&connection, sql)).collect()
}

fn shared(session: &mut Session, what: ShareWhat, options: ShareOptions, form: ShareForm) -> Vec<u8> {
    session.ask(MakeShare { what, options, form, span_id: None }).expect("an answer").bytes
}

/// The bytes of a database that holds what a link carries.
fn received(columns: &[u8]) -> Vec<u8> {
    let letters = seal(&deflated(columns), Form::Deflated);
    let (_, body) = unseal(&letters).expect("a link");
    let mut session = Session::open_shared(inflated(&body).expect("deflate"), OpenOptions::with_clock(|| 0)).expect("a session");
    session.complete_index().expect("an index");
    session.database_bytes(Selection::All).expect("bytes")
}

#[test]
fn everything_leaves_in_a_link_and_a_database() {
    let mut records = 0;
    for (name, _) in recordings() {
        let original = imported(&name);
        let expected = said(&original);
        records += expected[4].len();
        let mut session = session_of(original.clone());
        let link = received(&session.copy_part(&ShareWhat::All).expect("columns"));
        assert!(said(&link) == expected, "{name}: copied as it is");
        for options in [KEEP, REWRITE] {
            let link = received(&shared(&mut session, ShareWhat::All, options, ShareForm::Columns));
            assert!(said(&link) == expected, "{name}: {options:?}");
            let database = shared(&mut session, ShareWhat::All, options, ShareForm::File(FileFormat::Database));
            assert!(said(&database) == expected, "{name}: {options:?}, database");
        }
    }
    assert!(records > 100, "{records}");
}

#[test]
fn a_trace_leaves_with_its_services_links_and_log_records() {
    let of = |at: &str| {
        format!(
            "WITH of(id) AS (SELECT trace_id FROM traces ORDER BY trace_id LIMIT 1 OFFSET {at}) SELECT l.trace_id, span_id, name, attributes, more, \
             s.resource FROM quipu_log_records l LEFT JOIN quipu_sources s ON s.id = source_id WHERE l.trace_id IN (SELECT id FROM of)"
        )
    };
    let (mut with_records, mut services) = (0, 0);
    for (name, _) in recordings() {
        let original = imported(&name);
        let source = sql_of(&original);
        let mut session = session_of(original.clone());
        for (at, id) in rows(&source, "SELECT trace_id FROM traces").iter().flatten().enumerate().take(3) {
            let what = ShareWhat::Traces(vec![id.clone()]);
            let resources = "SELECT DISTINCT s.resource FROM quipu_spans JOIN quipu_sources s ON s.id = source_id";
            let whole = format!("{resources} WHERE lower(hex(trace_id)) = '{id}'");
            for options in [KEEP, REWRITE] {
                let link = sql_of(&received(&shared(&mut session, what.clone(), options, ShareForm::Columns)));
                assert_eq!(rows(&link, "SELECT trace_id FROM traces"), [[id.clone()]], "{name}");
                assert_eq!(sorted(&link, resources), sorted(&source, &whole), "{name}");
                let records = sorted(&source, &of(&at.to_string()));
                assert_eq!(sorted(&link, &of("0")), records, "{name} {id} {options:?}");
                with_records += usize::from(!records.is_empty());
                services += rows(&link, resources).len();
            }
        }
    }
    assert!(with_records > 5 && services > 50, "{with_records} {services}");
}

#[test]
fn of_structure_resources_records_and_points_keep_their_shape_alone() {
    for (name, _) in recordings() {
        let original = imported(&name);
        let mut session = session_of(original.clone());
        let database = sql_of(&shared(&mut session, ShareWhat::All, STRUCTURE, ShareForm::File(FileFormat::Database)));
        let source = sql_of(&original);
        for table in ["quipu_spans", "quipu_events", "quipu_log_records", "quipu_metric_points", "quipu_traces"] {
            let sql = format!("SELECT count(*) FROM {table}");
            assert_eq!(rows(&database, &sql), rows(&source, &sql), "{name}: {table}");
        }
        // Spans of one service are still of one service.
        let services = "SELECT count(DISTINCT json_extract(s.resource, '$.\"service.name\"')) FROM quipu_spans JOIN quipu_sources s ON s.id = source_id";
        assert_eq!(rows(&database, services), rows(&source, services), "{name}");
        let texts = |connection: &Connection| -> BTreeSet<String> {
            let sql = "SELECT value FROM quipu_resources, json_tree(attributes) WHERE type = 'text' UNION \
                SELECT value FROM quipu_log_records, json_tree(attributes) WHERE type = 'text' AND length(value) > 40";
            rows(connection, sql).into_iter().flatten().collect()
        };
        let kept: Vec<String> = texts(&database).intersection(&texts(&source)).cloned().collect();
        // Names of languages, programs of OpenTelemetry and the like.
        assert!(kept.iter().all(|text| text.len() < 40), "{name}: {kept:?}");
    }
}
