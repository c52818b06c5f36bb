//! The user's SQL: what it can read, what it must not do, and the views against plain SQL.

use crate::support;
use crate::support::{open, path, sql, unindexed};
use quipu::Session;
use quipu::markup::Node;
use quipu::protocol::{
    Contents, DescribeSql, ExportSql, Failure, FailureKind, FileFormat, FindIds, GetSqlValue, IdPlace, ListSqlRows, PlanSql, ReadFile,
    RunSql, SqlCell, SqlRan, SqlWholeValue,
};
use quipu::render::sheet_text;
use quipu::store::{MemorySource, NamedSource, OpenOptions, SQL_VIEWS, SqlAnswer, SqlCut, SqlLimits, SqlValue};
use quipu_tests::failures::{FAILED, make_parts};

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
        ("SELECT count(DISTINCT span_id) FROM errors WHERE trace_id IS NOT NULL", &format!("SELECT count(*) FROM spans WHERE {FAILED}")),
        ("SELECT sum(failed) FROM requests", &format!("SELECT count(*) FROM spans WHERE attributes ->> '$.__root__' = 1 AND {FAILED}")),
        // Of the 44 logged errors only the server's own 41 reports are failures.
        ("SELECT count(*) FROM errors WHERE source = 'log'", "SELECT 41"),
        (
            "SELECT 3 + count(*) FROM errors WHERE source = 'log'",
            "SELECT count(*) FROM span_events WHERE attributes ->> '$.severity' IN ('error', 'critical')",
        ),
    ] {
        let expected: i64 = file.query_row(plain, [], |row| row.get(0)).expect("SQL");
        assert!(expected > 0, "{plain}");
        assert_eq!(count(&ask(view)), expected, "{view}");
    }
    // Microseconds are kept, whereas SQLite's own functions round to milliseconds.
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
fn views_exist_in_files_of_every_release() {
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
fn the_session_works_as_before_after_sql() {
    let mut session = open(RECORDED);
    let spans = |session: &mut Session| session.query_sql("SELECT count(*) FROM spans", SqlLimits::default()).map(|answer| count(&answer));
    let expected = spans(&mut session);
    assert!(session.query_sql("DELETE FROM spans", SqlLimits::default()).is_err());
    assert!(session.query("query_traces", "{}", None).expect("an answer").starts_with("{\"data\":["));
    assert_eq!(spans(&mut session), expected);
}

#[test]
fn invalid_queries_get_a_message_with_the_position() {
    let queries = [
        "SELECT foo FROM spans",
        "SELEKT 1",
        "SELECT 1; SELECT 2",
        "",
        "SELECT *\nFROM nothing",
        "SELECT count(*) FROM spans WHERE",
    ];
    let refusals: Vec<String> = queries.iter().map(|query| format!("{query}\n=> {}\n", refuse(query))).collect();
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn answers_are_truncated_at_their_limits() {
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
        // Advances by a millisecond on every call.
        static NOW: AtomicU64 = AtomicU64::new(0);
        NOW.fetch_add(1, Ordering::Relaxed)
    }
    let bytes = std::fs::read(path(RECORDED)).expect("the file");
    let file = NamedSource { name: "file.db".into(), source: Box::new(MemorySource(bytes)) };
    let options = OpenOptions { deadline_ms: 200, ..OpenOptions::with_clock(clock) };
    let mut session = Session::open(vec![file], options).expect("the file opens");
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

fn run(session: &mut Session, query: &str) -> SqlRan {
    session.ask(RunSql(query.into())).expect("an answer").expect(query)
}

fn list(session: &mut Session, from: u32, count: u32) -> Vec<SqlCell> {
    session.ask(ListSqlRows { from, count }).expect("an answer").cells
}

const FILES: [&str; 6] = [
    "samples/agent_0.2.15.db",
    RECORDED,
    "tests/fixtures/db/real_old_0.0.58.db",
    "tests/fixtures/db/real_old_0.1.8.db",
    "tests/fixtures/db/real_events.db",
    "tests/fixtures/db/real_small.db",
];

#[test]
fn every_example_runs_on_files_of_every_release_and_answers_what_plain_sqlite_does() {
    for file in FILES {
        // Plain SQLite with the same views.
        let views: String = SQL_VIEWS.iter().map(|view| format!("CREATE TEMP VIEW {} AS {};", view.name, view.select)).collect();
        let plain = sql(file, "");
        make_parts(&plain).and_then(|()| Ok(plain.execute_batch(&views)?)).expect("SQL");
        let mut session = unindexed(file);
        let schema = session.ask(DescribeSql).expect("a schema");
        assert!(schema.examples.len() >= 10);
        for example in schema.examples {
            let ran = run(&mut session, &example.query);
            let mut statement = plain.prepare(&example.query).expect("SQL");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("SQL");
            let mut expected = Vec::new();
            while let Some(row) = rows.next().expect("SQL") {
                expected.extend((0..columns).map(|column| row.get_ref(column).expect("a value").data_type().to_string().to_lowercase()));
            }
            assert_eq!(ran.rows as usize * columns, expected.len(), "{file}: {}", example.title);
            let shown: Vec<String> = list(&mut session, 0, 1_000).iter().map(|cell| cell.kind.name().to_owned()).collect();
            let kinds = &expected[..shown.len()];
            assert_eq!(shown, kinds, "{file}: {}", example.title);
            if file == "samples/agent_0.2.15.db" && !example.title.contains("Token") && !example.title.contains("missing") {
                assert!(ran.rows > 0, "{} finds something in a run of an agent", example.title);
            }
        }
    }
}

#[test]
fn the_schema_is_what_the_file_and_the_views_have() {
    let mut session = unindexed(RECORDED);
    let schema = session.ask(DescribeSql).expect("a schema");
    let names: Vec<&str> = schema.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "spans_with_duration",
            "requests",
            "errors",
            "token_usage",
            "model_calls",
            "traces",
            "spans",
            "span_events"
        ]
    );
    let table = |name: &str| schema.tables.iter().find(|table| table.name == name).expect("the table");
    let of = |name: &str| table(name).columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(of("traces"), "trace_id service_name root_span_id start_time end_time created_at");
    assert_eq!(of("requests"), "trace_id span_id route start_time end_time duration_ms status error failed");
    assert_eq!(table("traces").columns[0].about, "TEXT, key");
    assert!(table("traces").indexes.iter().any(|index| index == "created_at (idx_traces_created_at)"));
    assert!(table("requests").is_temporary && !table("spans").is_temporary);
    let largest: i64 = sql(RECORDED, "").query_row("SELECT max(rowid) FROM spans", [], |row| row.get(0)).expect("SQL");
    assert_eq!(table("spans").about.replace(',', ""), format!("at most {largest} rows"));
}

