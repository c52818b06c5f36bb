//! A user's own SQL: what it reads, what it may not do, and the views beside what plain SQL finds.

mod support;

use quipu::Session;
use quipu::protocol::FailureKind;
use quipu::store::{Dropped, MemorySource, OpenOptions, SQL_VIEWS, SqlAnswer, SqlCut, SqlLimits, SqlValue};
use support::{open, path, sql, unindexed};

const RECORDED: &str = "samples/metrics_0.2.23.db";

fn ask(query: &str) -> SqlAnswer {
    unindexed(RECORDED).query_sql(query, SqlLimits::default()).expect("an answer")
}

fn refuse(query: &str) -> String {
    let failure = unindexed(RECORDED).query_sql(query, SqlLimits::default()).expect_err("no answer");
    assert_eq!(failure.kind, FailureKind::BadRequest, "{query}: {}", failure.message);
    failure.message
}

fn count(answer: &SqlAnswer) -> i64 {
    match answer.rows.as_slice() {
        [row] => match row.as_slice() {
            [SqlValue::Integer(number)] => *number,
            other => panic!("{other:?}"),
        },
        other => panic!("{} rows", other.len()),
    }
}

#[test]
fn views_show_what_plain_sql_finds() {
    let file = sql(RECORDED, "");
    for (view, plain) in [
        ("SELECT count(*) FROM requests", "SELECT count(*) FROM spans WHERE attributes ->> '$.__root__' = 1"),
        ("SELECT count(*) FROM token_usage", "SELECT count(*) FROM span_events WHERE name GLOB 'metric.*'"),
        (
            "SELECT sum(value) FROM token_usage WHERE metric = 'total_tokens' AND provider_id = 'vllm'",
            "SELECT sum(attributes ->> '$.value') FROM span_events WHERE name = 'metric.total_tokens'",
        ),
        ("SELECT count(*) FROM spans_with_duration WHERE duration_ms IS NOT NULL", "SELECT count(*) FROM spans"),
        ("SELECT count(*) FROM errors WHERE source = 'attribute'", "SELECT count(*) FROM spans WHERE attributes ->> '$.error' IS NOT NULL"),
        (
            "SELECT count(*) FROM errors WHERE source = 'log' AND trace_id IS NOT NULL",
            "SELECT count(*) FROM span_events WHERE attributes ->> '$.severity' IN ('error', 'critical')",
        ),
    ] {
        let expected: i64 = file.query_row(plain, [], |row| row.get(0)).expect("SQL");
        assert!(expected > 0, "{plain}");
        assert_eq!(count(&ask(view)), expected, "{view}");
    }
    // Microseconds are kept: SQLite's own functions round to milliseconds.
    let answer = ask("SELECT start_time, end_time, duration_ms FROM spans_with_duration WHERE end_time LIKE '%.______+00:00' LIMIT 50");
    for row in &answer.rows {
        let [SqlValue::Text(start), SqlValue::Text(end), SqlValue::Real(millis)] = row.as_slice() else { panic!("{row:?}") };
        let micros = |text: &str| {
            let digits = |range: std::ops::Range<usize>| text[range].parse::<i64>().expect("digits");
            let fraction = if text.len() > 25 { digits(20..26) } else { 0 };
            (digits(11..13) * 3_600 + digits(14..16) * 60 + digits(17..19)) * 1_000_000 + fraction
        };
        assert!(((micros(end) - micros(start)) as f64 / 1_000.0 - millis).abs() < 1e-6, "{start} {end} {millis}");
    }
    for view in SQL_VIEWS {
        ask(&format!("SELECT * FROM {} LIMIT 1", view.name));
    }
}

#[test]
fn views_stand_on_files_of_every_release() {
    for file in ["real_old_0.0.58.db", "real_old_0.1.8.db", "real_old_0.2.7.db", "real_events.db", "real_small.db"] {
        let mut session = unindexed(&format!("tests/fixtures/db/{file}"));
        for view in SQL_VIEWS {
            let answer = session.query_sql(&format!("SELECT count(*) FROM {}", view.name), SqlLimits::default());
            assert!(answer.is_ok(), "{file}: {answer:?}");
        }
    }
}

