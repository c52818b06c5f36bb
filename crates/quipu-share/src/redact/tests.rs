//! Private data is removed wherever it is.

#![expect(clippy::cast_possible_truncation, reason = "a place in the alphabet")]

use super::*;
use proptest::prelude::*;
use quipu_model::encoding::base64_url;
use quipu_model::{EventRecord, SpanRecord, TraceRecord};

use quipu_protocol::{KindSet, PrivateKind};
use quipu_tests::redaction::{json_of, planted, texts_in};

/// All strings of a recording, and what its base64 decodes to.
pub fn all_texts(recording: &Recording) -> String {
    texts_in(format!("{recording:?}"))
}

fn only(kinds: &[PrivateKind]) -> RedactOptions {
    let take_out = kinds.iter().fold(KindSet::NONE, |set, kind| set.with(*kind, true));
    RedactOptions { take_out, shift_times: false }
}

fn assert_gone(recording: &Recording, options: RedactOptions, secrets: &[String]) {
    let (left, _) = redact(recording, options);
    let texts = all_texts(&left);
    for secret in secrets {
        assert!(!texts.contains(secret.as_str()), "{secret} is still there: {left:#?}");
    }
}

#[test]
fn keys_are_taken_out_of_every_field_without_being_asked_for() {
    let secret = |number: usize| format!("sk-proj-{number:03}abcdEFGH5678");
    let (recording, count) = planted(&secret);
    assert!(count > 35, "{count} fields");
    assert!(secret(7).len() > 8 && all_texts(&recording).contains(&secret(7)));
    let secrets: Vec<String> = (1..=count).map(secret).collect();
    assert_gone(&recording, RedactOptions::default(), &secrets);
    for kind in PrivateKind::ALL {
        assert_gone(&recording, only(&[PrivateKind::Secrets, kind]), &secrets);
    }
}

#[test]
fn of_structure_and_timing_no_chosen_word_is_left() {
    // The secrets have no recognizable shape.
    let secret = |number: usize| format!("hush{}quiet", char::from(b'a' + (number % 26) as u8).to_string().repeat(number / 26 + 1));
    let (recording, count) = planted(&secret);
    let secrets: Vec<String> = (1..=count).map(secret).collect();
    assert_gone(&recording, RedactOptions::STRUCTURE, &secrets);
    assert_gone(&recording, RedactOptions { shift_times: true, ..RedactOptions::STRUCTURE }, &secrets);
    // Without redaction they are all present, except those that are escaped or in nested base64.
    let (same, _) = redact(&recording, only(&[]));
    assert_eq!(same, recording);
    let texts = all_texts(&same);
    assert_eq!(secrets.iter().filter(|secret| !texts.contains(secret.as_str())).count(), 3);
}

#[test]
fn emails_paths_and_ids_are_taken_out_wherever_they_are() {
    for (kind, secret) in [
        (PrivateKind::Emails, &(|number: usize| format!("anna.b{number:02}@example.org")) as &dyn Fn(usize) -> String),
        (PrivateKind::Paths, &|number: usize| format!("/home/anna/case{number:02}.txt")),
        (PrivateKind::Paths, &|number: usize| format!("https://intra.example/{number:02}?q=1")),
        (PrivateKind::Ids, &|number: usize| format!("7a4e0c32-2bdc-46ab-aabb-dbbc225ce7{number:02}")),
        (PrivateKind::Ids, &|number: usize| format!("77d3615b3d4bfb{number:02}")),
    ] {
        let (recording, count) = planted(secret);
        let secrets: Vec<String> = (1..=count).map(secret).collect();
        assert_gone(&recording, only(&[kind]), &secrets);
    }
}

fn one_span(name: &str, attributes: &str) -> Recording {
    Recording {
        spans: vec![SpanRecord {
            span_id: "77d3615b3d4bfbc0".into(),
            trace_id: Some("cf1ea0dfb2d5602e420e32e4b45b6044".into()),
            parent_span_id: Some("fad0c33db941cd45".into()),
            name: Some(name.into()),
            start_time: Some("2026-11-22T18:39:22.344556+00:00".into()),
            end_time: Some("2026-11-22T18:39:23+00:00".into()),
            attributes: Some(attributes.into()),
            status: Some("OK".into()),
            kind: Some("INTERNAL".into()),
        }],
        ..Recording::default()
    }
}

fn left_of(attributes: &str, options: RedactOptions) -> String {
    redact(&one_span("inference", attributes), options).0.spans[0].attributes.clone().expect("attributes")
}

