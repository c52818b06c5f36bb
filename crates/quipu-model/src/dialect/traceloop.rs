//! Traceloop's OpenLLMetry. Up to 0.47 it states a model call by `llm.request.type` only.

use super::{Dialect, NO_RULES, Role, Says, TokenPart};
use crate::TokenKind;

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("traceloop.span.kind", Says::Role(2)),
        ("llm.request.type", Says::Role(3)),
        ("llm.usage.total_tokens", Says::Tokens(TokenKind::Total)),
        ("llm.usage.reasoning_tokens", Says::Part(TokenPart::Reasoning)),
        ("traceloop.entity.input", Says::RawInput),
        ("traceloop.entity.output", Says::RawOutput),
        ("traceloop.association.properties.session_id", Says::Session),
        ("traceloop.association.properties.thread_id", Says::Session),
    ],
    prefixes: &[("llm.request.functions.", Says::FlatTools), ("traceloop.", Says::Aside)],
    words: &[
        ("completion", Role::Call),
        ("embedding", Role::Embedding),
        ("rerank", Role::Retrieval),
        ("workflow", Role::Agent),
        ("agent", Role::Agent),
        ("task", Role::Step),
        ("tool", Role::Tool),
        ("execute_task", Role::Step),
        ("vector_db_retrieve", Role::Retrieval),
    ],
    ..NO_RULES
};
