//! OpenLIT, where it differs from the GenAI conventions.

use super::{Dialect, NO_RULES, Role, Says, TokenPart};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("gen_ai.endpoint", Says::Aside),
        ("gen_ai.environment", Says::Aside),
        ("gen_ai.application_name", Says::Aside),
        ("gen_ai.server.ttft", Says::FirstPartSeconds),
        ("gen_ai.server.tbt", Says::Aside),
        ("gen_ai.usage.completion_tokens_details.reasoning", Says::Part(TokenPart::Reasoning)),
        ("gen_ai.usage.prompt_tokens_details.cache_read", Says::Part(TokenPart::Cached)),
        ("gen_ai.usage.prompt_tokens_details.cache_write", Says::Part(TokenPart::CacheWritten)),
    ],
    words: &[("vectordb", Role::Retrieval), ("framework", Role::Step)],
    ..NO_RULES
};
