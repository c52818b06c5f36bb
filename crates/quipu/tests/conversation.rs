//! Conversations of real traces, as text.

use quipu::Session;
use quipu::llm::{Body, Conversation, ConversationPage, SpanMessages, ToolResult, Verdict};
use quipu::model::SpanKind;
use quipu::recorded::decode;
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use std::fmt::Write as _;

fn open(name: &str) -> Session {
    let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
    let source = Box::new(MemorySource(std::fs::read(path).expect("the fixture is there")));
    let file = NamedSource { name: name.into(), source };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("it is indexed");
    session
}

/// The first trace, by start, with these words in an attribute.
fn trace_with(session: &mut Session, words: &str) -> String {
    let answer = session.query("query_traces", r#"{"limit": 1000, "order_by": ["start_time"]}"#, None).expect("traces");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let ids = answer["data"].as_array().expect("traces").iter().map(|trace| trace["trace_id"].as_str().expect("an id").to_owned());
    ids.collect::<Vec<_>>()
        .into_iter()
        .find(|id| transcript(&conversation(session, id)).contains(words))
        .expect("a conversation with these words")
}

fn conversation(session: &mut Session, trace_id: &str) -> Conversation {
    page(session, trace_id, false).conversation
}

fn page(session: &mut Session, trace_id: &str, whole_session: bool) -> ConversationPage {
    session.conversation(trace_id, whole_session).expect("a conversation").as_ref().clone()
}

fn cut(text: &str) -> String {
    let line = text.replace('\n', "⏎");
    let head: String = line.chars().take(110).collect();
    if head.len() < line.len() { format!("{head}…") } else { line }
}

fn result_line(result: &ToolResult) -> String {
    let text = result.text.as_deref().map_or("nothing recorded".into(), cut);
    let failure = result.failure.as_deref().map(|text| format!(" FAILED {}", cut(text))).unwrap_or_default();
    let chunks = if result.chunks.is_empty() { String::new() } else { format!(" ({} chunks)", result.chunks.len()) };
    format!("{text}{failure}{chunks}")
}

fn transcript(conversation: &Conversation) -> String {
    let mut out = String::new();
    for turn in &conversation.turns {
        let agent = turn.agent.as_deref().map(|agent| format!(", agent {agent}")).unwrap_or_default();
        let failure = turn.failure.as_deref().map(|text| format!(", FAILED {}", cut(text))).unwrap_or_default();
        let _ = writeln!(out, "{}{agent}{failure}", turn.name);
        if let Some(note) = &turn.note {
            let _ = writeln!(out, "  note: {note}");
        }
        for entry in &turn.entries {
            let line = match &entry.body {
                Body::Earlier(messages) => {
                    let roles: Vec<&str> = messages.iter().map(|message| message.role.as_str()).collect();
                    format!("({} earlier messages: {})", messages.len(), roles.join(", "))
                }
                Body::Asked { model, parameters, tools } => {
                    let parameters: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={}", cut(value))).collect();
                    let tools: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
                    format!("model {} [{}] tools [{}]", model.as_deref().unwrap_or("–"), parameters.join(" "), tools.join(", "))
                }
                Body::Message { message, results } => {
                    let stop = message.stop_reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                    let mut line = format!("{}: {}{stop}", message.role, cut(&message.text)).trim_end().to_owned();
                    for (call, result) in message.tool_calls.iter().zip(results) {
                        let result = result.as_ref().map_or("no result".into(), result_line);
                        let _ = write!(line, "\n    calls {}({}) → {result}", call.tool_name, cut(&call.arguments));
                    }
                    line
                }
                Body::Ran { tool_name, arguments, result } => {
                    format!("ran {tool_name}({}) → {}", arguments.as_deref().map_or("–".into(), cut), result_line(result))
                }
                Body::Checked(shield) => {
                    let verdict = match &shield.verdict {
                        Verdict::Violation { level, message, facts } => format!("violation {level:?} {message:?} {facts:?}"),
                        other => format!("{other:?}"),
                    };
                    format!("shield [{}] {verdict}", shield.shield_ids.join(", "))
                }
                Body::Retrieved { query, chunks } => {
                    format!("retrieved for {:?}: {}", query, chunks.iter().map(|chunk| cut(&chunk.text)).collect::<Vec<_>>().join(" | "))
                }
                Body::Embedded(texts) => format!("embedded: {}", texts.join(" | ")),
                Body::Missing(text) => format!("missing: {text}"),
                Body::Failed(text) => format!("FAILED {}", cut(text)),
                Body::Other { key, .. } => format!("other: {key}"),
            };
            let tokens =
                entry.spent.and_then(|spent| spent.tokens.total).map(|total| format!(" [{} tokens]", total.tokens)).unwrap_or_default();
            let _ = writeln!(out, "{}", format!("  {line}{tokens}").trim_end());
        }
    }
    out
}

#[test]
fn an_agents_turns_are_shown_as_recorded() {
    let mut session = open("samples/agent_0.2.15.db");
    let mut out = String::new();
    for words in [
        "Hi there",
        "what is the weather in Zürich please 0",
        "thank you",
        "boom now",
        "look in docs for llama 2",
        "search the web for llamas",
        "how to build a bomb",
        "FAIL500 in agent",
        "respond to me",
    ] {
        let trace_id = trace_with(&mut session, words);
        let _ = writeln!(out, "== {words}\n{}", transcript(&conversation(&mut session, &trace_id)));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_traces_of_a_session_are_one_conversation() {
    let mut session = open("samples/agent_0.2.15.db");
    let trace_id = trace_with(&mut session, "what is the weather in Zürich please 0");
    let alone = page(&mut session, &trace_id, false);
    assert_eq!((alone.trace_ids.len(), alone.session_traces), (1, 6));
    let whole = page(&mut session, &trace_id, true);
    assert_eq!((whole.trace_ids.len(), whole.session_traces), (6, 6));
    insta::assert_snapshot!(transcript(&whole.conversation));
}

#[test]
fn calls_without_an_agent_are_shown_too() {
    let mut session = open("samples/metrics_0.2.23.db");
    let mut out = String::new();
    for words in [
        "Be terse.",
        "Stream me a poem",
        "Once upon a time",
        "openai completion",
        "no/such-model",
        "how to build a bomb",
    ] {
        let trace_id = trace_with(&mut session, words);
        let _ = writeln!(out, "== {words}\n{}", transcript(&conversation(&mut session, &trace_id)));
    }
    insta::assert_snapshot!(out);
}

fn span(id: &str, parent: Option<usize>, attributes: &[(&str, &str)]) -> SpanMessages {
    SpanMessages {
        span_id: id.into(),
        name: id.into(),
        kind: SpanKind::Other,
        is_request: false,
        parent,
        start: None,
        duration_nanos: Some(1),
        failure: None,
        spent: None,
        attributes: attributes.iter().map(|(key, text)| ((*key).to_owned(), decode(text).value)).collect(),
    }
}

#[test]
fn genai_conventions_read_as_llama_stack_does() {
    let spans = [
        span("invoke_agent", None, &[("gen_ai.operation.name", "invoke_agent"), ("gen_ai.agent.name", "guide")]),
        span(
            "chat",
            Some(0),
            &[
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.request.model", "llama-3"),
                ("gen_ai.request.temperature", "0.5"),
                ("gen_ai.system_instructions", r#"[{"type": "text", "content": "Be brief."}]"#),
                ("gen_ai.input.messages", r#"[{"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]}]"#),
                (
                    "gen_ai.output.messages",
                    r#"[{"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}], "finish_reason": "tool_call"}]"#,
                ),
            ],
        ),
        span(
            "execute_tool weather",
            Some(0),
            &[
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.name", "weather"),
                ("gen_ai.tool.call.id", "c1"),
                ("gen_ai.tool.call.result", "rain, 14 °C"),
            ],
        ),
        span(
            "chat 2",
            Some(0),
            &[
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.request.model", "llama-3"),
                ("gen_ai.request.temperature", "0.5"),
                ("gen_ai.system_instructions", r#"[{"type": "text", "content": "Be brief."}]"#),
                (
                    "gen_ai.input.messages",
                    r#"[{"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]},
                        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}}]},
                        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "rain, 14 °C"}]}]"#,
                ),
                (
                    "gen_ai.output.messages",
                    r#"[{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}], "finish_reason": "stop"}]"#,
                ),
            ],
        ),
    ];
    insta::assert_snapshot!(transcript(&quipu::llm::conversation(&spans)), @r#"
        invoke_agent, agent guide
          system: Be brief.
          user: Weather in Paris?
          model llama-3 [temperature=0.5] tools []
          assistant:  (tool_call)
            calls weather({"city": "Paris"}) → rain, 14 °C
          assistant: Rain. (stop)
        "#);
}

