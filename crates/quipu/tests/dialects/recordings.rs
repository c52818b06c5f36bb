//! Every recording: requests and tokens, counted once and the same everywhere, and the words of every call.

use super::support::{Said, conversation, expected, number, open, recordings, said_in};
use crate::transfer::tools::{import_as, session_of};
use quipu::Session;
use quipu::metrics::{MetricOptions, PromqlQuery};
use quipu::model::Value;
use quipu::protocol::{GetFile, GetSpan, GetTrace, ListTraces, TraceQuery, TraceScope, WarningKind};
use quipu::store::{Layout, SqlLimits, SqlValue};

/// The number that a query returns in its only cell.
fn sql(session: &mut Session, query: &str) -> u64 {
    let answer = session.query_sql(query, SqlLimits::default()).expect("an answer");
    match answer.rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Integer(number)) => u64::try_from(*number).expect("a count"),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn requests_are_the_same_everywhere() {
    for (name, expected) in recordings() {
        let mut session = open(&name);
        let requests = number(&expected, "requests");
        assert_eq!(session.ask(GetFile).expect("a file").requests, Some(requests), "{name}");
        assert_eq!(sql(&mut session, "SELECT count(*) FROM requests"), requests, "{name}");
        let listed = session.ask(ListTraces(TraceQuery { limit: 1_000, ..TraceQuery::default() })).expect("a list");
        assert_eq!(listed.rows.iter().map(|row| u64::from(row.requests.unwrap_or(0))).sum::<u64>(), requests, "{name}");
        let counted = promql(&mut session, "sum(quipu_requests_total)");
        assert_eq!(counted.unwrap_or(0.0) as u64, requests, "{name}");
    }
}

#[test]
fn tokens_are_counted_once() {
    for (name, expected) in recordings() {
        let mut session = open(&name);
        let (prompt, completion) = (number(&expected, "prompt"), number(&expected, "completion"));
        if number(&expected, "calls_once") == 0 {
            continue;
        }
        let tokens = session.ask(GetFile).expect("a file").tokens.expect("totals");
        let found = (tokens.prompt, tokens.completion, tokens.total, u64::from(tokens.requests));
        let sum = (Some(prompt), Some(completion), Some(prompt + completion), number(&expected, "calls_once"));
        assert_eq!(found, sum, "{name}");
        let part = |found: Option<u64>| found.unwrap_or(0);
        assert_eq!((part(tokens.parts.cached), part(tokens.parts.reasoning)), once(&name, &expected), "{name}");
        let usage = |metric: &str| format!("SELECT sum(value) FROM token_usage WHERE metric = '{metric}'");
        assert_eq!(sql(&mut session, &usage("prompt_tokens")), prompt, "{name}");
        assert_eq!(sql(&mut session, &usage("completion_tokens")), completion, "{name}");
        assert_eq!(sql(&mut session, &usage("total_tokens")), prompt + completion, "{name}");
        let counted = promql(&mut session, "sum(llama_stack_tokens_total)");
        assert_eq!(counted.map(|counted| counted as u64), Some(prompt + completion), "{name}");
    }
}

/// Cached and reasoning tokens, which the independent reader counts in every call: a client and its server tell the same.
fn once(name: &str, expected: &Value) -> (u64, u64) {
    let halves = if name == "ogx150-client" { 2 } else { 1 };
    (number(expected, "cached") / halves, number(expected, "reasoning") / halves)
}

/// The value of a query with one series at the end of the file; `None` without any.
fn promql(session: &mut Session, query: &str) -> Option<f64> {
    let query = PromqlQuery { query: query.into(), start: None, end: None, step: None, options: MetricOptions::default() };
    let answer = session.query_promql(&query).expect("the file can be read").expect("an answer");
    answer.series().first().map(|series| series.points[0].value)
}

#[test]
fn the_words_of_every_call_are_in_its_conversation_in_order() {
    for (name, expected) in recordings() {
        let mut session = open(&name);
        for call in expected.get("calls").and_then(Value::items).expect("calls") {
            let trace = call.get("trace").and_then(Value::as_str).expect("a trace");
            let found = conversation(&mut session, trace);
            let mut after = 0;
            for wanted in ["input", "output"].into_iter().filter_map(|key| call.get(key)?.items()).flatten().flat_map(said_in) {
                let is_it = |said: &Said| is_same(said, &wanted);
                let place = found.iter().skip(after).position(is_it).map(|place| place + after);
                // An agent that is handed a conversation has instructions of its own, which come where it begins.
                let place = place.or_else(|| is_system(&wanted).then(|| found.iter().position(is_it)).flatten());
                let place = place.unwrap_or_else(|| panic!("{name} {trace}: {wanted:?} is not after {after} of {found:#?}"));
                if !is_system(&wanted) {
                    after = place;
                }
            }
        }
    }
}

