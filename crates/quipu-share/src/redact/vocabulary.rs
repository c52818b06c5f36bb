//! Words that are always kept: those of Llama Stack's routes, classes and methods, and of OpenTelemetry's and OpenInference's keys.
//!
//! A name is kept if it only consists of these words, so it reveals nothing but the software used. Models, tools and names chosen by users
//! are not listed.

use quipu_model::dialect::{Says, says};
use std::sync::LazyLock;

/// In lower case. They must cover all letters of a name.
const WORDS: &str = " about access adapter agent agents ai anthropic api apis app args arguments assistant async attributes audio auth \
autotraced available base batch bedrock benchmark benchmarks body brave builtin bytes cache call calls cancel category cerebras chain \
chat chars check choice chroma chunk chunks chunked class client code cohere collection completion completions compute config connection \
content contents context conversation conversations cost count create creation critical data database dataset datasets datasetio date db \
debug declared default definition definitions delete deployment description dimension dimensions document documents duration echo edges \
embedding embeddings end endpoint entry error errors eval evaluate evaluation evaluator event events examples exception execute execution \
export external extra faiss failed false fast file files finetuning finish fireworks first flag format from function functions gen gemini \
generate generation generator get graph group groups groq guard guardrail handler hash health heuristic high host http huggingface id \
identifier impl implementation index inference info ingest inline input insert inspect instructions internal invocation invoke io is item \
items iterator job jobs json judge key keys kind kv last length level library limit line list litellm llama llm localfs local location log \
logs logprobs max mcp media memory message messages meta metadata method metric metrics milvus mime min mode model models moderation \
moderations name names net next no none num nvidia object ogx ok oneshot open openai operation options order orchestrator otel out output \
parallel parameter parameters params parent part parts pass password path peer pending per pgvector pipeline place playground policy post \
prefix presence penalty preprocess process prompt prompts provider providers purpose put qdrant query queue rag rank rate raw read reason \
reasoning reference register registration remote remove render request requests reranker resource response responses result results resume \
retrieval retriever retry role root route router routes routing rpc run runner runs runtime safety sambanova sampling save schema score \
scored scores scoring scoringfunctions search seconds seed sentence server service session sessions set severity shield shields \
similarity size source span spans sql sqlite stack stacktrace start state status step steps stop storage store stream streaming string \
structured sum supervised suspend sync system table task tasks tavily telemetry temperature template text tgi thread time timeout title \
together token tokens tool toolgroup toolgroups tools top total trace traceback traced traceparent traces tracestate tracing transformers \
tree true ttl tune tuning turn turns type types unit unregister unstructured update upload uri url usage use user uuid validate value \
values vector vectors verbose verification version vertexai view violation vllm warn warning watsonx weaviate web websearch wikipedia \
wolfram alpha work workflow write \
audit asgi attempt by compile completed count cpu dbs embed exporter fetch fine func functioncall impls in incomplete input_messages lm \
lmstudio message_events milliseconds mock ms of ollama openinference openapi otlp pgvec post_training rerank sdk servers sse streamable \
the to uploads v1 v2 v1alpha v1beta vectorio vectordb with worker and extra client brotli dbs cached details accepted rejected \
prediction latency ";

/// Longer names are not class names or routes.
const MAX_NAME: usize = 200;

/// Whether `text` consists of known words, separated by punctuation. Two short numbers may stand between dots: the places of lists in keys.
/// Digits and signs alone are not words: they may be an address or the number of a phone.
pub(super) fn is_known(text: &str) -> bool {
    let is_sign = |letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric() && !letter.is_ascii_control();
    if text.is_empty() || text.len() > MAX_NAME {
        return text.is_empty();
    }
    let (mut words, mut numbers, mut follows_number, mut at) = (0, 0, false, 0_usize);
    for part in text.split(is_sign) {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        at += part.len() + 1;
        if part.is_empty() {
            continue;
        }
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            let after = text.as_bytes().get(at - 1);
            let is_place = before == Some(&b'.') && after.is_none_or(|after| *after == b'.');
            numbers += 1;
            if part.len() > 3 || follows_number || numbers > 2 || !is_place {
                return false;
            }
        } else if is_covered(part) {
            words += 1;
        } else {
            return false;
        }
        follows_number = is_number;
    }
    words > 0
}

