//! What the name of a span alone says.

use super::llama_stack::{CLASSES, turn_route};
use super::{DIALECTS, fits};
use crate::SpanKind;

/// The kind of a span with this name. Names vary between releases: `ModelsRoutingTable.get_model`,
/// `/v1/agents/{agent_id}/session/{session_id}/turn` and `create_agent_turn`, `VLLMInferenceAdapter.chat_completion`, `run_shield_X`,
/// `tool_execution`.
///
/// Parts of a class are matched by word: `RAGToolRuntime.query` is a retrieval, `PRAGMA /srv/a.db` is not.
pub fn kind_of_name(name: &str) -> SpanKind {
    if let Some(route) = name.strip_prefix('/') {
        return if turn_route(route) { SpanKind::Turn } else { SpanKind::Request };
    }
    let mut names = DIALECTS.into_iter().flat_map(|dialect| dialect.names);
    if let Some((_, kind)) = names.find(|(known, _)| fits(known, name)) {
        return *kind;
    }
    let Some((class, _method)) = name.split_once('.') else { return SpanKind::Other };
    let is_class = class.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_')
        && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let found = CLASSES.iter().find(|(word, _)| is_class && has_word(class, word));
    found.map_or(SpanKind::Other, |(_, kind)| *kind)
}

/// Whether `word`, which begins with a capital letter, begins a word of the class name: `Vector` of `VectorIORouter`, `Inference` of
/// `VLLMInferenceAdapter`, but not `RAG` of `PRAGMA`.
fn has_word(class: &str, word: &str) -> bool {
    let is_upper = |at: Option<usize>| at.and_then(|at| class.as_bytes().get(at)).is_some_and(u8::is_ascii_uppercase);
    let is_capitalised = word.as_bytes().get(1).is_some_and(u8::is_ascii_lowercase);
    class.match_indices(word).any(|(at, _)| is_capitalised || at == 0 || !is_upper(at.checked_sub(1)))
}

/// Whether a name is an HTTP method alone, as HTTP clients' instrumentation names its spans: `POST`, `HTTP GET`.
pub fn has_bare_method(name: &str) -> bool {
    let method = name.strip_prefix("HTTP ").unwrap_or(name);
    matches!(method, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" | "HTTP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_releases_have_their_kind() {
        for (name, kind) in [
            ("/v1/agents/{agent_id}/session/{session_id}/turn", SpanKind::Turn),
            ("/v1/models", SpanKind::Request),
            ("create_agent_turn", SpanKind::Turn),
            ("inference", SpanKind::Inference),
            ("VLLMInferenceAdapter.chat_completion", SpanKind::Inference),
            ("ModelsRoutingTable.get_model", SpanKind::Routing),
            ("RAGToolRuntime.query", SpanKind::Retrieval),
            ("MemoryToolRuntimeImpl.query", SpanKind::Retrieval),
            ("VectorIORouter.query_chunks", SpanKind::Retrieval),
            ("ToolRuntimeRouter.invoke_tool", SpanKind::Tool),
            ("LlamaGuardSafetyImpl.run_shield", SpanKind::Safety),
            ("run_shield_llama-guard", SpanKind::Safety),
            ("run_shield llama-guard", SpanKind::Safety),
            ("DatasetIORouter.get_rows_paginated", SpanKind::Storage),
            ("invoke_mcp_tool", SpanKind::Tool),
            ("list_mcp_tools", SpanKind::Tool),
            ("file_search", SpanKind::Tool),
            ("MCP send tools/call get_weather", SpanKind::Tool),
            ("execute_tool get_weather", SpanKind::Tool),
            ("PRAGMA /srv/llama-stack/sql_store.db", SpanKind::Other),
            ("PRAGMA.x", SpanKind::Other),
            ("SELECT /srv/Vector.db", SpanKind::Other),
            ("POST", SpanKind::Other),
        ] {
            assert_eq!(kind_of_name(name), kind, "{name}");
        }
    }
}
