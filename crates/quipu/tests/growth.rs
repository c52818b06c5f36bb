//! A session that resumes from a snapshot of a smaller file gives the same answers as one that reads the whole file.

use quipu::protocol::{
    CallQueryApi, GetFile, GetTrace, GroupBy, Grouping, ListTraces, Question, Request, Response, TraceQuery, TraceScope,
};
use quipu::store::OpenOptions;
use quipu::{IndexSnapshot, Session};
use quipu_tests::Scratch;
use quipu_tests::fixtures::{AGENT, ALL, Fixture, METRICS, number, texts};
use rusqlite::Connection;
use std::path::Path;

fn open(path: &Path) -> Session {
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    Session::open_path(path, options).expect("the file opens")
}

/// A copy with the given percentages of spans and events, the first ones, and the state of `traces` at that time.
fn earlier(fixture: Fixture, scratch: &Scratch, spans: i64, events: i64) -> Session {
    let path = scratch.path().join(format!("earlier-{spans}-{events}.db"));
    std::fs::copy(fixture.copy(scratch, true).expect("a copy"), &path).expect("a copy");
    let connection = Connection::open(&path).expect("SQLite opens it");
    let sql = format!(
        "PRAGMA foreign_keys=OFF;
         DELETE FROM spans WHERE rowid > (SELECT max(rowid) * {spans} / 100 FROM spans);
         DELETE FROM span_events WHERE id > (SELECT max(id) * {events} / 100 FROM span_events);
         DELETE FROM traces WHERE trace_id NOT IN (SELECT trace_id FROM spans);
         UPDATE traces SET root_span_id = NULL, end_time = start_time, service_name = 'earlier' WHERE rowid % 3 = 0;"
    );
    connection.execute_batch(&sql).expect("rows go");
    drop(connection);
    open(&path)
}

fn snapshot_of(mut session: Session) -> IndexSnapshot {
    session.keep_snapshot();
    session.complete_index().expect("it is read");
    session.take_snapshot().expect("it was kept")
}

/// Over the wire, so that answers to different questions can be compared as one list.
fn ask(session: &mut Session, question: impl Into<Request>) -> Response {
    session.handle(question.into()).expect("an answer")
}

/// The content of all lists and traces, and of metrics.
fn answers(session: &mut Session, traces: &[String]) -> Vec<Response> {
    let mut all = vec![ask(session, GetFile)];
    let query = TraceQuery { limit: 10_000, ..TraceQuery::default() };
    for filter in ["", "error:true", "kind:inference", "tokens>10 OR model:llama", "name=inference"] {
        all.push(ask(session, ListTraces(TraceQuery { filter: filter.into(), ..query.clone() })));
    }
    let groups = Some(Grouping { by: GroupBy::Session, open: Vec::new() });
    all.push(ask(session, ListTraces(TraceQuery { groups, ..query })));
    all.extend(traces.iter().map(|trace_id| ask(session, GetTrace { trace_id: trace_id.clone(), scope: TraceScope::default() })));
    for (method, params) in [
        ("query_traces", r#"{"limit": -1}"#),
        ("query_metrics", r#"{"metric_name": "total_tokens", "start_time": 0}"#),
    ] {
        all.push(CallQueryApi::into_response(session.query(method, params, Some(2_000_000_000)).expect("an answer")));
    }
    all.push(CallQueryApi::into_response(format!("{:?}", session.list_metrics(Default::default()).expect("metrics"))));
    all
}

#[test]
fn resuming_gives_the_same_answers_as_reading_everything() {
    for fixture in ALL.into_iter().filter(|fixture| !fixture.has_journal) {
        let scratch = Scratch::new().expect("a folder");
        let whole = fixture.copy(&scratch, true).expect("a copy");
        let connection = Connection::open(&whole).expect("SQLite opens it");
        let traces = texts(&connection, "SELECT DISTINCT trace_id FROM spans").expect("ids");
        let mut fresh = open(&whole);
        fresh.complete_index().expect("it is read");
        let expected = answers(&mut fresh, &traces);
        for (spans, events) in [(50, 50), (90, 20), (30, 100), (99, 99), (100, 100)] {
            let snapshot = snapshot_of(earlier(fixture, &scratch, spans, events));
            let mut going_on = open(&whole);
            assert!(going_on.resume_from(&snapshot).expect("it can be read"), "{} {spans} {events}", fixture.name);
            going_on.complete_index().expect("it is read");
            for (ours, expected) in answers(&mut going_on, &traces).iter().zip(&expected) {
                assert!(ours == expected, "{} {spans} {events}\nours     {ours:?}\nexpected {expected:?}", fixture.name);
            }
        }
    }
}

#[test]
fn a_resumed_session_can_be_resumed_from() {
    let scratch = Scratch::new().expect("a folder");
    let mut snapshot = snapshot_of(earlier(AGENT, &scratch, 10, 10));
    for part in [20, 40, 60, 80, 100] {
        let mut session = earlier(AGENT, &scratch, part, part);
        assert!(session.resume_from(&snapshot).expect("it can be read"));
        snapshot = snapshot_of(session);
    }
    let whole = AGENT.copy(&scratch, true).expect("a copy");
    let spans = number(&Connection::open(&whole).expect("SQLite opens it"), "SELECT count(*) FROM spans").expect("a count");
    let mut session = open(&whole);
    assert!(session.resume_from(&snapshot).expect("it can be read"));
    session.complete_index().expect("it is read");
    let file = session.ask(GetFile).expect("a summary");
    assert_eq!(file.spans, Some(spans as u64));
}

#[test]
fn a_file_without_the_rows_of_the_snapshot_is_read_from_the_start() {
    let scratch = Scratch::new().expect("a folder");
    let whole = METRICS.copy(&scratch, true).expect("a copy");
    let snapshot = snapshot_of(open(&whole));
    // Another file; one with fewer spans; one whose first spans were deleted; one whose last events were.
    assert!(!open(&AGENT.copy(&scratch, true).expect("a copy")).resume_from(&snapshot).expect("it can be read"));
    assert!(!earlier(METRICS, &scratch, 90, 100).resume_from(&snapshot).expect("it can be read"));
    assert!(!earlier(METRICS, &scratch, 100, 90).resume_from(&snapshot).expect("it can be read"));
    let connection = Connection::open(&whole).expect("SQLite opens it");
    connection.execute_batch("PRAGMA foreign_keys=OFF; DELETE FROM spans WHERE rowid < 10;").expect("rows go");
    assert!(!open(&whole).resume_from(&snapshot).expect("it can be read"));
}
