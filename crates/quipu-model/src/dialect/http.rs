//! HTTP servers and clients, in the conventions before and since 1.23.

use super::{Dialect, NO_RULES, Says};

pub(super) const RULES: Dialect = Dialect {
    keys: &[
        ("http.url", Says::Address),
        ("url.full", Says::Address),
        ("http.target", Says::Address),
        ("url.path", Says::Address),
    ],
    prefixes: &[
        ("http.", Says::Aside),
        ("url.", Says::Aside),
        ("net.", Says::Aside),
        ("network.", Says::Aside),
        ("client.", Says::Aside),
        ("user_agent.", Says::Aside),
        ("asgi.", Says::Aside),
    ],
    ..NO_RULES
};
