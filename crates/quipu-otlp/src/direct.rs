//! Reads spans in protobuf without a tree of values between: a tree takes most of the time of an import.
//!
//! Only what every exporter writes is read here: fields once each, ids of their length, one kind of value, text in UTF-8. For anything else
//! `span` returns `None`, and the span is read as a tree, which decides what becomes of it. So there is one definition of what is
//! malformed, too much, or unusual; for the rest, texts are written by the functions that write trees (`attributes`, `otlp`, `rest`), and
//! tests compare both.
//!
//! Not here: resources and scopes, which are few and read as trees (`parts`).

use super::attributes::{MAX_NESTING, Object, write_bool, write_bytes, write_key, write_text};
use super::messages::{Field, LINK};
use super::numbers::python_float;
use super::otlp::{LOCAL_ROOT, ReadSpan, TIME_TO_LIVE, event_time, is_root, kind_name, links, read_span, status_name};
use super::parts::{PartError, Room, decode, decoder, read_protobuf, walk};
use super::rest;
use super::rows::Rows;
use super::wire::{Decoder, Reader, Table, Wire};
use quipu_model::encoding::{base64, hex};
use quipu_model::{EventRecord, SpanExtra, Value};
use std::fmt::Write;

/// Reads a message of a resource in protobuf into rows. `filled` is called after each part.
///
/// # Errors
/// As for [`read_protobuf`].
pub fn read_resource(
    message: &[u8],
    (list, fields): Table,
    room: Room,
    rows: &mut Rows,
    filled: &mut dyn FnMut(&mut Rows),
) -> Result<(), PartError> {
    if list != "resourceSpans" {
        return read_protobuf(message, fields, room, rows, &mut |rows, tree| {
            rows.take(list, tree);
            filled(rows);
        });
    }
    let read = &mut |bytes: &[u8], fields: &'static [Field], room, rows: &Rows| match span(bytes, decoder(room, rows)?) {
        Some(span) => Ok(Some(span)),
        None => Ok(read_span(&decode(bytes, fields, room, rows)?)),
    };
    walk(message, fields, room, rows, read, &mut |rows, outer, scopes| {
        let resource = Value::Map(std::mem::take(outer));
        rows.take_scopes(&resource, scopes.into_iter().map(|scope| (Value::Map(scope.inner), scope.entries.into_iter())));
        if let Value::Map(entries) = resource {
            *outer = entries;
        }
        filled(rows);
    })
}

