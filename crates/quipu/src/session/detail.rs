//! One span in full: its row read by rowid, every value decoded, large ones only begun.

use crate::index::{Index, is_server_failure};
use crate::llm::{Message, messages};
use crate::model::{RecordedTime, SpanMarks, Timestamp, is_error_severity, is_error_status};
use crate::protocol::{Attribute, RecordedText, SpanDetail, SpanEvent, SpanFailure, TextRef};
use crate::recorded::{RecordedAttribute, attributes, decode};
use crate::store::{Database, EventRow, SpanRow, StoreError, event_row, span_row};

/// Longer values come as their head; the rest is asked for when it is opened.
const INLINE_BYTES: usize = 64 * 1024;
/// Longer values are not searched for chat messages.
const CHAT_BYTES: usize = 4 << 20;
/// Events of one span at most.
const MAX_EVENTS: usize = 1_000;

/// The span in `row` of the index; `None` when its row is gone.
pub(super) fn span(database: &Database, index: &Index, row: u32) -> Result<Option<SpanDetail>, StoreError> {
    let (connection, schema) = (database.connection(), database.schema());
    let rowid = index.rowid_of(row);
    let Some(recorded) = span_row(connection, schema, rowid)? else { return Ok(None) };
    let (marks, kind) = index.marks_of(row);
    let clock = Clock { offset_minutes: index.offset_minutes(index.trace_of(row)) };
    let (attributes, attributes_text) = read_attributes(recorded.attributes.as_deref(), |key| TextRef::SpanAttribute { rowid, key });

    let event_count = index.event_ids(row).len();
    let mut events = Vec::new();
    for id in index.event_ids(row).take(MAX_EVENTS) {
        if let Some(event) = event_row(connection, schema, id)? {
            events.push(read_event(event, &clock));
        }
    }
    events.sort_by_key(|event| (event.time, event.id));

    let of = |keys: &[&str]| keys.iter().find_map(|key| attributes.iter().find(|attribute| attribute.key == *key));
    let chat = |keys: &[&str]| of(keys).map(read_messages).unwrap_or_default();
    let failures = failures(&recorded, &attributes, &events);
    let mut output_messages = chat(&["output"]);
    // An agent's inference step records why the model stopped beside its output, not in it.
    if let (Some(message), Some(reason)) = (output_messages.last_mut(), of(&["stop_reason"])) {
        message.stop_reason.get_or_insert_with(|| reason.recorded.text.clone());
    }
    let parent_found = index.parent_row(row).is_some();
    let mut detail = SpanDetail {
        rowid,
        span_id: recorded.span_id.unwrap_or_default(),
        trace_id: recorded.trace_id.unwrap_or_default(),
        parent_found,
        parent_span_id: recorded.parent_span_id,
        name: recorded.name.unwrap_or_default(),
        kind,
        marks,
        start: clock.read(recorded.start.as_deref()),
        end: clock.read(recorded.end.as_deref()),
        start_text: recorded.start,
        end_text: recorded.end,
        status: recorded.status,
        recorded_kind: recorded.kind,
        failures,
        tokens: index.tokens_of(row),
        input_messages: chat(&["input", "__args__", "request"]),
        output_messages,
        attributes: attributes.iter().map(|value| value.shown.clone()).collect(),
        attributes_text,
        events,
        event_count: u32::try_from(event_count).unwrap_or(u32::MAX),
        notes: Vec::new(),
    };
    detail.notes = notes(&detail, &clock);
    Ok(Some(detail))
}

/// One whole text; `None` when there is no such value.
pub(super) fn text(database: &Database, text: &TextRef) -> Result<Option<String>, StoreError> {
    let (connection, schema) = (database.connection(), database.schema());
    let (recorded, key) = match text {
        TextRef::SpanAttribute { rowid, key } => (span_row(connection, schema, *rowid)?.and_then(|row| row.attributes), key),
        TextRef::EventAttribute { id, key } => (event_row(connection, schema, *id)?.and_then(|row| row.attributes), key),
    };
    let (Some(recorded), Some(key)) = (recorded.as_ref(), key) else { return Ok(recorded) };
    // Of a key that stands twice, the last counts.
    let found = attributes(recorded.as_bytes()).unwrap_or_default().into_iter().rev().find(|attribute| attribute.key == *key);
    Ok(found.map(|attribute| attribute.text))
}

/// The clock a trace was recorded by.
struct Clock {
    offset_minutes: i32,
}

impl Clock {
    fn read(&self, text: Option<&str>) -> Option<Timestamp> {
        Some(RecordedTime::parse(text?).ok()?.instant(self.offset_minutes))
    }
}

/// An attribute as it is shown, and as it was recorded.
struct Read {
    key: String,
    recorded: RecordedAttribute,
    shown: Attribute,
}

