//! LangChain and LangGraph as LangSmith exports them.

use super::{Dialect, NO_RULES, Role, Says};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("langsmith.span.kind", Says::Role(2)),
        ("langsmith.metadata.session_id", Says::Session),
        ("langsmith.metadata.thread_id", Says::Session),
        ("langsmith.metadata.conversation_id", Says::Session),
    ],
    prefixes: &[("langsmith.", Says::Aside)],
    words: &[("llm", Role::Call), ("chain", Role::Step), ("retriever", Role::Retrieval)],
    ..NO_RULES
};
