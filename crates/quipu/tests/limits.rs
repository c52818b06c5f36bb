//! What is said about counts and limits holds.

use crate::support::path;
use quipu::Session;
use quipu::protocol::{GetFile, NameSpans, WarningKind};
use quipu::store::OpenOptions;

#[test]
fn rows_of_one_trace_are_counted_as_one() {
    let scratch = quipu_tests::Scratch::new().expect("a folder");
    let file = scratch.path().join("telemetry.db");
    std::fs::copy(path("samples/agent_0.2.15.db"), &file).expect("a copy");
    let sql = rusqlite::Connection::open(&file).expect("SQLite");
    sql.execute_batch(
        "PRAGMA foreign_keys=OFF; CREATE TABLE one AS SELECT * FROM traces LIMIT 1; DROP TABLE traces; CREATE TABLE traces AS SELECT * FROM one; DROP TABLE one;
         DELETE FROM spans WHERE trace_id <> (SELECT trace_id FROM traces);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
         INSERT INTO traces (trace_id, root_span_id) SELECT trace_id, NULL FROM traces, n;",
    )
    .expect("SQL");
    drop(sql);
    let mut session = Session::open_path(&file, OpenOptions::with_clock(|| 0)).expect("a file");
    session.complete_index().expect("an index");
    let warnings = session.ask(GetFile).expect("a file").warnings;
    let roots = warnings.iter().find(|warning| warning.kind == WarningKind::NullRoots).expect("a warning");
    assert_eq!(roots.text, "1 of 1 traces have no root recorded.");
}

#[test]
fn an_answer_names_a_thousand_spans_at_most() {
    let mut session = Session::open_path(&path("samples/agent_0.2.15.db"), OpenOptions::with_clock(|| 0)).expect("a file");
    session.complete_index().expect("an index");
    assert_eq!(session.ask(NameSpans(vec![0; 5_000])).expect("names").len(), 1_000);
}
