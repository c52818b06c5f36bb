//! Llama Stack's own telemetry of all releases that have one (0.0.58 to 0.3.5), and the attributes that later releases set themselves.

use super::{Dialect, NO_RULES, Says};
use crate::SpanKind;

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("__root__", Says::Request),
        ("__autotraced__", Says::Autotraced),
        ("__args__", Says::Arguments),
        ("request", Says::Body),
        ("input", Says::Input),
        ("output", Says::Output),
        ("model", Says::Model),
        ("model_id", Says::Model),
        ("tool_name", Says::Tool),
        ("session_id", Says::Session),
        ("turn_id", Says::Turn),
        ("agent_id", Says::AgentId),
        ("agent_name", Says::AgentName),
        ("stop_reason", Says::StopReason),
        ("raw_path", Says::Aside),
        ("error", Says::Aside),
        ("error.type", Says::Aside),
        ("chunk_count", Says::Aside),
        ("traceparent", Says::Aside),
        ("tracestate", Says::Aside),
        // Since 0.4.
        ("llama_stack.safety.request.shield_id", Says::Shield),
        ("llama_stack.safety.request.messages", Says::InputMessages),
        ("llama_stack.safety.response.violation.level", Says::ViolationLevel),
        ("llama_stack.safety.response.violation.user_message", Says::ViolationMessage),
        ("llama_stack.safety.response.metadata", Says::ViolationFacts),
    ],
    prefixes: &[("__", Says::Aside)],
    names: &[
        ("inference", SpanKind::Inference),
        ("tool_execution", SpanKind::Tool),
        ("create_agent_turn", SpanKind::Turn),
        ("resume_agent_turn", SpanKind::Turn),
        ("create_and_execute_turn", SpanKind::Turn),
        ("resume_turn", SpanKind::Turn),
        ("run_shield*", SpanKind::Safety),
    ],
    ..NO_RULES
};

/// Words of the classes whose methods are traced. The first that fits counts.
pub(super) const CLASSES: [(&str, SpanKind); 13] = [
    ("RoutingTable", SpanKind::Routing),
    ("Inference", SpanKind::Inference),
    ("Safety", SpanKind::Safety),
    ("Guard", SpanKind::Safety),
    ("Shield", SpanKind::Safety),
    ("Vector", SpanKind::Retrieval),
    ("Rag", SpanKind::Retrieval),
    ("RAG", SpanKind::Retrieval),
    ("MemoryToolRuntime", SpanKind::Retrieval),
    ("Tool", SpanKind::Tool),
    ("Files", SpanKind::Storage),
    ("Dataset", SpanKind::Storage),
    ("Storage", SpanKind::Storage),
];

/// Whether a route, without its first slash, is that of an agent's turn.
pub(super) fn turn_route(route: &str) -> bool {
    route.ends_with("/turn") || (route.contains("/turn/") && route.ends_with("/resume"))
}
