//! Parts of recorded traces (without framework spans, or a single request) and the marks on their bars, against plain SQL.

use crate::support;
use crate::support::{of_bytes, path, sql};
use quipu::Session;
use quipu::model::{SpanFlags, Timestamp};
use quipu::protocol::{
    GetCriticalPath, GetFile, GetSpan, GetTrace, ListMoments, ListTraces, NO_ROW, TraceColumns, TraceQuery, TraceScope, WarningKind,
};
use quipu::view::{Jump, chain_text, failure_chains};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

const FILES: [&str; 4] = [
    "samples/agent_0.2.15.db",
    "samples/metrics_0.2.23.db",
    "tests/fixtures/db/real_events.db",
    "tests/fixtures/db/real_old_0.2.11.db",
];

/// The facts about a span by SQL.
struct Recorded {
    parent: Option<String>,
    autotraced: bool,
    request: bool,
}

fn open(name: &str) -> (Session, Connection) {
    (support::open(name), sql(name, ""))
}

fn get(session: &mut Session, trace_id: &str, scope: &TraceScope) -> TraceColumns {
    session.ask(GetTrace { trace_id: trace_id.into(), scope: scope.clone() }).expect("an answer")
}

fn traces(connection: &Connection) -> BTreeMap<String, BTreeMap<String, Recorded>> {
    let sql = "SELECT trace_id, span_id, parent_span_id, attributes LIKE '%\"__autotraced__\": true%', attributes LIKE '%\"__root__\": true%' FROM spans";
    let mut statement = connection.prepare(sql).expect("spans");
    let mut traces: BTreeMap<String, BTreeMap<String, Recorded>> = BTreeMap::new();
    let rows = statement
        .query_map([], |row| {
            let recorded = Recorded { parent: row.get(2)?, autotraced: row.get(3)?, request: row.get(4)? };
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, recorded))
        })
        .expect("rows");
    for row in rows {
        let (trace, span, recorded) = row.expect("a row");
        traces.entry(trace).or_default().insert(span, recorded);
    }
    traces
}

fn ids(columns: &TraceColumns) -> Vec<String> {
    (0..columns.len()).filter_map(|row| columns.span_id.get(row)).collect()
}

fn folded() -> TraceScope {
    TraceScope { folded: true, request: None }
}

#[test]
fn hiding_framework_spans_keeps_explicit_spans_and_the_tree() {
    let mut left_out = 0;
    for file in FILES {
        let (mut session, connection) = open(file);
        for (trace_id, recorded) in traces(&connection) {
            let whole = get(&mut session, &trace_id, &TraceScope::default());
            let part = get(&mut session, &trace_id, &folded());
            let kept = ids(&part);
            let gone: BTreeSet<String> = ids(&whole).into_iter().filter(|id| !kept.contains(id)).collect();
            assert!(gone.iter().all(|id| recorded[id].autotraced && !recorded[id].request), "{file} {trace_id}");
            assert_eq!(
                (part.framework_spans as usize, whole.framework_spans, part.spans_in_trace as usize),
                (gone.len(), part.framework_spans, whole.len())
            );
            left_out += gone.len();
            // A span is a child of its nearest recorded ancestor that is kept.
            for (row, id) in kept.iter().enumerate() {
                let mut parent = recorded[id].parent.clone().filter(|parent| recorded.contains_key(parent));
                while let Some(id) = parent.clone().filter(|id| gone.contains(id)) {
                    parent = recorded[&id].parent.clone().filter(|parent| recorded.contains_key(parent));
                }
                let found = Some(part.parent[row]).filter(|row| *row != NO_ROW).map(|row| kept[row as usize].clone());
                assert_eq!(found, parent, "{file} {id}");
                let level = found.map_or(0, |parent| part.depth[kept.iter().position(|id| *id == parent).expect("the parent")] + 1);
                assert_eq!(part.depth[row], level);
            }
            // No failure becomes invisible: its origin is kept.
            let failed = |columns: &TraceColumns| columns.failed_rows.len();
            assert_eq!(failed(&part) == 0, failed(&whole) == 0, "{file} {trace_id}");
            assert_eq!((part.start, part.duration_nanos, part.token_totals), (whole.start, whole.duration_nanos, whole.token_totals));
        }
    }
    assert!(left_out > 1_000, "the samples are full of framework spans: {left_out}");
}

