//! Bodies sent by instrumented programs that talked to a fake model: the same short conversation in three dialects.

use super::tools::{import, read};
use quipu::Session;
use quipu::llm::Body;
use quipu::protocol::{GetSpan, GetTrace, ListTraces, TraceQuery, TraceRow};
use std::fmt::Write as _;

/// The conversation of the largest trace, one line per message.
fn transcript(session: &mut Session) -> String {
    let trace = rows(session).into_iter().max_by_key(|row| row.spans).expect("a trace");
    let page = session.conversation(&trace.trace_id, false).expect("a conversation");
    let mut out = String::new();
    for turn in &page.conversation.turns {
        let _ = writeln!(out, "# {} {:?} {:?}", turn.name, turn.agent, turn.session_id);
        for entry in &turn.entries {
            match &entry.body {
                Body::Message { message, results } => {
                    let _ = write!(out, "{}: {}", message.role, message.text);
                    for (call, result) in message.tool_calls.iter().zip(results) {
                        let result = result.as_ref().and_then(|result| result.text.as_deref()).unwrap_or("nothing recorded");
                        let _ = write!(out, "{}({}) -> {result}", call.tool_name, call.arguments);
                    }
                    let _ = writeln!(out);
                }
                Body::Asked { model, parameters, tools } => {
                    let tools: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
                    let _ = writeln!(out, "asked {model:?} {parameters:?} {tools:?}");
                }
                Body::Earlier(messages) => {
                    let _ = writeln!(out, "{} messages again", messages.len());
                }
                other => {
                    let _ = writeln!(out, "{other:?}");
                }
            }
        }
    }
    out
}

fn rows(session: &mut Session) -> Vec<TraceRow> {
    session.ask(ListTraces(TraceQuery { limit: 100, ..TraceQuery::default() })).expect("an answer").rows
}

const EVENTS: [&str; 2] = ["tests/fixtures/otlp/genai_events_traces.binpb", "tests/fixtures/otlp/genai_events_logs.binpb"];

fn open(names: &[&str]) -> Session {
    let files: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (*name, read(name))).collect();
    let inputs: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let (session, report) = import(&inputs);
    assert_eq!((report.problem_count, report.logs_without_span), (0, 0), "{report:?}");
    session
}

#[test]
fn prompts_that_were_logged_are_in_the_conversation() {
    let [traces, logs] = EVENTS;
    insta::assert_snapshot!("logged", transcript(&mut open(&[traces, logs])));
    assert_eq!(transcript(&mut open(&[logs, traces])), transcript(&mut open(&[traces, logs])), "whichever file comes first");
}

#[test]
fn prompts_on_spans_are_in_the_conversation() {
    insta::assert_snapshot!("attributes", transcript(&mut open(&["tests/fixtures/otlp/genai_messages_traces.binpb"])));
    // The tool's span records that it ran; its result is in the model's input.
    let traceloop = transcript(&mut open(&["tests/fixtures/otlp/genai_traceloop_traces.binpb"]));
    assert!(traceloop.contains("get_weather({\"city\": \"Lima\"}) -> rain"), "{traceloop}");
    insta::assert_snapshot!("openinference", transcript(&mut open(&["tests/fixtures/otlp/openinference_traces.binpb"])));
}