#[test]
fn what_writes_or_sets_is_refused_and_nothing_changes() {
    let before = std::fs::read(path(RECORDED)).expect("the file");
    for query in [
        "DELETE FROM spans",
        "INSERT INTO traces (trace_id) VALUES ('x')",
        "UPDATE spans SET name = ''",
        "DROP TABLE spans",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE TEMP VIEW v AS SELECT 1",
        "ATTACH ':memory:' AS other",
        "VACUUM",
        "REINDEX",
        "ANALYZE",
        "BEGIN",
        "PRAGMA query_only=OFF",
        "PRAGMA hard_heap_limit=0",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA writable_schema=ON",
        "SELECT load_extension('x')",
    ] {
        let message = refuse(query);
        assert!(message.contains("only read") || message.contains("not authorized"), "{query}: {message}");
    }
    assert!(ask("PRAGMA table_info(spans)").rows.len() >= 9);
    assert!(!ask("EXPLAIN QUERY PLAN SELECT * FROM spans WHERE trace_id = 'x'").rows.is_empty());
    assert_eq!(std::fs::read(path(RECORDED)).expect("the file"), before);
}

#[test]
fn the_session_goes_on_as_before() {
    let mut session = open(RECORDED);
    let spans = |session: &mut Session| session.query_sql("SELECT count(*) FROM spans", SqlLimits::default()).map(|answer| count(&answer));
    let expected = spans(&mut session);
    assert!(session.query_sql("DELETE FROM spans", SqlLimits::default()).is_err());
    assert!(session.query("query_traces", "{}", None).expect("an answer").starts_with("{\"data\":["));
    assert_eq!(spans(&mut session), expected);
}

#[test]
fn wrong_queries_get_a_sentence_with_the_place() {
    let queries = [
        "SELECT foo FROM spans",
        "SELEKT 1",
        "SELECT 1; SELECT 2",
        "",
        "SELECT *\nFROM nothing",
        "SELECT count(*) FROM spans WHERE",
    ];
    let told: Vec<String> = queries.iter().map(|query| format!("{query}\n=> {}\n", refuse(query))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn answers_are_cut_at_their_limits() {
    let mut session = unindexed(RECORDED);
    let mut ask = |query: &str, limits: SqlLimits| session.query_sql(query, limits).expect("an answer");
    let rows = ask("SELECT span_id FROM spans", SqlLimits { rows: 3, ..SqlLimits::default() });
    assert_eq!((rows.rows.len(), rows.cut), (3, Some(SqlCut::Rows)));
    let bytes = ask("SELECT attributes FROM spans", SqlLimits { bytes: 10_000, ..SqlLimits::default() });
    assert!(bytes.cut == Some(SqlCut::Bytes(10_000)) && !bytes.rows.is_empty());
    let all = ask("SELECT 1 UNION SELECT 2", SqlLimits { rows: 2, ..SqlLimits::default() });
    assert_eq!((all.rows.len(), all.cut), (2, None));
}

#[test]
fn a_query_without_an_end_is_stopped() {
    fn clock() -> u64 {
        use std::sync::atomic::{AtomicU64, Ordering};
        // A millisecond passes each time somebody looks.
        static NOW: AtomicU64 = AtomicU64::new(0);
        NOW.fetch_add(1, Ordering::Relaxed)
    }
    let bytes = std::fs::read(path(RECORDED)).expect("the file");
    let dropped = Dropped { name: "file.db".into(), source: Box::new(MemorySource(bytes)) };
    let options = OpenOptions { deadline_ms: 200, ..OpenOptions::with_clock(clock) };
    let mut session = Session::open(vec![dropped], options).expect("the file opens");
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let failure = session.query_sql(endless, SqlLimits::default()).expect_err("stopped");
    assert!(failure.message.contains("too long"), "{}", failure.message);
}

#[test]
fn rows_are_objects_in_json() {
    let answer =
        ask("SELECT 1 AS a, 2.5 AS a, NULL AS b, x'00ff' AS c, 'q\"u' AS \"d\" UNION ALL SELECT 9007199254740993, 1e999, 'x', x'', ''");
    insta::assert_snapshot!(answer.to_json(), @r#"
    [
    {"a": 1, "a_2": 2.5, "b": null, "c": "00ff", "d": "q\"u"},
    {"a": 9007199254740993, "a_2": null, "b": "x", "c": "", "d": ""}
    ]
    "#);
    let json: serde_json::Value = serde_json::from_str(&ask("SELECT * FROM spans LIMIT 5").to_json()).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(5));
    assert_eq!(ask("SELECT 1 WHERE 0").to_json(), "[]");
}
