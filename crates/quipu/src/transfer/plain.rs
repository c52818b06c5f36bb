//! What dialects with plain JSON attributes share: times and ids in the spellings of many programs, and spans built from them.
//!
//! Not here: what each dialect calls its fields.

use quipu_model::number::truncated;
use quipu_model::recorded::json_text;
use quipu_model::{EventRecord, RecordedTime, SpanExtra, SpanRecord, Value, reference_time};
use quipu_otlp::attributes::{Object, write_plain};
use quipu_otlp::numbers::id;
use quipu_otlp::otlp::ReadSpan;
use quipu_otlp::rows::Rows;

/// A span of a dialect.
#[derive(Default)]
pub(super) struct PlainSpan {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) parent: Option<String>,
    pub(super) name: Option<String>,
    /// In capitals.
    pub(super) kind: Option<String>,
    pub(super) start: Option<u64>,
    pub(super) end: Option<u64>,
    /// `OK`, `ERROR` or `UNSET`.
    pub(super) status: Option<&'static str>,
    pub(super) status_message: Option<String>,
    pub(super) trace_state: Option<String>,
    pub(super) attributes: Object,
    pub(super) events: Vec<PlainEvent>,
    /// JSON objects with `trace_id`, `span_id` and `attributes`.
    pub(super) links: Vec<String>,
}

/// An event of a span.
pub(super) struct PlainEvent {
    pub(super) name: String,
    pub(super) time: Option<u64>,
    pub(super) attributes: Object,
}

/// What a span comes from.
#[derive(Default)]
pub(super) struct Origin {
    pub(super) resource: Object,
    pub(super) service: Option<String>,
    pub(super) scope: Object,
}

impl Origin {
    pub(super) fn of_service(name: Option<String>) -> Origin {
        let mut resource = Object::new();
        if let Some(name) = &name {
            resource.put_text("service.name", name);
        }
        Origin { resource, service: name, scope: Object::new() }
    }

    /// An origin whose resource has these attributes.
    pub(super) fn of_resource(attributes: &Value) -> Origin {
        let mut resource = Object::new();
        put_all(&mut resource, "", attributes);
        let service = attributes.get("service.name").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
        Origin { resource, service, scope: Object::new() }
    }
}

impl PlainSpan {
    /// Adds the span to the rows.
    pub(super) fn add(self, origin: Origin, rows: &mut Rows) {
        let is_plain_scope = origin.scope.is_empty();
        let resource = rows.resource(origin.resource.finish());
        let source = rows.source(resource, origin.scope.finish());
        let is_plain = is_plain_scope && rows.is_plain_resource(resource);
        let times: Vec<Option<u64>> = self.events.iter().map(|event| event.time).collect();
        let events = self.events.into_iter().map(|event| EventRecord {
            span_id: Some(self.span_id.clone()),
            name: Some(event.name),
            timestamp: event.time.map(reference_time),
            attributes: Some(event.attributes.finish()),
        });
        let read = ReadSpan {
            is_root: self.parent.is_none(),
            events: events.collect(),
            event_nanos: times.into_iter().map(Option::unwrap_or_default).collect(),
            event_more: Vec::new(),
            more: None,
            span: SpanRecord {
                span_id: self.span_id.clone(),
                trace_id: Some(self.trace_id),
                parent_span_id: self.parent,
                name: self.name,
                attributes: Some(self.attributes.finish()),
                status: Some(self.status.unwrap_or("UNSET").to_owned()),
                kind: self.kind,
                ..SpanRecord::default()
            },
            extra: SpanExtra {
                start_nanos: self.start,
                end_nanos: self.end,
                status_message: self.status_message,
                trace_state: self.trace_state,
                links: (!self.links.is_empty()).then(|| format!("[{}]", self.links.join(", "))),
                ..SpanExtra::default()
            },
        };
        rows.add_span(read.into_row(source, is_plain, origin.service.map(Into::into)));
    }
}

/// Adds the entries of a map, each under its key after `prefix`.
pub(super) fn put_all(object: &mut Object, prefix: &str, map: &Value) {
    if let Value::Map(entries) = map {
        for (key, value) in entries {
            put(object, &format!("{prefix}{key}"), value);
        }
    }
}

/// Adds a value as it is.
pub(super) fn put(object: &mut Object, key: &str, value: &Value) {
    let mut json = String::new();
    write_plain(value, &mut json, 0);
    object.put_json(key, &json);
}

/// Adds a text as it is, and any other value as the text of its JSON; nothing for null.
pub(super) fn put_as_text(object: &mut Object, key: &str, value: Option<&Value>) {
    match value {
        None | Some(Value::Null) => {}
        Some(value) => object.put_text(key, &value.as_str().map_or_else(|| json_text(value), str::to_owned)),
    }
}

/// An id: hexadecimal digits, with or without `0x`, as [`id`] reads them; UUIDs and others as they are.
pub(super) fn plain_id(value: Option<&Value>, bytes: usize) -> Option<String> {
    let text = value?.as_str()?.trim();
    match text.strip_prefix("0x") {
        Some(digits) => id(Some(&Value::Text(digits.to_owned())), bytes),
        None if text.len() <= bytes * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => id(value, bytes),
        None => Some(text.to_owned()).filter(|text| !text.is_empty()),
    }
}

