//! Whether a span failed: index, span panel, filter, SQL views and PromQL agree about every span of every file, and with plain SQL.

use quipu::Session;
use quipu::metrics::{MetricOptions, PromqlQuery};
use quipu::model::SpanFlags;
use quipu::protocol::{GetSpan, GetTrace, ListTraces, SpanDetail, TraceQuery, TraceScope};
use quipu::store::{MemorySource, NamedSource, OpenOptions, SQL_VIEWS, SqlLimits, SqlValue, Writer};
use quipu::transfer::Importer;
use quipu_tests::Scratch;
use quipu_tests::failures::{FAILED, make_parts};
use quipu_tests::fixtures::{self, ALL, SMALL, texts};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

fn options() -> OpenOptions {
    OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) }
}

fn of_bytes(bytes: Vec<u8>) -> Session {
    Session::open(vec![NamedSource { name: "file.db".into(), source: Box::new(MemorySource(bytes)) }], options()).expect("the file opens")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(fixtures::repository().join(name)).expect("the fixture is there")
}

fn indexed(bytes: Vec<u8>) -> Session {
    let mut session = of_bytes(bytes);
    session.complete_index().expect("an index");
    session
}

/// The bytes of a database whose journal has been applied.
fn bytes_of(connection: &mut Connection) -> Vec<u8> {
    connection.serialize("main").expect("bytes").to_vec()
}

fn plain(bytes: &[u8]) -> Connection {
    let mut connection = Connection::open_in_memory().expect("SQLite");
    connection.deserialize_read_exact("main", bytes, bytes.len(), false).expect("a database");
    connection
}

fn span_of(session: &mut Session, trace_id: &str, span_id: &str) -> SpanDetail {
    session.ask(GetSpan { trace_id: trace_id.into(), span_id: span_id.into() }).expect("an answer")
}

fn ids_by_sql(session: &mut Session, query: &str) -> BTreeSet<String> {
    let answer = session.query_sql(query, SqlLimits::default()).expect("an answer");
    let text = |row: &Vec<SqlValue>| match row.as_slice() {
        [SqlValue::Text(text)] => text.clone(),
        other => panic!("{query}: {other:?}"),
    };
    answer.rows.iter().map(text).collect()
}

fn listed(session: &mut Session, query: TraceQuery) -> BTreeMap<String, Option<u32>> {
    session
        .ask(ListTraces(TraceQuery { limit: 100_000, ..query }))
        .expect("an answer")
        .rows
        .into_iter()
        .map(|row| (row.trace_id, row.failed))
        .collect()
}

fn by_promql(session: &mut Session, query: &str) -> BTreeMap<String, u64> {
    let query = PromqlQuery { query: query.into(), start: None, end: None, step: None, options: MetricOptions::default() };
    let answer = session.query_promql(&query).expect("the file can be read").expect("an answer");
    let one = |series: &quipu::promql::PromqlSeries| {
        let label = series.labels.iter().find(|(name, _)| name == "span_name").map_or("", |(_, value)| value);
        (label.to_owned(), series.points[0].value as u64)
    };
    answer.series().iter().map(one).filter(|(_, count)| *count > 0).collect()
}

fn counts(names: impl IntoIterator<Item = String>) -> BTreeMap<String, u64> {
    names.into_iter().fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_default() += 1;
        counts
    })
}