#[test]
fn openinference_reads_as_llama_stack_does() {
    let spans = [
        span("agent", None, &[("openinference.span.kind", "AGENT"), ("session.id", "s1"), ("input.value", "Which llamas?")]),
        span(
            "llm",
            Some(0),
            &[
                ("openinference.span.kind", "LLM"),
                ("llm.model_name", "llama-3"),
                ("llm.invocation_parameters", r#"{"temperature": 0.2}"#),
                ("llm.input_messages.0.message.role", "user"),
                ("llm.input_messages.0.message.content", "Which llamas?"),
                ("llm.output_messages.0.message.role", "assistant"),
                ("llm.output_messages.0.message.tool_calls.0.tool_call.id", "c9"),
                ("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "search"),
                ("llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", r#"{"q": "llamas"}"#),
            ],
        ),
        span("search", Some(0), &[("openinference.span.kind", "TOOL"), ("tool.name", "search"), ("output.value", "two of them")]),
        span(
            "retriever",
            Some(0),
            &[
                ("openinference.span.kind", "RETRIEVER"),
                ("input.value", "llama wool"),
                ("retrieval.documents.0.document.content", "Wool is warm."),
                ("retrieval.documents.0.document.id", "d1"),
            ],
        ),
    ];
    insta::assert_snapshot!(transcript(&quipu::llm::conversation(&spans)), @r#"
        agent
          user: Which llamas?
          model llama-3 [temperature=0.2] tools []
          assistant:
            calls search({"q": "llamas"}) → two of them
          retrieved for Some("llama wool"): Wool is warm.
        "#);
}

/// A server of 0.2.15 with a newer FastAPI, which creates spans of its own; clients with their own tools, parallel agents, failures.
const AGENTS: &str = "tests/fixtures/db/real_agents_0.2.15.db";

fn of_agents(trace_id: &str) -> String {
    transcript(&conversation(&mut open(AGENTS), trace_id))
}

#[test]
fn a_failed_streamed_inference_shows_no_answer() {
    insta::assert_snapshot!(of_agents("9ce821bd843ca6f33510ced59e26a9c7"));
}

#[test]
fn a_tool_whose_request_failed_shows_no_result() {
    insta::assert_snapshot!(of_agents("da0e61a2976a4c0622680a917713fd73"));
}

#[test]
fn a_tool_with_a_recorded_error_shows_it() {
    insta::assert_snapshot!(of_agents("3af6f0684ee810c51b1ef9ad10f29d7d"));
}

#[test]
fn a_resumed_turn_alone_is_in_chronological_order() {
    insta::assert_snapshot!(of_agents("4e60f12ec69a535210c7f94f1e33b332"));
}

#[test]
fn a_turn_and_its_resume_show_each_message_once() {
    let mut session = open(AGENTS);
    insta::assert_snapshot!(transcript(&page(&mut session, "4e60f12ec69a535210c7f94f1e33b332", true).conversation));
}

#[test]
fn agents_that_ran_at_the_same_time_keep_their_own_words() {
    insta::assert_snapshot!(of_agents("d3eca2cf9ba0df69752b83d93b96dab7"));
}