/// A span whose values the decoder has room for; `None` if it is to be read as a tree.
fn span(bytes: &[u8], mut values: Decoder) -> Option<ReadSpan> {
    let mut read = ReadSpan::default();
    let (mut kind, mut status, mut linked) = (0, None, Vec::new());
    let (mut time_to_live, mut local_root) = (false, None);
    let [mut flags, mut dropped, mut dropped_events, mut dropped_links] = [0; 4];
    let mut attributes = Object::with_room(bytes.len().min(ROOM));
    let mut fields = Fields::new(bytes, SPAN_FIELDS, &[ATTRIBUTES, EVENTS, LINKS]);
    while let Some((number, content)) = fields.next(&mut values)? {
        match (number, content) {
            (1, Wire::Bytes(id)) => read.span.trace_id = Some(text_of_id::<16>(id)?),
            (2, Wire::Bytes(id)) => read.span.span_id = text_of_id::<8>(id)?,
            (3, Wire::Bytes(state)) => read.extra.trace_state = said(state)?,
            (4, Wire::Bytes(id)) => read.span.parent_span_id = if id.is_empty() { None } else { Some(text_of_id::<8>(id)?) },
            (5, Wire::Bytes(name)) => read.span.name = Some(text(name)?.to_owned()),
            (6, Wire::Varint(number)) => kind = number,
            (7, Wire::Fixed64(nanos)) => read.extra.start_nanos = Some(nanos).filter(|nanos| *nanos > 0),
            (8, Wire::Fixed64(nanos)) => read.extra.end_nanos = Some(nanos).filter(|nanos| *nanos > 0),
            (ATTRIBUTES, Wire::Bytes(pair)) => {
                let (key, value) = key_and_value(pair, &mut values)?;
                time_to_live |= key == TIME_TO_LIVE;
                if key == LOCAL_ROOT && local_root.is_none() {
                    local_root = Some(truth(value?)?);
                }
                any(value, attributes.key(key), 0, &mut values)?;
            }
            (10, Wire::Varint(number)) => dropped = number,
            (EVENTS, Wire::Bytes(bytes)) => event(bytes, &mut values, &mut read)?,
            (12, Wire::Varint(number)) => dropped_events = number,
            (LINKS, Wire::Bytes(link)) => linked.push(values.message(link, &LINK).ok()?),
            (14, Wire::Varint(number)) => dropped_links = number,
            (15, Wire::Bytes(bytes)) => status = status_code(bytes, &mut values, &mut read.extra)?,
            (16, Wire::Fixed32(bits)) => flags = u64::from(bits),
            _ => return None,
        }
    }
    if read.span.span_id.is_empty() || read.span.trace_id.is_none() {
        return None;
    }
    for event in &mut read.events {
        event.span_id = Some(read.span.span_id.clone());
    }
    let mut more = Object::new();
    for ((_, key), number) in rest::SPAN.iter().zip([flags, dropped, dropped_events, dropped_links]) {
        rest::put_number(&mut more, key, number);
    }
    read.more = (!more.is_empty()).then(|| more.finish());
    read.is_root = is_root(time_to_live.then_some(local_root == Some(true)), read.span.parent_span_id.is_none());
    read.extra.links = links(&linked);
    read.span.attributes = Some(attributes.finish());
    read.span.status = status_name(status.map(usize::try_from).transpose().ok()?);
    read.span.kind = kind_name(Some(usize::try_from(kind).ok()?));
    Some(read)
}

/// The highest number of a field of a span, and the numbers of those that are repeated.
const SPAN_FIELDS: u32 = 16;
const ATTRIBUTES: u32 = 9;
const EVENTS: u32 = 11;
const LINKS: u32 = 13;
/// Bytes reserved for attributes at most, before they are known to be more.
const ROOM: usize = 1 << 10;

/// The known fields of a message. All but the repeated ones may come once.
struct Fields<'b> {
    reader: Reader<'b>,
    highest: u32,
    repeated: &'static [u32],
    seen: u32,
}