#[test]
fn broken_views_of_a_file_do_not_hide_the_rest_of_the_schema() {
    let scratch = std::env::temp_dir().join(format!("quipu-sql-{}.db", std::process::id()));
    std::fs::copy(path(RECORDED), &scratch).expect("a copy");
    let odd = "CREATE VIEW broken AS SELECT * FROM nowhere; CREATE TABLE \"a \"\"b\" (x); PRAGMA writable_schema=ON;
        INSERT INTO sqlite_schema VALUES ('table', 'absent', 'absent', 0, 'CREATE VIRTUAL TABLE absent USING unheard_of(x)');";
    rusqlite::Connection::open(&scratch).expect("the copy opens").execute_batch(odd).expect("SQL");
    let bytes = std::fs::read(&scratch).expect("the copy");
    std::fs::remove_file(&scratch).expect("the copy goes");
    let mut session = support::of_bytes(bytes);
    let schema = session.ask(DescribeSql).expect("a schema");
    let names: Vec<&str> = schema.tables.iter().map(|table| table.written.as_str()).collect();
    assert!(names.contains(&"spans") && names.contains(&"\"a \"\"b\"") && !names.contains(&"broken"), "{names:?}");
}

#[test]
fn a_result_is_paged_and_its_values_are_whole() {
    let mut session = unindexed(RECORDED);
    let ran = run(
        &mut session,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, NULL, '', x'00', 'a' || i FROM n",
    );
    assert_eq!((ran.rows, ran.columns.len(), ran.is_cut), (5_000, 5, false));
    assert_eq!(ran.columns.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>(), ["integer", "NULL", "text", "blob", "text"]);
    let cells = list(&mut session, 4_999, 100);
    assert_eq!(cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>(), ["5000", "NULL", "", "00 (1 byte)", "a5000"]);
    assert!(list(&mut session, 5_000, 10).is_empty());
    run(&mut session, "SELECT attributes FROM spans WHERE length(attributes) > 2000 LIMIT 1");
    let SqlWholeValue { about, nodes } = session.ask(GetSqlValue { row: 0, column: 0 }).expect("a value");
    let whole: String = sql(RECORDED, "")
        .query_row("SELECT attributes FROM spans WHERE length(attributes) > 2000 LIMIT 1", [], |row| row.get(0))
        .expect("SQL");
    assert!(about.ends_with("JSON"), "{about}");
    let [Node::RawToggle { raw, .. }] = nodes.as_slice() else { panic!("{nodes:?}") };
    assert_eq!(*raw, whole);
    assert!(session.ask(GetSqlValue { row: 1, column: 0 }).is_err());
}

