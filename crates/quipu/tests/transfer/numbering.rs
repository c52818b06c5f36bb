//! Rows of `quipu_span_extra` have the rowids of their spans. Rows that do not are found all the same, and are renumbered by the next
//! writer.

use super::tools::{export, import_bytes, read, rows, sql_of};
use quipu::Selection;
use quipu::protocol::FileFormat;
use quipu::store::{MemorySource, NamedSource, OpenOptions, Writer};
use quipu::transfer::{Recorder, Signal, read_request};
use quipu_tests::Scratch;
use rusqlite::Connection;
use std::path::Path;

const BODY: &str = "tests/fixtures/otlp/direct_0.2.23_traces.binpb";

/// The rows that must come out of the file, however they are numbered. A collector that restarts writes resources again.
const EXTRA: &str = "SELECT span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links, event_unix_nanos, resource
    FROM quipu_span_extra e JOIN quipu_sources s ON s.id = source_id ORDER BY span_id";
const IN_STEP: &str = "SELECT count(*), sum(e.id = s.rowid) FROM quipu_span_extra e JOIN spans s ON s.span_id = e.span_id";

/// Every span as OTLP, with everything recorded about it.
fn exported(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("the file");
    let file = NamedSource { name: "grown".into(), source: Box::new(MemorySource(bytes)) };
    let mut session = quipu::Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("an index");
    String::from_utf8(export(&mut session, Selection::All, FileFormat::OtlpJson)).expect("JSON")
}

/// Adds the body to the file like a collector.
fn collect(path: &Path) {
    let mut recorder = Recorder::new(Writer::append_to(path).expect("it may grow"));
    recorder.begin().expect("a transaction");
    recorder.write(&mut read_request(Signal::Traces, false, &read(BODY)).expect("OTLP")).expect("written");
    recorder.commit().expect("committed");
    recorder.into_writer().finish().expect("closed");
}

#[test]
fn extra_rows_of_a_span_are_found_under_any_rowid() {
    let (imported, _) = import_bytes(&[("input", &read(BODY))]);
    let expected = rows(&sql_of(&imported), EXTRA);
    let count = expected.len().to_string();
    assert!(expected.len() > 20, "{}", expected.len());
    assert_eq!(rows(&sql_of(&imported), IN_STEP), [[count.clone(), count.clone()]]);
    for (name, change) in [
        (
            "written out and read in again, with rows missing before",
            "UPDATE quipu_span_extra SET id = -id; UPDATE quipu_span_extra SET id = 7 - 3 * id",
        ),
        (
            "rows of deleted spans stand before, between and behind",
            "UPDATE quipu_span_extra SET id = -id; UPDATE quipu_span_extra SET id = 7 - 3 * id;
            INSERT INTO quipu_span_extra (id, span_id) SELECT id - 100, 'gone' FROM quipu_span_extra WHERE id < 100;
            INSERT INTO quipu_span_extra (id, span_id) SELECT id + 1, 'gone' FROM quipu_span_extra WHERE span_id <> 'gone';
            INSERT INTO quipu_span_extra (id, span_id) VALUES (9223372036854775807, 'gone'), (-9223372036854775808, 'gone')",
        ),
        (
            "the table has an index of ids",
            "ALTER TABLE quipu_span_extra RENAME TO other;
            CREATE TABLE quipu_span_extra (span_id TEXT PRIMARY KEY, start_unix_nano INTEGER, end_unix_nano INTEGER, status_message TEXT,
                trace_state TEXT, links TEXT, event_unix_nanos TEXT, source_id INTEGER);
            INSERT INTO quipu_span_extra SELECT span_id, start_unix_nano, end_unix_nano, status_message, trace_state, links,
                event_unix_nanos, source_id FROM other ORDER BY span_id;
            DROP TABLE other",
        ),
    ] {
        let folder = Scratch::new().expect("a folder");
        let path = folder.write("grown.db", &imported).expect("a file");
        let before = exported(&path);
        Connection::open(&path).expect("SQLite").execute_batch(change).expect(name);
        assert_eq!(exported(&path), before, "{name}");
        collect(&path);
        let connection = Connection::open(&path).expect("SQLite");
        assert_eq!(rows(&connection, EXTRA), expected, "{name}");
        assert_eq!(rows(&connection, IN_STEP), [[count.clone(), count.clone()]], "{name}");
        assert_eq!(exported(&path), before, "{name}");
    }
}

#[test]
fn extra_rows_of_a_deleted_span_make_room() {
    let (imported, _) = import_bytes(&[("input", &read(BODY))]);
    let expected = rows(&sql_of(&imported), EXTRA);
    let folder = Scratch::new().expect("a folder");
    let path = folder.write("grown.db", &imported).expect("a file");
    let before = exported(&path);
    let delete = "PRAGMA foreign_keys = OFF; DELETE FROM spans WHERE rowid > 10; DELETE FROM span_events WHERE span_id NOT IN (SELECT span_id FROM spans)";
    Connection::open(&path).expect("SQLite").execute_batch(delete).expect("deleted");
    collect(&path);
    let connection = Connection::open(&path).expect("SQLite");
    assert_eq!(rows(&connection, EXTRA), expected);
    assert_eq!(exported(&path), before);
}
