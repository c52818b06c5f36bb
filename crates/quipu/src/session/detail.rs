//! One span in full: its row is read by rowid, and every value decoded; large values are truncated.

use super::attributes::{CHAT_BYTES, Read, head, read_attributes};
use super::beyond::{add_extra, source_text};
use crate::index::Index;
use quipu_model::dialect::{Says, says};
use quipu_model::failure::{EventReason, ReasonSource, is_error_status, reasons};
use quipu_model::llm::{Message, Said, input_key, messages, said};
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::entries;
use quipu_model::{RecordedTime, SpanFlags, Timestamp};
use quipu_protocol::{Attribute, SpanDetail, SpanEvent, SpanFailure, TextRef};
use quipu_store::{Database, EventRow, SpanRow, StoreError, event_row, log_record, span_extra, span_row};

/// Maximum number of events of one span.
const MAX_EVENTS: usize = 1_000;

/// The span in `row` of the index; `None` if its row no longer exists.
pub(super) fn span(database: &Database, index: &Index, row: u32) -> Result<Option<SpanDetail>, StoreError> {
    let (connection, schema) = (database.connection(), database.schema());
    let rowid = index.rowid_of(row);
    let Some(recorded) = span_row(connection, schema, rowid)? else { return Ok(None) };
    let (flags, kind) = index.flags_of(row);
    let clock = Clock { offset_minutes: index.offset_minutes(index.trace_of(row)) };
    let (attributes, attributes_text) = read_attributes(recorded.attributes.as_deref(), |key| TextRef::SpanAttribute { rowid, key });

    let event_count = index.event_ids(row).len();
    let mut events = Vec::new();
    for id in index.event_ids(row).take(MAX_EVENTS) {
        if let Some(event) = event_row(connection, schema, id)? {
            events.push(read_event(event, &clock));
        }
    }
    sort_by_key(&mut events, |(event, _)| (event.time, event.id));

    let extra = match &recorded.span_id {
        Some(span_id) => span_extra(database, rowid, span_id)?,
        None => None,
    };
    let status_message =
        extra.as_ref().filter(|_| is_error_status(recorded.status.as_deref())).and_then(|extra| extra.status_message.as_deref());
    let mut failures = failures(&recorded, status_message, &events);
    if failures.is_empty() && flags.has(SpanFlags::FAILED) {
        failures.extend(later_failure(database, index, row, &clock)?);
    } else if failures.is_empty() && flags.has(SpanFlags::FAILURE_ORIGIN) {
        failures.extend(request_failure(database, index, row)?);
    }
    let (input_messages, mut output_messages) = (chat(&attributes, Says::input_rank), chat(&attributes, Says::output_rank));
    // An agent's inference step records the stop reason next to its output, not in it.
    if let (Some(message), Some(reason)) = (output_messages.last_mut(), attributes.iter().find(|attribute| attribute.key == "stop_reason"))
    {
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
        flags,
        start: clock.read(recorded.start.as_deref()),
        end: clock.read(recorded.end.as_deref()),
        start_text: recorded.start,
        end_text: recorded.end,
        status: recorded.status,
        recorded_kind: recorded.kind,
        failures,
        tokens: index.tokens_of(row),
        cost: None,
        input_messages,
        output_messages,
        input_key: input_key(attributes.iter().map(|attribute| attribute.key.as_str())).map(str::to_owned),
        call: index.call_parts_of(row),
        attributes: attributes.iter().map(|value| value.shown.clone()).collect(),
        attributes_text,
        events: events.into_iter().map(|(event, _)| event).collect(),
        event_count: u32::try_from(event_count).unwrap_or(u32::MAX),
        notes: Vec::new(),
        service: None,
        resource: Vec::new(),
        scope: Vec::new(),
        links: Vec::new(),
        trace_state: None,
    };
    detail.notes = notes(&detail, &clock);
    add_extra(&mut detail, database, index, row, extra.as_ref())?;
    Ok(Some(detail))
}

/// The message of the first failure of the span in `row`; empty if only its status indicates it.
pub(super) fn first_failure(database: &Database, index: &Index, row: u32) -> Result<String, StoreError> {
    let found = span(database, index, row)?.map(|detail| detail.failures);
    Ok(found.into_iter().flatten().map(|failure| failure.message).next().unwrap_or_default())
}

/// The failure of the request of the step in `row`, if that step was derived to be where the request failed.
fn request_failure(database: &Database, index: &Index, row: u32) -> Result<Option<SpanFailure>, StoreError> {
    let mut at = row;
    // A cycle of parents is cut at one of its spans, which is a root.
    while !index.flags_of(at).0.has(SpanFlags::REQUEST) && !index.flags_of(at).0.has(SpanFlags::ROOT) {
        let Some(above) = index.parent_row(at) else { break };
        at = above;
    }
    if at == row {
        return Ok(None);
    }
    let message = first_failure(database, index, at)?;
    let perhaps = if index.is_merged(index.trace_of(row)) { "perhaps " } else { "" };
    let source = format!("derived: {} {perhaps}failed here. This is its last step, and it recorded no output", index.span_name(at));
    Ok(Some(SpanFailure { message, source }))
}

