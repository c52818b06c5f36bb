//! Every recorded database through `Session`, against plain SQL.

use quipu::Session;
use quipu::model::SpanFlags;
use quipu::protocol::{FileSummary, GetFile, GetTrace, ListTraces, NO_ROW, TraceColumns, TraceOrder, TracePage, TraceQuery, WarningKind};
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn named(name: &str) -> NamedSource {
    let bytes = std::fs::read(path(name)).expect("the fixture is there");
    let name = Path::new(name).file_name().expect("a file name").to_string_lossy().into_owned();
    NamedSource { name, source: Box::new(MemorySource(bytes)) }
}

fn open(names: &[&str]) -> Session {
    let files = names.iter().map(|name| named(name)).collect();
    let mut session = Session::open(files, OpenOptions::with_clock(|| 0)).expect("a real file opens");
    // The smallest time budget, so that every way of interrupting and resuming is exercised.
    while !session.step(&mut || true).expect("a real file is read").done {}
    session
}

fn file(session: &mut Session) -> FileSummary {
    session.ask(GetFile).expect("an answer")
}

fn list(session: &mut Session, order: TraceOrder, failed_only: bool) -> TracePage {
    session.ask(ListTraces(TraceQuery { order, failed_only, limit: 1_000, ..TraceQuery::default() })).expect("an answer")
}

fn trace(session: &mut Session, trace_id: &str) -> TraceColumns {
    session.ask(GetTrace { trace_id: trace_id.into(), scope: Default::default() }).expect("an answer")
}

/// Span id → (id of the parent if that is in the same trace, level from 1), by trace, from SQL alone.
fn expected_trees(connection: &Connection) -> BTreeMap<String, BTreeMap<String, (Option<String>, u32)>> {
    let mut statement = connection.prepare("SELECT trace_id, span_id, parent_span_id FROM spans").expect("spans");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
    let mut trees: BTreeMap<String, BTreeMap<String, Option<String>>> = BTreeMap::new();
    for row in rows {
        let (trace, span, parent): (String, String, Option<String>) = row.expect("a row");
        trees.entry(trace).or_default().insert(span, parent);
    }
    let level = |spans: &BTreeMap<String, Option<String>>, mut span: String| {
        let mut level = 1;
        while let Some(parent) = spans[&span].clone().filter(|parent| spans.contains_key(parent)) {
            level += 1;
            span = parent;
        }
        level
    };
    let finished = |spans: BTreeMap<String, Option<String>>| {
        let of = |(span, parent): (&String, &Option<String>)| {
            let parent = parent.clone().filter(|parent| spans.contains_key(parent));
            (span.clone(), (parent, level(&spans, span.clone())))
        };
        spans.iter().map(of).collect()
    };
    trees.into_iter().map(|(trace, spans)| (trace, finished(spans))).collect()
}