fn is_system(said: &Said) -> bool {
    matches!(said, Said::Text(role, _) if role == "system")
}

/// Whether both are the same, apart from the layout of JSON and the role under which embedded texts are recorded.
fn is_same(said: &Said, wanted: &Said) -> bool {
    // The independent reader leaves parts out that are no text.
    let plain = |text: &str| text.replace("[image]", "").replace("[blob]", "").split_whitespace().collect::<String>();
    match (said, wanted) {
        (Said::Text(role, text), Said::Text(wanted_role, wanted)) => {
            plain(text) == plain(wanted) && (role == wanted_role || role == "embedded" && wanted_role == "user")
        }
        (Said::Result(text), Said::Result(wanted)) => plain(text) == plain(wanted),
        (one, other) => one == other,
    }
}

#[test]
fn a_message_is_said_once() {
    for (name, trace) in [
        ("pydantic-ai", "416ff6a4ba216da6cfd2671256382cb6"),
        ("langgraph-openinference", "35d9011dba7c2592684eea433dc4042f"),
        ("ogx150-client", "3392c321d73f26118fdb3892a3618f6d"),
    ] {
        let found = conversation(&mut open(name), trace);
        for (place, said) in found.iter().enumerate().filter(|(_, said)| matches!(said, Said::Text(..) | Said::Result(_))) {
            assert!(!found[..place].contains(said), "{name}: {said:?} stands twice in {found:#?}");
        }
        assert!(!found.iter().any(|said| matches!(said, Said::Text(role, text) if role == "user" && text.starts_with("14 degrees"))));
    }
}

#[test]
fn what_a_model_thought_is_apart_from_its_answer() {
    let session = open("agents-sdk");
    let page = session.conversation("0c67e196fb81a56ea72e28780d71337f", false).expect("a conversation");
    let messages = page.conversation.turns.iter().flat_map(|turn| &turn.entries).filter_map(|entry| match &entry.body {
        quipu::llm::Body::Message { message, .. } => Some(message),
        _ => None,
    });
    let thoughts: Vec<(Option<&str>, bool)> = messages.map(|found| (found.reasoning.as_deref(), found.text.contains("consider"))).collect();
    assert_eq!(thoughts.iter().filter(|(thought, _)| *thought == Some("I consider the cords.")).count(), 2);
    assert!(thoughts.iter().all(|(_, is_said)| !is_said));
}

#[test]
fn tools_requests_and_databases_are_what_they_are() {
    use quipu::model::SpanKind;
    let kinds = |name: &str| {
        let mut session = open(name);
        let listed = session.ask(ListTraces(TraceQuery { limit: 1_000, ..TraceQuery::default() })).expect("a list");
        let mut found = std::collections::BTreeMap::new();
        for row in listed.rows {
            let columns = session.ask(GetTrace { trace_id: row.trace_id, scope: TraceScope::default() }).expect("a trace");
            for at in 0..columns.len() {
                found.insert(columns.name_of(at).to_owned(), *columns.kind.get(at).expect("a kind"));
            }
        }
        found
    };
    let ogx = kinds("ogx150-span");
    for (name, kind) in [
        ("invoke_mcp_tool", SpanKind::Tool),
        ("list_mcp_tools", SpanKind::Tool),
        ("file_search", SpanKind::Tool),
        ("MCP send tools/call get_weather", SpanKind::Tool),
        ("chat fake/chat-8b", SpanKind::Inference),
        ("embeddings fake/embed-16", SpanKind::Inference),
    ] {
        assert_eq!(ogx.get(name), Some(&kind), "{name}");
    }
    // A client's span has its method as its name only; it is shown with the path.
    assert!(ogx.contains_key("POST /v1/chat/completions") && !ogx.contains_key("POST"), "{:?}", ogx.keys());
    let idle = kinds("ogx150-quickstart");
    assert_eq!((idle.get("PRAGMA"), idle.get("SELECT")), (Some(&SpanKind::Storage), Some(&SpanKind::Storage)));
    // Attributes that a limit dropped say nothing, but a model and token counts do.
    assert_eq!(kinds("ls073-limits").get("chat fake/chat-8b"), Some(&SpanKind::Inference));
}

