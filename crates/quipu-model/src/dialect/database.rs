//! Calls of databases, in the conventions before and since 1.25.

use super::{Dialect, NO_RULES, Says};

pub(super) const RULES: Dialect =
    Dialect { keys: &[("db.system", Says::Database), ("db.system.name", Says::Database)], prefixes: &[("db.", Says::Aside)], ..NO_RULES };
