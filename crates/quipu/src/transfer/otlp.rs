//! The dialect of OTLP/JSON among those that are imported.
//!
//! What is not here: reading it (`quipu-otlp`).

use super::dialect::Dialect;
use quipu_otlp::otlp::LISTS;

/// OTLP/JSON.
pub(super) const DIALECT: Dialect = Dialect {
    name: "OTLP (protobuf, JSON, JSON lines)",
    content: "resourceSpans, resourceLogs or resourceMetrics",
    lists: LISTS,
    bare: None,
};