#[test]
fn every_trace_and_tree_of_every_file_equals_sql() {
    for name in FILES {
        let bytes_before = std::fs::read(path(name)).expect("the fixture is there");
        // Opens a copy in memory: a file with a hot journal must not be opened in place.
        let copy = std::env::temp_dir().join(format!("quipu-files-{}-{}", std::process::id(), name.replace('/', "-")));
        std::fs::write(&copy, &bytes_before).expect("a copy");
        let connection = Connection::open(&copy).expect("SQLite opens it");
        let expected = expected_trees(&connection);
        let mut session = open(&[name]);

        let listed: BTreeSet<String> = list(&mut session, TraceOrder::NEWEST, false).rows.into_iter().map(|row| row.trace_id).collect();
        let mut statement = connection.prepare("SELECT trace_id FROM traces UNION SELECT trace_id FROM spans").expect("traces");
        let wanted: BTreeSet<String> = statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect();
        assert_eq!(listed, wanted, "{name}");

        for (trace_id, spans) in expected {
            let columns = trace(&mut session, &trace_id);
            let found: BTreeMap<String, (Option<String>, u32)> = (0..columns.len())
                .map(|row| {
                    let parent = columns.parent[row];
                    let parent = (parent != NO_ROW).then(|| columns.span_id.get(parent as usize).expect("a parent in the trace"));
                    (columns.span_id.get(row).expect("a row"), (parent, columns.depth[row] + 1))
                })
                .collect();
            assert_eq!(found, spans, "{name} {trace_id}");
            let failed = (0..).zip(&columns.flags).filter(|(_, flags)| flags.has(SpanFlags::FAILED)).map(|(row, _)| row);
            assert_eq!(columns.failed_rows.0, failed.collect::<Vec<u32>>(), "{name} {trace_id}");
            let requests = columns.flags.iter().filter(|flags| flags.has(SpanFlags::REQUEST)).count();
            assert_eq!(columns.requests as usize, requests, "{name} {trace_id}");
            assert_eq!(columns.has_branches, columns.depth.iter().any(|depth| *depth > 0), "{name} {trace_id}");
            for row in 0..columns.len() {
                let id = columns.span_id.get(row).expect("a row");
                assert_eq!(columns.span_id.find(&id), Some(row as u32), "{name} {trace_id}: {id}");
                let parent = columns.parent[row];
                assert!(parent == NO_ROW || (parent as usize) < row, "{name} {trace_id}: a parent comes before its children");
                for child in row + 1..row + columns.subtree[row] as usize {
                    assert!(columns.depth[child] > columns.depth[row], "{name} {trace_id}: a subtree is contiguous");
                }
            }
        }
        std::fs::remove_file(copy).expect("the copy goes away");
    }
}

