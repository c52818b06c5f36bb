//! Exports of Langfuse and Phoenix: requests, tokens and conversations.

use super::{attribute, one, read_whole, spans};
use crate::transfer::tools::import;
use quipu::protocol::{ListTraces, TraceQuery};

/// Requests, tokens in, out, cached, and the model of the first trace.
fn requests(text: &str) -> (u64, Option<u64>, Option<u64>) {
    let (mut session, report) = import(&[("input", text.as_bytes())]);
    assert_eq!((report.problem_count, report.remark_count), (0, 0), "{report:?}");
    let rows = session.ask(ListTraces(TraceQuery { limit: 100, ..TraceQuery::default() })).expect("an answer").rows;
    let tokens = rows[0].tokens.expect("tokens");
    (u64::from(tokens.requests), tokens.prompt, tokens.completion)
}

const GENERATION: &str = r#"{"id":"00f067aa0ba902b7","traceId":"0af7651916cd43dd8448eb211c80319c","type":"GENERATION","name":"answer",
    "startTime":"2025-10-09T08:53:20.123Z","endTime":"2025-10-09T08:53:21.623Z","completionStartTime":"2025-10-09T08:53:20.500Z",
    "model":"gpt-4o","modelParameters":{"temperature":0.2},"input":[{"role":"user","content":"Why?"}],
    "output":{"role":"assistant","content":"Because."},"metadata":{"k":"v","resourceAttributes":{"service.name":"bot"},
    "scope":{"name":"langfuse-sdk","version":"3.0.0"}},"level":"DEFAULT","statusMessage":null,"parentObservationId":"b7ad6b7169203331",
    "version":null,"promptName":"p","usage":{"input":30,"output":5,"total":35,"unit":"TOKENS"},
    "usageDetails":{"input":20,"input_cached_tokens":10,"output":4,"output_reasoning_tokens":1,"total":35},"latency":1.5}"#;

const SPAN: &str = r#"{"id":"b7ad6b7169203331","traceId":"0af7651916cd43dd8448eb211c80319c","type":"SPAN","name":"run",
    "startTime":"2025-10-09T08:53:20.000Z","endTime":"2025-10-09T08:53:22.000Z","input":"Why?","output":null,"level":"ERROR",
    "statusMessage":"it broke","parentObservationId":null}"#;

const EVENT: &str = r#"{"id":"1111111111111111","traceId":"0af7651916cd43dd8448eb211c80319c","type":"EVENT","name":"tick",
    "startTime":"2025-10-09T08:53:21.000Z","parentObservationId":"b7ad6b7169203331"}"#;

#[test]
fn observations_of_langfuse_are_read_in_all_their_exports() {
    let trace = r#""id":"0af7651916cd43dd8448eb211c80319c","projectId":"p","timestamp":"2025-10-09T08:53:20.000Z","name":"chat","userId":"u1","sessionId":"s1","tags":["a"]"#;
    let all = format!("[{GENERATION},{SPAN},{EVENT}]");
    for text in [
        format!("{{\"data\":{all},\"meta\":{{\"page\":1}}}}"),
        format!("{{{trace},\"observations\":{all},\"scores\":[]}}"),
        format!("{{\"trace\":{{{trace}}},\"observations\":{all}}}"),
        format!("{{\"data\":[{{{trace},\"observations\":{all}}}]}}"),
        all.clone(),
        [GENERATION, SPAN, EVENT].map(|line| line.replace('\n', "")).join("\n"),
    ] {
        let connection = read_whole(&text);
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(
            spans(&connection),
            [
                format!("{id} 00f067aa0ba902b7 b7ad6b7169203331 answer - UNSET 1760000000123000000 1760000001623000000 bot"),
                format!("{id} b7ad6b7169203331 - run - ERROR 1760000000000000000 1760000002000000000 -"),
                format!("{id} 1111111111111111 b7ad6b7169203331 tick - UNSET 1760000001000000000 1760000001000000000 -"),
            ],
            "{text}"
        );
        assert_eq!(requests(&text), (1, Some(30), Some(5)));
        for (key, value) in [
            ("langfuse.observation.type", "generation"),
            ("langfuse.observation.model.name", "gpt-4o"),
            ("langfuse.observation.model.parameters", r#"{"temperature": 0.2}"#),
            ("langfuse.observation.input", r#"[{"role": "user", "content": "Why?"}]"#),
            ("langfuse.observation.completion_start_time", "2025-10-09T08:53:20.500Z"),
            ("langfuse.observation.prompt.name", "p"),
            ("gen_ai.usage.cache_read.input_tokens", "10"),
            ("gen_ai.usage.reasoning.output_tokens", "1"),
            ("langfuse.observation.latency", "1.5"),
        ] {
            assert_eq!(attribute(&connection, "answer", key), value, "{key}");
        }
        assert_eq!(one(&connection, "SELECT json_extract(more, '$.status_message') FROM quipu_spans WHERE status = 2"), "it broke");
        if text.contains("sessionId") {
            assert_eq!(attribute(&connection, "run", "langfuse.session.id"), "s1");
            assert_eq!(attribute(&connection, "run", "user.id"), "u1");
            assert_eq!(attribute(&connection, "answer", "user.id"), "NULL");
        }
    }
}

#[test]
fn rows_of_langfuses_storage_and_traces_without_observations_are_read() {
    let row = r#"{"id":"o-1","trace_id":"my trace","project_id":"p","type":"GENERATION","parent_observation_id":null,"start_time":"2025-10-09 08:53:20.123",
        "end_time":"2025-10-09 08:53:21.000","name":"answer","provided_model_name":"claude-4","usage_details":{"input":"7","output":2},"level":"DEFAULT"}"#;
    let connection = read_whole(row);
    assert_eq!(spans(&connection), ["my trace o-1 - answer - UNSET 1760000000123000000 1760000001000000000 -"]);
    assert_eq!(requests(row), (1, Some(7), Some(2)));
    let listed = r#"{"data":[{"id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"2025-10-09T08:53:20Z","name":"chat","input":{"q":1},"output":"x",
        "observations":["a","b"],"latency":1.25,"sessionId":"s","projectId":"p"}],"meta":{}}"#;
    let connection = read_whole(listed);
    let found = spans(&connection);
    assert!(found[0].starts_with("550e8400-e29b-41d4-a716-446655440000 "), "{found:?}");
    assert!(found[0].ends_with(" - chat - UNSET 1760000000000000000 1760000001250000000 -"), "{found:?}");
    assert_eq!(attribute(&connection, "chat", "langfuse.trace.input"), r#"{"q": 1}"#);
}

