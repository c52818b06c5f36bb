//! Fields of OTLP that neither a column nor an attribute of a row holds: they are kept as JSON objects under names like those of protobuf.
//!
//! Not here: where the objects are stored (`quipu-store`).

use super::attributes::Object;
use super::fields::field;
use super::numbers::unsigned;
use quipu_model::{Number, Value};

/// A field: its name in OTLP/JSON, and in the object.
pub type Rest = (&'static str, &'static str);

const DROPPED: Rest = ("droppedAttributesCount", "dropped_attributes_count");
const FLAGS: Rest = ("flags", "flags");

/// Of a span.
pub const SPAN: [Rest; 4] = [
    FLAGS,
    DROPPED,
    ("droppedEventsCount", "dropped_events_count"),
    ("droppedLinksCount", "dropped_links_count"),
];
/// Of an event.
pub const EVENT: [Rest; 1] = [DROPPED];
/// Of a link.
pub const LINK: [Rest; 2] = [FLAGS, DROPPED];
/// Of a scope or a resource.
pub const SOURCE: [Rest; 1] = [DROPPED];

/// Of a log record.
pub const LOG: [Rest; 4] = [
    ("severityNumber", "severity_number"),
    ("observedTimeUnixNano", "observed_time_unix_nano"),
    FLAGS,
    DROPPED,
];

/// Adds the fields that are present and not zero.
pub fn put(object: &mut Object, message: &Value, fields: &[Rest]) {
    for (name, key) in fields {
        put_number(object, key, unsigned(field(message, name)).unwrap_or(0));
    }
}

/// Adds a number that is not zero.
pub(crate) fn put_number(object: &mut Object, key: &str, number: u64) {
    if number > 0 {
        object.put_json(key, &number.to_string());
    }
}

/// The fields of a message in an object that [`put`] filled.
pub fn entries(object: Option<&Value>, fields: &[Rest]) -> Vec<(String, Value)> {
    let Some(object) = object else { return Vec::new() };
    let found = fields.iter().filter_map(|(name, key)| {
        let number = unsigned(object.get(key))?;
        Some(((*name).to_owned(), Value::Number(Number(number.to_string()))))
    });
    found.collect()
}

/// A map with further entries.
pub fn extended(map: Value, more: Vec<(String, Value)>) -> Value {
    match map {
        Value::Map(mut entries) => {
            entries.extend(more);
            Value::Map(entries)
        }
        other => other,
    }
}
