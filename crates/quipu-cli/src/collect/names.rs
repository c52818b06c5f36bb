//! Names of OTLP's metrics and labels as Prometheus has them: its translation with underscores and suffixes.

/// Llama Stack's counters, which its documentation names with the namespace that its collector adds.
const LLAMA_STACK: [&str; 3] = ["prompt_tokens", "completion_tokens", "total_tokens"];

/// Units that have words.
const UNITS: [(&str, &str); 29] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("%", "percent"),
    ("1", ""),
    ("", ""),
    ("mo", "months"),
    ("y", "years"),
];
/// Units behind a stroke.
const PER: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

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
    let mut words: Vec<&str> = words(metric).collect();
    let unit = unit.unwrap_or_default().trim();
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let main = unit_word(main, &UNITS);
    if !main.is_empty() && !words.contains(&main.as_str()) {
        words.push(&main);
    }
    let per = unit_word(per, &PER);
    if !per.is_empty() && !words.contains(&per.as_str()) {
        words.extend(["per", &per]);
    }
    match suffix {
        Suffix::Total => words.retain(|word| *word != "total"),
        Suffix::Ratio if unit == "1" => {
            words.retain(|word| *word != "ratio");
            words.push("ratio");
        }
        Suffix::Ratio | Suffix::None => {}
    }
    let mut name = words.join("_");
    if LLAMA_STACK.contains(&metric) {
        name.insert_str(0, "llama_stack_");
    }
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':').filter(|word| !word.is_empty())
}

/// What stands in braces is a remark and no unit.
fn unit_word(unit: &str, known: &[(&str, &str)]) -> String {
    let unit = unit.trim();
    if unit.contains(['{', '}']) {
        return String::new();
    }
    match known.iter().find(|(short, _)| *short == unit) {
        Some((_, word)) => (*word).to_owned(),
        None => words(unit).collect::<Vec<_>>().join("_"),
    }
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
