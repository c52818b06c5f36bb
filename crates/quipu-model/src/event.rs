//! Events of Llama Stack's telemetry API (log lines, metrics, span starts and ends) and their JSON.
//!
//! Field names, tags and defaults are those of the API. Not here: converting events to rows (the writing side), and rows of `span_events`
//! as recorded (`store`).

use super::EventTime;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An argument of Llama Stack's `log_event`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A log line.
    UnstructuredLog(UnstructuredLogEvent),
    /// A measurement.
    Metric(MetricEvent),
    /// A span start or end.
    StructuredLog(StructuredLogEvent),
}

/// A log line.
///
/// ```
/// use quipu_model::{Event, LogSeverity};
/// let text = r#"{"type":"unstructured_log","trace_id":"t","span_id":"s","timestamp":1751328000,"message":"hi","severity":"warn"}"#;
/// let Event::UnstructuredLog(log) = serde_json::from_str(text)? else { panic!("a log") };
/// assert_eq!((log.severity, log.timestamp.to_string().as_str()), (LogSeverity::Warn, "2025-07-01T00:00:00Z"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnstructuredLogEvent {
    /// Trace id, as recorded.
    pub trace_id: String,
    /// Id of the span it was logged in.
    pub span_id: String,
    /// When it was logged.
    pub timestamp: EventTime,
    /// Attributes; `null` is read as empty.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub attributes: Attributes,
    /// The message; may have several lines.
    pub message: String,
    /// Severity; required.
    pub severity: LogSeverity,
}

/// A measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricEvent {
    /// Trace id, as recorded.
    pub trace_id: String,
    /// Id of the span it was measured in.
    pub span_id: String,
    /// When it was measured.
    pub timestamp: EventTime,
    /// Attributes, which are the metric's labels; `null` is read as empty.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub attributes: Attributes,
    /// Metric name, such as `prompt_tokens`.
    pub metric: String,
    /// The value, in `unit`.
    pub value: MetricValue,
    /// The unit, such as `tokens`.
    pub unit: String,
}

/// A span start or end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StructuredLogEvent {
    /// Trace id, as recorded.
    pub trace_id: String,
    /// Id of the span that starts or ends.
    pub span_id: String,
    /// When it starts or ends.
    pub timestamp: EventTime,
    /// Span attributes. Those of the end event are added to those of the start event.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub attributes: Attributes,
    /// Whether the span starts or ends, with the fields of either.
    pub payload: StructuredLogPayload,
}

/// Payload of a [`StructuredLogEvent`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StructuredLogPayload {
    /// The span starts.
    SpanStart(SpanStartPayload),
    /// The span ends.
    SpanEnd(SpanEndPayload),
}

/// Payload of a span start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanStartPayload {
    /// Span name.
    pub name: String,
    /// Id of the parent span; `None` for a root.
    #[serde(default)]
    pub parent_span_id: Option<String>,
}

/// Payload of a span end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanEndPayload {
    /// Final status.
    pub status: SpanStatus,
}

/// Recorded status of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanStatus {
    /// `OK`. Servers end nearly every span with it, failed or not.
    Ok,
    /// `ERROR`. Set by clients only.
    Error,
}

impl SpanStatus {
    /// Parses the column `status` in any letter case. `None` for `UNSET` and anything else.
    pub fn from_recorded(text: &str) -> Option<SpanStatus> {
        if text.eq_ignore_ascii_case("ok") {
            Some(SpanStatus::Ok)
        } else if text.eq_ignore_ascii_case("error") {
            Some(SpanStatus::Error)
        } else {
            None
        }
    }
}

/// Severity of a log line; ordered from least to most severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogSeverity {
    /// Below `debug`.
    Verbose,
    /// Debugging details.
    Debug,
    /// Normal operation.
    Info,
    /// A warning; Python's `WARNING` too.
    Warn,
    /// An operation failed.
    Error,
    /// The program can't continue.
    Critical,
}

impl LogSeverity {
    /// All severities, least severe first.
    pub const ALL: [LogSeverity; 6] = [
        LogSeverity::Verbose,
        LogSeverity::Debug,
        LogSeverity::Info,
        LogSeverity::Warn,
        LogSeverity::Error,
        LogSeverity::Critical,
    ];

    /// The recorded name: `verbose`, `debug`, `info`, `warn`, `error`, `critical`.
    pub fn label(self) -> &'static str {
        match self {
            LogSeverity::Verbose => "verbose",
            LogSeverity::Debug => "debug",
            LogSeverity::Info => "info",
            LogSeverity::Warn => "warn",
            LogSeverity::Error => "error",
            LogSeverity::Critical => "critical",
        }
    }

    /// Parses the attribute `severity`. Names are lower-case; `None` for any other text.
    pub fn from_recorded(text: &str) -> Option<LogSeverity> {
        LogSeverity::ALL.into_iter().find(|severity| severity.label() == text)
    }

    /// Like [`from_recorded`](LogSeverity::from_recorded), in any letter case, and accepting `warning` and `fatal`, which other programs
    /// write.
    pub fn from_name(name: &str) -> Option<LogSeverity> {
        let is = |of: &LogSeverity| of.label().eq_ignore_ascii_case(name);
        match LogSeverity::ALL.into_iter().find(is) {
            None if name.eq_ignore_ascii_case("warning") => Some(LogSeverity::Warn),
            None if name.eq_ignore_ascii_case("fatal") => Some(LogSeverity::Critical),
            found => found,
        }
    }
}

