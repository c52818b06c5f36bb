//! MLflow, which writes every value as JSON.

use super::{Dialect, NO_RULES, Role, Says};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("mlflow.spanType", Says::Role(3)),
        ("mlflow.spanInputs", Says::RawInput),
        ("mlflow.spanOutputs", Says::RawOutput),
        ("mlflow.chat.tools", Says::Tools),
        ("mlflow.trace.session", Says::Session),
    ],
    prefixes: &[("mlflow.", Says::Aside)],
    words: &[("CHAT_MODEL", Role::Call), ("PARSER", Role::Step), ("WORKFLOW", Role::Agent), ("TASK", Role::Step)],
    ..NO_RULES
};
