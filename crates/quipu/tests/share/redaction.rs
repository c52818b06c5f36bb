//! Redaction of real files: structure stays, content goes.

use crate::support::{of_bytes, open, sql};
use quipu::Selection;
use quipu::model::Recording;
use quipu::protocol::GetTrace;
use quipu::protocol::{FileFormat, GetSheet, KindSet, MakeShare, PrivateKind, RedactOptions, ShareForm, ShareOptions, ShareWhat};
use quipu::protocol::{SheetQuery, SheetView, TraceScope, TraceTab};
use quipu::share::redact;
use quipu::store::Writer;
use quipu_tests::redaction::{planted_keys, recording_with, texts_in};

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

/// One recording with all planted keys, each in a span of its own.
fn all_planted() -> (Recording, Vec<String>) {
    let mut all = Recording::default();
    let mut secrets = Vec::new();
    for (number, planted) in planted_keys().into_iter().enumerate() {
        let mut recording = recording_with(&planted.text);
        for span in &mut recording.spans {
            span.span_id = format!("{number:016x}");
        }
        for event in &mut recording.events {
            event.span_id = Some(format!("{number:016x}"));
        }
        all.traces.truncate(0);
        all.traces.append(&mut recording.traces);
        all.spans.append(&mut recording.spans);
        all.events.append(&mut recording.events);
        secrets.push(planted.secret);
    }
    (all, secrets)
}

#[test]
fn no_planted_key_is_in_any_form_and_each_form_says_that_something_was_taken_out() {
    // A bare value after `=` ends at a blank.
    const LEFT_BY_SECRETS: &[&str] = &["swordfish24"];
    let (recording, secrets) = all_planted();
    assert!(secrets.len() >= 150, "{}", secrets.len());
    let mut session = reopened(&recording);
    let forms = [ShareForm::Columns, ShareForm::Markdown { tokens: 1_000_000 }];
    for (redact, left) in [(RedactOptions::STRUCTURE, &[][..]), (RedactOptions::default(), LEFT_BY_SECRETS)] {
        for form in forms.into_iter().chain(FileFormat::ALL.map(ShareForm::File)) {
            let options = ShareOptions { redact, leave_out_over: None };
            let shared = session.ask(MakeShare { what: ShareWhat::All, options, form, span_id: None }).expect("a share");
            let texts = texts_in(format!("{:?} {}", shared.report, String::from_utf8_lossy(&shared.bytes)));
            let found: Vec<&str> = secrets.iter().map(String::as_str).filter(|secret| texts.contains(secret)).collect();
            assert!(found.iter().all(|secret| left.contains(secret)), "{form:?} of {redact:?} holds {found:?}");
            let says =
                texts.contains("taken out]") || form == ShareForm::File(FileFormat::Markdown) || matches!(form, ShareForm::Markdown { .. });
            assert!(says, "{form:?} does not say that something was taken out");
        }
    }
}

#[test]
fn where_something_was_taken_out_no_view_says_that_it_was_not_recorded() {
    for name in [AGENT, "tests/fixtures/db/real_events.db"] {
        let whole = rows(name);
        let said = |recording: &Recording| {
            let mut session = reopened(recording);
            let mut texts = String::new();
            for trace in &recording.traces {
                let query = SheetQuery {
                    trace_id: trace.trace_id.clone(),
                    tab: TraceTab::Conversation,
                    view: SheetView::default(),
                    scope: TraceScope::default(),
                    window: None,
                    find: String::new(),
                    span_id: None,
                    width: 800,
                };
                let sheet = session.ask(GetSheet(query)).expect("a sheet");
                texts += &format!("{sheet:?}");
                texts += &session.markdown(&trace.trace_id, 100_000).unwrap_or_default();
            }
            texts
        };
        let before = said(&whole);
        for take_out in [
            KindSet::ALL,
            KindSet::NONE.with(PrivateKind::Outputs, true).with(PrivateKind::Tools, true).with(PrivateKind::Prompts, true),
        ] {
            let (left, _) = redact(&whole, RedactOptions { take_out, shift_times: false });
            let after = said(&left);
            for sentence in [
                "not recorded",
                "No result was recorded",
                "did not record",
                "without a recorded message",
                "no message was recorded",
            ] {
                let count = |text: &str| text.matches(sentence).count();
                assert!(count(&after) <= count(&before), "{name}: {sentence:?} {} times, before {}", count(&after), count(&before));
            }
            if name == AGENT {
                assert!(after.contains("output taken out]"), "{after}");
            }
        }
    }
}

#[test]
fn counts_of_tokens_stay_in_structure() {
    let name = "tests/fixtures/db/real_events.db";
    for name in [AGENT, name, "samples/metrics_0.2.23.db"] {
        let whole = rows(name);
        let (left, _) = redact(&whole, RedactOptions::STRUCTURE);
        let (mut before, mut after) = (open(name), reopened(&left));
        for (old, new) in whole.traces.iter().zip(&left.traces) {
            let totals = |session: &mut quipu::Session, id: &str| {
                session.ask(GetTrace { trace_id: id.into(), scope: Default::default() }).expect("a trace").token_totals
            };
            let (old, new) = (totals(&mut before, &old.trace_id), totals(&mut after, &new.trace_id));
            assert_eq!(
                (old.prompt, old.completion, old.total, old.counted),
                (new.prompt, new.completion, new.total, new.counted),
                "{name}"
            );
        }
    }
}
