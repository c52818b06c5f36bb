//! A trace with a secret in each field, and a search for secrets in any encoding, for tests of redaction.

use quipu::encoding::{base64_url, from_base64};
use quipu::model::{EventRecord, Recording, SpanRecord, TraceRecord};

/// A text together with everything it decodes to.
pub fn texts_in(mut all: String) -> String {
    let plain = all.replace("\\\\", "\\").replace("\\\"", "\"").replace("\\'", "'");
    all.push_str(&plain);
    for run in plain.split(|letter: char| !(letter.is_ascii_alphanumeric() || "+/_-".contains(letter))).filter(|run| run.len() >= 10) {
        for offset in 0..4 {
            let part = run.get(offset..).unwrap_or_default();
            let part = &part[..part.len() - usize::from(part.len() % 4 == 1)];
            all.push_str(&String::from_utf8_lossy(&from_base64(part.as_bytes()).unwrap_or_default()));
            all.push('\n');
        }
    }
    all
}

/// A string as JSON.
pub fn json_of(text: &str) -> String {
    let mut json = String::new();
    quipu::recorded::write_json_string(text, &mut json);
    json
}

/// A trace that contains `secret(n)` in each field, where n is the number of the field. Also returns the number of fields.
pub fn planted(secret: &dyn Fn(usize) -> String) -> (Recording, usize) {
    let count = std::cell::Cell::new(0);
    let plant = || {
        count.set(count.get() + 1);
        secret(count.get())
    };
    let base64 = |text: String| base64_url(text.as_bytes());
    let attributes = [
        format!("{}: 1", json_of(&plant())),
        format!("\"own\": {}", json_of(&plant())),
        format!("\"list\": [1, {{\"a\": {}, {}: 2}}]", json_of(&plant()), json_of(&plant())),
        format!("\"input\": {}", json_of(&format!(r#"[{{"role": "user", "content": {}}}]"#, json_of(&plant())))),
        format!(
            "\"output\": {}",
            json_of(&format!(r#"{{"content": {}, "tool_calls": [{{"arguments": {}}}]}}"#, json_of(&plant()), json_of(&plant())))
        ),
        format!(
            "\"__args__\": {}",
            json_of(&format!("{{'messages': \"[UserMessage(role='user', content='{}')]\", '{}': <Foo {}>}}", plant(), plant(), plant()))
        ),
        format!("\"error\": {}", json_of(&format!("Failed at {{'x': '{}", plant()))),
        format!("\"data\": {}", json_of(&base64(format!("{{\"x\": \"{}\"}}", plant())))),
        format!("\"twice\": {}", json_of(&base64(base64(plant())))),
        format!("\"bytes\": {}", json_of(&format!("b'{}'", plant()))),
        format!("\"escaped\": {}", json_of(&plant().chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect::<String>())),
        format!("\"percent\": {}", json_of(&plant().bytes().map(|byte| format!("%{byte:02x}")).collect::<String>())),
        format!("\"__class__\": {}, \"__ttl__\": {}, \"role\": {}", json_of(&plant()), json_of(&plant()), json_of(&plant())),
        format!("\"raw_path\": {}", json_of(&format!("/v1/agents/{}", plant()))),
        format!("\"session_id\": {}", json_of(&plant())),
    ];
    let some = || Some(plant());
    let recording = Recording {
        traces: vec![TraceRecord {
            trace_id: plant(),
            service_name: some(),
            root_span_id: some(),
            start_time: some(),
            end_time: some(),
            created_at: some(),
        }],
        spans: vec![
            SpanRecord {
                span_id: plant(),
                trace_id: some(),
                parent_span_id: some(),
                name: some(),
                start_time: some(),
                end_time: some(),
                attributes: Some(format!("{{{}}}", attributes.join(", "))),
                status: some(),
                kind: some(),
            },
            SpanRecord {
                name: Some(format!("run_shield_{}", plant())),
                attributes: Some(format!("no JSON: {}", plant())),
                ..SpanRecord::default()
            },
        ],
        events: vec![EventRecord {
            span_id: some(),
            name: some(),
            timestamp: some(),
            attributes: Some(format!(
                "{{\"message\": {}, \"severity\": {}, {}: 1}}",
                json_of(&plant()),
                json_of(&plant()),
                json_of(&plant())
            )),
        }],
    };
    (recording, count.get())
}
