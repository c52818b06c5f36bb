//! The forms in which a trace is shared, through `Session`.

use crate::support::{open, sql};
use quipu::Session;
use quipu::model::{Recording, SpanRecord, TraceRecord};
use quipu::protocol::{FileFormat, GetTrace, KindSet, MakeShare, PrivateKind, RedactOptions, ShareForm, ShareOptions, ShareWhat, Shared};
use quipu::share::payload::unpack;
use quipu::share::{redact, spans_sql};
use quipu::store::OpenOptions;
use rusqlite::Connection;
use std::time::Instant;

const AGENT: &str = "samples/agent_0.2.15.db";
/// An agent's turn with tools, shields and retrieval.
const TURN: &str = "cf1ea0dfb2d5602e420e32e4b45b6044";

fn shared(session: &mut Session, what: ShareWhat, options: ShareOptions, form: ShareForm, span_id: Option<&str>) -> Shared {
    session.ask(MakeShare { what, options, form, span_id: span_id.map(str::to_owned) }).expect("an answer")
}

fn one(id: &str) -> ShareWhat {
    ShareWhat::Traces(vec![id.to_owned()])
}

fn structure() -> ShareOptions {
    ShareOptions { redact: RedactOptions::STRUCTURE, leave_out_over: None }
}

fn text(shared: Shared) -> String {
    String::from_utf8(shared.bytes).expect("UTF-8")
}

#[test]
fn what_a_link_carries_opens_as_the_same_trace() {
    let mut session = open(AGENT);
    let keep = ShareOptions { redact: RedactOptions::NOTHING, leave_out_over: None };
    let made = shared(&mut session, one(TURN), keep, ShareForm::Columns, Some("fad0c33db941cd45"));
    assert_eq!(
        (made.trace_id.as_deref(), made.span_id.as_deref(), made.file_name.as_str()),
        (Some(TURN), Some("fad0c33db941cd45"), "trace-cf1ea0df.quipu")
    );
    let mut received = Session::open_shared(made.bytes, OpenOptions::with_clock(|| 0)).expect("a session");
    received.complete_index().expect("an index");
    let trace = |session: &mut Session| session.ask(GetTrace { trace_id: TURN.into(), scope: Default::default() }).expect("an answer");
    assert_eq!(trace(&mut received), trace(&mut session));
}

#[test]
fn the_selected_span_is_found_again_behind_its_pseudonym() {
    let mut session = open(AGENT);
    let made = shared(&mut session, one(TURN), structure(), ShareForm::Columns, Some("5cf8445760d8c968"));
    let rows = unpack(&made.bytes).expect("columns");
    let selected = rows.spans.iter().find(|row| Some(&row.span_id) == made.span_id.as_ref()).expect("the span");
    assert_eq!(selected.name.as_deref(), Some("ToolGroupsRoutingTable.list_tools"));
    assert_eq!(made.trace_id.as_deref(), Some("00000000000000000000000000000001"));
}

#[test]
fn some_spans_of_a_trace_are_shared_with_their_events_only() {
    let mut session = open(AGENT);
    let span_ids = vec!["fad0c33db941cd45".to_owned(), "5cf8445760d8c968".to_owned()];
    let made =
        shared(&mut session, ShareWhat::Spans { trace_id: TURN.into(), span_ids }, ShareOptions::default(), ShareForm::Columns, None);
    let rows = unpack(&made.bytes).expect("columns");
    assert_eq!((rows.traces.len(), rows.spans.len()), (1, 2));
}

#[test]
fn a_trimmed_and_redacted_database_is_whole_for_sqlite_and_holds_nothing_else() {
    let mut session = open(AGENT);
    let take_out = KindSet::NONE.with(PrivateKind::Prompts, true).with(PrivateKind::Ids, true);
    let options = ShareOptions { redact: RedactOptions { take_out, shift_times: true }, leave_out_over: None };
    let made = shared(&mut session, one(TURN), options, ShareForm::File(FileFormat::Database), None);
    let file = std::env::temp_dir().join(format!("quipu-share-{}.db", std::process::id()));
    std::fs::write(&file, &made.bytes).expect("a file");
    let connection = Connection::open(&file).expect("SQLite opens it");
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    let spans: i64 = connection.query_row("SELECT count(*) FROM spans", [], |row| row.get(0)).expect("a count");
    drop(connection);
    std::fs::remove_file(&file).expect("gone");
    assert_eq!((check.as_str(), spans), ("ok", 44));
    let bytes = String::from_utf8_lossy(&made.bytes);
    for private in [TURN, "fad0c33db941cd45", "You search.", "docs again", "2026-1"] {
        assert!(!bytes.contains(private), "{private}");
    }
}

#[test]
fn json_is_what_the_api_answers() {
    let mut session = open(AGENT);
    let json = text(shared(&mut session, one(TURN), ShareOptions::default(), ShareForm::File(FileFormat::Json), None));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["trace"]["trace_id"], TURN);
    let spans: usize =
        json["span_trees"].as_array().expect("trees").iter().map(|tree| tree["data"].as_object().expect("a map").len()).sum();
    assert_eq!(spans, 44);
}