/// Value of a metric event. Integers stay integers in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetricValue {
    /// A JSON integer.
    Integer(i64),
    /// Any other JSON number.
    Float(f64),
}

impl MetricValue {
    /// Adds two values. The sum of two integers is an integer and saturates; any other sum is a float.
    #[must_use]
    pub fn plus(self, other: MetricValue) -> MetricValue {
        let real = |value: MetricValue| match value {
            MetricValue::Integer(whole) => whole as f64,
            MetricValue::Float(real) => real,
        };
        match (self, other) {
            (MetricValue::Integer(sum), MetricValue::Integer(amount)) => MetricValue::Integer(sum.saturating_add(amount)),
            _ => MetricValue::Float(real(self) + real(other)),
        }
    }
}

/// Attribute value of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Primitive {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A JSON integer.
    Integer(i64),
    /// Any other JSON number.
    Float(f64),
    /// A JSON string.
    Text(String),
}

/// Attributes in insertion order, without duplicate keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(String, Primitive)>);

impl Attributes {
    /// Looks up an attribute.
    pub fn get(&self, key: &str) -> Option<&Primitive> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets an attribute. An existing key keeps its position; a new one is appended.
    pub fn set(&mut self, key: String, value: Primitive) {
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts, numbers, booleans and nulls")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
                let mut attributes = Attributes::default();
                while let Some((key, value)) = map.next_entry::<String, Primitive>()? {
                    attributes.set(key, value);
                }
                Ok(attributes)
            }

            fn visit_unit<E: de::Error>(self) -> Result<Attributes, E> {
                Ok(Attributes::default())
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
    Ok(Option::<Attributes>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Event, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn every_kind_of_event_comes_back_as_it_was() {
        let texts = [
            r#"{"type":"unstructured_log","trace_id":"t","span_id":"s","timestamp":"2025-07-01T00:00:00Z","attributes":{"b":1,"a":null,"x":0.5,"y":true,"z":"ü"},"message":"two\nlines","severity":"critical"}"#,
            r#"{"type":"metric","trace_id":"t","span_id":"s","timestamp":"2025-07-01T00:00:00.250000Z","attributes":{},"metric":"prompt_tokens","value":3,"unit":"tokens"}"#,
            r#"{"type":"metric","trace_id":"t","span_id":"s","timestamp":"2025-07-01T02:00:00+02:00","attributes":{},"metric":"load","value":0.5,"unit":""}"#,
            r#"{"type":"structured_log","trace_id":"t","span_id":"s","timestamp":"2025-07-01T00:00:00Z","attributes":{},"payload":{"type":"span_start","name":"n","parent_span_id":null}}"#,
            r#"{"type":"structured_log","trace_id":"t","span_id":"s","timestamp":"2025-07-01T00:00:00Z","attributes":{},"payload":{"type":"span_end","status":"error"}}"#,
        ];
        for text in texts {
            let event = read(text).expect(text);
            assert_eq!(serde_json::to_string(&event).expect("it prints"), text);
        }
    }

    #[test]
    fn every_severity_has_its_word() {
        for severity in LogSeverity::ALL {
            assert_eq!(serde_json::to_string(&severity).expect("it prints"), format!("{:?}", severity.label()));
            assert_eq!(LogSeverity::from_recorded(severity.label()), Some(severity));
        }
        assert!(LogSeverity::Warn < LogSeverity::Error);
    }

    #[test]
    fn missing_attributes_are_empty_and_wrong_bodies_are_refused() {
        let start = r#"{"type":"structured_log","trace_id":"t","span_id":"s","timestamp":0,"attributes":null,"payload":{"type":"span_start","name":"n"}}"#;
        let Ok(Event::StructuredLog(event)) = read(start) else { panic!("it is read") };
        assert_eq!(event.attributes, Attributes::default());
        for bad in [
            r#"{"type":"bogus","trace_id":"t","span_id":"s","timestamp":0}"#,
            r#"{"type":"metric","trace_id":"t","span_id":"s","timestamp":0,"metric":"m","value":"1","unit":"u"}"#,
            r#"{"type":"unstructured_log","trace_id":"t","span_id":"s","timestamp":"soon","message":"m","severity":"info"}"#,
            r#"{"type":"unstructured_log","trace_id":"t","span_id":"s","timestamp":0,"message":"m","severity":"loud"}"#,
            r#"{"type":"unstructured_log","trace_id":"t","span_id":"s","timestamp":0,"message":"m","severity":"info","attributes":{"a":[1]}}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
