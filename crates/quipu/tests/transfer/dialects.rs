//! What instrumented programs sent while they talked to a fake model: the same small conversation in three dialects.

use super::tools::{import, read};
use quipu::Session;
use quipu::llm::Body;
use quipu::protocol::{Request, Response, TraceQuery, TraceRow};
use std::fmt::Write as _;

/// The conversation of the largest trace, a line a message.
fn told(session: &mut Session) -> String {
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
    match session.handle(Request::ListTraces(TraceQuery { limit: 100, ..TraceQuery::default() })) {
        Ok(Response::Traces(page)) => page.rows,
        other => panic!("{other:?}"),
    }
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
    insta::assert_snapshot!("logged", told(&mut open(&[traces, logs])));
    assert_eq!(told(&mut open(&[logs, traces])), told(&mut open(&[traces, logs])), "whichever file comes first");
}

#[test]
fn prompts_on_spans_are_in_the_conversation() {
    insta::assert_snapshot!("attributes", told(&mut open(&["tests/fixtures/otlp/genai_messages_traces.binpb"])));
    // Its tool's span says that it ran; what it answered went to the model.
    let traceloop = told(&mut open(&["tests/fixtures/otlp/genai_traceloop_traces.binpb"]));
    assert!(traceloop.contains("get_weather({\"city\": \"Lima\"}) -> rain"), "{traceloop}");
    insta::assert_snapshot!("openinference", told(&mut open(&["tests/fixtures/otlp/openinference_traces.binpb"])));
}

#[test]
fn models_tokens_tools_agents_and_failures_are_known_as_llama_stacks_are() {
    for names in [
        &EVENTS[..],
        &["tests/fixtures/otlp/genai_messages_traces.binpb"],
        &["tests/fixtures/otlp/genai_traceloop_traces.binpb"],
        &["tests/fixtures/otlp/openinference_traces.binpb"],
    ] {
        let mut session = open(names);
        let all = rows(&mut session);
        // The fake model told 31 prompt and 9 completion tokens for each of two answers.
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
        let Ok(Response::Trace(columns)) =
            session.handle(Request::GetTrace { trace_id: failed[0].trace_id.clone(), scope: Default::default() })
        else {
            panic!("a trace")
        };
        let span_id = columns.span_id.get(0).expect("a span");
        let Ok(Response::Span(span)) = session.handle(Request::GetSpan { trace_id: failed[0].trace_id.clone(), span_id }) else {
            panic!("a span")
        };
        let failure = span.failures.first().expect("a failure");
        assert!(failure.message.contains("model not loaded"), "{names:?} {failure:?}");
        assert!(!span.input_messages.is_empty() || names == &EVENTS[..], "{names:?}");
        let hits = session.handle(Request::ListTraces(TraceQuery {
            filter: "kind:tool tool:get_weather".into(),
            limit: 10,
            ..TraceQuery::default()
        }));
        let Ok(Response::Traces(hits)) = hits else { panic!("{hits:?}") };
        assert_eq!(hits.total, Some(1), "{names:?}");
    }
}

#[test]
fn that_a_request_failed_is_told_by_its_status_or_the_type_of_its_error() {
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
    let mut told = |id: u32| {
        let (trace_id, span_id) = (format!("{id:032x}"), format!("{id:016x}"));
        let Ok(Response::Span(span)) = session.handle(Request::GetSpan { trace_id, span_id }) else { panic!("a span") };
        span.failures.into_iter().map(|failure| format!("{} ({})", failure.message, failure.source)).collect::<Vec<_>>()
    };
    assert_eq!(told(1), ["slow down (the status)"]);
    assert_eq!(told(2), ["TimeoutError (the attribute error.type)"]);
    assert_eq!(told(3), [" (the status)"]);
    assert_eq!(told(4), Vec::<String>::new());
    assert_eq!(told(5), ["it broke (the attribute error)"]);
    let failed: Vec<Option<u64>> = rows(&mut session).iter().map(|row| row.failed.map(Into::into)).collect();
    assert_eq!(failed.iter().filter(|failed| **failed == Some(1)).count(), 4);
}

#[test]
fn points_of_metrics_are_handed_out_as_they_were_measured() {
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