/// Asks every part of a session for the failed spans of a file, and compares their ids with `failed`.
fn check(file: &str, bytes: Vec<u8>, failed: &BTreeSet<String>) {
    let connection = plain(&bytes);
    let mut session = indexed(bytes);
    let spans: Vec<(String, String, String)> = {
        let mut statement = connection.prepare("SELECT span_id, trace_id, name FROM spans").expect("SQL");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("SQL");
        rows.map(|row| row.expect("a row")).collect()
    };
    let of_failed = |pick: fn(&(String, String, String)) -> &String| {
        spans.iter().filter(|span| failed.contains(&span.0)).map(|span| pick(span).clone()).collect::<Vec<_>>()
    };
    let per_trace = counts(of_failed(|span| &span.1));

    let mut marked = BTreeSet::new();
    for trace_id in spans.iter().map(|span| &span.1).collect::<BTreeSet<_>>() {
        let request = GetTrace { trace_id: trace_id.clone(), scope: TraceScope::default() };
        let columns = session.ask(request).unwrap_or_else(|failure| panic!("{file}: {trace_id}: {failure}"));
        let marks = (0..columns.len()).filter(|row| columns.flags[*row].has(SpanFlags::FAILED));
        marked.extend(marks.map(|row| columns.span_id.get(row).expect("an id").to_string()));
    }
    assert_eq!(&marked, failed, "{file}: the index");

    for (span_id, trace_id, _) in &spans {
        let span = span_of(&mut session, trace_id, span_id);
        let is_origin = span.flags.has(SpanFlags::FAILURE_ORIGIN);
        assert_eq!(!span.failures.is_empty(), failed.contains(span_id) || is_origin, "{file} {span_id}: the panel, {:?}", span.failures);
        assert!(!(is_origin && failed.contains(span_id)), "{file} {span_id}: an origin is derived where the span itself did not fail");
    }

    let traces: BTreeSet<&String> = per_trace.keys().collect();
    for query in [
        TraceQuery { filter: "error:true".into(), ..TraceQuery::default() },
        TraceQuery { filter: "{error:true}".into(), ..TraceQuery::default() },
        TraceQuery { failed_only: true, ..TraceQuery::default() },
    ] {
        let found = listed(&mut session, query.clone());
        assert_eq!(found.keys().collect::<BTreeSet<_>>(), traces, "{file}: {query:?}");
        let failed = found.into_iter().map(|(trace, failed)| (trace, u64::from(failed.unwrap_or_default())));
        assert_eq!(failed.collect::<BTreeMap<_, _>>(), per_trace, "{file}: failed spans of traces");
    }

    let names = counts(of_failed(|span| &span.2));
    assert_eq!(by_promql(&mut session, "quipu_errors_total"), names, "{file}: PromQL's errors");
    let histogram = r#"sum by (span_name) (quipu_span_duration_seconds_count{status="error"})"#;
    assert_eq!(by_promql(&mut session, histogram), names, "{file}: PromQL's durations");

    for query in [
        "SELECT DISTINCT span_id FROM errors WHERE span_id IN (SELECT span_id FROM spans)",
        "SELECT span_id FROM spans_with_duration WHERE failed",
        "SELECT span_id FROM spans_with_duration WHERE NOT (failed = 0)",
    ] {
        assert_eq!(&ids_by_sql(&mut session, query), failed, "{file}: {query}");
    }
    let requests = connection
        .prepare("SELECT span_id FROM spans WHERE json_valid(attributes) AND CASE WHEN json_valid(attributes) THEN attributes ->> '$.__root__' END = 1")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect::<Result<BTreeSet<String>, _>>())
        .expect("SQL");
    let failed_requests: BTreeSet<String> = requests.intersection(failed).cloned().collect();
    assert_eq!(ids_by_sql(&mut session, "SELECT span_id FROM requests WHERE failed"), failed_requests, "{file}: requests");
    let of_requests = counts(spans.iter().filter(|span| failed_requests.contains(&span.0)).map(|span| span.2.clone()));
    let query = r#"sum by (span_name) (quipu_requests_total{status="error"})"#;
    assert_eq!(by_promql(&mut session, query), of_requests, "{file}: PromQL's requests");
}

/// Compares the view `errors`, including messages, with a statement of the tests' own.
fn check_view(file: &str, bytes: &[u8]) {
    let connection = plain(bytes);
    make_parts(&connection).expect("the rules");
    let view = SQL_VIEWS.iter().find(|view| view.name == "errors").expect("the view");
    let query =
        |from: &str| format!("SELECT quote(span_id) || quote(time) || quote(message) || quote(source) AS row FROM {from} ORDER BY 1");
    let expected = texts(&connection, &query(&format!("({})", view.select))).expect("SQL");
    let answer = of_bytes(bytes.to_vec()).query_sql(&query("errors"), SqlLimits::default()).expect("an answer");
    let found: Vec<SqlValue> = answer.rows.into_iter().flatten().collect();
    assert_eq!(found, expected.into_iter().map(SqlValue::Text).collect::<Vec<_>>(), "{file}");
}

