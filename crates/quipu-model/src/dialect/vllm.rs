//! vLLM's own spans, `llm_request`: the server's side of a model call.

use super::{Dialect, NO_RULES, Says};
use crate::SpanKind;

pub(super) const RULES: Dialect = Dialect {
    keys: &[("gen_ai.latency.time_to_first_token", Says::FirstPartSeconds), ("gen_ai.request.id", Says::Aside)],
    prefixes: &[("gen_ai.latency.", Says::Aside)],
    names: &[("llm_request", SpanKind::Inference)],
    ..NO_RULES
};
