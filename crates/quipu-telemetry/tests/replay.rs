//! Replays recordings of real servers: rows and console lines must match what Llama Stack wrote for the same events.

use crate::support::{Replayed, TTL, events_of, time};
use quipu::model::{Attributes, Event, SpanStartPayload, StructuredLogEvent, StructuredLogPayload};
use quipu_telemetry::{ConsoleSink, SqliteSink, Telemetry, Warning};
use quipu_tests::Scratch;
use quipu_tests::fixtures::{AGENT, EVENTS, Fixture, METRICS, SMALL, open_as_it_lies, repository};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// All columns except `created_at`, the time when the row was written.
const ROWS: [&str; 5] = [
    "SELECT rowid, trace_id, service_name, root_span_id, start_time, end_time FROM traces ORDER BY rowid",
    "SELECT rowid, * FROM spans ORDER BY rowid",
    "SELECT * FROM span_events ORDER BY id",
    "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid",
    "SELECT * FROM sqlite_sequence",
];

fn rows(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(sql).expect("SQL");
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

fn check_rows(fixture: Fixture) {
    let original = open_as_it_lies(&fixture.path()).expect("the fixture");
    let service_name: String = original.query_row("SELECT service_name FROM traces", [], |row| row.get(0)).expect("a trace");
    let scratch = Scratch::new().expect("a folder");
    let path = scratch.path().join("new/folder/telemetry.db");
    let file = path.clone();
    let telemetry = Telemetry::builder()
        .on_warning(|warning| panic!("{warning}"))
        .sink(move || SqliteSink::open(&path, &service_name))
        .start()
        .expect("it starts");
    for Replayed { start, inside, end } in events_of(&original) {
        for event in [start].into_iter().chain(inside).chain([end]) {
            telemetry.log_event(event, TTL).expect("there is room");
        }
    }
    telemetry.shutdown().expect("all is written");
    let written = Connection::open(file).expect("SQLite opens it");
    for sql in ROWS {
        let (expected, found) = (rows(&original, sql), rows(&written, sql));
        assert!(!expected.is_empty(), "{sql}");
        assert_eq!(expected.len(), found.len(), "{sql}");
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected, found, "{} {sql}", fixture.name);
        }
    }
    let now = "SELECT count(*) FROM traces WHERE datetime(created_at) = created_at";
    let traces: i64 = written.query_row(now, [], |row| row.get(0)).expect("a count");
    assert_eq!(usize::try_from(traces), Ok(rows(&original, ROWS[0]).len()), "created_at is written as the reference does");
}

#[test]
fn rows_of_replayed_events_equal_the_recorded_ones() {
    check_rows(EVENTS);
}

#[test]
fn rows_of_replayed_servers_equal_the_recorded_ones_metrics_included() {
    check_rows(SMALL);
    check_rows(AGENT);
    check_rows(METRICS);
}

/// Captures printed output, so that it can be read after the sink is gone.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines printed by Llama Stack's sink, without those of Python's logger and of the recording script.
fn recorded_lines() -> String {
    let text = std::fs::read_to_string(repository().join("tests/fixtures/console/console_0.2.15.txt")).expect("the fixture");
    let logger = [
        "INFO ",
        "WARNING ",
        "ERROR ",
        "CRITICAL ",
        "         ╭",
        "         │",
        "         ╰",
        "         RuntimeError",
        "Warning:",
        "!! ",
    ];
    text.lines().filter(|line| !logger.iter().any(|start| line.starts_with(start))).map(|line| format!("{line}\n")).collect()
}

/// All events of `real_events.db` in the order of their times, logs right before the end of their span, plus the start of the span that
/// never ended, which is not in the file.
fn in_order() -> Vec<Event> {
    let original = open_as_it_lies(&EVENTS.path()).expect("the fixture");
    let never = StructuredLogEvent {
        trace_id: "11111111111111111111111111111111".into(),
        span_id: "eeeeeeeeeeeeeeee".into(),
        timestamp: time("2026-11-22T18:43:48.804000+00:00"),
        attributes: Attributes::default(),
        payload: StructuredLogPayload::SpanStart(SpanStartPayload { name: "never ended".into(), parent_span_id: None }),
    };
    let at = |event: &Event| match event {
        Event::StructuredLog(event) => event.timestamp.at.0,
        _ => panic!("a start or an end"),
    };
    let mut all = vec![(never.timestamp.at.0, vec![Event::StructuredLog(never)])];
    for Replayed { start, inside, end } in events_of(&original) {
        all.push((at(&start), vec![start]));
        all.push((at(&end), inside.into_iter().chain([end]).collect()));
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().flat_map(|(_, events)| events).collect()
}

fn print(colours: bool) -> String {
    let printed = Printed::default();
    let out = printed.clone();
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let telemetry = Telemetry::builder()
        .on_warning(move |warning| heard.lock().expect("no panic").push(warning.clone()))
        .sink(move || Ok(ConsoleSink::new(out, colours)))
        .start()
        .expect("it starts");
    for event in in_order() {
        telemetry.log_event(event, TTL).expect("there is room");
    }
    telemetry.shutdown().expect("all is printed");
    assert_eq!(*warnings.lock().expect("no panic"), [Warning::NeverEnded { spans: 1, first: "never ended".into() }]);
    String::from_utf8(printed.0.lock().expect("no panic").clone()).expect("text")
}

#[test]
fn lines_of_replayed_events_equal_the_printed_ones() {
    let (expected, found) = (recorded_lines(), print(true));
    assert!(
        expected.contains("[RuntimeError: boom") || expected.contains("RuntimeError: boom\u{1b}[0m"),
        "the message of a log line stays"
    );
    for (expected, found) in expected.lines().zip(found.lines()) {
        assert_eq!(expected, found);
    }
    assert_eq!(expected, found);
}

#[test]
fn without_colours_the_words_are_the_same() {
    let mut plain = recorded_lines();
    for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[35m", "\x1b[37m"] {
        plain = plain.replace(code, "");
    }
    assert!(!plain.contains('\x1b'));
    assert_eq!(plain, print(false));
}