#[test]
fn an_invalid_query_has_a_position_in_a_plan_too() {
    let mut session = unindexed(RECORDED);
    for (query, place) in [
        ("SELECT foo FROM spans", Some(7)),
        ("SELECT *\nFROM spans WHERE x y z", Some(28)),
        ("DELETE FROM spans", None),
    ] {
        let run = session.ask(RunSql(query.into())).expect("an answer").expect_err(query);
        let plan = session.ask(PlanSql(query.into())).expect("an answer").expect_err(query);
        for wrong in [run, plan] {
            assert_eq!(wrong.offset, place, "{query}: {}", wrong.message);
        }
    }
    let nodes = session.ask(PlanSql("SELECT * FROM errors".into())).expect("an answer").expect("a plan");
    assert!(sheet_text(&nodes).contains("SCAN spans"), "{}", sheet_text(&nodes));
}

#[test]
fn a_result_is_exported_in_pieces_that_make_up_the_whole() {
    let mut session = unindexed(RECORDED);
    let query = "SELECT * FROM spans";
    run(&mut session, query);
    for format in FileFormat::of(Contents::SqlResult) {
        let (mut text, mut from, mut pieces) = (String::new(), Some(0), 0);
        while let Some(at) = from {
            let piece = session.ask(ExportSql { format, from: at }).expect("a piece");
            text += &piece.text;
            from = piece.next;
            pieces += 1;
        }
        assert!(pieces > 1, "{format:?}");
        if format == FileFormat::Json {
            assert_eq!(text, session.query_sql(query, SqlLimits::default()).expect("an answer").to_json());
        }
    }
    let refused = session.ask(ExportSql { format: FileFormat::Jaeger, from: 0 }).expect_err("no format for results");
    assert_eq!(refused.message, "The format jaeger is not supported here; use csv, json, markdown.");
}

