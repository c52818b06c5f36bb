//! New databases: written row by row like the reference's sink, and as trimmed copies of real files.

use crate::support;
use proptest::prelude::*;
use quipu::model::{EventRecord, Recording, SpanRecord, TraceRecord, reference_time};
use quipu::store::{Copied, OpenOptions, TraceFacts, Writer};
use quipu::{Selection, Session};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

const FILES: [&str; 10] = [
    "samples/agent_0.2.15.db",
    "samples/metrics_0.2.23.db",
    "tests/fixtures/db/real_small.db",
    "tests/fixtures/db/real_events.db",
    "tests/fixtures/db/real_old_0.0.58.db",
    "tests/fixtures/db/real_old_0.1.8.db",
    "tests/fixtures/db/real_old_0.1.9.db",
    "tests/fixtures/db/real_old_0.2.7.db",
    "tests/fixtures/db/real_old_0.2.11.db",
    "tests/fixtures/db/real_live.db",
];

/// A path in a folder that is deleted on drop.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("quipu-writer-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Scratch(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    /// A database with these bytes, opened by plain SQLite.
    fn sql(&self, bytes: &[u8]) -> Connection {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = self.path(&format!("bytes-{}.db", COUNT.fetch_add(1, Ordering::Relaxed)));
        std::fs::write(&path, bytes).expect("a file");
        Connection::open(path).expect("SQLite opens it")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn rows(connection: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = connection.prepare(sql).expect("SQL");
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect();
    statement.query_map([], read).expect("rows").collect::<Result<_, _>>().expect("rows")
}

/// The properties of a file other than its rows.
fn facts(connection: &Connection) -> Vec<Vec<String>> {
    let mut all = rows(connection, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid");
    for pragma in [
        "page_size",
        "user_version",
        "application_id",
        "encoding",
        "auto_vacuum",
        "journal_mode",
        "schema_version",
    ] {
        all.extend(rows(connection, &format!("PRAGMA {pragma}")));
    }
    all
}

/// All rows of the three tables, in order, with their types, but without the rowids of spans and events.
fn contents(connection: &Connection) -> Vec<Vec<Vec<String>>> {
    [
        "SELECT * FROM traces ORDER BY rowid",
        "SELECT * FROM spans ORDER BY rowid",
        "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY id",
    ]
    .map(|sql| rows(connection, sql))
    .to_vec()
}

fn integrity(connection: &Connection) -> String {
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check")
}

fn open(bytes: Vec<u8>) -> Session {
    support::of_bytes(bytes)
}

#[test]
fn a_fresh_database_is_the_references_to_the_byte_of_its_schema() {
    let scratch = Scratch::new();
    let original = support::sql("samples/agent_0.2.15.db", "");
    let mut empty = facts(&original);
    let memory = scratch.sql(&Writer::in_memory().expect("a writer").into_bytes().expect("bytes"));
    let path = scratch.path("new.db");
    Writer::create(&path).expect("a writer").finish().expect("a file");
    let appended = scratch.path("sink.db");
    Writer::append_to(&appended).expect("a writer").finish().expect("a file");
    // The immutable fixture answers `off`, like any file that can't be written.
    for fact in empty.iter_mut().filter(|fact| fact[0].contains("off")) {
        *fact = vec![format!("{:?}", rusqlite::types::ValueRef::Text(b"delete"))];
    }
    assert_eq!(facts(&memory), empty);
    assert_eq!(facts(&Connection::open(&path).expect("it opens")), empty);
    assert_eq!(facts(&Connection::open(&appended).expect("it opens")), empty);
}

#[test]
fn a_copy_of_every_real_file_has_all_its_rows_in_their_order() {
    for name in FILES {
        let scratch = Scratch::new();
        let mut session = support::open(name);
        let path = scratch.path("copy.db");
        let copied = session.write_database(Selection::All, &path).expect("a copy");
        let copy = Connection::open(&path).expect("it opens");
        assert_eq!(integrity(&copy), "ok");
        let original = support::sql(name, "");
        assert_eq!(contents(&copy), contents(&original), "{name}");
        let counts = ["traces", "spans", "span_events"].map(|table| {
            original.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).expect("a count") as u64
        });
        assert_eq!(copied, Copied { traces: counts[0], spans: counts[1], events: counts[2], left_out: 0 }, "{name}");
        assert_eq!(scratch.names(), ["copy.db"], "no other file is left");
        let bytes = session.database_bytes(Selection::All).expect("bytes");
        assert_eq!(contents(&scratch.sql(&bytes)), contents(&original), "{name} in memory");
    }
}

#[test]
fn a_copy_of_some_traces_has_exactly_their_rows() {
    let scratch = Scratch::new();
    let name = "samples/agent_0.2.15.db";
    let original = support::sql(name, "");
    let ids = largest_traces(&original);
    let mut session = support::open(name);
    let copy = scratch.sql(&session.database_bytes(Selection::Traces(&ids)).expect("bytes"));
    assert_eq!(integrity(&copy), "ok");
    let list = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let of = |sql: &str| rows(&original, &sql.replace("LIST", &list));
    assert_eq!(rows(&copy, "SELECT * FROM traces ORDER BY rowid"), of("SELECT * FROM traces WHERE trace_id IN (LIST) ORDER BY rowid"));
    assert_eq!(rows(&copy, "SELECT * FROM spans ORDER BY rowid"), of("SELECT * FROM spans WHERE trace_id IN (LIST) ORDER BY rowid"));
    let events = "SELECT e.span_id, e.name, e.timestamp, e.attributes FROM span_events e";
    let whose = "JOIN spans s USING (span_id) WHERE s.trace_id IN (LIST)";
    assert_eq!(rows(&copy, &format!("{events} ORDER BY e.id")), of(&format!("{events} {whose} ORDER BY e.id")));
    assert_eq!(rows(&copy, "SELECT count(*) FROM traces"), [["Integer(3)"]]);

    let mut again = open(session.database_bytes(Selection::Traces(&ids)).expect("bytes"));
    again.complete_index().expect("the copy is a telemetry file");
}

fn largest_traces(original: &Connection) -> Vec<String> {
    let sql = "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY count(*) DESC, trace_id LIMIT 3";
    let mut statement = original.prepare(sql).expect("SQL");
    statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts")
}

#[test]
fn some_spans_of_a_trace_come_with_their_events_and_their_trace() {
    let name = "tests/fixtures/db/real_events.db";
    let original = support::sql(name, "");
    let (trace_id, span_id): (String, String) = original
        .query_row("SELECT s.trace_id, s.span_id FROM spans s JOIN span_events e USING (span_id) ORDER BY e.id LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("a span with events");
    let mut session = support::open(name);
    let span_ids = [span_id.clone()];
    let chosen = session.recording(Selection::Spans { trace_id: &trace_id, span_ids: &span_ids }, 1 << 20).expect("rows");
    assert_eq!(chosen.traces.iter().map(|trace| &trace.trace_id).collect::<Vec<_>>(), [&trace_id]);
    assert_eq!(chosen.spans.iter().map(|span| &span.span_id).collect::<Vec<_>>(), [&span_id]);
    let events: i64 =
        original.query_row("SELECT count(*) FROM span_events WHERE span_id = ?1", [&span_id], |row| row.get(0)).expect("a count");
    assert_eq!(chosen.events.len() as i64, events);

    let unknown = ["0123456789abcdef".to_owned()];
    let error = session.recording(Selection::Spans { trace_id: &trace_id, span_ids: &unknown }, 1 << 20).expect_err("no such span");
    assert_eq!(error.message, format!("There is no span 0123456789abcdef in trace {trace_id} of this file."));
    let error = session.recording(Selection::Traces(&unknown), 1 << 20).expect_err("no such trace");
    assert_eq!(error.message, "There is no trace 0123456789abcdef in this file.");
    let error = session.recording(Selection::All, 1_000).expect_err("too much");
    assert!(error.message.starts_with("The selection takes more than 1.00 KB"), "{}", error.message);
}

#[test]
fn deleted_rows_of_the_source_are_in_no_copy() {
    let scratch = Scratch::new();
    let path = scratch.path("source.db");
    std::fs::copy(support::path("samples/agent_0.2.15.db"), &path).expect("a copy");
    let secret = "sk-planted-0123456789abcdefghij";
    let source = Connection::open(&path).expect("it opens");
    let plant =
        format!("UPDATE spans SET attributes = json_set(attributes, '$.planted', '{secret}' || hex(zeroblob(3000))) WHERE rowid % 3 = 0");
    source.execute_batch("PRAGMA foreign_keys=OFF; PRAGMA secure_delete=OFF").expect("deleted bytes stay");
    source.execute(&plant, []).expect("planted");
    source.execute("DELETE FROM spans WHERE rowid % 3 = 0", []).expect("deleted");
    drop(source);
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(holds(&std::fs::read(&path).expect("bytes")), "the secret is in the free list");

    let mut session = Session::open_path(&path, OpenOptions::with_clock(|| 0)).expect("it opens");
    let out = scratch.path("out.db");
    session.write_database(Selection::All, &out).expect("a copy");
    assert!(!holds(&std::fs::read(&out).expect("bytes")));
    assert!(!holds(&session.database_bytes(Selection::All).expect("bytes")));
    assert_eq!(integrity(&Connection::open(&out).expect("it opens")), "ok");
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let scratch = Scratch::new();
    let path = scratch.path("there.db");
    std::fs::write(&path, "something else").expect("a file");
    let mut session = support::open("tests/fixtures/db/real_events.db");
    let error = session.write_database(Selection::All, &path).expect_err("it is there");
    assert_eq!(error.message, format!("{} already exists; give a new name.", path.display()));
    assert_eq!(std::fs::read(&path).expect("bytes"), b"something else");
    let error = session.write_database(Selection::Traces(&["nothing".into()]), &scratch.path("new.db")).expect_err("no such trace");
    assert_eq!(error.message, "There is no trace nothing in this file.");
    assert_eq!(scratch.names(), ["there.db"], "no partial file is left");
}

fn span(span_id: &str, start: &str, end: &str) -> SpanRecord {
    SpanRecord {
        span_id: span_id.into(),
        trace_id: Some("t".into()),
        name: Some("work".into()),
        start_time: Some(start.into()),
        end_time: Some(end.into()),
        attributes: Some("{}".into()),
        status: Some("OK".into()),
        kind: Some("INTERNAL".into()),
        ..SpanRecord::default()
    }
}

#[test]
fn the_row_of_a_trace_keeps_its_first_root_and_widens() {
    let scratch = Scratch::new();
    let mut writer = Writer::in_memory().expect("a writer");
    let facts = |is_root| TraceFacts { service_name: Some("first"), is_root, created_at: Some("2026-03-01 10:00:00") };
    let event = EventRecord { span_id: Some("a".into()), name: Some("unstructured_log".into()), ..EventRecord::default() };
    writer.begin().expect("a transaction");
    assert!(
        writer
            .add(&span("a", "2026-03-01T10:00:01+00:00", "2026-03-01T10:00:02+00:00"), std::slice::from_ref(&event), facts(false))
            .expect("a row")
    );
    let wider = span("b", "2026-03-01T10:00:00.500000+00:00", "2026-03-01T10:00:03+00:00");
    assert!(writer.add(&wider, &[], facts(true)).expect("a row"));
    let later = TraceFacts { service_name: Some("second"), is_root: true, created_at: None };
    assert!(writer.add(&span("c", "2026-03-01T10:00:01+00:00", "2026-03-01T10:00:01+00:00"), &[], later).expect("a row"));
    assert!(!writer.add(&span("a", "2026-03-01T09:00:00+00:00", "2026-03-01T10:00:02+00:00"), &[event], facts(true)).expect("no row"));
    writer.commit().expect("written");
    let sql = scratch.sql(&writer.into_bytes().expect("bytes"));
    let expected = [
        "t",
        "first",
        "b",
        "2026-03-01T10:00:00.500000+00:00",
        "2026-03-01T10:00:03+00:00",
        "2026-03-01 10:00:00",
    ];
    let expected: Vec<String> = expected.iter().map(|text| format!("{:?}", rusqlite::types::ValueRef::Text(text.as_bytes()))).collect();
    assert_eq!(rows(&sql, "SELECT * FROM traces"), [expected]);
    assert_eq!(rows(&sql, "SELECT count(*) FROM span_events"), [["Integer(1)"]], "a span that comes twice brings its events once");
}

#[test]
fn a_reader_between_two_transactions_sees_whole_ones_and_no_wal() {
    let scratch = Scratch::new();
    let path = scratch.path("sink.db");
    let mut writer = Writer::append_to(&path).expect("a writer");
    let reader = Connection::open(&path).expect("a reader");
    let seen = || -> i64 { reader.query_row("SELECT count(*) FROM spans", [], |row| row.get(0)).expect("a count") };
    let time = "2026-03-01T10:00:00+00:00";
    for batch in 0..3 {
        writer.begin().expect("a transaction");
        for number in 0..10 {
            writer.add(&span(&format!("{batch}-{number}"), time, time), &[], TraceFacts::default()).expect("a row");
            assert_eq!(seen(), batch * 10);
        }
        writer.commit().expect("written");
        assert_eq!(seen(), batch * 10 + 10);
    }
    assert!(scratch.names().iter().all(|name| !name.ends_with("-wal")), "{:?}", scratch.names());
    let recent: bool = reader
        .query_row("SELECT abs(julianday('now') - julianday(created_at)) < 1.0 / 24 FROM traces", [], |row| row.get(0))
        .expect("a time");
    assert!(recent, "created_at is now");
    writer.finish().expect("closed");
    let mut again = Writer::append_to(&path).expect("the file opens");
    assert!(!again.add(&span("0-0", time, time), &[], TraceFacts::default()).expect("the span is there"));
    again.finish().expect("closed");

    let wal = Connection::open(&path).expect("it opens");
    wal.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(())).expect("a mode");
    wal.query_row("SELECT count(*) FROM spans", [], |_| Ok(())).expect("a read");
    let Err(error) = Writer::append_to(&path) else { panic!("write-ahead mode is in use") };
    assert!(error.to_string().contains("can't be written"), "{error}");
}

#[test]
fn times_are_rounded_as_python_rounds_them() {
    // datetime.fromtimestamp(ns / 1e9, timezone.utc).isoformat()
    for (nanos, text) in [
        (0, "1970-01-01T00:00:00+00:00"),
        (1_764_000_000_000_000_500, "2025-11-24T16:00:00+00:00"),
        (1_764_000_000_000_001_500, "2025-11-24T16:00:00.000001+00:00"),
        (1_764_000_000_123_456_789, "2025-11-24T16:00:00.123457+00:00"),
        (1_764_000_000_999_999_900, "2025-11-24T16:00:01+00:00"),
        (1_764_000_000_999_999_400, "2025-11-24T16:00:01+00:00"),
        (18_446_744_073_709_551_615, "2554-07-21T23:34:33.709553+00:00"),
    ] {
        assert_eq!(reference_time(nanos), text, "{nanos}");
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("\\PC{0,20}")
}

fn recording() -> impl Strategy<Value = Recording> {
    let trace = (("[a-f0-9]{1,4}"), text(), text(), text()).prop_map(|(trace_id, service_name, root_span_id, start_time)| TraceRecord {
        trace_id,
        service_name,
        root_span_id,
        start_time,
        ..TraceRecord::default()
    });
    let span = ("[a-f0-9]{1,4}", text(), text(), text(), text()).prop_map(|(span_id, name, parent_span_id, attributes, status)| {
        SpanRecord { span_id, trace_id: Some("t".into()), parent_span_id, name, attributes, status, ..SpanRecord::default() }
    });
    let event =
        (text(), text(), text()).prop_map(|(name, timestamp, attributes)| EventRecord { span_id: None, name, timestamp, attributes });
    let lists = (prop::collection::vec(trace, 0..5), prop::collection::vec(span, 0..9), prop::collection::vec(event, 0..5));
    lists.prop_map(|(mut traces, mut spans, events)| {
        let mut seen = std::collections::BTreeSet::new();
        traces.retain(|trace| seen.insert(trace.trace_id.clone()));
        seen.clear();
        spans.retain(|span| seen.insert(span.span_id.clone()));
        Recording { traces, spans, events }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases))]
    #[test]
    fn arbitrary_rows_round_trip(recording in recording()) {
        let mut writer = Writer::in_memory().expect("a writer");
        writer.copy(&recording).expect("written");
        let mut session = open(writer.into_bytes().expect("bytes"));
        let back = session.recording(Selection::All, 1 << 20).expect("rows");
        // Time columns have numeric affinity: a numeric string comes back as SQLite prints it.
        let is_number = |text: &Option<String>| text.as_deref().is_some_and(|text| text.trim().parse::<f64>().is_ok());
        prop_assume!(!recording.traces.iter().any(|trace| is_number(&trace.start_time)));
        prop_assert_eq!(back.traces, recording.traces);
        prop_assert_eq!(back.spans, recording.spans);
        // An event without a span belongs to no trace.
        prop_assert_eq!(back.events, Vec::new());
    }
}

#[test]
fn a_source_written_in_memory_opens_without_a_copy() {
    let mut session = support::open("samples/agent_0.2.15.db");
    let recording = session.recording(Selection::All, 64 << 20).expect("rows");
    let mut writer = Writer::in_memory().expect("a writer");
    writer.copy(&recording).expect("written");
    assert!(writer.len_in_memory() > 100_000);
    let source = writer.into_source().expect("a source");
    let file = quipu::store::NamedSource { name: "copy.db".into(), source: Box::new(source) };
    let mut copy = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("it opens");
    assert_eq!(copy.recording(Selection::All, 64 << 20).expect("rows"), recording);
}