#[test]
fn sql_that_is_copied_selects_the_trace() {
    let connection = sql(AGENT, "");
    let count = |question: String| {
        connection
            .query_row(&format!("SELECT count(DISTINCT span_id) FROM ({})", question.trim_end_matches(';')), [], |row| row.get::<_, i64>(0))
            .expect("SQL")
    };
    assert_eq!(count(spans_sql(TURN, &[])), 44);
    assert_eq!(count(spans_sql(TURN, &["fad0c33db941cd45".into()])), 1);
}

#[test]
fn markdown_lists_failures_first_and_keeps_its_token_budget() {
    let session = open("samples/metrics_0.2.23.db");
    let connection = sql("samples/metrics_0.2.23.db", "");
    let failed: String = connection
        .query_row("SELECT trace_id FROM spans WHERE json_extract(attributes, '$.error') IS NOT NULL ORDER BY rowid LIMIT 1", [], |row| {
            row.get(0)
        })
        .expect("a failed span");
    let error: String = connection
        .query_row("SELECT json_extract(attributes, '$.error') FROM spans WHERE trace_id = ?1 AND json_extract(attributes, '$.error') IS NOT NULL LIMIT 1", [&failed], |row| row.get(0))
        .expect("its error");
    let page = session.markdown(&failed, 4_000).expect("Markdown");
    assert!(page.contains(error.lines().next().expect("a line")), "{page}");
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part} in {page}"));
    assert!(at("## Failures") < at("## Spans"));
    insta::assert_snapshot!(page);
    for tokens in [500, 1_000, 8_000] {
        let page = session.markdown(&longest(&connection), tokens).expect("Markdown");
        // Headings and the notes about omissions come on top.
        assert!(page.len() < tokens * 4 + 1_200, "{} bytes for {tokens} tokens", page.len());
    }
}

/// The trace with the longest attributes.
fn longest(connection: &Connection) -> String {
    connection
        .query_row("SELECT trace_id FROM spans GROUP BY trace_id ORDER BY sum(length(attributes)) DESC LIMIT 1", [], |row| row.get(0))
        .expect("a trace")
}

#[test]
fn markdown_of_an_agents_turn_reads_well() {
    let mut session = open(AGENT);
    let page = text(shared(&mut session, one(TURN), ShareOptions::default(), ShareForm::Markdown { tokens: 1_500 }, None));
    insta::assert_snapshot!(page);
}

#[test]
fn markdown_of_structure_contains_no_messages() {
    let mut session = open(AGENT);
    let page = text(shared(&mut session, one(TURN), structure(), ShareForm::Markdown { tokens: 20_000 }, None));
    for private in [TURN, "docs again", "You search", "Llama"] {
        assert!(!page.contains(private), "{private} in {page}");
    }
    assert!(page.contains("InferenceRouter.chat_completion"), "{page}");
}

/// Timings are printed with --nocapture, not asserted.
#[test]
fn a_trace_of_5000_spans_and_one_of_20_megabytes_can_be_shared() {
    let source = open(AGENT).recording(quipu::Selection::All, usize::MAX).expect("rows");
    // Unoptimised builds use a tenth of the size.
    let part = if cfg!(debug_assertions) { 10 } else { 1 };
    let spans: Vec<SpanRecord> = (0..5_000 / part)
        .filter_map(|number| {
            let row = source.spans.get(number % source.spans.len())?;
            let id = |id: &str| format!("{:08x}{}", number / source.spans.len(), id.get(8..).unwrap_or_default());
            Some(SpanRecord {
                span_id: id(&row.span_id),
                parent_span_id: row.parent_span_id.as_deref().map(id),
                trace_id: Some(TURN.into()),
                ..row.clone()
            })
        })
        .collect();
    let trace = TraceRecord { trace_id: TURN.into(), ..TraceRecord::default() };
    let many = Recording { traces: vec![trace.clone()], spans, events: Vec::new() };
    let mut large = Recording { traces: vec![trace], spans: source.spans.iter().take(3).cloned().collect(), events: Vec::new() };
    for row in &mut large.spans {
        row.trace_id = Some(TURN.into());
    }
    let words = "The quick brown fox asks anna@example.org for /home/anna/x.txt and sk-proj-0123456789abcdef. ";
    large.spans[0].attributes = Some(format!("{{\"output\": \"{}\"}}", words.repeat(20_000_000 / part / words.len())));
    for (name, recording) in [("5,000 spans", many), ("20 MB", large)] {
        let start = Instant::now();
        let (left, _) = redact(&recording, RedactOptions::default());
        println!("{name}: redacted in {:?}", start.elapsed());
        assert_eq!(left.spans.len(), recording.spans.len());
        let mut session = Session::of_recording("x.db", &recording, OpenOptions::with_clock(|| 0)).expect("a session");
        session.complete_index().expect("an index");
        for form in [ShareForm::Columns, ShareForm::Markdown { tokens: 4_000 }] {
            let start = Instant::now();
            let options = ShareOptions { leave_out_over: Some(65_536), ..ShareOptions::default() };
            let made = shared(&mut session, one(TURN), options, form, None);
            println!("{name}: {form:?} of {} bytes in {:?}", made.bytes.len(), start.elapsed());
            assert!(!String::from_utf8_lossy(&made.bytes).contains("sk-proj-0123456789abcdef"));
        }
    }
}
