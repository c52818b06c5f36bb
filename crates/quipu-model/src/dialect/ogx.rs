//! OGX, as Llama Stack is called since 2026, and the spans of Llama Stack since 0.4: tools of the Responses API, MCP, safety.

use super::{Dialect, NO_RULES, Says};
use crate::SpanKind;

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("ogx.safety.request.shield_id", Says::Shield),
        ("ogx.safety.request.messages", Says::InputMessages),
        ("ogx.safety.response.violation.level", Says::ViolationLevel),
        ("ogx.safety.response.violation.user_message", Says::ViolationMessage),
        ("ogx.safety.response.metadata", Says::ViolationFacts),
        ("server_label", Says::Aside),
        ("server_url", Says::Aside),
        ("mcp_list_tools_id", Says::Aside),
        ("mcp.method.name", Says::Aside),
        ("jsonrpc.request.id", Says::Aside),
    ],
    names: &[
        ("invoke_mcp_tool", SpanKind::Tool),
        ("list_mcp_tools", SpanKind::Tool),
        ("invoke_tool", SpanKind::Tool),
        ("file_search", SpanKind::Tool),
        ("web_search", SpanKind::Tool),
        ("MCP send *", SpanKind::Tool),
    ],
    ..NO_RULES
};
