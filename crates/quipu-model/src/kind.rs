//! What a span is, and what is marked on it.

use serde::{Deserialize, Serialize};

/// What a span is, told from its name and attributes; decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum SpanKind {
    /// An HTTP or client request: a span marked `__root__`, or named by a route.
    Request,
    /// An agent's turn.
    Turn,
    /// A model's inference, embeddings among them.
    Inference,
    /// A tool call.
    Tool,
    /// Shields and moderation.
    Safety,
    /// Vector search and RAG.
    Retrieval,
    /// Routing tables and look-ups.
    Routing,
    /// Files, datasets, registrations.
    Storage,
    /// Anything else.
    Other,
}

impl SpanKind {
    /// Every kind, in the order of the legend.
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

    /// The name shown to people and used as a CSS class: `request`, `turn`, …
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

    /// What a span named `name` is. Releases differ: `ModelsRoutingTable.get_model`, `/v1/agents/{agent_id}/session/{session_id}/turn`
    /// and `create_agent_turn`, `VLLMInferenceAdapter.chat_completion`, `run_shield_X`, `tool_execution`.
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
    /// What instrumentation says a span is: the value of `gen_ai.operation.name` (OpenTelemetry's GenAI conventions) or of
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

/// Marks of a span, one bit each; derived ones say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpanFlags(pub u16);

impl SpanFlags {
    /// No parent is recorded, or the recorded one is not in the file (derived).
    pub const ROOT: SpanFlags = SpanFlags(1);
    /// The request boundary `__root__`.
    pub const REQUEST: SpanFlags = SpanFlags(1 << 1);
    /// The span failed, by the rules of [`crate::failure`] (derived).
    pub const FAILED: SpanFlags = SpanFlags(1 << 2);
    /// Has an event of severity error or critical that is not its failure.
    pub const LOGGED_ERROR: SpanFlags = SpanFlags(1 << 3);
    /// `__autotraced__`: a method traced without being asked for.
    pub const AUTOTRACED: SpanFlags = SpanFlags(1 << 4);
    /// The recorded parent is in no row of the file.
    pub const ORPHAN: SpanFlags = SpanFlags(1 << 5);
    /// Its parent chain is a cycle; it is shown as a root.
    pub const CYCLE: SpanFlags = SpanFlags(1 << 6);
    /// An inference request: counted once, never again on the provider's span under it.
    pub const INFERENCE_REQUEST: SpanFlags = SpanFlags(1 << 7);
    /// Has an event that is older than the span's own start.
    pub const EARLY_EVENT: SpanFlags = SpanFlags(1 << 8);
    /// `traces.root_span_id` names this span.
    pub const RECORDED_ROOT: SpanFlags = SpanFlags(1 << 9);
    /// The step in which its request failed (derived): the last one, without an output, of a request that failed by its own event. The
    /// span itself does not count as failed.
    pub const FAILURE_ORIGIN: SpanFlags = SpanFlags(1 << 10);

    /// Whether all bits of `other` are set.
    pub fn has(self, other: SpanFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the bits of `other`.
    pub fn add(&mut self, other: SpanFlags) {
        self.0 |= other.0;
    }

    /// Clears the bits of `other`.
    pub fn remove(&mut self, other: SpanFlags) {
        self.0 &= !other.0;
    }
}
