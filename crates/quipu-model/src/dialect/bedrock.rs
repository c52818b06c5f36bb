//! Amazon Bedrock and its agents, where they differ from the GenAI conventions.

use super::{Dialect, NO_RULES, Says};

pub(super) const RULES: Dialect = Dialect {
    keys: &[("aws.bedrock.agent.id", Says::AgentId), ("aws.bedrock.guardrail.id", Says::Shield)],
    prefixes: &[("aws.", Says::Aside), ("rpc.", Says::Aside)],
    ..NO_RULES
};