#[test]
fn polls_of_an_idle_server_are_told_and_can_be_left_out() {
    let mut session = open("ogx150-quickstart");
    let file = session.ask(GetFile).expect("a file");
    let warning = file.warnings.iter().find(|warning| warning.kind == WarningKind::DatabaseTraces).expect("a warning");
    assert_eq!(warning.text, "601 of 607 traces are calls of a database outside of any request.");
    let filter = warning.meaning.split_once("Type ").and_then(|(_, rest)| rest.split_once(" into")).expect("a filter").0;
    let left = session.ask(ListTraces(TraceQuery { filter: filter.into(), ..TraceQuery::default() })).expect("a list");
    assert_eq!(left.total, Some(6));
}

#[test]
fn a_call_tells_its_parts_its_speed_and_its_provider() {
    let mut session = open("ogx150-span");
    let query = "SELECT span_id, trace_id FROM model_calls WHERE time_to_first_token_ms > 1000 ORDER BY start_time";
    let answer = session.query_sql(query, SqlLimits::default()).expect("an answer");
    let Some([SqlValue::Text(span_id), SqlValue::Text(trace_id)]) = answer.rows.first().map(Vec::as_slice) else { panic!("{answer:?}") };
    let span = session.ask(GetSpan { trace_id: trace_id.clone(), span_id: span_id.clone() }).expect("a span");
    assert!(span.call.first_part_nanos.is_some_and(|nanos| nanos > 1_000_000_000), "{:?}", span.call);
    assert_eq!(sql(&mut session, "SELECT sum(cached_tokens) FROM model_calls"), 1_024);
    assert_eq!(sql(&mut session, "SELECT count(*) FROM model_calls WHERE provider_id = 'openai'"), 29);
    assert_eq!(promql(&mut session, r#"sum(llama_stack_tokens_total{provider_id="openai"})"#), Some(2_404.0));
    let documented = promql(&mut session, "sum(ogx_gen_ai_client_token_usage_sum)");
    assert_eq!(documented, promql(&mut session, "sum(gen_ai_client_token_usage_sum)"));
    assert!(documented.is_some());
}

#[test]
fn tokens_that_only_a_metric_counts_are_told() {
    let bytes =
        std::fs::read(crate::support::path("tests/fixtures/otlp/modern/ogx150-span_metrics.binpb.gz")).expect("the fixture is there");
    let (mut session, _) = crate::transfer::tools::import(&[("metrics", &bytes)]);
    let tokens = session.ask(GetFile).expect("a file").tokens.expect("totals");
    assert_eq!((tokens.prompt, tokens.completion, tokens.total, tokens.requests), (Some(2_051), Some(353), Some(2_404), 0));
    let sentence = quipu::format::token_sentence(&tokens).expect("a sentence");
    assert!(sentence.ends_with("counted by a metric; no inference request was recorded"), "{sentence}");
    assert_eq!(promql(&mut session, r#"sum(llama_stack_tokens_total{provider_id="openai"})"#), Some(2_404.0));
}

#[test]
fn tokens_of_claude_code_are_counted_by_its_metric_where_no_span_counts_them() {
    let logs = std::fs::read(crate::support::path("tests/fixtures/otlp/agent_logs.jsonl")).expect("the fixture is there");
    let of_sql = "SELECT CAST(sum(value) AS INTEGER) FROM quipu_metric_points WHERE metric = 'claude_code.token.usage'
        AND attributes ->> 'type' ";
    let (mut session, _) = crate::transfer::tools::import(&[("logs.jsonl", &logs)]);
    let of = |session: &mut Session, kinds: &str| Some(sql(session, &format!("{of_sql} IN ({kinds})")));
    let recorded = ["'input'", "'output'", "'input', 'output'", "'cacheRead'"].map(|kinds| of(&mut session, kinds));
    assert_eq!(recorded, [Some(12), Some(200), Some(212), Some(11_000)]);
    let tokens = session.ask(GetFile).expect("a file").tokens.expect("totals");
    assert_eq!([tokens.prompt, tokens.completion, tokens.total, tokens.parts.cached], recorded);
    assert_eq!((tokens.parts.cache_written, tokens.requests), (None, 0));
    let by_model = r#"sum(llama_stack_tokens_total{model_id="claude-sonnet-4-5", job="claude-code", type=""})"#;
    assert_eq!(promql(&mut session, by_model), Some(212.0));
    assert_eq!(promql(&mut session, "sum(claude_code_token_usage_tokens_total)"), Some(11_212.0));
    // The spans of the same requests, whatever they name the model.
    let spans = br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"claude-code"}}]},"scopeSpans":[{"spans":[
        {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"claude_code.llm_request","startTimeUnixNano":"1760000001000000000",
        "endTimeUnixNano":"1760000002000000000","attributes":[{"key":"span.type","value":{"stringValue":"llm_request"}},
        {"key":"model","value":{"stringValue":"sonnet"}},{"key":"input_tokens","value":{"intValue":"12"}},
        {"key":"output_tokens","value":{"intValue":"200"}},{"key":"cache_read_tokens","value":{"intValue":"11000"}}]}]}]}]}"#;
    let (mut session, _) = crate::transfer::tools::import(&[("logs.jsonl", &logs), ("spans.json", spans)]);
    let tokens = session.ask(GetFile).expect("a file").tokens.expect("totals");
    assert_eq!([tokens.prompt, tokens.completion, tokens.total, tokens.parts.cached], recorded);
    assert_eq!(tokens.requests, 1);
    assert_eq!(promql(&mut session, "sum(llama_stack_tokens_total)"), Some(212.0));
    assert_eq!(promql(&mut session, r#"sum(llama_stack_tokens_total{model_id="sonnet"})"#), Some(212.0));
}

#[test]
fn what_wrote_a_file_is_not_guessed_from_other_programs() {
    for (name, _) in recordings() {
        let releases = open(&name).guess_releases().expect("a guess").releases;
        assert_eq!(releases == "OTLP", name != "ls035", "{name}: {releases}");
    }
}

#[test]
fn a_client_and_its_server_are_one_call() {
    let of = expected("ogx150-client");
    let calls = of.get("calls").and_then(Value::items).expect("calls");
    let inside = calls.iter().filter(|call| call.get("inside").is_some()).count();
    assert_eq!((calls.len(), inside), (23, 12));
    let mut session = open("ogx150-client");
    assert_eq!(sql(&mut session, "SELECT count(*) FROM model_calls"), 23);
    assert_eq!(session.ask(GetFile).expect("a file").tokens.map(|tokens| tokens.requests), Some(11));
}

#[test]
fn spans_of_several_services_name_theirs() {
    let body =
        std::fs::read(crate::support::path("tests/fixtures/otlp/modern/ogx150-client_traces.binpb.gz")).expect("the fixture is there");
    // Llama Stack's tables have one service for each trace.
    let mut session = session_of(import_as(Layout::Quipu, &[("traces", &body)]).0);
    let listed = session.ask(ListTraces(TraceQuery { limit: 1_000, ..TraceQuery::default() })).expect("a list");
    let trace_id = listed.rows.iter().find(|row| row.more_services > 0).map(|row| &row.trace_id).expect("a trace of several services");
    let trace = session.ask(GetTrace { trace_id: trace_id.clone(), scope: TraceScope::default() }).expect("a trace");
    let mut services = std::collections::BTreeSet::new();
    for (at, row) in (0_u32..).zip(trace.span_id.iter()) {
        let span = session.ask(GetSpan { trace_id: trace_id.clone(), span_id: row.to_string() }).expect("a span");
        assert_eq!(trace.service_of(at).map(str::to_owned), span.service);
        services.extend(span.service);
    }
    assert_eq!(services.into_iter().collect::<Vec<_>>(), ["my-ogx-app", "ogx-server"]);
    let tree = quipu::view::WaterfallTree::new(&trace);
    let rows = quipu::view::waterfall_rows(&trace, &tree, 0..tree.visible(), &quipu::view::TimeWindow::whole(trace.duration_nanos), 0.0);
    assert!(rows.iter().all(|row| row.beside.as_deref().is_some_and(|text| text.ends_with("my-ogx-app") || text.ends_with("ogx-server"))));
    // One service is not repeated on every row.
    let mut session = open("ogx150-span");
    let trace_id = session.ask(ListTraces(TraceQuery::default())).expect("a list").rows[0].trace_id.clone();
    let trace = session.ask(GetTrace { trace_id, scope: TraceScope::default() }).expect("a trace");
    assert!(!trace.is_empty() && (0..trace.len() as u32).all(|row| trace.service_of(row).is_none()));
}