/// A whole text value; `None` if there is no such value.
pub(super) fn text(database: &Database, text: &TextRef) -> Result<Option<String>, StoreError> {
    let (connection, schema) = (database.connection(), database.schema());
    let (recorded, key) = match text {
        TextRef::SpanAttribute { rowid, key } => (span_row(connection, schema, *rowid)?.and_then(|row| row.attributes), key),
        TextRef::EventAttribute { id, key } => (event_row(connection, schema, *id)?.and_then(|row| row.attributes), key),
        TextRef::LogAttribute { id, key } => (log_record(connection, schema, *id)?.and_then(|record| record.attributes), key),
        TextRef::Resource { number, key } => return source_text(database, *number, false, key.as_deref()),
        TextRef::Scope { number, key } => return source_text(database, *number, true, key.as_deref()),
    };
    let (Some(recorded), Some(key)) = (recorded.as_ref(), key) else { return Ok(recorded) };
    // Of duplicate keys the last counts.
    let mut found = None;
    for entry in entries(recorded.as_bytes()) {
        let Ok((name, value)) = entry else { return Ok(None) };
        if name == key.as_str() {
            found = Some(value);
        }
    }
    Ok(found.map(|value| value.as_str().unwrap_or_else(|| value.as_written()).into_owned()))
}

/// The clock that a trace was recorded with.
struct Clock {
    offset_minutes: i32,
}

impl Clock {
    fn read(&self, text: Option<&str>) -> Option<Timestamp> {
        Some(RecordedTime::parse(text?).ok()?.instant(self.offset_minutes))
    }
}

/// The messages in the attribute that `rank` prefers. What has one attribute for each field is read from all of them.
fn chat(attributes: &[Read], rank: fn(Says) -> Option<u8>) -> Vec<Message> {
    let ranked = attributes.iter().filter_map(|attribute| Some((rank(says(&attribute.key)?)?, attribute)));
    let Some((best, attribute)) = ranked.clone().min_by_key(|(rank, _)| *rank) else { return Vec::new() };
    if !matches!(says(&attribute.key), Some(Says::FlatInput | Says::FlatOutput | Says::AnswerText | Says::AnswerCalls)) {
        return read_messages(attribute);
    }
    let is_part = |says: Says| matches!(says, Says::AnswerCalls | Says::AnswerReasoning) || rank(says) == Some(best);
    let parts = attributes.iter().filter(|attribute| says(&attribute.key).is_some_and(is_part));
    let decoded: Vec<_> = parts.map(|attribute| (attribute.key.clone(), attribute.recorded.nested())).collect();
    let Said { input, output } = said(&decoded);
    if input.is_empty() { output } else { input }
}

fn read_messages(attribute: &Read) -> Vec<Message> {
    if attribute.shown.text.len_bytes > CHAT_BYTES as u64 {
        return Vec::new();
    }
    match &attribute.shown.text.value {
        Some(value) => messages(value),
        None => messages(&attribute.recorded.decoded().value),
    }
}

fn read_event(event: EventRow, clock: &Clock) -> ReadEvent {
    let id = event.id;
    let text = event.attributes.as_deref().unwrap_or_default();
    let reason = EventReason::of(event.name.as_deref().unwrap_or_default(), text.as_bytes()).map(|reason| match reason {
        EventReason::Failure(text) => EventReason::Failure(head(&text).to_owned()),
        EventReason::Exception(text) => EventReason::Exception(head(&text).to_owned()),
    });
    let (read, attributes_text) = read_attributes(event.attributes.as_deref(), |key| TextRef::EventAttribute { id, key });
    let (mut severity, mut message) = (None, None);
    let mut attributes = Vec::new();
    for value in read {
        match value.key.as_str() {
            "severity" if severity.is_none() => severity = Some(value.recorded.text),
            "message" if message.is_none() && value.shown.text.complete => message = Some(value.recorded.text),
            _ => attributes.push(value.shown),
        }
    }
    let event = SpanEvent {
        id,
        name: event.name.unwrap_or_default(),
        time: clock.read(event.timestamp.as_deref()),
        time_text: event.timestamp,
        severity,
        message,
        attributes,
        attributes_text,
    };
    (event, reason)
}

/// An event as shown, and the reason for a failure it gives.
type ReadEvent = (SpanEvent, Option<EventReason>);