#[test]
fn a_merged_trace_is_divided_into_its_requests() {
    let mut merged = 0;
    for file in FILES {
        let (mut session, connection) = open(file);
        for (trace_id, recorded) in traces(&connection) {
            let whole = get(&mut session, &trace_id, &TraceScope::default());
            let roots: BTreeSet<&String> = recorded.iter().filter(|(_, span)| span.request).map(|(id, _)| id).collect();
            assert_eq!(whole.requests as usize, roots.len());
            if roots.len() < 2 {
                assert!(whole.outlines.is_empty());
                continue;
            }
            merged += 1;
            assert_eq!(whole.outlines.iter().map(|outline| &outline.span_id).collect::<BTreeSet<_>>(), roots);
            // The nearest request among each span and its ancestors, by SQL's parents.
            let owner = |id: &String| {
                let mut at = Some(id.clone());
                while let Some(id) = at.clone().filter(|id| !recorded[id].request) {
                    at = recorded[&id].parent.clone().filter(|parent| recorded.contains_key(parent));
                }
                at
            };
            for outline in &whole.outlines {
                let scope = TraceScope { folded: false, request: Some(outline.span_id.clone()) };
                let part = get(&mut session, &trace_id, &scope);
                let expected: BTreeSet<&String> = recorded.keys().filter(|id| owner(id).as_ref() == Some(&outline.span_id)).collect();
                let found = ids(&part);
                assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected, "{file} {}", outline.name);
                assert_eq!((outline.spans as usize, outline.failed as usize), (found.len(), part.failed_rows.len()));
                // Times are relative to the request's start.
                assert!(part.start_nanos.contains(&0) && part.start >= whole.start);
            }
        }
    }
    assert!(merged > 5, "real files hold merged traces: {merged}");
    let (mut session, connection) = open(FILES[0]);
    let (trace_id, spans) = traces(&connection).into_iter().next().expect("a trace");
    let inner = spans.iter().find(|(_, span)| !span.request).map(|(id, _)| id.clone()).expect("a span that is no request");
    let answer = session.ask(GetTrace { trace_id, scope: TraceScope { folded: false, request: Some(inner) } });
    assert!(answer.is_err_and(|failure| failure.message.starts_with("There is no request that begins with span")));
}

/// The origins of a trace's failures with their messages, the span that the `e` key jumps to, and its message.
fn failures(trace_id: &str) -> String {
    let (mut session, _) = open("tests/fixtures/db/real_agents_0.2.15.db");
    let columns = get(&mut session, trace_id, &TraceScope::default());
    let mut out = String::new();
    for chain in failure_chains(&columns, 10) {
        out += &format!("{}: {}\n", columns.name_of(chain.origin as usize), chain_text(&columns, &chain));
    }
    let first = Jump::Failure.target(&columns, None).expect("a failure");
    let span_id = columns.span_id.get(first as usize).expect("an id");
    let span = session.ask(GetSpan { trace_id: trace_id.into(), span_id }).expect("a span");
    let failure = span.failures.first().expect("a failure");
    let last = failure.message.lines().last().unwrap_or_default();
    out + &format!("e: {}, {}; {}", span.name, last, failure.source)
}

#[test]
fn a_failure_recorded_only_on_the_request_originates_in_its_last_step_without_output() {
    // In the last of these traces a span recorded its error, so that nothing is derived.
    let traces = [
        "9ce821bd843ca6f33510ced59e26a9c7",
        "da0e61a2976a4c0622680a917713fd73",
        "3af6f0684ee810c51b1ef9ad10f29d7d",
    ];
    insta::assert_snapshot!(traces.map(failures).join("\n\n"));
}