impl<'b> Fields<'b> {
    fn new(bytes: &'b [u8], highest: u32, repeated: &'static [u32]) -> Fields<'b> {
        Fields { reader: Reader::new(bytes), highest, repeated, seen: 0 }
    }

    /// The next field, which is counted. The outer `None` if the message is to be read as a tree.
    #[expect(clippy::option_option, reason = "the end of a message is not the end of reading it so")]
    fn next(&mut self, values: &mut Decoder) -> Option<Option<(u32, Wire<'b>)>> {
        while let Some((number, content)) = self.reader.field().ok()? {
            if number > self.highest {
                continue;
            }
            values.count().ok()?;
            let bit = 1 << number;
            if self.seen & bit != 0 && !self.repeated.contains(&number) {
                return None;
            }
            self.seen |= bit;
            return Some(Some((number, content)));
        }
        Some(None)
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A text that says nothing if it is empty.
#[expect(clippy::option_option, reason = "one is whether it can be read here, the other whether there is one")]
fn said(bytes: &[u8]) -> Option<Option<String>> {
    let text = text(bytes)?;
    Some((!text.is_empty()).then(|| text.to_owned()))
}

/// An id of `LEN` bytes that are not all zero.
fn text_of_id<const LEN: usize>(bytes: &[u8]) -> Option<String> {
    (bytes.len() == LEN && bytes.iter().any(|byte| *byte != 0)).then(|| hex(bytes))
}

/// The code of a status. Its message is put into `extra`.
#[expect(clippy::option_option, reason = "one is whether it can be read here, the other whether there is one")]
fn status_code(bytes: &[u8], values: &mut Decoder, extra: &mut SpanExtra) -> Option<Option<u64>> {
    let mut code = None;
    let mut fields = Fields::new(bytes, 3, &[]);
    while let Some((number, content)) = fields.next(values)? {
        match (number, content) {
            (2, Wire::Bytes(message)) => extra.status_message = said(message)?,
            (3, Wire::Varint(number)) => code = Some(number),
            _ => return None,
        }
    }
    Some(code)
}

fn event(bytes: &[u8], values: &mut Decoder, read: &mut ReadSpan) -> Option<()> {
    let (mut nanos, mut name, mut dropped) = (None, None, 0);
    let mut attributes = Object::with_room(bytes.len().min(ROOM));
    let mut fields = Fields::new(bytes, 4, &[3]);
    while let Some((number, content)) = fields.next(values)? {
        match (number, content) {
            (1, Wire::Fixed64(time)) => nanos = Some(time),
            (2, Wire::Bytes(bytes)) => name = Some(text(bytes)?.to_owned()),
            (3, Wire::Bytes(pair)) => {
                let (key, value) = key_and_value(pair, values)?;
                any(value, attributes.key(key), 0, values)?;
            }
            (4, Wire::Varint(number)) => dropped = number,
            _ => return None,
        }
    }
    let mut more = Object::new();
    for ((_, key), number) in rest::EVENT.iter().zip([dropped]) {
        rest::put_number(&mut more, key, number);
    }
    read.event_nanos.push(nanos.unwrap_or(0));
    read.event_more.push((!more.is_empty()).then(|| more.finish()));
    read.events.push(EventRecord { span_id: None, name, timestamp: event_time(nanos), attributes: Some(attributes.finish()) });
    Some(())
}

/// A key with its value, if it has one.
fn key_and_value<'b>(bytes: &'b [u8], values: &mut Decoder) -> Option<(&'b str, Option<&'b [u8]>)> {
    let (mut key, mut value) = (None, None);
    let mut fields = Fields::new(bytes, 2, &[]);
    while let Some((number, content)) = fields.next(values)? {
        match (number, content) {
            (1, Wire::Bytes(bytes)) => key = Some(text(bytes)?),
            (2, Wire::Bytes(bytes)) => value = Some(bytes),
            _ => return None,
        }
    }
    Some((key?, value))
}

/// Whether a value is `true`; `None` if it is not a boolean.
fn truth(value: &[u8]) -> Option<bool> {
    let mut reader = Reader::new(value);
    match reader.field().ok()? {
        Some((2, Wire::Varint(bits))) if reader.remaining() == 0 => Some(bits != 0),
        _ => None,
    }
}

/// Writes an `AnyValue` as JSON, like `attributes` writes its tree.
fn any(value: Option<&[u8]>, out: &mut String, depth: usize, values: &mut Decoder) -> Option<()> {
    let mut fields = Fields::new(value.unwrap_or_default(), 7, &[]);
    let Some((kind, content)) = fields.next(values)? else {
        out.push_str("null");
        return Some(());
    };
    match (kind, content) {
        (1, Wire::Bytes(bytes)) => write_text(text(bytes)?, out),
        (2, Wire::Varint(bits)) => write_bool(bits != 0, out),
        // Writing to a `String` can't fail.
        (3, Wire::Varint(bits)) => write!(out, "{}", bits.cast_signed()).ok()?,
        (4, Wire::Fixed64(bits)) => out.push_str(&python_float(f64::from_bits(bits))),
        (5 | 6, Wire::Bytes(items)) if depth < MAX_NESTING => {
            let begin = out.len();
            out.push(if kind == 5 { '[' } else { '{' });
            let mut fields = Fields::new(items, 1, &[1]);
            while let Some((_, content)) = fields.next(values)? {
                let Wire::Bytes(item) = content else { return None };
                let value = if kind == 5 {
                    out.push_str(if out.len() == begin + 1 { "" } else { ", " });
                    Some(item)
                } else {
                    let (key, value) = key_and_value(item, values)?;
                    write_key(key, begin, out);
                    value
                };
                any(value, out, depth + 1, values)?;
            }
            out.push(if kind == 5 { ']' } else { '}' });
        }
        (7, Wire::Bytes(bytes)) => write_bytes(&base64(bytes), out),
        _ => return None,
    }
    // Of several kinds of value the first counts, and all are checked.
    fields.next(values)?.is_none().then_some(())
}
