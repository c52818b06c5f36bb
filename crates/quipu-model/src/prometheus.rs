//! Prometheus names of metrics and labels that come from OTLP. Used by `/metrics` of `quipu collect`, PromQL and the page.
//!
//! The rules are those of Prometheus' own OTLP receiver with its default settings: the translation strategy
//! `UnderscoreEscapingWithSuffixes`, with `label_name_underscore_sanitization` and `label_name_preserve_multiple_underscores` on. Source: the
//! Go module `github.com/prometheus/otlptranslator` (`MetricNamer.Build`, `LabelNamer.Build`), and `createAttributes` in
//! `storage/remote/otlptranslator/prometheusremotewrite/helper.go` of Prometheus.
//!
//! One difference: Prometheus rejects points whose name has no letter or digit; nothing is rejected here. Such a label name keeps its
//! underscores, an empty one becomes `key_`; a metric name becomes `_`.
//!
//! Not here: the documented names of Llama Stack's own counters ([`TokenKind`](crate::TokenKind)).

use crate::ordered::sort_by;

/// Kind of a metric, as far as its name depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricShape {
    /// A monotonic sum.
    Counter,
    /// A gauge.
    Gauge,
    /// A histogram, a summary, or a non-monotonic sum.
    Other,
}

impl MetricShape {
    /// The shape of a point, from the columns `kind` and `monotonic` of `quipu_metric_points`.
    pub fn of_point(kind: &str, monotonic: Option<bool>) -> MetricShape {
        match (kind, monotonic) {
            ("sum", Some(true)) => MetricShape::Counter,
            ("gauge", _) => MetricShape::Gauge,
            _ => MetricShape::Other,
        }
    }
}

/// UCUM units and the corresponding words in Prometheus names.
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
/// Units after a slash.
const PER: [(&str, &str); 7] = [
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// Name of an OTLP metric: each run of invalid characters becomes one underscore; then come the unit (UCUM), and `_total` for counters or
/// `_ratio` for gauges with the unit `1`.
///
/// ```
/// use quipu_model::prometheus::{MetricShape, metric_name};
/// assert_eq!(metric_name("gen_ai.client.operation.duration", "s", MetricShape::Other), "gen_ai_client_operation_duration_seconds");
/// ```
pub fn metric_name(name: &str, unit: &str, shape: MetricShape) -> String {
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
    not_a_digit_first(words.join("_"))
}

/// Makes a metric name valid without translating it: each invalid character becomes an underscore; no suffix is added. For recorded
/// `metric.NAME` events, which are not OTLP metrics.
pub fn valid_metric_name(name: &str) -> String {
    not_a_digit_first(name.chars().map(|letter| if is_valid(letter) || letter == ':' { letter } else { '_' }).collect())
}

fn not_a_digit_first(mut name: String) -> String {
    if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// Label name of an attribute key: each invalid character becomes an underscore. A leading digit is prefixed with `key_`, a single leading
/// underscore with `key`. Unlike metric names, label names have no colons.
///
/// ```
/// use quipu_model::prometheus::label_name;
/// assert_eq!(label_name("gen_ai.request.model"), "gen_ai_request_model");
/// assert_eq!(label_name("2x"), "key_2x");
/// ```
pub fn label_name(key: &str) -> String {
    let name: String = key.chars().map(|letter| if is_valid(letter) { letter } else { '_' }).collect();
    match name.as_bytes() {
        [] => "key_".to_owned(),
        [b'0'..=b'9', ..] => format!("key_{name}"),
        // A double underscore marks names that are reserved by Prometheus; it is kept.
        [b'_', b'_', ..] => name,
        [b'_', ..] => format!("key{name}"),
        _ => name,
    }
}

/// Labels of attributes, given as key and text, sorted by name. If several keys become the same name, their values are joined with `;`, in the order of the
/// keys. Omits `__name__`, which is the metric's name, also where a key only becomes it, and empty values, which are equivalent to no label.
pub fn labels<'k>(attributes: impl IntoIterator<Item = (&'k str, String)>) -> Vec<(String, String)> {
    let mut named: Vec<(String, &str, String)> = attributes.into_iter().map(|(key, value)| (label_name(key), key, value)).collect();
    named.retain(|(name, ..)| name != "__name__");
    sort_by(&mut named, |one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    let mut labels: Vec<(String, String)> = Vec::new();
    for (name, _, value) in named {
        match labels.last_mut() {
            Some((last, known)) if *last == name => {
                if !known.is_empty() {
                    known.push(';');
                }
                known.push_str(&value);
            }
            _ => labels.push((name, value)),
        }
    }
    labels.retain(|(_, value)| !value.is_empty());
    labels
}

fn is_valid(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The word for a unit. Text in braces is an annotation and ignored.
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
            assert_eq!(metric_name(name, unit, shape), expected, "{name}");
        }
    }

    #[test]
    fn labels_are_named_as_prometheus_names_them() {
        // LabelNamer.Build of otlptranslator, with Prometheus' default settings, for all but the last two, which it refuses.
        for (key, expected) in [
            ("gen_ai.request.model", "gen_ai_request_model"),
            ("label:with:colons", "label_with_colons"),
            ("label!with&special$chars)", "label_with_special_chars_"),
            ("label_with_foreign_characters_字符", "label_with_foreign_characters___"),
            ("123label", "key_123label"),
            ("_label", "key_label"),
            (".label", "key_label"),
            ("ä", "key_"),
            ("__label", "__label"),
            ("ようこそ", "____"),
            ("", "key_"),
        ] {
            assert_eq!(label_name(key), expected, "{key}");
        }
    }

    #[test]
    fn values_of_keys_with_the_same_name_are_joined_by_key() {
        let attributes = [("a_b", "3"), ("__name__", "x"), ("--name..", "y"), ("a.b", "1"), ("a:b", "2"), ("c", "")];
        let labels = labels(attributes.map(|(key, value)| (key, value.to_owned())));
        assert_eq!(labels, [("a_b", "1;2;3")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