#[test]
fn ids_lead_to_their_trace_or_span_once_the_file_is_indexed() {
    let (trace, span): (String, String) =
        sql(RECORDED, "").query_row("SELECT trace_id, span_id FROM spans LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?))).expect("SQL");
    let ids = vec![trace.clone(), span.clone(), "0123456789abcdef".to_owned()];
    let mut session = unindexed(RECORDED);
    assert_eq!(session.ask(FindIds(ids.clone())), Err(Failure::not_indexed_yet()));
    session.complete_index().expect("an index");
    let place = |span_id: Option<&String>| Some(IdPlace { trace_id: trace.clone(), span_id: span_id.cloned() });
    assert_eq!(session.ask(FindIds(ids)), Ok(vec![place(None), place(Some(&span)), None]));
}

#[test]
fn a_file_is_handed_over_byte_by_byte() {
    let bytes = std::fs::read(path(RECORDED)).expect("the file");
    let mut session = unindexed(RECORDED);
    let mut taken = Vec::new();
    loop {
        let part = session.ask(ReadFile { offset: taken.len() as u64 }).expect("no bytes");
        assert_eq!(part.len, bytes.len() as u64);
        if part.bytes.is_empty() {
            break;
        }
        taken.extend(part.bytes);
    }
    assert!(taken == bytes);
}

/// A clock for deadlines.
fn clock() -> u64 {
    static BEGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(std::time::Instant::now).elapsed().as_millis() as u64
}

/// A statement that reads the file for longer than any deadline.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, spans";

#[test]
fn statements_end_at_their_deadline_wherever_sqlite_is() {
    let options = OpenOptions { deadline_ms: 1_000, ..OpenOptions::with_clock(clock) };
    let mut session = Session::open_path(&path(RECORDED), options).expect("a file");
    for query in [
        ENDLESS,
        // Few instructions, each of which takes long.
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT max(length(hex(zeroblob(40000000 + i)))) FROM n",
        "SELECT max(instr(spans.attributes, zeroblob(10000000) || x'01')) FROM spans, spans AS b, spans AS c, spans AS d",
    ] {
        let began = std::time::Instant::now();
        let failure = session.query_sql(query, SqlLimits::default()).expect_err(query);
        assert_eq!(failure.message, "The file took too long to answer: the request was stopped after 1000 ms.", "{query}");
        assert!(began.elapsed().as_secs() < 20, "{query}: {:?}", began.elapsed());
    }
    // One function that SQLite itself would not come back from.
    let query = "SELECT instr(zeroblob(100000000), zeroblob(50000000) || x'01')";
    let answer = session.query_sql(query, SqlLimits::default());
    assert!(answer.is_ok() || answer.is_err_and(|failure| failure.message.contains("too long")), "{query}");
    let refused = session.query_sql("SELECT json_patch('{}', '{}')", SqlLimits::default());
    assert!(refused.is_err(), "merging takes the product of the lengths");
}

#[test]
fn a_value_that_is_too_large_is_no_damage_of_the_file() {
    let told = refuse("SELECT length(zeroblob(1000000000) || 'x')");
    assert_eq!(told, "A value would be larger than 268 MB, which is the limit for one value.");
}

#[test]
fn a_long_statement_keeps_nobody_from_writing() {
    let scratch = quipu_tests::Scratch::new().expect("a folder");
    let file = scratch.path().join("telemetry.db");
    std::fs::copy(path(RECORDED), &file).expect("a copy");
    let options = OpenOptions { deadline_ms: 6_000, ..OpenOptions::with_clock(clock) };
    let reading = std::thread::spawn({
        let file = file.clone();
        move || Session::open_path(&file, options).expect("a file").query_sql(ENDLESS, SqlLimits::default()).expect_err("a deadline")
    });
    // The reader holds the file by now, and gives it back in time.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let writer = rusqlite::Connection::open(&file).expect("SQLite");
    writer.busy_timeout(std::time::Duration::from_secs(5)).expect("a timeout");
    let mut written = 0;
    while !reading.is_finished() {
        written += writer.execute("UPDATE traces SET service_name = service_name || 'x'", []).expect("not blocked for five seconds");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(written > 0);
    let failure = reading.join().expect("it ends");
    assert!(failure.message.contains("stopped after 6000 ms"), "{}", failure.message);
}