#[test]
fn a_tool_step_names_its_tool() {
    let (mut session, connection) = open("tests/fixtures/db/real_agents_0.2.15.db");
    let mut named = BTreeMap::new();
    for trace_id in traces(&connection).into_keys() {
        let columns = get(&mut session, &trace_id, &TraceScope::default());
        let tools =
            columns.tool_rows.iter().filter_map(|row| Some((columns.span_id.get(*row as usize)?, columns.tool_of(*row)?.to_owned())));
        named.extend(tools);
    }
    let sql = "SELECT span_id, json_extract(attributes, '$.tool_name') FROM spans WHERE name = 'tool_execution' ORDER BY 1";
    let mut statement = connection.prepare(sql).expect("SQL");
    let expected: BTreeMap<String, String> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows").map(|row| row.expect("a row")).collect();
    let steps: BTreeMap<String, String> = named.into_iter().filter(|(id, _)| expected.contains_key(id)).collect();
    assert_eq!((steps.len(), &steps), (2, &expected));
}

#[test]
fn spans_of_a_web_framework_cause_a_warning_and_can_be_hidden() {
    let (mut session, connection) = open("tests/fixtures/db/real_agents_0.2.15.db");
    let file = session.ask(GetFile).expect("a file");
    let warning = file.warnings.iter().find(|warning| warning.kind == WarningKind::FrameworkTraces).expect("a warning");
    assert_eq!(warning.text, "2 of 8 traces were written by the web framework, not by Llama Stack.");
    let page = session.ask(ListTraces(TraceQuery { filter: "-status:unset".into(), ..TraceQuery::default() })).expect("a list");
    assert_eq!(page.total, Some(6), "{}", warning.meaning);
    let twins = "SELECT DISTINCT trace_id FROM spans WHERE status = 'UNSET'";
    let twins: Vec<String> = {
        let mut statement = connection.prepare(twins).expect("SQL");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
    };
    for trace_id in twins {
        let columns = get(&mut session, &trace_id, &folded());
        let names: Vec<&str> = (0..columns.len()).map(|row| columns.name_of(row)).collect();
        assert!(names.len() == 1 && names[0].starts_with("POST /v1/agents/"), "{names:?}");
        assert!(columns.framework_spans > 1, "{}", columns.framework_spans);
    }
}

#[test]
fn no_step_is_marked_as_failed_unless_its_request_failed() {
    for file in FILES.into_iter().chain(["tests/fixtures/db/real_agents_0.2.15.db"]) {
        let (mut session, connection) = open(file);
        for trace_id in traces(&connection).into_keys() {
            let columns = get(&mut session, &trace_id, &TraceScope::default());
            for row in columns.began_rows.iter().copied() {
                let (mut at, span_id) = (columns.parent[row as usize], columns.span_id.get(row as usize).expect("an id"));
                while at != NO_ROW && !columns.flags[at as usize].has(SpanFlags::REQUEST) {
                    at = columns.parent[at as usize];
                }
                assert!(columns.flags[at as usize].has(SpanFlags::FAILED), "{file} {span_id}");
                let sql =
                    format!("SELECT count(*) FROM spans WHERE span_id = '{span_id}' AND json_extract(attributes, '$.output') IS NULL");
                assert_eq!(connection.query_row(&sql, [], |row| row.get::<_, u32>(0)).expect("SQL"), 1, "{file} {span_id}");
            }
        }
    }
}