fn failed_by_sql(connection: &Connection) -> BTreeSet<String> {
    let sql = format!("SELECT span_id FROM spans WHERE {FAILED}");
    texts(connection, &sql).expect("SQL").into_iter().collect()
}

#[test]
fn every_part_agrees_on_the_failed_spans_of_every_fixture() {
    let mut total = 0;
    for fixture in ALL {
        let (_scratch, mut connection) = fixture.open().expect("it opens");
        let failed = failed_by_sql(&connection);
        total += failed.len();
        let bytes = bytes_of(&mut connection);
        check_view(fixture.name, &bytes);
        check(fixture.name, bytes, &failed);
    }
    let agents = "tests/fixtures/db/real_agents_0.2.15.db";
    let failed = failed_by_sql(&plain(&read(agents)));
    assert!(total > 100 && !failed.is_empty(), "{total} spans failed");
    check(agents, read(agents), &failed);
}

#[test]
fn every_part_agrees_on_the_failed_spans_of_imports() {
    let files = |names: &[&str]| names.iter().map(|name| format!("tests/fixtures/otlp/{name}")).collect::<Vec<_>>();
    let mut by_status = 0;
    for bodies in [
        files(&["agent_0.2.15_traces.binpb.gz"]),
        files(&["direct_0.2.23_traces.binpb"]),
        files(&["direct_0.2.23_traces.json"]),
        files(&["genai_events_traces.binpb", "genai_events_logs.binpb"]),
        files(&["genai_messages_traces.binpb"]),
        files(&["genai_traceloop_traces.binpb"]),
        files(&["openinference_traces.binpb"]),
        files(&["small_0.2.15_traces.binpb"]),
        files(&["small_0.2.15_traces.jsonl.gz"]),
    ] {
        let mut importer = Importer::new(Writer::in_memory().expect("a writer")).expect("an importer");
        for name in &bodies {
            importer.begin(name);
            importer.push(&read(name)).expect("it is understood");
            importer.end().expect("it is understood");
        }
        let (writer, _) = importer.finish().expect("it is written");
        let bytes = writer.into_bytes().expect("bytes");
        let connection = plain(&bytes);
        by_status += texts(&connection, "SELECT span_id FROM spans WHERE status = 'ERROR'").expect("SQL").len();
        let failed = failed_by_sql(&connection);
        // The status message is the most specific one.
        let mut session = of_bytes(bytes.clone());
        let told = ids_by_sql(&mut session, "SELECT DISTINCT span_id FROM errors WHERE message IS NOT NULL");
        let with_message =
            "SELECT x.span_id FROM quipu_span_extra x JOIN spans USING (span_id) WHERE status = 'ERROR' AND status_message <> ''";
        for span_id in texts(&connection, with_message).unwrap_or_default() {
            assert!(told.contains(&span_id), "{bodies:?}: {span_id}");
        }
        check_view(&bodies.join(", "), &bytes);
        check(&bodies.join(", "), bytes, &failed);
    }
    assert!(by_status > 0, "some spans have a status of error");
}

const REPORT: &str = r#"{"message": "Error executing endpoint route='/v1' method='post'", "severity": "error"}"#;

/// A span: status, attributes, name and attributes of an event, and whether it failed.
type OddSpan = (&'static str, &'static str, Option<(&'static str, &'static str)>, bool);