#[test]
fn spans_of_phoenix_are_read_nested_and_flat() {
    let head = r#""name":"ChatCompletion","context":{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"00f067aa0ba902b7"},"span_kind":"LLM",
        "parent_id":"b7ad6b7169203331","start_time":"2025-10-09T08:53:20.123456+00:00","end_time":"2025-10-09T08:53:21.000000+00:00",
        "status_code":"ERROR","status_message":"no","events":[{"name":"exception","timestamp":"2025-10-09T08:53:20.5+00:00","attributes":{"exception.type":"E"}}]"#;
    let nested = r#"{"openinference":{"span":{"kind":"LLM"}},"llm":{"model_name":"gpt-4o","token_count":{"prompt":12,"completion":3,"total":15},
        "input_messages":[{"message":{"role":"user","content":"Why?"}}],"output_messages":[{"message":{"role":"assistant","content":"Because."}}],
        "invocation_parameters":"{\"temperature\": 0.1}"},"input":{"value":"Why?","mime_type":"text/plain"},"metadata":{"a":{"b":1}},"tag":{"tags":["x","y"]}}"#;
    let flat = r#"{"openinference.span.kind":"LLM","llm.model_name":"gpt-4o","llm.token_count.prompt":12,"llm.token_count.completion":3,"llm.token_count.total":15,
        "llm.input_messages.0.message.role":"user","llm.input_messages.0.message.content":"Why?","llm.output_messages.0.message.role":"assistant",
        "llm.output_messages.0.message.content":"Because.","llm.invocation_parameters":"{\"temperature\": 0.1}","input.value":"Why?","input.mime_type":"text/plain",
        "metadata":"{\"a\": {\"b\": 1}}","tag.tags":["x","y"]}"#;
    let columns = flat.replace("\"openinference", "\"attributes.openinference").replace("\"llm.", "\"attributes.llm.");
    let columns = columns
        .replace("\"input.", "\"attributes.input.")
        .replace("\"metadata\"", "\"attributes.metadata\"")
        .replace("\"tag.tags", "\"attributes.tag.tags");
    let row = head
        .replace(r#""context":{"trace_id":"#, r#""context.trace_id":"#)
        .replace(r#""span_id":"00f067aa0ba902b7"}"#, r#""context.span_id":"00f067aa0ba902b7""#);
    // pandas writes times as milliseconds, and a column of every span for each.
    let frame = format!("{{{row},{},\"attributes.tool.name\":null}}", columns.trim().trim_start_matches('{').trim_end_matches('}'));
    for text in [
        format!("{{{head},\"attributes\":{nested}}}"),
        format!("{{\"data\":[{{\"id\":\"U3Bhbjox\",{head},\"attributes\":{flat}}}],\"next_cursor\":null}}"),
        format!("[{{{head},\"attributes\":{flat}}}]"),
        frame,
    ] {
        let connection = read_whole(&text);
        assert_eq!(
            spans(&connection),
            [
                "0af7651916cd43dd8448eb211c80319c 00f067aa0ba902b7 b7ad6b7169203331 ChatCompletion - ERROR 1760000000123456000 1760000001000000000 -"
            ],
            "{text}"
        );
        assert_eq!(requests(&text), (1, Some(12), Some(3)));
        for (key, value) in [
            ("openinference.span.kind", "LLM"),
            ("llm.model_name", "gpt-4o"),
            ("llm.input_messages.0.message.content", "Why?"),
            ("llm.output_messages.0.message.role", "assistant"),
            ("metadata", r#"{"a": {"b": 1}}"#),
            ("tag.tags", r#"["x","y"]"#),
            ("tool.name", "NULL"),
        ] {
            assert_eq!(attribute(&connection, "ChatCompletion", key), value, "{key} {text}");
        }
        assert_eq!(super::events(&connection), ["ChatCompletion exception 1760000000500000000 {\"exception.type\": \"E\"}"]);
    }
}
