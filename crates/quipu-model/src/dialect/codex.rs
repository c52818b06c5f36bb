//! Codex.

use super::{Dialect, NO_RULES, Says, TokenPart};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("conversation.id", Says::Session),
        ("arguments", Says::ToolArguments),
        ("cached_token_count", Says::Part(TokenPart::Cached)),
        ("reasoning_token_count", Says::Part(TokenPart::Reasoning)),
    ],
    ..NO_RULES
};
