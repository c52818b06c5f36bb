//! Kinds and flags of spans.

use serde::{Deserialize, Serialize};

/// What a span is, derived from its name and attributes; decides its colour.
///
/// Exhaustive on purpose: every kind needs a colour, a legend entry and a word in filters, and the compiler finds the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum SpanKind {
    /// An HTTP or client request: a span with the attribute `__root__`, or named after a route.
    Request,
    /// An agent's turn.
    Turn,
    /// A model inference, including embeddings.
    Inference,
    /// A tool call.
    Tool,
    /// Shields and moderation.
    Safety,
    /// Vector search and RAG.
    Retrieval,
    /// Routing tables and lookups.
    Routing,
    /// Files, datasets, registrations.
    Storage,
    /// Anything else.
    Other,
}

impl SpanKind {
    /// All kinds, in the order of the legend.
    pub const ALL: [SpanKind; 9] = [
        SpanKind::Request,
        SpanKind::Turn,
        SpanKind::Inference,
        SpanKind::Tool,
        SpanKind::Safety,
        SpanKind::Retrieval,
        SpanKind::Routing,
        SpanKind::Storage,
        SpanKind::Other,
    ];

    /// Display name and CSS class: `request`, `turn`, …
    pub fn label(self) -> &'static str {
        match self {
            SpanKind::Request => "request",
            SpanKind::Turn => "turn",
            SpanKind::Inference => "inference",
            SpanKind::Tool => "tool",
            SpanKind::Safety => "safety",
            SpanKind::Retrieval => "retrieval",
            SpanKind::Routing => "routing",
            SpanKind::Storage => "storage",
            SpanKind::Other => "other",
        }
    }

    /// The kind of a span with this name. Names vary between releases: `ModelsRoutingTable.get_model`,
    /// `/v1/agents/{agent_id}/session/{session_id}/turn` and `create_agent_turn`, `VLLMInferenceAdapter.chat_completion`, `run_shield_X`,
    /// `tool_execution`.
    pub fn from_name(name: &str) -> SpanKind {
        if let Some(route) = name.strip_prefix('/') {
            let turn = route.ends_with("/turn") || (route.contains("/turn/") && route.ends_with("/resume"));
            return if turn { SpanKind::Turn } else { SpanKind::Request };
        }
        match name {
            "inference" => return SpanKind::Inference,
            "tool_execution" => return SpanKind::Tool,
            "run_shields" => return SpanKind::Safety,
            "create_agent_turn" | "resume_agent_turn" | "create_and_execute_turn" | "resume_turn" => return SpanKind::Turn,
            _ => {}
        }
        if name.starts_with("run_shield") {
            return SpanKind::Safety;
        }
        let Some((class, _method)) = name.split_once('.') else { return SpanKind::Other };
        let has = |part: &str| class.contains(part);
        if has("RoutingTable") {
            SpanKind::Routing
        } else if has("Inference") {
            SpanKind::Inference
        } else if has("Safety") || has("Guard") || has("Shield") {
            SpanKind::Safety
        } else if has("Vector") || has("Rag") || has("RAG") || has("MemoryToolRuntime") {
            SpanKind::Retrieval
        } else if has("Tool") {
            SpanKind::Tool
        } else if has("Files") || has("Dataset") || has("Storage") {
            SpanKind::Storage
        } else {
            SpanKind::Other
        }
    }
}

impl SpanKind {
    /// The kind declared by instrumentation: the value of `gen_ai.operation.name` (OpenTelemetry GenAI conventions) or of
    /// `openinference.span.kind`.
    pub fn from_convention(word: &str) -> Option<SpanKind> {
        Some(match word {
            "chat" | "generate_content" | "text_completion" | "embeddings" | "LLM" | "EMBEDDING" => SpanKind::Inference,
            "execute_tool" | "TOOL" => SpanKind::Tool,
            "create_agent" | "invoke_agent" | "invoke_workflow" | "AGENT" => SpanKind::Turn,
            "retrieval" | "RETRIEVER" | "RERANKER" => SpanKind::Retrieval,
            "GUARDRAIL" => SpanKind::Safety,
            _ => return None,
        })
    }
}

/// Flags of a span, one bit each. Some are recorded, others derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpanFlags(pub u16);

impl SpanFlags {
    /// Has no recorded parent, or its parent is not in the file (derived).
    pub const ROOT: SpanFlags = SpanFlags(1);
    /// A request boundary, recorded as `__root__`.
    pub const REQUEST: SpanFlags = SpanFlags(1 << 1);
    /// Failed according to [`crate::failure`] (derived).
    pub const FAILED: SpanFlags = SpanFlags(1 << 2);
    /// Has an event of severity `error` or `critical` that does not fail the span.
    pub const LOGGED_ERROR: SpanFlags = SpanFlags(1 << 3);
    /// Recorded as `__autotraced__`: a method that was traced automatically.
    pub const AUTOTRACED: SpanFlags = SpanFlags(1 << 4);
    /// Its recorded parent is not in the file.
    pub const ORPHAN: SpanFlags = SpanFlags(1 << 5);
    /// Part of a parent cycle; shown as a root.
    pub const CYCLE: SpanFlags = SpanFlags(1 << 6);
    /// An inference request. Counted once; the provider's span below it does not have this flag.
    pub const INFERENCE_REQUEST: SpanFlags = SpanFlags(1 << 7);
    /// Has an event with a time before the span's start.
    pub const EARLY_EVENT: SpanFlags = SpanFlags(1 << 8);
    /// Named by `traces.root_span_id`.
    pub const RECORDED_ROOT: SpanFlags = SpanFlags(1 << 9);
    /// Where its request failed (derived): the last step, without output, of a request that an event reported as failed. The span itself
    /// does not count as failed.
    pub const FAILURE_ORIGIN: SpanFlags = SpanFlags(1 << 10);

    /// Whether all flags in `other` are set.
    pub fn has(self, other: SpanFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the flags in `other`.
    pub fn add(&mut self, other: SpanFlags) {
        self.0 |= other.0;
    }

    /// Clears the flags in `other`.
    pub fn remove(&mut self, other: SpanFlags) {
        self.0 &= !other.0;
    }
}