#[test]
fn models_tokens_tools_agents_and_failures_are_recognised() {
    for names in [
        &EVENTS[..],
        &["tests/fixtures/otlp/genai_messages_traces.binpb"],
        &["tests/fixtures/otlp/genai_traceloop_traces.binpb"],
        &["tests/fixtures/otlp/openinference_traces.binpb"],
    ] {
        let mut session = open(names);
        let all = rows(&mut session);
        // The fake model reported 31 prompt and 9 completion tokens for each of two answers.
        let agent = all.iter().max_by_key(|row| row.spans).expect("a trace");
        let tokens = agent.tokens.expect("requests");
        assert_eq!((tokens.requests, tokens.prompt, tokens.completion, tokens.total), (2, Some(62), Some(18), Some(80)), "{names:?}");
        assert!(agent.model.as_deref().is_some_and(|model| model.starts_with("fake-model")), "{agent:?}");
        assert_eq!((agent.session.as_deref(), agent.agent.as_deref()), (Some("conv-1"), Some("weather")), "{names:?}");
        assert_eq!(agent.asked.as_deref(), Some("How warm is it in Lima?"), "{names:?}");
        assert_eq!(agent.root_name.as_deref(), Some("invoke_agent weather"));
        assert_eq!(agent.root_kind, Some(quipu::model::SpanKind::Turn));
        let failed: Vec<&TraceRow> = all.iter().filter(|row| row.failed > Some(0)).collect();
        assert_eq!(failed.len(), 1, "one request asked for a model that is not there");
        let columns = session.ask(GetTrace { trace_id: failed[0].trace_id.clone(), scope: Default::default() }).expect("a trace");
        let span_id = columns.span_id.get(0).expect("a span");
        let span = session.ask(GetSpan { trace_id: failed[0].trace_id.clone(), span_id }).expect("a span");
        let failure = span.failures.first().expect("a failure");
        assert!(failure.message.contains("model not loaded"), "{names:?} {failure:?}");
        assert!(!span.input_messages.is_empty() || names == &EVENTS[..], "{names:?}");
        let hits = session.ask(ListTraces(TraceQuery { filter: "kind:tool tool:get_weather".into(), limit: 10, ..TraceQuery::default() }));
        let hits = hits.expect("a page");
        assert_eq!(hits.total, Some(1), "{names:?}");
    }
}

#[test]
fn a_request_fails_by_its_status_or_its_error_type() {
    let span = |id: u32, status: &str, attributes: &str| {
        format!(
            r#"{{"traceId":"{id:032x}","spanId":"{id:016x}","name":"chat","startTimeUnixNano":"1","endTimeUnixNano":"2","status":{status},"attributes":[{attributes}]}}"#
        )
    };
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let truth = |truth: bool| format!(r#"{{"key":"error","value":{{"boolValue":{truth}}}}}"#);
    let spans = [
        span(1, r#"{"code":2,"message":"slow down"}"#, &text("error.type", "429")),
        span(2, "{}", &text("error.type", "TimeoutError")),
        span(3, r#"{"code":2}"#, &truth(true)),
        span(4, "{}", &truth(false)),
        span(5, "{}", &text("error", "it broke")),
    ];
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","));
    let (mut session, _) = import(&[("traces", body.as_bytes())]);
    let mut failures_of = |id: u32| {
        let (trace_id, span_id) = (format!("{id:032x}"), format!("{id:016x}"));
        let span = session.ask(GetSpan { trace_id, span_id }).expect("a span");
        span.failures.into_iter().map(|failure| format!("{} ({})", failure.message, failure.source)).collect::<Vec<_>>()
    };
    assert_eq!(failures_of(1), ["slow down (the status)"]);
    assert_eq!(failures_of(2), ["TimeoutError (the attribute error.type)"]);
    assert_eq!(failures_of(3), [" (the status)"]);
    assert_eq!(failures_of(4), Vec::<String>::new());
    assert_eq!(failures_of(5), ["it broke (the attribute error)"]);
    let failed: Vec<Option<u64>> = rows(&mut session).iter().map(|row| row.failed.map(Into::into)).collect();
    assert_eq!(failed.iter().filter(|failed| **failed == Some(1)).count(), 4);
}

#[test]
fn metric_points_are_returned_as_measured() {
    let session = open(&[
        "tests/fixtures/otlp/genai_messages_traces.binpb",
        "tests/fixtures/otlp/genai_messages_metrics.binpb",
    ]);
    let mut usage = Vec::new();
    let took = session.each_metric_point(&mut |point| {
        if point.metric == "gen_ai.client.token.usage" && point.attributes.contains("fake-model") {
            assert!(point.detail.is_some_and(|detail| detail.contains("\"counts\": [")), "its buckets are there");
            assert!(point.start_nanos < point.time_nanos);
            let kind = if point.attributes.contains("\"gen_ai.token.type\": \"input\"") { "input" } else { "output" };
            usage.push((kind, point.kind, point.cumulative, point.count, point.value));
        }
    });
    took.expect("points");
    usage.sort_by_key(|point| point.0);
    usage.dedup();
    let point = |kind, tokens| (kind, "histogram".to_owned(), Some(true), Some(2), Some(tokens));
    assert_eq!(usage, [point("input", 62.0), point("output", 18.0)]);
}