#[test]
fn each_switch_takes_its_kind_and_leaves_the_others_readable() {
    let attributes = r#"{"input": "[{\"role\": \"system\", \"content\": \"Be kind.\"}, {\"role\": \"assistant\", \"content\": \"Aloha!\"}, {\"role\": \"tool\", \"content\": \"42 degrees\"}]", "output": "{\"content\": \"Good bye.\", \"tool_calls\": []}", "stop_reason": "end_of_turn", "__ttl__": 604800}"#;
    let of = |kind| left_of(attributes, only(&[kind]));
    insta::assert_snapshot!(of(PrivateKind::Prompts), @r#"{"input": "[{\"role\": \"system\", \"content\": \"[prompt taken out]\"}, {\"role\": \"assistant\", \"content\": \"Aloha!\"}, {\"role\": \"tool\", \"content\": \"42 degrees\"}]", "output": "{\"content\": \"Good bye.\", \"tool_calls\": []}", "stop_reason": "end_of_turn", "__ttl__": 604800}"#);
    insta::assert_snapshot!(of(PrivateKind::Outputs), @r#"{"input": "[{\"role\": \"system\", \"content\": \"Be kind.\"}, {\"role\": \"assistant\", \"content\": \"[output taken out]\"}, {\"role\": \"tool\", \"content\": \"42 degrees\"}]", "output": "{\"content\": \"[output taken out]\", \"tool_calls\": []}", "stop_reason": "end_of_turn", "__ttl__": 604800}"#);
    insta::assert_snapshot!(of(PrivateKind::Tools), @r#"{"input": "[{\"role\": \"system\", \"content\": \"Be kind.\"}, {\"role\": \"assistant\", \"content\": \"Aloha!\"}, {\"role\": \"tool\", \"content\": \"[tool data taken out]\"}]", "output": "{\"content\": \"Good bye.\", \"tool_calls\": []}", "stop_reason": "end_of_turn", "__ttl__": 604800}"#);
    assert_eq!(of(PrivateKind::Errors), attributes, "what holds nothing of the kind stays to the byte");
    insta::assert_snapshot!(left_of(attributes, RedactOptions::STRUCTURE), @r#"{"input": "[prompt taken out]", "output": "[output taken out]", "stop_reason": "end_of_turn", "__ttl__": 604800}"#);
}

#[test]
fn what_was_taken_out_once_is_taken_out_where_it_is_repeated() {
    let mut recording = one_span("inference", r#"{"input": "[{\"role\": \"user\", \"content\": \"Where is Atlantis?\"}]"}"#);
    recording.events.push(EventRecord {
        span_id: Some("77d3615b3d4bfbc0".into()),
        name: Some("unstructured_log".into()),
        timestamp: None,
        attributes: Some(r#"{"message": "Asking: Where is Atlantis? In {'a': 'x', b", "severity": "info"}"#.into()),
    });
    let (left, report) = redact(&recording, only(&[PrivateKind::Prompts]));
    let event = left.events[0].attributes.as_deref().expect("attributes");
    assert_eq!(event, r#"{"message": "Asking: [prompt taken out] In {'a': 'x', b", "severity": "info"}"#);
    assert_eq!(report.places(PrivateKind::Prompts), 2);
}

#[test]
fn one_id_has_one_pseudonym_in_columns_texts_and_values() {
    let mut recording = one_span(
        "/v1/agents",
        r#"{"session_id": "call_me_ishmael", "note": "span 77d3615b3d4bfbc0 of call_me_ishmael under FAD0C33DB941CD45", "json": {"trace_id": "cf1ea0dfb2d5602e420e32e4b45b6044"}}"#,
    );
    recording.traces.push(TraceRecord { trace_id: "cf1ea0dfb2d5602e420e32e4b45b6044".into(), ..TraceRecord::default() });
    let (left, _) = redact(&recording, only(&[PrivateKind::Ids]));
    let span = &left.spans[0];
    assert_eq!((span.span_id.as_str(), span.parent_span_id.as_deref()), ("0000000000000001", Some("0000000000000002")));
    assert_eq!(span.trace_id.as_deref(), Some(left.traces[0].trace_id.as_str()));
    insta::assert_snapshot!(span.attributes.as_deref().unwrap_or_default(), @r#"{"session_id": "id-1", "note": "span 0000000000000001 of id-1 under 0000000000000002", "json": {"trace_id": "00000000000000000000000000000001"}}"#);
}

#[test]
fn keys_are_known_by_how_they_begin_by_their_names_and_by_their_look() {
    for (text, left) in [
        ("use sk-proj-0123456789abcdef now", "use [key taken out] now"),
        ("Authorization: Bearer abc.def-123456789", "Authorization: [key taken out]"),
        ("Bearer abcdef123456 and more", "Bearer [key taken out] and more"),
        ("password=hunter2; user=anna", "password=[key taken out]; user=anna"),
        (r#"{\"tavily_search_api_key\": \"abcd\", x"#, r#"{\"tavily_search_api_key\": \"[key taken out]\", x"#),
        ("AKIAIOSFODNN7EXAMPLE in us-east-1", "[key taken out] in us-east-1"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[key taken out]"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "jwt [key taken out]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\nend", "[key taken out]\nend"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE8KEY1", "[key taken out]"),
        ("postgres://anna:geheim@db.example/x", "postgres://[key taken out]@db.example/x"),
    ] {
        let json = format!("{{\"own\": {}}}", json_of(text));
        assert_eq!(left_of(&json, RedactOptions::default()), format!("{{\"own\": {}}}", json_of(left)));
    }
    for text in [
        "api_key: None",
        "sk-learn and ask-me-anything",
        "meta-llama/Llama-3.2-3B-Instruct",
        "Meta-Llama-3-1-8B-Instruct-Turbo",
        "InferenceRouter.stream_tokens_and_compute_metrics_openai_chat",
        "max_tokens: 512, eos_token_id=2",
        "7a4e0c32-2bdc-46ab-aabb-dbbc225ce760",
        "2026-11-22T18:39:22.344556+00:00",
        "The token bucket: a tale of passwords",
    ] {
        let json = format!("{{\"own\": {}}}", json_of(text));
        assert_eq!(left_of(&json, RedactOptions::default()), json);
    }
}

#[test]
fn shifted_times_keep_their_distances_and_their_form() {
    let mut recording = one_span("inference", "{}");
    recording.traces.push(TraceRecord { created_at: Some("2026-11-22 18:39:24".into()), ..TraceRecord::default() });
    let (left, _) = redact(&recording, RedactOptions { take_out: KindSet::NONE, shift_times: true });
    assert_eq!(left.spans[0].start_time.as_deref(), Some("1970-01-01T00:00:00+00:00"));
    assert_eq!(left.spans[0].end_time.as_deref(), Some("1970-01-01T00:00:00.655444+00:00"));
    assert_eq!(left.traces[0].created_at.as_deref(), Some("1970-01-01 00:00:01"));
}

#[test]
fn the_report_says_what_is_there_and_shows_it_as_it_leaves() {
    let recording = one_span("tool_execution", r#"{"input": "{\"api_key\": \"sk-proj-12345678\", \"q\": \"mail anna@example.org\"}"}"#);
    let (_, report) = redact(&recording, RedactOptions::default());
    let lines: Vec<String> = report
        .kinds
        .iter()
        .map(|kind| {
            let examples: Vec<String> = kind.examples.iter().map(|example| format!("{} ({})", example.text, example.place)).collect();
            format!(
                "{}: {} places, {} bytes, taken out {}: {}",
                kind.kind.name(),
                kind.places,
                kind.bytes,
                kind.taken_out,
                examples.join("; ")
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    tools: 1 places, 21 bytes, taken out false: mail anna@example.org (span 77d3615b3d4bfbc0, input)
    ids: 3 places, 64 bytes, taken out false: 77d3615b3d4bfbc0 (span, span_id); cf1ea0dfb2d5602e420e32e4b45b6044 (span 77d3615b3d4bfbc0, trace_id); fad0c33db941cd45 (span 77d3615b3d4bfbc0, parent_span_id)
    emails: 1 places, 16 bytes, taken out false: anna@example.org (span 77d3615b3d4bfbc0, input)
    secrets: 1 places, 16 bytes, taken out true: [key taken out] (span 77d3615b3d4bfbc0, input)
    names: 1 places, 1 bytes, taken out false: q (span 77d3615b3d4bfbc0, input)
    ");
}

/// Text with `secret` somewhere deep inside: in JSON, Python's repr, base64, a sentence.
fn nested(secret: &'static str) -> impl Strategy<Value = String> {
    Just(secret.to_owned()).prop_recursive(5, 16, 1, |inner| {
        (inner, 0..8_u8, "[a-z ]{0,8}").prop_map(|(inner, form, word)| match form {
            0 => format!(r#"{{"{word}": {}}}"#, json_of(&inner)),
            1 => format!("[1, {}, null]", json_of(&inner)),
            2 => quipu_model::recorded::python_text(&quipu_model::Value::List(vec![quipu_model::Value::Text(inner)])),
            3 => format!("Foo(a={})", quipu_model::recorded::python_text(&quipu_model::Value::Text(inner))),
            4 => base64_url(inner.as_bytes()),
            5 => format!("{word} {inner} {word}"),
            6 => format!("{{'{word}': {} broken", json_of(&inner)),
            _ => format!("data:text/plain;base64,{}", base64_url(inner.as_bytes())),
        })
    })
}

proptest! {
    #[test]
    fn a_key_is_taken_out_however_deep_it_lies(text in nested("sk-proj-0123abcdEFGH5678"), key in "[a-z_]{1,6}") {
        let recording = one_span("inference", &format!("{{\"{key}\": {}}}", json_of(&text)));
        let (left, _) = redact(&recording, RedactOptions::default());
        prop_assert!(!all_texts(&left).contains("0123abcdEFGH5678"), "{:?}", left.spans[0].attributes);
    }

    #[test]
    fn no_text_stops_it_and_what_is_left_is_json(text in "\\PC*", attributes in "\\PC*") {
        let recording = one_span(&text, &attributes);
        redact(&recording, RedactOptions::STRUCTURE);
        let recording = one_span(&text, &format!("{{\"own\": {}}}", json_of(&text)));
        for options in [RedactOptions::default(), RedactOptions::STRUCTURE, only(&[PrivateKind::Paths, PrivateKind::Emails, PrivateKind::Ids])] {
            let (left, _) = redact(&recording, options);
            let attributes = left.spans[0].attributes.as_deref().unwrap_or_default();
            prop_assert!(quipu_model::recorded::attributes(attributes.as_bytes()).is_ok(), "{attributes}");
        }
    }
}
