//! Redaction of real files: structure stays, content goes.

use crate::support::{of_bytes, open, sql};
use quipu::Selection;
use quipu::model::Recording;
use quipu::protocol::GetTrace;
use quipu::protocol::{KindSet, PrivateKind, RedactOptions};
use quipu::share::redact;
use quipu::store::Writer;

const AGENT: &str = "samples/agent_0.2.15.db";

fn rows(name: &str) -> Recording {
    open(name).recording(Selection::All, usize::MAX).expect("rows")
}

fn reopened(recording: &Recording) -> quipu::Session {
    let mut writer = Writer::in_memory().expect("a database");
    writer.copy(recording).expect("rows");
    let mut session = of_bytes(writer.into_bytes().expect("bytes"));
    session.complete_index().expect("an index");
    session
}

#[test]
fn structure_and_timing_keeps_trees_kinds_and_durations() {
    for name in [AGENT, "tests/fixtures/db/real_events.db"] {
        let whole = rows(name);
        let (left, report) = redact(&whole, RedactOptions::STRUCTURE);
        assert_eq!((left.spans.len(), report.spans as usize), (whole.spans.len(), whole.spans.len()));
        let mut before = open(name);
        let mut after = reopened(&left);
        for (old, new) in whole.traces.iter().zip(&left.traces) {
            let tree = |session: &mut quipu::Session, id: &str| {
                let trace = session.ask(GetTrace { trace_id: id.into(), scope: Default::default() }).expect("a trace");
                (trace.duration_nanos, trace.len(), trace.token_totals)
            };
            let (duration, spans, _) = tree(&mut before, &old.trace_id);
            let (duration_left, spans_left, _) = tree(&mut after, &new.trace_id);
            assert_eq!((duration, spans), (duration_left, spans_left), "{name}, {}", old.trace_id);
        }
    }
}

#[test]
fn names_of_real_spans_are_known() {
    // Rows that stay unchanged, out of all.
    let whole = rows(AGENT);
    let (left, _) = redact(&whole, RedactOptions::STRUCTURE);
    let changed: std::collections::BTreeSet<_> = whole
        .spans
        .iter()
        .zip(&left.spans)
        .filter(|(old, new)| old.name != new.name)
        .map(|(old, new)| format!("{:?} {:?}", old.name, new.name))
        .collect();
    insta::assert_debug_snapshot!(changed, @r#"
    {
        "Some(\"run_shield_fake/Llama-Guard-3-8B\") Some(\"run_shield\")",
    }
    "#);
}

/// Every string of eight bytes or more in the attribute values, by SQLite's own JSON functions.
fn values(name: &str) -> Vec<String> {
    let connection = sql(name, "");
    let mut statement = connection
        .prepare(
            "SELECT DISTINCT value FROM (SELECT atom value, key FROM spans, json_tree(spans.attributes) WHERE type = 'text' UNION ALL \
             SELECT atom, key FROM span_events, json_tree(span_events.attributes) WHERE type = 'text') WHERE length(value) >= 8 AND value NOT IN \
             (SELECT name FROM spans UNION VALUES ('critical')) AND key NOT IN ('__class__', '__method__', '__type__', '__location__', 'severity', 'stop_reason', 'unit')",
        )
        .expect("SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

#[test]
fn structure_and_timing_keeps_no_recorded_value() {
    for name in [AGENT, "tests/fixtures/db/real_events.db"] {
        let (left, _) = redact(&rows(name), RedactOptions::STRUCTURE);
        let texts: String = left.records().map(|record| format!("{record:?}\n")).collect();
        let texts = texts.replace("\\\"", "\"");
        let values = values(name);
        assert!(values.len() > 3);
        for value in values {
            assert!(!texts.contains(&value), "{value}");
        }
    }
}

#[test]
fn without_prompts_no_user_message_is_left_anywhere() {
    let take_out = KindSet::NONE.with(PrivateKind::Prompts, true);
    let (left, report) = redact(&rows(AGENT), RedactOptions { take_out, shift_times: false });
    assert!(report.places(PrivateKind::Prompts) > 100);
    let texts: String = left.spans.iter().filter_map(|row| row.attributes.as_deref()).collect();
    // The user's words in the requests of the turns, by SQLite's own JSON functions.
    let connection = sql(AGENT, "");
    let question = "SELECT DISTINCT json_extract(value, '$.content') FROM spans, json_each(json_extract(spans.attributes, '$.request'), '$.messages') \
                    WHERE json_extract(value, '$.role') = 'user' AND json_type(value, '$.content') = 'text'";
    let mut statement = connection.prepare(question).expect("SQL");
    let said: Vec<String> = statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts");
    assert!(said.len() >= 5, "{said:?}");
    for text in said.iter().filter(|text| text.len() >= 8) {
        assert!(!texts.contains(text.as_str()), "{text}");
    }
}
