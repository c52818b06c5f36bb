//! Omits large values until a trace fits into a link. A marker gives the size of each omitted value.
//!
//! The caller compresses the data and knows the length of the link.

use quipu_model::recorded::{attributes, json_text, python_text, write_json_string};
use quipu_model::{Encoding, Recording, Value, WholeRows};
use quipu_protocol::LeftOut;

/// Values up to this size in bytes are never omitted.
pub const LEAST_LEFT_OUT: u32 = 64;

/// The first limit to try, in bytes.
const FIRST: u32 = 65_536;

/// The limit to try if `limit` was not enough: starts at 64 KiB and is divided by four each time. `None` if there is no smaller one.
pub fn next_limit(limit: Option<u32>) -> Option<u32> {
    limit.map_or(Some(FIRST), |limit| Some(limit / 4).filter(|next| *next >= LEAST_LEFT_OUT))
}

/// Omits strings longer than `limit` bytes in attributes of spans, events and log records. Each is replaced by `[left out: 12,345 bytes]`.
pub fn leave_out(rows: &mut WholeRows, limit: u32) -> LeftOut {
    let mut left_out = LeftOut::default();
    let limit = limit.max(LEAST_LEFT_OUT) as usize;
    let WholeRows { recording: Recording { spans, events, .. }, logs, .. } = rows;
    let of_spans = spans.iter_mut().map(|row| &mut row.attributes);
    let of_events = events.iter_mut().map(|row| &mut row.attributes);
    for text in of_spans.chain(of_events).chain(logs.iter_mut().map(|row| &mut row.attributes)).flatten() {
        if text.len() > limit
            && let Some(shorter) = shortened(text, limit, &mut left_out)
        {
            *text = shorter;
        }
    }
    left_out
}

/// The attributes without long strings; `None` if there are none.
fn shortened(text: &str, limit: usize, left_out: &mut LeftOut) -> Option<String> {
    let before = left_out.values;
    let Ok(entries) = attributes(text.as_bytes()) else {
        let mut json = String::from("{");
        write_json_string("attributes", &mut json);
        json.push_str(": ");
        write_json_string(&mark(text, left_out), &mut json);
        return Some(json + "}");
    };
    let mut written = String::new();
    for entry in entries {
        written.push_str(if written.is_empty() { "{" } else { ", " });
        write_json_string(&entry.key, &mut written);
        written.push_str(": ");
        if entry.text.len() <= limit {
            match entry.is_string {
                true => write_json_string(&entry.text, &mut written),
                false => written.push_str(&entry.text),
            }
            continue;
        }
        let mut decoded = entry.decoded();
        shorten(&mut decoded.value, limit, left_out);
        let text = match (decoded.encoding, decoded.value) {
            (Encoding::Text, Value::Text(text)) => text,
            (Encoding::Python, value) => python_text(&value),
            (_, value) => json_text(&value),
        };
        // Many short strings can also be large.
        if text.len() > limit.saturating_mul(8) {
            write_json_string(&mark(&text, left_out), &mut written);
        } else if entry.is_string {
            write_json_string(&text, &mut written);
        } else {
            written.push_str(&text);
        }
    }
    written.push_str(if written.is_empty() { "{}" } else { "}" });
    (left_out.values > before).then_some(written)
}

fn shorten(value: &mut Value, limit: usize, left_out: &mut LeftOut) {
    match value {
        Value::Text(text) | Value::Opaque(text) if text.len() > limit => *value = Value::Text(mark(text, left_out)),
        Value::Nested { raw, encoding, value } if raw.len() > limit => {
            shorten(value, limit, left_out);
            *raw = if *encoding == Encoding::Python { python_text(value) } else { json_text(value) };
        }
        Value::List(items) => items.iter_mut().for_each(|item| shorten(item, limit, left_out)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, item)| shorten(item, limit, left_out)),
        Value::Tagged { value, .. } => shorten(value, limit, left_out),
        _ => {}
    }
}

fn mark(text: &str, left_out: &mut LeftOut) -> String {
    left_out.values = left_out.values.saturating_add(1);
    left_out.bytes += text.len() as u64;
    format!("[left out: {} bytes]", quipu_model::format::count(text.len() as u64))
}
