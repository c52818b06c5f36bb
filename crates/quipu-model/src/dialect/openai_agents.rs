//! OpenAI's Agents SDK, as its bridges to OpenTelemetry name its spans.

use super::{Dialect, NO_RULES, Role, Says};

pub(super) const RULES: Dialect = Dialect {
    keys: &[("agent.type", Says::Aside), ("agent.handoffs", Says::Aside), ("agent.tools", Says::Aside)],
    words: &[
        ("response", Role::Call),
        ("function", Role::Tool),
        ("handoff", Role::Tool),
        ("guardrail", Role::Shield),
        ("mcp_tools", Role::Step),
    ],
    ..NO_RULES
};
