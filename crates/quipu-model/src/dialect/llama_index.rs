//! LlamaIndex's own OpenTelemetry spans. Its usual instrumentation is OpenInference or OpenLLMetry.

use super::{Dialect, NO_RULES, Says};
use crate::SpanKind;

pub(super) const RULES: Dialect = Dialect {
    keys: &[("query_str", Says::Query)],
    names: &[
        ("BaseRetriever.retrieve", SpanKind::Retrieval),
        ("VectorIndexRetriever.retrieve", SpanKind::Retrieval),
    ],
    ..NO_RULES
};