#[test]
fn the_critical_path_fills_a_trace_of_one_root_without_gaps() {
    let (mut session, connection) = open(FILES[0]);
    let mut seen = 0;
    for trace_id in traces(&connection).into_keys() {
        for scope in [TraceScope::default(), folded()] {
            let columns = get(&mut session, &trace_id, &scope);
            let roots: Vec<usize> = (0..columns.len()).filter(|row| columns.parent[*row] == NO_ROW).collect();
            let parts = session.ask(GetCriticalPath { trace_id: trace_id.clone(), scope }).expect("a path");
            if let [root] = roots[..] {
                seen += 1;
                assert_eq!(parts.iter().map(|part| part.to - part.from).sum::<u64>(), columns.duration[root]);
                assert!(parts.windows(2).all(|pair| pair[0].from == pair[1].to));
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn the_moments_of_a_span_are_the_times_of_its_events() {
    let (mut session, connection) = open("tests/fixtures/db/real_events.db");
    let mut seen = 0;
    for (trace_id, spans) in traces(&connection) {
        let span_ids: Vec<String> = spans.into_keys().collect();
        let found = session.ask(ListMoments { trace_id, span_ids: span_ids.clone() }).expect("moments");
        for (span_id, found) in span_ids.iter().zip(found) {
            let sql = "SELECT julianday(timestamp), json_extract(attributes, '$.severity') IN ('error', 'critical') IS TRUE
                       FROM span_events WHERE span_id = ?1 ORDER BY 1, 2";
            let mut statement = connection.prepare(sql).expect("events");
            let expected: Vec<(f64, bool)> = statement
                .query_map([span_id], |row| Ok((row.get(0)?, row.get(1)?)))
                .expect("rows")
                .map(|row| row.expect("a row"))
                .collect();
            assert_eq!(found.events as usize, expected.len());
            // SQLite's Julian days are accurate to the millisecond.
            let days = |time: Timestamp| time.0 as f64 / 86_400e9 + 2_440_587.5;
            assert!(found.moments.iter().zip(&expected).all(|(found, expected)| (days(found.0) - expected.0).abs() * 86_400.0 < 0.002));
            assert_eq!(found.moments.iter().filter(|found| found.1).count(), expected.iter().filter(|expected| expected.1).count());
            seen += expected.len();
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn marks_of_early_events_are_explained_with_the_time_they_waited() {
    let (mut session, connection) = open("samples/metrics_0.2.23.db");
    let mut explained = 0;
    for trace_id in traces(&connection).into_keys() {
        let columns = get(&mut session, &trace_id, &TraceScope::default());
        for (row, flags) in columns.flags.iter().enumerate().filter(|(_, flags)| flags.has(SpanFlags::EARLY_EVENT)) {
            let span_id = columns.span_id.get(row).expect("an id");
            let detail = session.ask(GetSpan { trace_id: trace_id.clone(), span_id }).expect("a span");
            let note = detail.notes.iter().find(|note| note.contains("older than its start")).expect("a note");
            assert!(flags.has(SpanFlags::EARLY_EVENT) && !note.contains('–'), "{note}");
            explained += 1;
        }
    }
    assert!(explained > 0, "real spans wait in queues");
}

#[test]
fn spans_of_other_instrumentation_have_the_kind_it_states() {
    let file = std::env::temp_dir().join(format!("quipu-kinds-{}.db", std::process::id()));
    std::fs::copy(path("tests/fixtures/db/real_small.db"), &file).expect("a copy");
    let connection = Connection::open(&file).expect("a database");
    let said = [
        ("chat gpt-4o", r#"{"gen_ai.operation.name": "chat"}"#),
        ("execute_tool get_weather", r#"{"gen_ai.operation.name": "execute_tool"}"#),
        ("VectorStoreRetriever", r#"{"openinference.span.kind": "RETRIEVER"}"#),
        ("step", r#"{"openinference.span.kind": "CHAIN"}"#),
    ];
    let columns: Vec<String> = {
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info('spans')").expect("columns");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a name")).collect()
    };
    let copied: Vec<&str> = columns
        .iter()
        .map(|column| match column.as_str() {
            "span_id" => "?1",
            "name" => "?2",
            "attributes" => "?3",
            other => other,
        })
        .collect();
    let sql = format!("INSERT INTO spans SELECT {} FROM spans WHERE parent_span_id IS NULL LIMIT 1", copied.join(", "));
    for (number, (name, attributes)) in said.iter().enumerate() {
        connection.execute(&sql, (format!("{:016x}", number + 1), name, attributes)).expect("a span");
    }
    drop(connection);
    let bytes = std::fs::read(&file).expect("the copy");
    std::fs::remove_file(&file).expect("the copy is ours");
    let mut session = of_bytes(bytes);
    session.complete_index().expect("an index");
    let page = session.ask(ListTraces(TraceQuery { limit: 1_000, ..TraceQuery::default() })).expect("traces");
    let mut found = BTreeMap::new();
    for row in page.rows {
        let columns = get(&mut session, &row.trace_id, &TraceScope::default());
        for at in 0..columns.len() {
            found.insert(columns.name_of(at).to_owned(), columns.kind[at]);
        }
    }
    let kinds = said.map(|(name, _)| found[name].label());
    assert_eq!(kinds, ["inference", "tool", "retrieval", "other"]);
}
