//! Private data is removed wherever it is.

#![expect(clippy::cast_possible_truncation, reason = "a place in the alphabet")]

use super::*;
use proptest::prelude::*;
use quipu_model::encoding::base64_url;
use quipu_model::{EventRecord, SpanRecord, TraceRecord};

use quipu_model::{LogRecord, MetricPoint, SpanExtra, WholeRows};
use quipu_protocol::{KindSet, PrivateKind};
use quipu_tests::redaction::{json_of, planted, planted_keys, recording_with, texts_in};

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
fn words_are_taken_out_by_their_meaning_in_every_dialect() {
    let prompts = [
        "gen_ai.prompt.0.content",
        "gen_ai.system_instructions",
        "llm.input_messages.0.message.content",
        "ai.prompt",
        "mlflow.spanInputs",
    ];
    let outputs = [
        "gen_ai.completion.0.content",
        "ai.response.text",
        "ai.response.reasoning",
        "langfuse.observation.output",
        "final_result",
    ];
    let tools = [
        "gen_ai.tool.call.result",
        "ai.toolCall.args",
        "retrieval.documents.0.document.content",
        "tool_response",
    ];
    for (kind, keys) in [(PrivateKind::Prompts, &prompts[..]), (PrivateKind::Outputs, &outputs), (PrivateKind::Tools, &tools)] {
        for key in keys {
            let attributes = format!(r#"{{"{key}": "a word of somebody"}}"#);
            assert!(!left_of(&attributes, only(&[kind])).contains("somebody"), "{key}");
        }
    }
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

/// What texts with secrets are made of.
const FRAGMENTS: &[&str] = &[
    "password",
    "token",
    "key",
    "api key",
    "name",
    "value",
    "kind",
    "data",
    "Secret",
    "curl",
    "-u ",
    "--",
    "<",
    ">",
    "</",
    "<![CDATA[",
    "]]>",
    "'",
    "\"",
    "\\",
    "\\\"",
    "`",
    "=",
    ":",
    ": ",
    ":\n",
    "\n",
    "  ",
    " ",
    ",",
    ";",
    "&",
    "|",
    ">-",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "é",
    "\u{200b}",
    "%3D",
    "\\u0041",
    "is ",
    "for ",
    "identified by '",
    "https://",
    "@",
    "/",
    "?",
    "sk-",
    "eyJ",
    ".",
    "Q~",
    "0123456789abcdef0123456789abcdef",
    "::",
    "-",
    "*",
    "x",
    "1",
    "-----BEGIN PRIVATE KEY-----",
    "-----END ",
    "basic ",
    "$",
    "<your ",
    "kind: Secret\n",
    "data:\n",
];

proptest! {
    #[test]
    fn a_key_is_taken_out_however_deep_it_lies(text in nested("sk-proj-0123abcdEFGH5678"), key in "[a-z_]{1,6}") {
        let recording = one_span("inference", &format!("{{\"{key}\": {}}}", json_of(&text)));
        let (left, _) = redact(&recording, RedactOptions::default());
        prop_assert!(!all_texts(&left).contains("0123abcdEFGH5678"), "{:?}", left.spans[0].attributes);
    }

    #[test]
    fn no_arrangement_of_names_and_signs_stops_it(parts in prop::collection::vec(0..FRAGMENTS.len(), 0..24)) {
        let text: String = parts.iter().map(|part| FRAGMENTS[*part]).collect();
        for json in [format!("{{\"own\": {}}}", json_of(&text)), text] {
            for options in [RedactOptions::default(), RedactOptions::STRUCTURE, only(&[PrivateKind::Paths, PrivateKind::Secrets])] {
                redact(&one_span("inference", &json), options);
            }
        }
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

/// The planted keys that are not found, and why.
const NOT_FOUND: &[(&str, &str)] = &[
    // A bare value after `=` ends at a blank: in a command line and in a log, other words follow.
    ("Password=a b c swordfish24", "blanks need quotation marks"),
];

#[test]
fn keys_of_all_kinds_are_taken_out_in_all_surroundings() {
    let planted = planted_keys();
    assert!(planted.len() >= 150, "{} planted", planted.len());
    let mut left = Vec::new();
    for planted in &planted {
        assert!(planted.text.contains(&planted.secret), "{}", planted.text);
        let (out, _) = redact(&recording_with(&planted.text), RedactOptions::default());
        if all_texts(&out).contains(&planted.secret) {
            left.push(planted.text.as_str());
        }
    }
    let expected: Vec<&str> = NOT_FOUND.iter().map(|(text, _)| *text).collect();
    assert_eq!(left, expected, "of {}", planted.len());
}

#[test]
fn of_structure_no_planted_key_is_left_in_rows_resources_records_and_points() {
    for planted in planted_keys() {
        let rows = WholeRows {
            recording: recording_with(&planted.text),
            extras: vec![SpanExtra {
                span_id: "77d3615b3d4bfbc0".into(),
                status_message: Some(planted.text.clone()),
                trace_state: Some(planted.text.clone()),
                links: Some(format!("[{{\"trace_id\": {0}, \"attributes\": {{\"x\": {0}}}}}]", json_of(&planted.text))),
                event_nanos: Some(planted.text.clone()),
                more: Some(format!("{{\"flags\": {0}, \"status_message\": {0}}}", json_of(&planted.text))),
                event_more: Some(format!("[{{\"flags\": {0}}}]", json_of(&planted.text))),
                ..SpanExtra::default()
            }],
            sources: vec![(
                format!("{{\"service.name\": {0}, \"x\": [{0}]}}", json_of(&planted.text)),
                format!("{{\"name\": {}}}", json_of(&planted.text)),
            )],
            event_counts: Vec::new(),
            logs: vec![LogRecord {
                name: Some(planted.text.clone()),
                attributes: Some(format!("{{\"message\": {0}, \"severity\": \"error\", \"x\": {0}}}", json_of(&planted.text))),
                more: Some(format!("{{\"severity_text\": {0}, \"body\": [{0}]}}", json_of(&planted.text))),
                ..LogRecord::default()
            }],
            points: vec![MetricPoint {
                metric: planted.text.clone(),
                unit: Some(planted.text.clone()),
                attributes: format!("{{\"x\": {}}}", json_of(&planted.text)),
                about: Some(format!("{{\"description\": {}}}", json_of(&planted.text))),
                detail: Some(format!("{{\"exemplars\": [{{\"attributes\": {{\"x\": {}}}}}]}}", json_of(&planted.text))),
                ..MetricPoint::default()
            }],
        };
        for options in [RedactOptions::STRUCTURE, RedactOptions::default()] {
            let mut redactor = Redactor::new(options, None);
            let left = redactor.whole(&rows);
            let texts = texts_in(format!("{left:?} {:?}", redactor.report()));
            if options == RedactOptions::default() && NOT_FOUND.iter().any(|(text, _)| *text == planted.text) {
                continue;
            }
            assert!(!texts.contains(&planted.secret), "{}: {left:#?}", planted.text);
        }
    }
}

#[test]
fn what_only_looks_like_a_key_is_left() {
    for text in [
        "resp_7a4e0c32-2bdc-46ab-aabb-dbbc225ce760",
        "mcp_list_7a4e0c32-2bdc-46ab-aabb-dbbc225ce760",
        "mcp_list_tools_68a4e0c322bdc46abaabbdbbc225ce760",
        "call_AbC1dEfG2hIjK3lMnO4pQrSt",
        "chatcmpl-BvJ5k2Qm9XsTzR8wLpN4cYdH7gFa1",
        "msg_01XFDUDYJgAACzvnptvVoYEL",
        "msg_68f0a2b4c6d8e0f1a3b5c7d9e1f3a5b7c9d1e3f5a7b9c1d3",
        "toolu_01A09q90qw90lq917835lq9x",
        "resp_68f0a2b4c6d8e0f1a3b5c7d9e1f3a5b7c9d1e3f5a7b9c1d3",
        "rs_68f0a2b4c6d8e0f1a3b5c7d9e1f3a5b7c9d1e3f5a7b9c1d3",
        "file-Xk2Jm9QwErTyUiOp",
        "req_011CTxYzAbCdEf2345GhJkLm",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 of main",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "cf1ea0dfb2d5602e420e32e4b45b6044",
        "77d3615b3d4bfbc0",
        "00-cf1ea0dfb2d5602e420e32e4b45b6044-77d3615b3d4bfbc0-01",
        "7a4e0c32-2bdc-46ab-aabb-dbbc225ce760",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQE",
        "meta-llama/Llama-3.2-3B-Instruct",
        "Meta-Llama-3-1-8B-Instruct-Turbo-FP8-2024-11-20",
        "gpt-4o-mini-2024-07-18",
        "claude-3-5-sonnet-20241022",
        "sentence-transformers/all-MiniLM-L6-v2",
        "mistralai/Mixtral-8x22B-Instruct-v0.1",
        "max_tokens: 512",
        "max_tokens=512, temperature=0.7",
        "token_count=31415",
        "token_count: 42, tokens: 17",
        "next_page_token: null",
        "next_page_token=CAUQAA",
        "the password is required",
        "The password is incorrect. Try again.",
        "a password must be entered",
        "Password: must be at least eight letters",
        "your API key is missing or invalid",
        "tokenizer=Llama3Tokenizer",
        "tokenizer: cl100k_base",
        "secret santa",
        "a secret santa list for the team of 2024",
        "api_key: None",
        "api_key=null",
        "api_key: Optional[str] = None",
        "password=<your password>",
        "password=${DB_PASSWORD}",
        "api_key=os.environ['OPENAI_API_KEY']",
        "password: ********",
        "password policies and password rules",
        "a password manager, e.g. Bitwarden",
        "{\"type\": \"token\", \"content\": \"Hello\"}",
        "100%20tokens and a 50% chance",
        "{'auth_credential': '**********', 'chunk_tokenizer': 'tiktoken:cl100k_base'}",
        "api_key = self._get_api_key()",
        "token=self.token",
        "eos_token_id=2, bos_token=<s>",
        "pad_token: <pad>",
        "primary_key: user_id",
        "cache_key=models:llama:3",
        "sort key: created_at",
        "the key to success is patience",
        "key: value",
        "a token is a piece of text",
        "authority=example.org",
        "author: Anna B.",
        "keyboard: qwerty",
        "pass: 12, fail: 3",
        "first pass: 12",
        "basic understanding of bearer bonds",
        "tokens_per_second: 31.4",
        "trace key 7a4e",
        "session 7a4e0c32-2bdc-46ab-aabb-dbbc225ce760 of agent cf1ea0dfb2d5602e420e32e4b45b6044",
        "docker run -u 1000:1000 image",
        "ssh -p 2222 host",
        "12:34:56.789",
        "2026-11-22T18:39:22.344556+00:00",
        "InferenceRouter.stream_tokens_and_compute_metrics_openai_chat",
        "ChatCompletionTokenLogprob(token='Hello', bytes=[72, 101], logprob=-0.1)",
        "https://example.org/a/b?page=2#top",
        "https://medium.example/@anna/post",
        "npm_config_registry=https://registry.example",
        "System fingerprint fp_44709d6fcb",
        "cats, dogs; birds: all of them",
        "Passwords, secrets and tokens are taken out.",
        "signature: def f(x: int) -> str",
    ] {
        for json in [
            format!("{{\"own\": {}}}", json_of(text)),
            format!("{{\"own\": {}}}", json_of(&format!("{{\"x\": {}}}", json_of(text)))),
        ] {
            assert_eq!(left_of(&json, RedactOptions::default()), json);
        }
    }
    let pieces = r#"{"output": "{\"logprobs\": [{\"token\": \"Hello\", \"logprob\": -0.1, \"bytes\": [72]}]}"}"#;
    assert_eq!(left_of(pieces, RedactOptions::default()), pieces);
}

#[test]
fn of_structure_no_number_and_no_name_of_digits_is_left() {
    let numbers = ["4111111111111111", "31415926535", "85000.5", "85000", "33612345678", "-12.5e3", "1699999999"];
    for number in numbers {
        for key in [
            "own",
            "password",
            "salary",
            "value",
            "card",
            "phone_tokens",
            "role",
            "unit",
            "__class__",
            "gen_ai.usage.cost",
            "type",
        ] {
            for json in [
                format!("{{\"{key}\": {number}}}"),
                format!("{{\"{key}\": \"{number}\"}}"),
                format!("{{\"{key}\": [{number}]}}"),
                format!("{{\"input\": {{\"{key}\": {number}}}}}"),
                format!("{{\"output\": \"{{\\\"{key}\\\": {number}}}\"}}"),
            ] {
                let (left, report) = redact(&one_span("inference", &json), RedactOptions::STRUCTURE);
                let text = left.spans[0].attributes.as_deref().expect("attributes");
                assert!(!text.contains(number), "{json}: {text}");
                assert!(text.contains("taken out]"), "{json}: {text}");
                assert!(report.kinds.iter().all(|kind| kind.taken_out), "{report:?}");
            }
        }
    }
    for name in ["GET 10.21.31.42", "33 6 12 34 56 78", "4111 1111 1111 1111", "+33 6", "12.34.56", "--- 7"] {
        let recording = one_span(name, &format!("{{{}: 1}}", json_of(name)));
        let (left, _) = redact(&recording, RedactOptions::STRUCTURE);
        let texts = format!("{left:?}");
        assert!(!texts.contains(name), "{texts}");
    }
    // What describes the row stays.
    let kept =
        r#"{"__ttl__": 604800, "chunk_count": 12, "gen_ai.usage.input_tokens": 512, "prompt_tokens": 17, "stop_reason": "end_of_turn"}"#;
    assert_eq!(left_of(kept, RedactOptions::STRUCTURE), kept);
    let metric = |name: &str| {
        let attributes = r#"{"value": 512, "unit": "tokens"}"#;
        let event = EventRecord { name: Some(name.into()), attributes: Some(attributes.into()), ..EventRecord::default() };
        let (left, _) = redact(&Recording { events: vec![event], ..Recording::default() }, RedactOptions::STRUCTURE);
        left.events[0].attributes.clone().expect("attributes")
    };
    assert_eq!(metric("metric.prompt_tokens"), r#"{"value": 512, "unit": "tokens"}"#);
    assert_eq!(metric("metric.salary"), r#"{"value": "[value taken out]", "unit": "tokens"}"#);
}

#[test]
fn a_number_under_the_name_of_a_secret_is_one() {
    for json in [
        r#"{"password": 31415926535}"#,
        r#"{"x": "{\"pin\": 3141}"}"#,
        r#"{"api_key": 3141592653}"#,
        r#"{"env": [{"name": "PASSWORD", "value": 31415}]}"#,
    ] {
        let left = left_of(json, RedactOptions::default());
        assert!(!left.contains("3141") && left.contains("[key taken out]"), "{left}");
    }
}

#[test]
fn the_report_counts_what_left_and_nothing_else() {
    let (recording, _) = planted(&|number| format!("hush{number:03}quiet"));
    let (left, report) = redact(&recording, RedactOptions::STRUCTURE);
    assert!(report.kinds.iter().all(|kind| kind.taken_out && kind.places > 0));
    // Looking again finds nothing but pseudonyms: everything that was counted is gone.
    let (_, again) = redact(&left, only(&[]));
    let found: Vec<PrivateKind> = again.kinds.iter().map(|kind| kind.kind).collect();
    assert_eq!(found, [PrivateKind::Ids, PrivateKind::Services, PrivateKind::Names]);
    // A redacted recording that is redacted again stays as it is.
    let (twice, _) = redact(&left, RedactOptions::default());
    assert_eq!(twice, left);
}

#[test]
fn addresses_of_both_versions_are_taken_out() {
    for address in [
        "10.21.31.42",
        "2001:db8::8a2e:370:7334",
        "fe80::1",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "00:1a:2b:3c:4d:5e",
        "::1",
    ] {
        for text in [
            format!("GET {address}"),
            format!("from [{address}]:443"),
            format!("{address} said"),
            format!("http://[{address}]/x"),
            format!("\"{address}\""),
        ] {
            let left = left_of(&format!("{{\"own\": {}}}", json_of(&text)), only(&[PrivateKind::Paths]));
            assert!(!left.contains(address), "{text}: {left}");
        }
    }
    for text in ["at 12:34:56", "std::vector<int>", "a::b::c", "ratio 1:2:3"] {
        let json = format!("{{\"own\": {}}}", json_of(text));
        assert_eq!(left_of(&json, only(&[PrivateKind::Paths])), json);
    }
}

#[test]
fn pseudonyms_are_the_same_in_all_parts_and_keys_of_one_part_are_found_in_the_next() {
    let mut redactor = Redactor::new(only(&[PrivateKind::Ids, PrivateKind::Secrets]), None);
    let first = redactor.recording(&one_span("inference", r#"{"own": "password=correct-horse"}"#));
    let second = redactor.recording(&one_span("inference", r#"{"own": "say correct-horse of 77d3615b3d4bfbc0"}"#));
    assert_eq!(first.spans[0].span_id, second.spans[0].span_id);
    assert_eq!(second.spans[0].attributes.as_deref(), Some(r#"{"own": "say [key taken out] of 0000000000000001"}"#));
    assert_eq!(redactor.report().spans, 2);
}

#[test]
fn hostile_texts_of_a_megabyte_end() {
    let deep = |open: &str, close: &str| open.repeat(10_000) + "1" + &close.repeat(10_000);
    for text in [deep("{\"a\":", "}"), deep("[", "]"), deep("{\"password\":", "}"), deep("(", ")")] {
        for json in [format!("{{\"own\": {}}}", json_of(&text)), text] {
            let (left, _) = redact(&one_span("inference", &json), RedactOptions::default());
            assert_eq!(left.spans.len(), 1);
        }
    }
    let parts = [
        "password=",
        "password='",
        "password=\"",
        "password: ",
        "key=\"",
        "key: ",
        "\"",
        "'",
        "\\",
        "{",
        "[",
        "(",
        "<password>",
        "password {",
        "password=[",
        "sk-",
        "eyJ.",
        "-----BEGIN PRIVATE ",
        "--password ",
        "('password', '",
        "name: password, ",
        "value: \"",
        "https://a:b/",
        "a@",
        "::",
        "1:",
        "password:\n ",
        "curl -u a:",
        "Q~",
        "the password is ",
        "sha256~",
        "b_",
        "a ",
        "key-",
        "sk_live_",
        "mcp_list_",
        "password is for ",
    ];
    // Quadratic time would take hours.
    for part in parts {
        let text = part.repeat(1_000_000 / part.len() / if cfg!(debug_assertions) { 8 } else { 1 });
        super::detect::find(&text, &super::sweep::Sweep::default());
    }
    let text = "password=\"".repeat(100_000);
    let (left, _) = redact(&one_span("inference", &format!("{{\"own\": {}}}", json_of(&text))), RedactOptions::default());
    assert!(left.spans[0].attributes.as_ref().is_some_and(|left| left.len() < 100), "{left:?}");
}
