//! Value trees from which formats are printed, and access to recorded strings.

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use quipu_model::recorded::{entries, json_text, parse_json};
use quipu_model::{EventRecord, Number, RecordedTime, SpanExtra, SpanRecord, Value};

/// A span with all recorded data.
pub struct FullSpan {
    pub span: SpanRecord,
    pub events: Vec<EventRecord>,
    pub extra: SpanExtra,
    /// Resource and scope, each a JSON object.
    pub source: Option<(String, String)>,
}

/// A trace with its spans in file order.
pub struct FullTrace {
    pub trace_id: String,
    pub service_name: Option<String>,
    /// Offset in minutes east of UTC of times without a zone.
    pub offset_minutes: i32,
    pub spans: Vec<FullSpan>,
}

/// A map of the entries that have a value.
pub fn map<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    Value::Map(entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

pub fn text(text: impl Into<String>) -> Option<Value> {
    Some(Value::Text(text.into()))
}

pub fn number(number: impl ToString) -> Option<Value> {
    Some(Value::Number(Number(number.to_string())))
}

/// A list, or `None` if it is empty.
pub fn list(items: Vec<Value>) -> Option<Value> {
    (!items.is_empty()).then_some(Value::List(items))
}

/// Prints JSON on one line. Numbers that JSON lacks are printed as strings.
pub fn print(value: &Value) -> String {
    json_text(&speakable(value))
}

fn speakable(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.0.ends_with(['N', 'y']) => Value::Text(number.0.clone()),
        Value::List(items) => Value::List(items.iter().map(speakable).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(key, value)| (key.clone(), speakable(value))).collect()),
        other => other.clone(),
    }
}

/// Recorded attributes. If they are not a JSON object, there is a single entry with the string.
pub fn attributes(recorded: Option<&str>) -> Vec<(String, Value)> {
    let Some(recorded) = recorded else { return Vec::new() };
    let read: Option<Vec<_>> = entries(recorded.as_bytes())
        .map(|entry| {
            let (key, value) = entry.ok()?;
            Some((key.into_owned(), parse_json(&value.as_written())?))
        })
        .collect();
    read.unwrap_or_else(|| vec![("quipu.attributes".to_owned(), Value::Text(recorded.to_owned()))])
}

/// Looks up an attribute.
pub fn find<'v>(attributes: &'v [(String, Value)], key: &str) -> Option<&'v Value> {
    attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// A recorded time in nanoseconds since 1970. `None` if it is invalid or earlier.
pub fn nanos(recorded: Option<&str>, trace: &FullTrace) -> Option<u64> {
    let time = RecordedTime::parse(recorded?).ok()?;
    u64::try_from(time.instant(trace.offset_minutes).0).ok()
}

impl FullSpan {
    pub fn start_nanos(&self, trace: &FullTrace) -> Option<u64> {
        self.extra.start_nanos.or_else(|| nanos(self.span.start_time.as_deref(), trace))
    }

    pub fn end_nanos(&self, trace: &FullTrace) -> Option<u64> {
        self.extra.end_nanos.or_else(|| nanos(self.span.end_time.as_deref(), trace))
    }

    /// Times of its events.
    pub fn event_nanos(&self, trace: &FullTrace) -> Vec<Option<u64>> {
        let known = self.extra.event_nanos.as_deref().and_then(parse_json);
        let known = known.as_ref().and_then(Value::items).unwrap_or_default();
        let at = |at: usize| known.get(at).and_then(Value::as_i64).and_then(|nanos| u64::try_from(nanos).ok());
        self.events.iter().enumerate().map(|(place, event)| at(place).or_else(|| nanos(event.timestamp.as_deref(), trace))).collect()
    }

    /// Attributes of its resource, including the service name if there is one.
    pub fn resource(&self, trace: &FullTrace) -> Vec<(String, Value)> {
        let mut resource = attributes(self.source.as_ref().map(|(resource, _)| resource.as_str()));
        if let Some(name) = trace.service_name.as_ref().filter(|_| find(&resource, "service.name").is_none()) {
            resource.insert(0, ("service.name".to_owned(), Value::Text(name.clone())));
        }
        resource
    }

    /// Fields of its scope.
    pub fn scope(&self) -> Vec<(String, Value)> {
        attributes(self.source.as_ref().map(|(_, scope)| scope.as_str()))
    }

    /// Its links, each a map with `trace_id`, `span_id`, `trace_state`, `attributes`.
    pub fn links(&self) -> Vec<Value> {
        match self.extra.links.as_deref().and_then(parse_json) {
            Some(Value::List(links)) => links,
            _ => Vec::new(),
        }
    }
}
