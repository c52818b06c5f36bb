//! Names of OTLP's metrics and labels as a scrape has them: families without `_total`, and Llama Stack's documented ones.
//!
//! What is not here: Prometheus's translation, which is the core's.

use quipu::metrics::{MetricShape, prometheus_name};

/// Llama Stack's counters, which its documentation names with the namespace that its collector adds.
const LLAMA_STACK: [&str; 3] = ["prompt_tokens", "completion_tokens", "total_tokens"];

/// What a metric is, as far as its name depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Suffix {
    /// A counter: its samples end in `_total`, which is not part of the answer.
    Total,
    /// A gauge without a dimension is a ratio.
    Ratio,
    None,
}

/// The name of a metric's family; of counters without `_total`.
pub(super) fn family(metric: &str, unit: Option<&str>, suffix: Suffix) -> String {
    let shape = match suffix {
        Suffix::Total => MetricShape::Counter,
        Suffix::Ratio => MetricShape::Gauge,
        Suffix::None => MetricShape::Other,
    };
    let name = prometheus_name(metric, unit.unwrap_or_default(), shape);
    let name = if suffix == Suffix::Total { name.strip_suffix("_total").unwrap_or(&name) } else { &name };
    if LLAMA_STACK.contains(&metric) { format!("llama_stack_{name}") } else { name.to_owned() }
}

/// The name of a label.
pub(super) fn label(key: &str) -> String {
    let mut name: String = key.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert_str(0, "key_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_prometheus_makes() {
        // By Prometheus's own translation, and Llama Stack's documentation.
        for (metric, unit, suffix, name) in [
            ("prompt_tokens", "tokens", Suffix::Total, "llama_stack_prompt_tokens"),
            ("completion_tokens", "tokens", Suffix::Total, "llama_stack_completion_tokens"),
            ("total_tokens", "tokens", Suffix::Total, "llama_stack_tokens"),
            ("llama_stack.requests_total", "1", Suffix::Total, "llama_stack_requests"),
            ("llama_stack.request_duration_seconds", "s", Suffix::None, "llama_stack_request_duration_seconds"),
            ("gen_ai.client.token.usage", "{token}", Suffix::None, "gen_ai_client_token_usage"),
            ("gen_ai.client.operation.duration", "s", Suffix::None, "gen_ai_client_operation_duration_seconds"),
            ("http.server.request.body.size", "By", Suffix::None, "http_server_request_body_size_bytes"),
            ("system.cpu.utilization", "1", Suffix::Ratio, "system_cpu_utilization_ratio"),
            ("network.io", "By/s", Suffix::Ratio, "network_io_bytes_per_second"),
            ("2xx  responses", "", Suffix::Total, "_2xx_responses"),
            ("größe", "m", Suffix::None, "gr_e_meters"),
        ] {
            assert_eq!(family(metric, Some(unit), suffix), name, "{metric}");
        }
        assert_eq!(family("a.b", None, Suffix::None), "a_b");
        assert_eq!(
            (label("gen_ai.request.model"), label("2x"), label("")),
            ("gen_ai_request_model".into(), "key_2x".into(), "key_".into())
        );
    }
}
