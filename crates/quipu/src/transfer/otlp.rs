//! OTLP/JSON as an import dialect.
//!
//! Not here: parsing it (`quipu-otlp`).

use super::dialect::Dialect;
use quipu_otlp::otlp::LISTS;

pub(super) const DIALECT: Dialect = Dialect {
    name: "OTLP (protobuf, JSON, JSON lines)",
    content: "resourceSpans, resourceLogs or resourceMetrics",
    lists: LISTS,
    bare: None,
};
