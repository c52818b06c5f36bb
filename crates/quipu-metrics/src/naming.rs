//! The names Prometheus gives metrics that come by OTLP: letters, digits and single underscores, then the unit, then `_total` for counters.
//!
//! What is not here: the names of Llama Stack's documentation (`names`).

/// What a name says beside the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricShape {
    /// A sum that never falls.
    Counter,
    /// A value that is as it is.
    Gauge,
    /// A histogram or summary, or a sum that may fall.
    Other,
}

/// Units of UCUM as Prometheus writes them.
const UNITS: [(&str, &str); 28] = [
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
    ("1", ""),
    ("%", "percent"),
    ("mo", "months"),
    ("y", "years"),
];
/// Units behind the stroke.
const PER: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// The name Prometheus gives a metric of this name, unit (UCUM) and shape: `gen_ai_client_operation_duration_seconds`, `requests_total`.
pub fn prometheus_name(name: &str, unit: &str, shape: MetricShape) -> String {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == ':';
    let mut words: Vec<&str> = name.split(|found| !letter(found)).filter(|word| !word.is_empty()).collect();
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let (main, per) = (suffix(main, &UNITS), suffix(per, &PER));
    if !main.is_empty() && !words.contains(&main.as_str()) {
        words.push(&main);
    }
    let per = if per.is_empty() { per } else { format!("per_{per}") };
    if !per.is_empty() && !words.contains(&per.as_str()) {
        words.push(&per);
    }
    let last = match shape {
        MetricShape::Counter => Some("total"),
        MetricShape::Gauge if unit == "1" => Some("ratio"),
        _ => None,
    };
    if let Some(last) = last {
        words.retain(|word| *word != last);
        words.push(last);
    }
    let mut name = words.join("_");
    if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// A unit as a word; what stands in braces is a remark.
fn suffix(unit: &str, known: &[(&str, &'static str)]) -> String {
    let unit = unit.trim();
    if unit.contains(['{', '}']) {
        return String::new();
    }
    if let Some((_, word)) = known.iter().find(|(short, _)| *short == unit) {
        return (*word).to_owned();
    }
    let words: Vec<&str> = unit.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_prometheus() {
        for (name, unit, shape, expected) in [
            ("prompt_tokens", "tokens", MetricShape::Counter, "prompt_tokens_total"),
            ("total_tokens", "tokens", MetricShape::Counter, "tokens_total"),
            ("gen_ai.client.token.usage", "{token}", MetricShape::Other, "gen_ai_client_token_usage"),
            ("gen_ai.client.operation.duration", "s", MetricShape::Other, "gen_ai_client_operation_duration_seconds"),
            ("llama_stack.requests_total", "1", MetricShape::Counter, "llama_stack_requests_total"),
            ("llama_stack.request_duration_seconds", "s", MetricShape::Other, "llama_stack_request_duration_seconds"),
            ("system.cpu.utilization", "1", MetricShape::Gauge, "system_cpu_utilization_ratio"),
            ("network.transmitted", "By/s", MetricShape::Gauge, "network_transmitted_bytes_per_second"),
            ("queue..length_", "", MetricShape::Gauge, "queue_length"),
            ("5xx", "{error}", MetricShape::Counter, "_5xx_total"),
            ("disk", "%", MetricShape::Gauge, "disk_percent"),
            ("a", "foo.bar/w", MetricShape::Other, "a_foo_bar_per_week"),
            ("…", "", MetricShape::Other, "_"),
        ] {
            assert_eq!(prometheus_name(name, unit, shape), expected, "{name}");
        }
    }
}
