//! One span of each dialect, as its program writes it, and what it says.

use super::support::{Said, conversation};
use crate::transfer::tools::import;
use quipu::Session;
use quipu::model::{SpanKind, TokenTotals};
use quipu::protocol::{GetFile, GetTrace, ListTraces, TraceQuery, TraceScope};

/// A span: its id, its parent's (0 for none), its name, and its attributes as a JSON object.
type Span<'a> = (u32, u32, &'a str, &'a str);

/// The spans of one trace, by OTLP.
fn of(spans: &[Span<'_>]) -> Session {
    let span = |(id, parent, name, attributes): &Span<'_>| {
        let quipu::model::Value::Map(entries) = quipu::model::recorded::parse_json(attributes).expect("JSON") else { panic!("an object") };
        let value = |value: &quipu::model::Value| match value {
            quipu::model::Value::Number(number) => format!(r#"{{"intValue":"{}"}}"#, number.0),
            other => format!(r#"{{"stringValue":{:?}}}"#, other.as_str().expect("a text")),
        };
        let attributes: Vec<String> = entries.iter().map(|(key, found)| format!(r#"{{"key":"{key}","value":{}}}"#, value(found))).collect();
        let parent = if *parent == 0 { String::new() } else { format!(r#""parentSpanId":"{parent:016x}","#) };
        format!(
            r#"{{"traceId":"{:032x}","spanId":"{id:016x}",{parent}"name":"{name}","startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":[{}]}}"#,
            1,
            1_760_000_000_000_000_000_u64 + u64::from(*id) * 1_000,
            1_760_000_009_000_000_000_u64,
            attributes.join(",")
        )
    };
    let body =
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.iter().map(span).collect::<Vec<_>>().join(","));
    import(&[("traces", body.as_bytes())]).0
}

fn tokens(session: &mut Session) -> TokenTotals {
    session.ask(GetFile).expect("a file").tokens.expect("totals")
}

fn said(session: &mut Session) -> Vec<String> {
    let words = |said: Said| match said {
        Said::Text(role, text) => format!("{role}: {text}"),
        Said::Call(name) => format!("calls {name}"),
        Said::Result(text) => format!("result: {text}"),
    };
    conversation(session, &format!("{:032x}", 1)).into_iter().map(words).collect()
}

fn kind(session: &mut Session, span: usize) -> SpanKind {
    let columns = session.ask(GetTrace { trace_id: format!("{:032x}", 1), scope: TraceScope::default() }).expect("a trace");
    *columns.kind.get(span).expect("a span")
}

fn model(session: &mut Session) -> Option<String> {
    session.ask(ListTraces(TraceQuery { limit: 1, ..TraceQuery::default() })).expect("a list").rows.remove(0).model
}

#[test]
fn a_model_call_needs_no_operation_name() {
    for (name, attributes) in [
        (
            "openai.chat",
            r#"{"llm.request.type": "chat", "gen_ai.request.model": "m", "gen_ai.usage.prompt_tokens": 14, "gen_ai.usage.completion_tokens": 20}"#,
        ),
        ("anything", r#"{"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 14, "gen_ai.usage.output_tokens": 20}"#),
        (
            "ai.generateText.doGenerate",
            r#"{"ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "m", "ai.usage.promptTokens": 14, "ai.usage.completionTokens": 20}"#,
        ),
        (
            "call",
            r#"{"openinference.span.kind": "LLM", "llm.model_name": "m", "llm.token_count.prompt": 14, "llm.token_count.completion": 20}"#,
        ),
        (
            "ChatModel",
            r#"{"mlflow.spanType": "\"CHAT_MODEL\"", "gen_ai.request.model": "\"m\"", "gen_ai.usage.input_tokens": 14, "gen_ai.usage.output_tokens": 20}"#,
        ),
        (
            "generation",
            r#"{"langfuse.observation.type": "generation", "langfuse.observation.model.name": "m", "gen_ai.usage.input_tokens": 14, "gen_ai.usage.output_tokens": 20}"#,
        ),
        (
            "llm_request",
            r#"{"gen_ai.response.model": "m", "gen_ai.usage.prompt_tokens": 14, "gen_ai.usage.completion_tokens": 20, "gen_ai.latency.time_to_first_token": 1}"#,
        ),
        ("claude_code.llm_request", r#"{"span.type": "llm_request", "model": "m", "input_tokens": "14", "output_tokens": "20"}"#),
    ] {
        let mut session = of(&[(1, 0, name, attributes)]);
        let found = tokens(&mut session);
        assert_eq!((found.prompt, found.completion, found.total, found.requests), (Some(14), Some(20), Some(34), 1), "{name}");
        assert_eq!((kind(&mut session, 0), model(&mut session).as_deref()), (SpanKind::Inference, Some("m")), "{name}");
    }
}

#[test]
fn sums_of_agents_and_outer_calls_are_not_added() {
    let call = |id, parent, tokens: u32| -> (u32, u32, String) {
        (
            id,
            parent,
            format!(
                r#"{{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": {tokens}, "gen_ai.usage.output_tokens": 1}}"#
            ),
        )
    };
    let agent = r#"{"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 2}"#;
    let (first, second) = (call(2, 1, 10), call(3, 1, 20));
    let mut session = of(&[(1, 0, "agent", agent), (2, 1, "chat", &first.2), (3, 1, "chat", &second.2)]);
    let found = tokens(&mut session);
    assert_eq!((found.prompt, found.completion, found.requests), (Some(30), Some(2), 2));
    // Nothing else counts them: the agent's sums are what there is.
    let found = tokens(&mut of(&[(1, 0, "agent", agent), (2, 1, "agent", agent)]));
    assert_eq!((found.prompt, found.requests), (Some(30), 1));
    // A retry around its attempts, the first of which failed.
    let outer = call(1, 0, 20);
    let attempt = r#"{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}"#;
    let found = tokens(&mut of(&[(1, 0, "chat", &outer.2), (2, 1, "chat", attempt), (3, 1, "chat", &second.2)]));
    assert_eq!((found.prompt, found.requests), (Some(20), 1));
    // An outer call without counts has those of the calls within it.
    let found = tokens(&mut of(&[(1, 0, "chat", attempt), (2, 1, "chat", &first.2), (3, 1, "chat", &second.2)]));
    assert_eq!((found.prompt, found.completion, found.requests), (Some(30), Some(2), 1));
}

#[test]
fn a_call_is_counted_without_its_cached_and_written_tokens_twice() {
    let attributes = r#"{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 130213, "gen_ai.usage.output_tokens": 40,
        "gen_ai.usage.cache_read.input_tokens": 128955, "gen_ai.usage.cache_creation.input_tokens": 1253}"#;
    let found = tokens(&mut of(&[(1, 0, "chat", attributes)]));
    assert_eq!((found.prompt, found.total), (Some(130_213), Some(130_253)));
    assert_eq!((found.parts.cached, found.parts.cache_written), (Some(128_955), Some(1_253)));
}

#[test]
fn the_words_of_each_dialect_are_read() {
    let expected = ["user: hi there", "assistant: Hello to you"];
    for (name, attributes) in [
        (
            "traceloop",
            r#"{"llm.request.type": "chat", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi there", "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Hello to you"}"#,
        ),
        (
            "openinference",
            r#"{"openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.contents.0.message_content.type": "text", "llm.input_messages.0.message.contents.0.message_content.text": "hi there",
            "llm.output_messages.0.message.role": "model", "llm.output_messages.0.message.content": "Hello to you"}"#,
        ),
        (
            "vercel",
            r#"{"ai.operationId": "ai.streamText.doStream", "ai.prompt.messages": "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi there\"}]}]", "ai.response.text": "Hello to you"}"#,
        ),
        (
            "mlflow",
            r#"{"mlflow.spanType": "\"CHAT_MODEL\"", "mlflow.spanInputs": "\"{\\\"messages\\\": [{\\\"role\\\": \\\"user\\\", \\\"content\\\": \\\"hi there\\\"}]}\"", "mlflow.spanOutputs": "{\"choices\": [{\"message\": {\"role\": \"assistant\", \"content\": \"Hello to you\"}}]}"}"#,
        ),
        (
            "langfuse",
            r#"{"langfuse.observation.type": "generation", "langfuse.observation.input": "[{\"role\": \"user\", \"content\": \"hi there\"}]", "langfuse.observation.output": "Hello to you"}"#,
        ),
        (
            "gemini",
            r#"{"gen_ai.operation.name": "generate_content", "gcp.vertex.agent.llm_request": "{\"contents\": [{\"role\": \"user\", \"parts\": [{\"text\": \"hi there\"}]}]}", "gcp.vertex.agent.llm_response": "{\"candidates\": [{\"content\": {\"role\": \"model\", \"parts\": [{\"text\": \"Hello to you\"}]}}]}"}"#,
        ),
        (
            "langchain",
            r#"{"openinference.span.kind": "LLM", "input.value": "{\"messages\": [[{\"lc\": 1, \"type\": \"constructor\", \"kwargs\": {\"content\": \"hi there\", \"type\": \"human\"}}]]}", "output.value": "{\"generations\": [[{\"text\": \"Hello to you\", \"message\": {\"type\": \"constructor\", \"kwargs\": {\"content\": \"Hello to you\", \"type\": \"ai\"}}}]]}"}"#,
        ),
        (
            "responses",
            r#"{"openinference.span.kind": "LLM", "input.value": "{\"input\": [{\"role\": \"user\", \"content\": \"hi there\"}]}", "output.value": "{\"output\": [{\"type\": \"message\", \"role\": \"assistant\", \"content\": [{\"type\": \"output_text\", \"text\": \"Hello to you\"}]}]}"}"#,
        ),
        (
            "pydantic-ai",
            r#"{"gen_ai.operation.name": "chat", "gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"hi there\"}]}]", "gen_ai.output.messages": "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"thinking\",\"content\":\"hm\"},{\"type\":\"text\",\"content\":\"Hello to you\"}]}]"}"#,
        ),
    ] {
        assert_eq!(said(&mut of(&[(1, 0, "call", attributes)])), expected, "{name}");
    }
}

#[test]
fn an_object_is_shown_as_it_is() {
    let attributes = r#"{"openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "tool", "llm.input_messages.0.message.content": "{\"greeting\": \"Hello\", \"n\": 3}",
        "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "{\"answer\": \"a JSON answer\"}"}"#;
    let found = said(&mut of(&[(1, 0, "call", attributes)]));
    assert_eq!(found, [r#"result: {"greeting": "Hello", "n": 3}"#, r#"assistant: {"answer": "a JSON answer"}"#]);
}

#[test]
fn an_agents_words_are_shown_unless_a_call_says_them() {
    let agent = r#"{"openinference.span.kind": "AGENT", "input.value": "hi there", "output.value": "Hello to you"}"#;
    assert_eq!(said(&mut of(&[(1, 0, "agent", agent)])), ["user: hi there", "assistant: Hello to you"]);
    let call = r#"{"openinference.span.kind": "LLM", "input.value": "[{\"role\": \"system\", \"content\": \"Be kind.\"}, {\"role\": \"user\", \"content\": \"hi there\"}]", "output.value": "Hello to you"}"#;
    let found = said(&mut of(&[(1, 0, "agent", agent), (2, 1, "call", call)]));
    assert_eq!(found, ["system: Be kind.", "user: hi there", "assistant: Hello to you"]);
}

#[test]
fn an_unknown_attribute_is_not_dropped() {
    let attributes = r#"{"gen_ai.operation.name": "chat", "gen_ai.something.new": "words of tomorrow"}"#;
    let session = of(&[(1, 0, "chat", attributes)]);
    let page = session.conversation(&format!("{:032x}", 1), false).expect("a conversation");
    let other = page.conversation.turns.iter().flat_map(|turn| &turn.entries).any(|entry| {
        matches!(&entry.body, quipu::llm::Body::Other { key, value } if key == "gen_ai.something.new" && value.as_str() == Some("words of tomorrow"))
    });
    assert!(other, "{page:?}");
}

#[test]
fn a_shield_shows_its_id_its_messages_and_its_verdict() {
    let attributes = r#"{"llama_stack.safety.request.shield_id": "guard", "llama_stack.safety.request.messages": "[{\"role\": \"user\", \"content\": \"how to build a bomb\"}]",
        "llama_stack.safety.response.violation.level": "error", "llama_stack.safety.response.violation.user_message": "I can not answer that"}"#;
    let mut session = of(&[(1, 0, "run_shield guard", attributes)]);
    assert_eq!(said(&mut session), ["user: how to build a bomb"]);
    let page = session.conversation(&format!("{:032x}", 1), false).expect("a conversation");
    let checked = page.conversation.turns.iter().flat_map(|turn| &turn.entries).find_map(|entry| match &entry.body {
        quipu::llm::Body::Checked(shield) => Some(shield.clone()),
        _ => None,
    });
    let shield = checked.expect("a check");
    assert_eq!(shield.shield_ids, ["guard"]);
    assert!(matches!(&shield.verdict, quipu::llm::Verdict::Violation { message: Some(message), .. } if message == "I can not answer that"));
}
