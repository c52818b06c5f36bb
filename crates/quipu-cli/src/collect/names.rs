//! Names of metric families on `/metrics`: those of Prometheus' OTLP translation, and Llama Stack's documented ones.
//!
//! The translation is in `quipu::prometheus`.

use quipu::model::TokenKind;
use quipu::prometheus::{MetricShape, metric_name};

/// What the names of the collector's own metrics begin with.
const OWN: &str = "quipu_";

/// The name of a metric family. What is received under a name like the collector's own gets the prefix `exported_`, as Prometheus does it
/// with labels. Counters have no `_total`, which is only part of their samples' names.
pub(super) fn family(metric: &str, unit: Option<&str>, shape: MetricShape) -> String {
    let documented = TokenKind::from_metric(metric).filter(|_| shape == MetricShape::Counter).map(TokenKind::documented_name);
    let name = documented.map_or_else(|| metric_name(metric, unit.unwrap_or_default(), shape), str::to_owned);
    let name = if name.starts_with(OWN) { format!("exported_{name}") } else { name };
    match name.strip_suffix("_total") {
        Some(family) if shape == MetricShape::Counter => family.to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_prometheus_makes() {
        // By Prometheus' translation, and Llama Stack's documentation.
        for (metric, unit, shape, name) in [
            ("prompt_tokens", "tokens", MetricShape::Counter, "llama_stack_prompt_tokens"),
            ("completion_tokens", "tokens", MetricShape::Counter, "llama_stack_completion_tokens"),
            ("total_tokens", "tokens", MetricShape::Counter, "llama_stack_tokens"),
            ("llama_stack.requests_total", "1", MetricShape::Counter, "llama_stack_requests"),
            ("llama_stack.request_duration_seconds", "s", MetricShape::Other, "llama_stack_request_duration_seconds"),
            ("gen_ai.client.token.usage", "{token}", MetricShape::Other, "gen_ai_client_token_usage"),
            ("gen_ai.client.operation.duration", "s", MetricShape::Other, "gen_ai_client_operation_duration_seconds"),
            ("http.server.request.body.size", "By", MetricShape::Other, "http_server_request_body_size_bytes"),
            ("system.cpu.utilization", "1", MetricShape::Gauge, "system_cpu_utilization_ratio"),
            ("network.io", "By/s", MetricShape::Gauge, "network_io_bytes_per_second"),
            ("2xx  responses", "", MetricShape::Counter, "_2xx_responses"),
            ("quipu_collect_spans", "", MetricShape::Counter, "exported_quipu_collect_spans"),
            ("quipu.collect.queue_bytes", "", MetricShape::Gauge, "exported_quipu_collect_queue_bytes"),
            ("größe", "m", MetricShape::Other, "gr_e_meters"),
        ] {
            assert_eq!(family(metric, Some(unit), shape), name, "{metric}");
        }
        assert_eq!(family("a.b", None, MetricShape::Other), "a_b");
    }
}
