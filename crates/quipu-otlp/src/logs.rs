//! Converts OTLP log records to span events. Newer servers log prompts instead of recording them on spans.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use super::attributes::{Object, any_json, text_of};
use super::fields::{field, list, list_of, text};
use super::numbers::{id, unsigned};
use super::otlp::plain_text;
use super::rest;
use super::rows::{Rows, Sourced};
use quipu_model::{LogRecord, Value, reference_time};

impl Rows {
    pub fn take_logs(&mut self, resource: &Value) {
        let of = self.resource_of(resource);
        for scope in list_of(resource, &["scopeLogs", "instrumentationLibraryLogs"]) {
            let source = self.source_of(of, resource, scope);
            for record in list_of(scope, &["logRecords", "logs"]) {
                self.add_log(Sourced { it: read_log(record), source });
            }
        }
    }
}

fn read_log(record: &Value) -> LogRecord {
    let attributes = list(record, "attributes");
    let time = unsigned(field(record, "timeUnixNano")).filter(|nanos| *nanos > 0);
    let observed = unsigned(field(record, "observedTimeUnixNano")).filter(|nanos| *nanos > 0);
    let nanos = time.or(observed);
    let event_name = text(record, "eventName");
    let body = field(record, "body");
    let mut more = Object::new();
    rest::put(&mut more, record, &rest::LOG);
    if let Some(text) = text(record, "severityText") {
        more.put_text("severity_text", &text);
    }
    for (key, is_so) in [
        ("no_time", time.is_none() && observed.is_some()),
        ("no_event_name", event_name.is_none() && text_of(attributes, "event.name").is_some()),
    ] {
        if is_so {
            more.put_json(key, "true");
        }
    }
    if body.is_some_and(|body| field(body, "stringValue").is_none() && field(body, "kvlistValue").is_none()) {
        more.put_any("body", body.unwrap_or(&Value::Null));
    }
    let name = event_name.or_else(|| text_of(attributes, "event.name").map(str::to_owned));
    // An empty value is no body.
    let body = body.filter(|body| !matches!(body, Value::Map(entries) if entries.is_empty())).unwrap_or(&Value::Null);
    let mut object = Object::new();
    // A structured body has the fields of an event; a plain one is a message, like in the reference's own events.
    let is_fields = field(body, "kvlistValue").is_some()
        || matches!(body, Value::Map(entries) if !entries.is_empty() && plain_text(body).is_some_and(|text| text.starts_with('{')) && field(body, "stringValue").is_none());
    if is_fields {
        object.put_json("body", &any_json(body));
    } else if let Some(message) = plain_text(body) {
        object.put_text("message", &message);
    }
    if let Some(severity) = severity(record) {
        object.put_text("severity", &severity);
    }
    object.put_all(attributes);
    LogRecord {
        trace_id: id(field(record, "traceId"), 16),
        span_id: id(field(record, "spanId"), 8),
        name: Some(name.unwrap_or_else(|| "unstructured_log".into())),
        timestamp: nanos.map(reference_time),
        time_nanos: nanos,
        attributes: Some(object.finish()),
        more: (!more.is_empty()).then(|| more.finish()),
        source: None,
    }
}

/// Llama Stack's severity names, each for four severity numbers of OTLP.
pub const SEVERITIES: [&str; 6] = ["verbose", "debug", "info", "warn", "error", "critical"];

/// The severity's name, from its number or else its text.
fn severity(record: &Value) -> Option<String> {
    let number = field(record, "severityNumber");
    if let Some(number) = unsigned(number).filter(|number| (1..=24).contains(number)) {
        let place = usize::try_from((number - 1) / 4).ok()?;
        return SEVERITIES.get(place).map(|word| (*word).to_owned());
    }
    // The name of a number, such as `SEVERITY_NUMBER_WARN2`.
    let name = number.and_then(Value::as_str).and_then(|name| name.strip_prefix("SEVERITY_NUMBER_"));
    let name = name.map(|name| name.trim_end_matches(['2', '3', '4'])).filter(|name| *name != "UNSPECIFIED").map(str::to_owned);
    let text = name.or_else(|| text(record, "severityText"))?.to_ascii_lowercase();
    Some(match text.as_str() {
        "trace" => "verbose".into(),
        "warning" => "warn".into(),
        "fatal" => "critical".into(),
        _ => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::recorded::parse_json;

    fn read(json: &str) -> (Option<String>, String) {
        let log = read_log(&parse_json(json).expect("JSON"));
        (log.name, log.attributes.expect("attributes"))
    }

    #[test]
    fn a_line_of_a_log_becomes_what_the_reference_writes_and_an_event_keeps_its_name_and_fields() {
        let line = r#"{"timeUnixNano":"1","severityNumber":13,"severityText":"WARN","body":{"stringValue":"slow"},"attributes":[{"key":"n","value":{"intValue":"3"}}]}"#;
        assert_eq!(read(line), (Some("unstructured_log".into()), r#"{"message": "slow", "severity": "warn", "n": 3}"#.into()));
        let event = r#"{"eventName":"gen_ai.user.message","body":{"kvlistValue":{"values":[{"key":"content","value":{"stringValue":"Hi \u00e4"}}]}}}"#;
        assert_eq!(read(event), (Some("gen_ai.user.message".into()), r#"{"body": {"content": "Hi \u00e4"}}"#.into()));
        let named = r#"{"severityNumber":"SEVERITY_NUMBER_FATAL3","body":{"stringValue":"gone"}}"#;
        assert_eq!(read(named), (Some("unstructured_log".into()), r#"{"message": "gone", "severity": "critical"}"#.into()));
        let older = r#"{"severityText":"Fatal","attributes":[{"key":"event.name","value":{"stringValue":"gen_ai.choice"}}]}"#;
        assert_eq!(read(older), (Some("gen_ai.choice".into()), r#"{"severity": "critical", "event.name": "gen_ai.choice"}"#.into()));
    }
}