/// Nanoseconds since 1970 of a time: ISO 8601, without a zone in UTC; a number of seconds, milliseconds, microseconds or nanoseconds, told
/// apart by its size; or seconds and nanoseconds as a list.
pub(super) fn instant(value: Option<&Value>) -> Option<u64> {
    match value?.unwrapped() {
        Value::Text(text) => {
            let text = text.trim();
            match RecordedTime::read(text.as_bytes()) {
                Some(time) => u64::try_from(time.at.0).ok(),
                None => instant_of_number(text),
            }
        }
        Value::Number(number) => instant_of_number(&number.0),
        Value::List(parts) => match parts.as_slice() {
            [seconds, nanos] => scaled(Some(seconds), 9)?.checked_add(scaled(Some(nanos), 0)?),
            _ => None,
        },
        _ => None,
    }
}

fn instant_of_number(text: &str) -> Option<u64> {
    // A time after 1973 has this many digits in each unit.
    let digits = text.split(['.', 'e', 'E']).next().unwrap_or_default().len();
    let power = match digits {
        0..=11 => 9,
        12..=14 => 6,
        15..=17 => 3,
        _ => 0,
    };
    decimal(text, power)
}

/// A number, or the text of one, times ten to this power, rounded to the nearest whole.
pub(super) fn scaled(value: Option<&Value>, power: usize) -> Option<u64> {
    match value?.unwrapped() {
        Value::Number(number) => decimal(&number.0, power),
        Value::Text(text) => decimal(text.trim(), power),
        _ => None,
    }
}

/// Keeps every digit: a double holds microseconds since 1970 to a quarter only.
pub(super) fn decimal(text: &str, power: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_plain {
        let number: f64 = text.parse().ok()?;
        let number = number * 10_f64.powi(i32::try_from(power).ok()?);
        return (0.0..1.8e19).contains(&number).then(|| truncated(number.round()));
    }
    let mut number: u64 = whole.parse().ok()?;
    let mut digits = fraction.bytes();
    for _ in 0..power {
        let digit = digits.next().map_or(0, |digit| digit - b'0');
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    number.checked_add(u64::from(digits.next().is_some_and(|digit| digit >= b'5')))
}

/// A length such as `5000ns`, `1.5ms` or `0.005s`.
pub(super) fn duration(text: &str) -> Option<u64> {
    let unit = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at_checked(unit)?;
    let power = match unit.trim() {
        "ns" => 0,
        "us" | "µs" | "μs" => 3,
        "ms" => 6,
        "s" => 9,
        _ => return None,
    };
    decimal(number, power)
}

/// An id of so many bytes, made from texts that identify something.
pub(super) fn made_id(parts: &[&str], bytes: usize) -> String {
    let mut text = String::new();
    let mut round = 0_u64;
    while text.len() < bytes * 2 {
        // FNV-1a, and a mixer, because short texts change few of its bits.
        let mut sum = 0xcbf2_9ce4_8422_2325_u64 ^ round;
        for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        sum = (sum ^ sum >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        text.push_str(&format!("{:016x}", sum ^ sum >> 33));
        round += 1;
    }
    text.truncate(bytes * 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::Number;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let number = |text: &str| instant(Some(&Value::Number(Number(text.into()))));
        let text = |text: &str| instant(Some(&Value::Text(text.into())));
        // 2025-10-09 08:53:20 UTC.
        for (found, expected) in [
            (number("1760000000"), 1_760_000_000_000_000_000),
            (number("1760000000.25"), 1_760_000_000_250_000_000),
            (number("1760000000123"), 1_760_000_000_123_000_000),
            (number("1760000000123456"), 1_760_000_000_123_456_000),
            (number("1760000000123456.789"), 1_760_000_000_123_456_789),
            (number("1760000000123456789"), 1_760_000_000_123_456_789),
            (text("2025-10-09T08:53:20.000001Z"), 1_760_000_000_000_001_000),
            (text("2025-10-09T10:53:20.123456789+02:00"), 1_760_000_000_123_456_789),
            (text("2025-10-09 08:53:20"), 1_760_000_000_000_000_000),
        ] {
            assert_eq!(found, Some(expected));
        }
        assert_eq!(text("yesterday"), None);
        assert_eq!(
            ["5000ns", "1.5ms", "0.005s", "7µs", "3 weeks"].map(duration),
            [Some(5_000), Some(1_500_000), Some(5_000_000), Some(7_000), None]
        );
    }

    #[test]
    fn ids_are_kept_or_padded() {
        let read = |text: &str, bytes| plain_id(Some(&Value::Text(text.into())), bytes);
        assert_eq!(read("0xD000000000000001", 8).as_deref(), Some("d000000000000001"));
        assert_eq!(read("1", 8).as_deref(), Some("0000000000000001"));
        assert_eq!(read("550e8400-e29b-41d4-a716-446655440000", 16).as_deref(), Some("550e8400-e29b-41d4-a716-446655440000"));
        assert_eq!(read("0x0000000000000000", 8), None);
        assert_eq!(made_id(&["a", "b"], 16).len(), 32);
        assert_ne!(made_id(&["a", "b"], 8), made_id(&["ab"], 8));
    }
}
