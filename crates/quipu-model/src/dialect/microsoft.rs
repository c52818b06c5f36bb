//! Semantic Kernel and Microsoft Agent Framework, where they differ from the GenAI conventions.

use super::{Dialect, NO_RULES, Role, Says};
use crate::SpanKind;

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("semantic_kernel.function.name", Says::Tool),
        ("semantic_kernel.function.arguments", Says::ToolArguments),
        ("semantic_kernel.function.result", Says::ToolResult),
        ("workflow.id", Says::Aside),
    ],
    prefixes: &[("semantic_kernel.", Says::Aside), ("az.", Says::Aside)],
    words: &[
        ("chat.completions", Role::Call),
        ("text.completions", Role::Call),
        ("chat.streaming_completions", Role::Call),
        ("text.streaming_completions", Role::Call),
        ("run_agent", Role::Agent),
    ],
    names: &[("AutoFunctionInvocationLoop*", SpanKind::Other)],
    ..NO_RULES
};