/// Whether the letters are a sequence of words in any case: `VectorIORouter`.
fn is_covered(part: &str) -> bool {
    let lower = part.to_ascii_lowercase();
    if is_word(&lower) {
        return true;
    }
    // Whether each prefix is a sequence of words.
    let mut ends = vec![false; lower.len() + 1];
    if let Some(first) = ends.first_mut() {
        *first = true;
    }
    for start in 0..lower.len() {
        if !ends.get(start).copied().unwrap_or(false) {
            continue;
        }
        for end in (start + 2)..=lower.len().min(start + 20) {
            if lower.get(start..end).is_some_and(is_word)
                && let Some(reached) = ends.get_mut(end)
            {
                *reached = true;
            }
        }
    }
    ends.last().copied().unwrap_or(false)
}

fn is_word(word: &str) -> bool {
    static SORTED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let mut words: Vec<&str> = WORDS.split_ascii_whitespace().collect();
        words.sort_unstable();
        words
    });
    SORTED.binary_search(&word).is_ok()
}

/// The part of a span or event name that may stay; `None` if there is none.
pub(super) fn known_name(name: &str) -> Option<&str> {
    if is_known(name) {
        return Some(name);
    }
    // A shield, model or tool name follows these.
    let starts = [
        "run_shield",
        "chat ",
        "generate_content ",
        "text_completion ",
        "embeddings ",
        "execute_tool ",
        "create_agent ",
        "invoke_agent ",
    ];
    starts.into_iter().find_map(|start| name.get(..start.len()).filter(|head| *head == start)).map(str::trim_end)
}

/// Keys whose values describe the row rather than its content. They are always kept if they are known words.
pub(super) fn is_structural_key(key: &str) -> bool {
    matches!(
        key,
        "__root__"
            | "__root_span__"
            | "__local_root_span__"
            | "__autotraced__"
            | "__class__"
            | "__method__"
            | "__type__"
            | "__location__"
            | "severity"
            | "unit"
            | "metric"
            | "stop_reason"
            | "finish_reason"
            | "role"
            | "type"
            | "gen_ai.operation.name"
            | "openinference.span.kind"
    )
}

/// Whether values under the key are counts or durations. The words of the key must be known, too.
pub(super) fn is_count_key(key: &str) -> bool {
    let is_count = matches!(says(key), Some(Says::Tokens(_) | Says::Part(_) | Says::FirstPartSeconds | Says::FirstPartMillis));
    matches!(key, "__ttl__" | "chunk_count") || key.ends_with("_tokens") || key.starts_with("llm.token_count.") || is_count
}

/// Whether the `value` of events with this name is a count or a duration.
pub(super) fn is_measure(name: &str) -> bool {
    let parts = [
        "tokens",
        "token",
        "duration",
        "seconds",
        "milliseconds",
        "time",
        "count",
        "total",
        "requests",
        "latency",
    ];
    name.strip_prefix("metric.").is_some_and(|name| name.split(['_', '.']).any(|part| parts.contains(&part)))
}

/// Whether a number is too short to identify anybody, such as token counts and seconds.
pub(super) fn is_small_number(text: &str) -> bool {
    (1..=7).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_software_stay_and_names_somebody_chose_do_not() {
        for name in [
            "/v1/agents/{agent_id}/session/{session_id}/turn/{turn_id}/resume",
            "VectorDBsRoutingTable.register_vector_db",
            "VLLMInferenceAdapter.get_extra_client_params",
            "InferenceRouter.stream_tokens_and_compute_metrics_openai_chat",
            "BraveSearchToolRuntimeImpl.invoke_tool",
            "LocalfsFilesImpl.openai_upload_file",
            "metric.prompt_tokens",
            "tool_execution",
            "llm.input_messages.0.message.content",
            "gen_ai.usage.input_tokens",
            "__local_root_span__",
        ] {
            assert_eq!(known_name(name), Some(name));
        }
        for name in [
            "Hunter2Secret.foo",
            "projekt_atlas",
            "/v1/agents/7a4e0c32/turn",
            "zürich",
            "/v1/users/4711",
            "a b c",
            "task\n1",
            "GET 10.21.31.42",
            "33 6 12 34 56 78",
            "get.10.21",
            "read.1.write.2.get.3",
            "+-*/",
            "[1, 2]",
            "request 404",
        ] {
            assert_eq!(known_name(name), None, "{name}");
        }
        assert_eq!(known_name("run_shield_fake/Llama-Guard-3-8B"), Some("run_shield"));
        assert_eq!(known_name("chat secret-model"), Some("chat"));
    }
}