#[test]
fn each_file_has_the_expected_summary_and_warnings() {
    let mut report = String::new();
    for name in FILES {
        let mut session = open(&[name]);
        let file = file(&mut session);
        let tokens = file.tokens.unwrap_or_default();
        report.push_str(&format!(
            "{}: {} traces ({} failed), {} spans ({} failed), {} events, {} requests, {:?}, services {:?}\n",
            file.name,
            file.traces.unwrap_or(0),
            file.failed_traces.unwrap_or(0),
            file.spans.unwrap_or(0),
            file.failed_spans.unwrap_or(0),
            file.events.unwrap_or(0),
            file.requests.unwrap_or(0),
            file.zone,
            file.service_names,
        ));
        report.push_str(&format!(
            "  tokens: prompt {:?}, completion {:?}, total {:?}, counted for {} of {} inference requests\n",
            tokens.prompt, tokens.completion, tokens.total, tokens.counted, tokens.requests
        ));
        for warning in &file.warnings {
            report.push_str(&format!("  {:?}: {}\n", warning.kind, warning.text));
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn a_hot_journal_is_rolled_back_in_memory_and_its_absence_is_noticed() {
    let live = "tests/fixtures/db/real_live.db";
    let journal = "tests/fixtures/db/real_live.db-journal";
    let mut alone = open(&[live]);
    let report = file(&mut alone);
    assert_eq!(report.spans, Some(294));
    assert!(report.warnings.iter().any(|warning| warning.kind == WarningKind::Journal && warning.meaning.contains("real_live.db-journal")));
    let mut both = open(&[journal, live]);
    let report = file(&mut both);
    assert_eq!(report.spans, Some(293));
    assert!(report.warnings.iter().any(|warning| warning.kind == WarningKind::Journal && warning.text.contains("was applied")));
}

#[test]
fn lists_come_newest_slowest_and_failed() {
    let mut session = open(&["samples/agent_0.2.15.db"]);
    let newest = list(&mut session, TraceOrder::NEWEST, false);
    assert!(newest.rows.is_sorted_by(|one, next| one.start >= next.start));
    let slowest = list(&mut session, TraceOrder::SLOWEST, false);
    assert!(slowest.rows.is_sorted_by(|one, next| one.duration_nanos >= next.duration_nanos));
    let failed = list(&mut session, TraceOrder::NEWEST, true);
    assert!(!failed.rows.is_empty() && failed.rows.iter().all(|row| row.failed.is_some_and(|failed| failed > 0)));
    assert_eq!(Some(failed.rows.len()), file(&mut session).failed_traces.map(|count| count as usize));
}

#[test]
fn the_first_rows_come_before_the_index_and_agree_with_it() {
    for name in FILES {
        let mut session = Session::open(vec![named(name)], OpenOptions::with_clock(|| 0)).expect("a real file opens");
        let first = list(&mut session, TraceOrder::NEWEST, false);
        assert_eq!(first.total, None);
        while !session.step(&mut || false).expect("a real file is read").done {}
        let rows: BTreeMap<String, _> =
            list(&mut session, TraceOrder::NEWEST, false).rows.into_iter().map(|row| (row.trace_id.clone(), row)).collect();
        assert!(!first.rows.is_empty(), "{name}");
        for row in first.rows {
            let later = &rows[&row.trace_id];
            assert_eq!((row.start, row.duration_nanos), (later.start, later.duration_nanos), "{name} {}", row.trace_id);
            assert!(row.spans.is_none() && row.tokens.is_none() && row.failed.is_none());
        }
    }
}

#[test]
fn an_index_is_the_same_in_one_step_and_in_many() {
    for name in FILES {
        // In a single step the second thread indexes the rows; small steps never have enough rows for it.
        let mut at_once = Session::open(vec![named(name)], OpenOptions::with_clock(|| 0)).expect("a real file opens");
        while !at_once.step(&mut || false).expect("a real file is read").done {}
        let mut in_steps = open(&[name]);
        assert_eq!(file(&mut at_once), file(&mut in_steps), "{name}");
        let newest = list(&mut at_once, TraceOrder::NEWEST, false);
        for order in [TraceOrder::NEWEST, TraceOrder::SLOWEST] {
            assert_eq!(list(&mut at_once, order, false), list(&mut in_steps, order, false), "{name}");
        }
        for row in &newest.rows {
            let (one, other) = (trace(&mut at_once, &row.trace_id), trace(&mut in_steps, &row.trace_id));
            assert_eq!(format!("{one:?}"), format!("{other:?}"), "{name} {}", row.trace_id);
        }
        for filter in ["model:*", "tool:*", "session:*", "__type__=async", "stop_reason=end_of_turn", "status:error"] {
            let asked = |session: &mut Session| {
                let query = TraceQuery { filter: filter.into(), limit: 1_000, ..TraceQuery::default() };
                session.ask(ListTraces(query)).map_err(|error| error.message)
            };
            assert_eq!(asked(&mut at_once), asked(&mut in_steps), "{name} {filter}");
        }
    }
}

#[test]
fn rows_with_any_number_are_read() {
    let source = crate::support::path("tests/fixtures/db/real_small.db");
    let file = std::fs::read(source).expect("the fixture");
    let mut connection = rusqlite::Connection::open_in_memory().expect("SQLite");
    connection.deserialize_read_exact("main", file.as_slice(), file.len(), false).expect("a database");
    // The first three rows of each table get the least number, a negative one, and 0; the last one the greatest.
    for (table, key) in [("spans", "rowid"), ("traces", "rowid"), ("span_events", "id")] {
        let rename = format!(
            "UPDATE {table} SET {key} = -9223372036854775808 WHERE {key} = 1; UPDATE {table} SET {key} = -7 WHERE {key} = 2;
             UPDATE {table} SET {key} = 0 WHERE {key} = 3;
             UPDATE {table} SET {key} = 9223372036854775807 WHERE {key} = (SELECT max({key}) FROM {table});"
        );
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {rename}")).expect("renumbered");
    }
    let bytes = connection.serialize("main").expect("bytes").to_vec();
    let mut session = crate::support::of_bytes(bytes);
    session.complete_index().expect("an index");
    let summary: FileSummary = session.ask(GetFile).expect("a summary");
    let count = |table: &str| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).expect("a count").unsigned_abs()
    };
    assert_eq!((summary.spans, summary.events), (Some(count("spans")), Some(count("span_events"))));
    assert_eq!(summary.traces, Some(count("traces")));
}