fn read_attributes(text: Option<&str>, text_ref: impl Fn(Option<String>) -> TextRef) -> (Vec<Read>, Option<RecordedText>) {
    let Some(text) = text else { return (Vec::new(), None) };
    match attributes(text.as_bytes()) {
        Ok(list) => {
            let read = |recorded: RecordedAttribute| {
                let key = recorded.key.clone();
                let shown = Attribute {
                    key: key.clone(),
                    text: shorten(&recorded.text, || Some(recorded.decoded())),
                    text_ref: text_ref(Some(key.clone())),
                };
                Read { key, recorded, shown }
            };
            (list.into_iter().map(read).collect(), None)
        }
        Err(_) => (Vec::new(), Some(shorten(text, || Some(decode(text))))),
    }
}

fn shorten(text: &str, decoded: impl FnOnce() -> Option<crate::recorded::Decoded>) -> RecordedText {
    let complete = text.len() <= INLINE_BYTES;
    let decoded = if complete { decoded() } else { None };
    let (encoding, value) = match decoded {
        Some(decoded) => (decoded.encoding, Some(decoded.value)),
        None => (crate::model::Encoding::Text, None),
    };
    let mut end = text.len().min(INLINE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    RecordedText { raw: text[..end].to_owned(), len_bytes: text.len() as u64, complete, encoding, value }
}

fn read_messages(attribute: &Read) -> Vec<Message> {
    if attribute.recorded.text.len() > CHAT_BYTES {
        return Vec::new();
    }
    match &attribute.shown.text.value {
        Some(value) => messages(value),
        None => messages(&attribute.recorded.decoded().value),
    }
}

fn read_event(event: EventRow, clock: &Clock) -> SpanEvent {
    let id = event.id;
    let (read, attributes_text) = read_attributes(event.attributes.as_deref(), |key| TextRef::EventAttribute { id, key });
    let (mut severity, mut message) = (None, None);
    let mut attributes = Vec::new();
    for value in read {
        match value.key.as_str() {
            "severity" if severity.is_none() => severity = Some(value.recorded.text),
            "message" if message.is_none() && value.recorded.text.len() <= INLINE_BYTES => message = Some(value.recorded.text),
            _ => attributes.push(value.shown),
        }
    }
    SpanEvent {
        id,
        name: event.name.unwrap_or_default(),
        time: clock.read(event.timestamp.as_deref()),
        time_text: event.timestamp,
        severity,
        message,
        attributes,
        attributes_text,
    }
}

fn failures(row: &SpanRow, attributes: &[Read], events: &[SpanEvent]) -> Vec<SpanFailure> {
    let mut failures = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.key == "error" && attribute.recorded.text != "null") {
        failures.push(SpanFailure { message: attribute.shown.text.raw.clone(), source: "attribute error".into() });
    }
    for event in events {
        let is_error = is_error_severity(event.severity.as_deref());
        if let Some(message) = event.message.as_ref().filter(|message| is_error && is_server_failure(message.as_bytes())) {
            failures.push(SpanFailure { message: message.clone(), source: format!("event {}", event.id) });
        }
    }
    if failures.is_empty() && is_error_status(row.status.as_deref()) {
        failures.push(SpanFailure { message: String::new(), source: "status".into() });
    }
    failures
}

/// What was derived, or is odd, in sentences.
fn notes(detail: &SpanDetail, clock: &Clock) -> Vec<String> {
    let mut notes = Vec::new();
    let marks = detail.marks;
    if marks.has(SpanMarks::FAILED) && !is_error_status(detail.status.as_deref()) {
        let status = detail.status.as_deref().unwrap_or("none");
        notes.push(format!("The recorded status is {status}; that it failed is derived from what it recorded."));
    }
    if marks.has(SpanMarks::CYCLE) {
        notes.push("Its chain of parents leads back to itself; the cycle is cut here.".into());
    } else if marks.has(SpanMarks::ORPHAN) {
        notes.push("Its parent is not in this file; it is shown as a root.".into());
    }
    if marks.has(SpanMarks::REQUEST) && detail.parent_found {
        notes.push("It is a request of its own: the server put it under another request's span.".into());
    }
    if marks.has(SpanMarks::EARLY_EVENT) {
        notes.push(
            "Some events lie before its start: the start was noted when a queue reached it, the events' times are the true ones.".into(),
        );
    }
    if clock.offset_minutes != 0 {
        let zone = crate::model::offset_label(clock.offset_minutes);
        notes.push(format!("Its times were recorded as local time; the offset {zone} is derived from created_at."));
    }
    if detail.start.is_none() || detail.end.is_none() {
        notes.push("Its start or end can't be read as a time.".into());
    } else if detail.end < detail.start {
        notes.push("It ends before it starts; its duration is unknown.".into());
    }
    if detail.event_count as usize > MAX_EVENTS {
        notes.push(format!("It has {} events; the first {MAX_EVENTS} are shown.", detail.event_count));
    }
    let streams = |attribute: &&Attribute| {
        attribute.key == "output" && attribute.text.raw.starts_with('<') && attribute.text.raw.contains("generator")
    };
    if detail.attributes.iter().any(|attribute| streams(&attribute)) {
        notes.push("Its output was a stream, which the server did not record.".into());
    }
    notes
}