/// The reasons why the span in this row failed; messages are truncated like other values.
fn failures(row: &SpanRow, status_message: Option<&str>, events: &[ReadEvent]) -> Vec<SpanFailure> {
    let event_reasons: Vec<Option<&EventReason>> = events.iter().map(|(_, reason)| reason.as_ref()).collect();
    let attributes = row.attributes.as_deref().unwrap_or_default().as_bytes();
    let found = reasons(row.status.as_deref(), attributes, status_message, &event_reasons);
    let of = |place: usize, what: &str| events.get(place).map_or_else(|| what.to_owned(), |(event, _)| event_source(what, event));
    let failures_found = found.into_iter().map(|reason| SpanFailure {
        message: head(&reason.message).to_owned(),
        source: match reason.source {
            ReasonSource::Attribute(key) => format!("the attribute {key}"),
            ReasonSource::Event(place) => of(place, LOG_EVENT),
            ReasonSource::Exception(place) => of(place, "the exception"),
            ReasonSource::Status => "the status".to_owned(),
        },
    });
    failures_found.collect()
}

const LOG_EVENT: &str = "the log event";

/// The first event that fails the span in `row`, among those after the [`MAX_EVENTS`] that are shown.
fn later_failure(database: &Database, index: &Index, row: u32, clock: &Clock) -> Result<Option<SpanFailure>, StoreError> {
    for id in index.event_ids(row).skip(MAX_EVENTS) {
        let Some(event) = event_row(database.connection(), database.schema(), id)? else { continue };
        if let (event, Some(EventReason::Failure(message))) = read_event(event, clock) {
            return Ok(Some(SpanFailure { message, source: event_source(LOG_EVENT, &event) }));
        }
    }
    Ok(None)
}

/// Identifies an event among the others by its time.
fn event_source(what: &str, event: &SpanEvent) -> String {
    let at = event.time.map(|time| time.civil(0));
    let clock = at.as_ref().and_then(|at| at.split_once(' '));
    clock.map_or_else(|| what.to_owned(), |(_, clock)| format!("{what} at {clock} UTC"))
}

/// Notes about derived and anomalous data, as sentences.
fn notes(detail: &SpanDetail, clock: &Clock) -> Vec<String> {
    let mut notes = Vec::new();
    let flags = detail.flags;
    if flags.has(SpanFlags::FAILED) && !is_error_status(detail.status.as_deref()) {
        let status = detail.status.as_deref().unwrap_or("none");
        notes.push(format!("The recorded status is {status}; the failure is derived from its attributes and events."));
    }
    if flags.has(SpanFlags::CYCLE) {
        notes.push("Its chain of parents leads back to itself; the cycle is cut here.".into());
    } else if flags.has(SpanFlags::ORPHAN) {
        notes.push("Its parent is not in this file; it is shown as a root.".into());
    }
    if flags.has(SpanFlags::REQUEST) && detail.parent_found {
        notes.push("It is a request of its own: the server put it under another request's span.".into());
    }
    if flags.has(SpanFlags::EARLY_EVENT) {
        let first = detail.events.first().and_then(|event| event.time);
        let nanos = detail.start.zip(first).and_then(|(start, first)| u64::try_from(start.nanos_since(first)).ok());
        notes.push(format!(
            "Its first event is {} older than its start: the span waited in a queue, and its start was recorded when it left the queue. The \
             events' times are the true ones.",
            quipu_model::format::duration_text(nanos)
        ));
    }
    if clock.offset_minutes != 0 {
        let zone = quipu_model::offset_label(clock.offset_minutes);
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

#[cfg(test)]
mod tests {
    use super::super::attributes::INLINE_BYTES;
    use super::*;

    #[test]
    fn long_values_are_truncated_and_their_length_is_kept() {
        // Two bytes per character, so that a limit may fall inside one; both literal and escaped.
        for letter in ["é", "\\u00e9"] {
            for letters in [10, INLINE_BYTES / 2, INLINE_BYTES / 2 + 1, CHAT_BYTES / 2, CHAT_BYTES / 2 + 1] {
                let text = format!(r#"{{"message": "{}", "z": 1}}"#, letter.repeat(letters));
                let (read, _) = read_attributes(Some(&text), |key| TextRef::SpanAttribute { rowid: 1, key });
                let [long, last] = read.as_slice() else { panic!("two attributes") };
                let shown = &long.shown.text;
                assert_eq!((shown.len_bytes, shown.complete), (letters as u64 * 2, letters * 2 <= INLINE_BYTES));
                assert_eq!(shown.raw, "é".repeat(letters.min(INLINE_BYTES / 2)));
                assert_eq!(shown.value.is_some(), shown.complete);
                assert_eq!(last.recorded.text, "1");
                let kept = if letters * 2 <= CHAT_BYTES { letters } else { INLINE_BYTES / 2 };
                assert_eq!(long.recorded.text.len(), kept * 2, "{letters} letters");
                let event = EventRow { id: 1, name: None, timestamp: None, attributes: Some(text) };
                let message = read_event(event, &Clock { offset_minutes: 0 }).0.message;
                assert_eq!(message.is_some(), letters * 2 <= INLINE_BYTES, "a message is complete, or truncated like any attribute");
            }
        }
    }
}
