//! Google's ADK and Gemini CLI.

use super::{Dialect, NO_RULES, Says, TokenPart};
use crate::TokenKind;

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("gcp.vertex.agent.llm_request", Says::RawInput),
        ("gcp.vertex.agent.llm_response", Says::RawOutput),
        ("gcp.vertex.agent.tool_call_args", Says::ToolArguments),
        ("gcp.vertex.agent.tool_response", Says::ToolResult),
        ("gcp.vertex.agent.session_id", Says::Session),
        ("input_token_count", Says::Tokens(TokenKind::Prompt)),
        ("output_token_count", Says::Tokens(TokenKind::Completion)),
        ("total_token_count", Says::Tokens(TokenKind::Total)),
        ("cached_content_token_count", Says::Part(TokenPart::Cached)),
        ("thoughts_token_count", Says::Part(TokenPart::Reasoning)),
        ("function_name", Says::Tool),
        ("function_args", Says::ToolArguments),
    ],
    prefixes: &[("gcp.vertex.agent.", Says::Aside)],
    ..NO_RULES
};
