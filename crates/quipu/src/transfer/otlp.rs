//! OTLP/JSON as an import dialect.
//!
//! Not here: parsing it (`quipu-otlp`).

use super::dialect::{Dialect, Each};
use quipu_model::Value;
use quipu_otlp::rows::Rows;

pub(super) const DIALECT: Dialect = Dialect {
    name: "OTLP (protobuf, JSON, JSON lines)",
    content: "resourceSpans, resourceLogs or resourceMetrics",
    // `batches` is Grafana Tempo's name.
    lists: &[
        "resourceSpans",
        "resource_spans",
        "batches",
        "resourceLogs",
        "resource_logs",
        "resourceMetrics",
        "resource_metrics",
    ],
    signs: &[
        (&["scopeSpans"], "resourceSpans"),
        (&["instrumentationLibrarySpans"], "resourceSpans"),
        (&["scopeLogs"], "resourceLogs"),
        (&["scopeMetrics"], "resourceMetrics"),
        (&["traceId", "spanId", "startTimeUnixNano"], SPAN),
    ],
    start: |_| Box::new(Each(take)),
};

/// A span without a resource around it.
const SPAN: &str = "span";

fn take(rows: &mut Rows, list: &str, item: &Value) {
    if list != SPAN {
        return rows.take(list, item);
    }
    let scope = Value::Map(vec![("spans".to_owned(), Value::List(vec![item.clone()]))]);
    rows.take_spans(&Value::Map(vec![("scopeSpans".to_owned(), Value::List(vec![scope]))]));
}

#[cfg(test)]
mod tests {
    use super::DIALECT;
    use quipu_otlp::otlp::LISTS;

    #[test]
    fn every_list_of_otlp_is_split() {
        assert_eq!(LISTS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), DIALECT.lists);
    }
}
