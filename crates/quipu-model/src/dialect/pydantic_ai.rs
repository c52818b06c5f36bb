//! pydantic-ai and Logfire, where they differ from the GenAI conventions.

use super::{Dialect, NO_RULES, Says, TokenPart};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("model_name", Says::Model),
        ("all_messages_events", Says::RawInput),
        ("events", Says::RawInput),
        ("pydantic_ai.all_messages", Says::RawInput),
        ("final_result", Says::RawOutput),
        ("tool_arguments", Says::ToolArguments),
        ("tool_response", Says::ToolResult),
        ("gen_ai.usage.details.cache_read_tokens", Says::Part(TokenPart::Cached)),
        ("gen_ai.usage.details.cache_write_tokens", Says::Part(TokenPart::CacheWritten)),
        ("gen_ai.usage.details.reasoning_tokens", Says::Part(TokenPart::Reasoning)),
        ("model_request_parameters", Says::Aside),
    ],
    prefixes: &[("logfire.", Says::Aside), ("pydantic_ai.", Says::Aside)],
    ..NO_RULES
};
