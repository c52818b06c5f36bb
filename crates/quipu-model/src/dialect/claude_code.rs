//! Claude Code. Its cached tokens are not part of its input tokens, so its counts are those of the input that was not cached.

use super::{Dialect, NO_RULES, Role, Says, TokenMetric, TokenPart};
use crate::{SpanKind, TokenKind};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("span.type", Says::Role(3)),
        ("input_tokens", Says::Tokens(TokenKind::Prompt)),
        ("output_tokens", Says::Tokens(TokenKind::Completion)),
        ("cache_read_tokens", Says::Part(TokenPart::Cached)),
        ("cache_creation_tokens", Says::Part(TokenPart::CacheWritten)),
        ("ttft_ms", Says::FirstPartMillis),
        ("user_prompt", Says::RawInput),
        ("tool_input", Says::ToolArguments),
    ],
    words: &[
        ("interaction", Role::Agent),
        ("llm_request", Role::Call),
        ("tool.execution", Role::Step),
        ("tool.blocked_on_user", Role::Step),
    ],
    names: &[
        ("claude_code.interaction", SpanKind::Turn),
        ("claude_code.llm_request", SpanKind::Inference),
        ("claude_code.tool", SpanKind::Tool),
    ],
    metrics: &[TokenMetric {
        name: "claude_code.token.usage",
        is_histogram: false,
        key: "type",
        values: &[
            ("input", Says::Tokens(TokenKind::Prompt)),
            ("output", Says::Tokens(TokenKind::Completion)),
            ("cacheRead", Says::Part(TokenPart::Cached)),
            ("cacheCreation", Says::Part(TokenPart::CacheWritten)),
        ],
        models: &["model"],
        providers: &[],
    }],
    ..NO_RULES
};
