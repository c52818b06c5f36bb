//! Langfuse's attributes.

use super::{Dialect, NO_RULES, Role, Says};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("langfuse.observation.type", Says::Role(2)),
        ("langfuse.observation.model.name", Says::Model),
        ("langfuse.observation.model.parameters", Says::Parameters),
        ("langfuse.observation.input", Says::RawInput),
        ("langfuse.observation.output", Says::RawOutput),
        ("langfuse.session.id", Says::Session),
    ],
    prefixes: &[("langfuse.", Says::Aside)],
    words: &[("generation", Role::Call), ("evaluator", Role::Step)],
    ..NO_RULES
};