/// Unusual rows, such as other programs write.
const ODD: [OddSpan; 40] = [
    ("OK", "{}", None, false),
    ("UNSET", "{}", None, false),
    ("ERROR", "{}", None, true),
    ("error", "{}", None, true),
    ("STATUS_CODE_ERROR", "{}", None, true),
    ("2", "{}", None, true),
    ("1", "{}", None, false),
    ("OK", r#"{"error": "boom"}"#, None, true),
    ("OK", r#"{"error": true}"#, None, true),
    ("OK", r#"{"error": "True"}"#, None, true),
    ("OK", r#"{"error": 1}"#, None, true),
    ("OK", r#"{"error": {"code": 500}}"#, None, true),
    ("OK", r#"{"error": false}"#, None, false),
    ("OK", r#"{"error": "false"}"#, None, false),
    ("OK", r#"{"error": "False"}"#, None, false),
    ("OK", r#"{"error": null}"#, None, false),
    ("OK", r#"{"error": "null"}"#, None, false),
    ("OK", r#"{"error": "None"}"#, None, false),
    ("OK", r#"{"error": ""}"#, None, false),
    ("OK", r#"{"error": 0}"#, None, false),
    ("OK", r#"{"error": "0"}"#, None, false),
    ("ERROR", r#"{"error": false}"#, None, true),
    ("OK", r#"{"error.type": "TimeoutError"}"#, None, true),
    ("OK", r#"{"error.type": "_OTHER", "error": false}"#, None, true),
    ("OK", r#"{"error.type": false}"#, None, false),
    ("OK", r#"{"error.type": ""}"#, None, false),
    ("OK", r#"{"error.message": "once more", "exception.type": "E"}"#, None, false),
    ("OK", "{}", Some(("unstructured_log", REPORT)), true),
    ("OK", "{}", Some(("unstructured_log", r#"{"message": "\u0045rror in sse_generator\n", "severity": "critical"}"#)), true),
    ("OK", "{}", Some(("unstructured_log", r#"{"message": "Error in sse_generator", "severity": "warn"}"#)), false),
    ("OK", "{}", Some(("unstructured_log", r#"{"message": "A document is no text", "severity": "error"}"#)), false),
    ("OK", "{}", Some(("unstructured_log", r#"{"message": "all is lost", "severity": "critical"}"#)), false),
    ("OK", "{}", Some(("exception", r#"{"exception.type": "E", "exception.message": "handled"}"#)), false),
    ("ERROR", "{}", Some(("exception", r#"{"exception.type": "E", "exception.message": "not handled"}"#)), true),
    ("OK", r#"{"error": "boom"}"#, Some(("unstructured_log", REPORT)), true),
    // Values that SQLite's JSON functions read differently, or not at all.
    ("OK", r#"{"error": false, "error": "boom"}"#, None, true),
    ("OK", r#"{"error": "boom", "error": false}"#, None, false),
    ("OK", r#"{"score": NaN, "error": "boom"}"#, None, true),
    ("OK", r#"{"error": "boom", "x"#, None, true),
    ("OK", "{'error': 'boom'}", None, false),
];
/// Number of leading rows that plain SQL can judge.
const BY_SQL: usize = 35;

/// A small file with the unusual rows, one trace per span, and the ids of those that failed.
fn with_odd_rows() -> (Vec<u8>, BTreeSet<String>) {
    let (_scratch, mut connection) = SMALL.open().expect("it opens");
    connection.execute_batch("PRAGMA foreign_keys=OFF; BEGIN").expect("SQL");
    let mut failed = failed_by_sql(&connection);
    let event = "INSERT INTO span_events (span_id, name, timestamp, attributes) VALUES (?1, ?2, '2026-01-01T00:00:00.500000+00:00', ?3)";
    let mut add = |place: usize, status: &str, attributes: &str, name: &str, has_failed: bool| {
        let (span_id, trace_id) = (format!("{place:016x}"), format!("{place:032x}"));
        let span = "INSERT INTO spans (span_id, trace_id, name, start_time, end_time, attributes, status, kind)
            VALUES (?1, ?2, ?3, '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:01.000000+00:00', ?4, ?5, 'INTERNAL')";
        connection.execute(span, [&span_id, &trace_id, name, attributes, status]).expect("a row");
        if has_failed {
            failed.insert(span_id.clone());
        }
        span_id
    };
    for (place, (status, attributes, said, has_failed)) in ODD.into_iter().enumerate() {
        let name = format!("odd {}", place % 7);
        let span_id = add(place + 1, status, attributes, &name, has_failed);
        if let Some((name, attributes)) = said {
            connection.execute(event, [&span_id, name, attributes]).expect("a row");
        }
    }
    // A report after more events than are shown, and one longer than the visible part of a message.
    let late = add(1_000, "OK", "{}", "late report", true);
    let long = add(1_001, "OK", "{}", "long report", true);
    for _ in 0..1_001 {
        connection.execute(event, [&late, "unstructured_log", r#"{"message": "going on", "severity": "info"}"#]).expect("a row");
    }
    let text = format!(r#"{{"message": "Error in sse_generator\n{}", "severity": "error"}}"#, "x".repeat(200_000));
    connection.execute(event, [&late, "unstructured_log", REPORT]).expect("a row");
    connection.execute(event, [&long, "unstructured_log", &text]).expect("a row");
    connection.execute_batch("COMMIT").expect("SQL");
    (bytes_of(&mut connection), failed)
}

#[test]
fn every_part_agrees_on_unusual_rows_and_with_expectations() {
    let (bytes, failed) = with_odd_rows();
    // The SQL that judges the fixtures is itself checked against the expectations.
    let connection = plain(&bytes);
    let by_sql = failed_by_sql(&connection);
    for (place, odd) in ODD.iter().enumerate().take(BY_SQL) {
        assert_eq!(by_sql.contains(&format!("{:016x}", place + 1)), odd.3, "{odd:?}");
    }
    check("odd rows", bytes, &failed);
}

#[test]
fn a_file_that_grew_is_judged_as_one_that_is_read_whole() {
    let (bytes, failed) = with_odd_rows();
    let scratch = Scratch::new().expect("a folder");
    let file = scratch.write("grown.db", &bytes).expect("a file");
    let earlier = scratch.write("earlier.db", &bytes).expect("a file");
    // The events that fail spans arrive after the spans were read.
    Connection::open(&earlier)
        .and_then(|connection| {
            connection.execute_batch(
                "PRAGMA foreign_keys=OFF; DELETE FROM span_events; DELETE FROM spans WHERE rowid > (SELECT max(rowid) / 2 FROM spans)",
            )
        })
        .expect("rows go");
    let mut session = Session::open_path(&earlier, options()).expect("it opens");
    session.keep_snapshot();
    session.complete_index().expect("an index");
    let snapshot = session.take_snapshot().expect("it was kept");
    let mut session = Session::open_path(&file, options()).expect("it opens");
    assert!(session.resume_from(&snapshot).expect("it can be read"), "it resumes");
    session.complete_index().expect("an index");
    let found = listed(&mut session, TraceQuery { failed_only: true, ..TraceQuery::default() });
    let sum: u32 = found.values().map(|failed| failed.unwrap_or_default()).sum();
    assert_eq!(sum as usize, failed.len());
}

#[test]
fn the_errors_view_gives_reason_and_place() {
    let (bytes, _) = with_odd_rows();
    let mut session = of_bytes(bytes);
    let answer = session
        .query_sql("SELECT span_id, source, message FROM errors WHERE name LIKE 'odd %' ORDER BY span_id, source", SqlLimits::default())
        .expect("an answer");
    let shown = |value: &SqlValue| match value {
        SqlValue::Text(text) => text.lines().next().unwrap_or_default().to_owned(),
        other => format!("{other:?}"),
    };
    let row = |row: &Vec<SqlValue>| row.iter().map(shown).collect::<Vec<_>>().join(" | ").trim_start_matches('0').to_owned();
    insta::assert_snapshot!(answer.rows.iter().map(row).collect::<Vec<_>>().join("\n"));
}

#[test]
fn views_exist_in_a_file_without_events() {
    let (_scratch, mut connection) = SMALL.open().expect("it opens");
    let failed: usize = texts(&connection, "SELECT span_id FROM spans WHERE attributes ->> '$.error' IS NOT NULL").expect("SQL").len();
    connection.execute_batch("PRAGMA foreign_keys=OFF; DROP TABLE span_events").expect("SQL");
    let mut session = of_bytes(bytes_of(&mut connection));
    for query in ["SELECT span_id FROM errors", "SELECT span_id FROM spans_with_duration WHERE failed"] {
        assert_eq!(ids_by_sql(&mut session, query).len(), failed, "{query}");
    }
}
