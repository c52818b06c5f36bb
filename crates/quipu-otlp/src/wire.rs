//! Protobuf's wire format: splits bytes into messages, and decodes messages into value trees by their table of fields.
//!
//! Skips unknown fields, as protobuf requires. Not here: the tables (`messages`).

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use super::messages::{Field, Kind, RESOURCE_LOGS, RESOURCE_METRICS, RESOURCE_SPANS};
use super::numbers::python_float;
use quipu_model::encoding::{base64, from_base64, from_hex, hex};
use quipu_model::{Number, Value};

/// Maximum nesting of messages: more than values of [`MAX_NESTING`](super::attributes::MAX_NESTING) levels need.
const MAX_DEPTH: usize = 100;

/// The content of a field.
pub enum Wire<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'b [u8]),
}

/// Why bytes can't be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireError {
    /// The end is within a field.
    CutOff,
    /// Invalid encoding of a field.
    Malformed,
    /// More values than may be held.
    TooMuch,
}

/// Reads the fields of a message.
pub struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { rest: bytes }
    }

    /// Number of bytes that are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(WireError::CutOff)?;
            self.rest = rest;
            if shift < 64 {
                number |= u64::from(byte & 0x7f) << shift;
            }
            if *byte < 0x80 {
                return Ok(number);
            }
        }
        Err(WireError::Malformed)
    }

    fn take<const LEN: usize>(&mut self) -> Result<[u8; LEN], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk::<LEN>().ok_or(WireError::CutOff)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub fn field(&mut self) -> Result<Option<(u32, Wire<'b>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0).ok_or(WireError::Malformed)?;
        let content = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.take()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| WireError::Malformed)?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(WireError::CutOff)?;
                self.rest = rest;
                Wire::Bytes(bytes)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.take()?)),
            _ => return Err(WireError::Malformed),
        };
        Ok(Some((number, content)))
    }
}

/// Name of a list of resources, and the fields of its items.
pub type Table = (&'static str, &'static [Field]);

/// Detects the signal of a resource's message from its first entries, because traces, metrics and logs have the same outer structure.
/// `None` if it has no entries.
pub fn table_of(resource: &[u8]) -> Result<Option<Table>, WireError> {
    let mut reader = Reader::new(resource);
    while let Some((number, content)) = reader.field()? {
        let (2, Wire::Bytes(scope)) = (number, content) else { continue };
        let mut entries = Reader::new(scope);
        while let Some((number, content)) = entries.field()? {
            if let (2, Wire::Bytes(entry)) = (number, content) {
                return kind_of(entry).map(Some);
            }
        }
    }
    Ok(None)
}

/// A span starts with ids of 16 and 8 bytes, a metric with its name, a log record with a fixed-size time or neither.
fn kind_of(entry: &[u8]) -> Result<Table, WireError> {
    let (mut ids, mut name, mut data) = (0, false, false);
    let mut reader = Reader::new(entry);
    while let Some(field) = reader.field()? {
        match field {
            (1, Wire::Bytes(bytes)) => {
                ids += usize::from(bytes.len() == 16);
                name = true;
            }
            (2, Wire::Bytes(bytes)) => ids += usize::from(bytes.len() == 8),
            (5 | 7 | 9 | 10 | 11, Wire::Bytes(_)) => data = true,
            _ => {}
        }
    }
    Ok(if ids == 2 {
        ("resourceSpans", &RESOURCE_SPANS)
    } else if name && data {
        ("resourceMetrics", &RESOURCE_METRICS)
    } else {
        ("resourceLogs", &RESOURCE_LOGS)
    })
}

/// Decodes a message into a map.
pub fn decode(bytes: &[u8], fields: &'static [Field]) -> Result<Value, WireError> {
    Decoder::new(usize::MAX).message(bytes, fields)
}

/// Decodes messages into maps, up to a number of values in all.
pub(crate) struct Decoder {
    left: usize,
}

impl Decoder {
    pub(crate) fn new(values: usize) -> Decoder {
        Decoder { left: values }
    }

    /// Decodes a message.
    pub(crate) fn message(&mut self, bytes: &[u8], fields: &'static [Field]) -> Result<Value, WireError> {
        self.fields(bytes, fields, 0, 0)
    }

    /// Decodes a message without one of its fields.
    pub(crate) fn message_but(&mut self, bytes: &[u8], fields: &'static [Field], but: u32) -> Result<Value, WireError> {
        self.fields(bytes, fields, but, 0)
    }

    /// Messages beyond the greatest depth are empty; what they hold is nested too deeply to be kept (`attributes`).
    fn fields(&mut self, bytes: &[u8], fields: &'static [Field], but: u32, depth: usize) -> Result<Value, WireError> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        if depth > MAX_DEPTH {
            return Ok(Value::Map(entries));
        }
        let mut reader = Reader::new(bytes);
        while let Some((number, content)) = reader.field()? {
            let Some(field) = fields.iter().find(|field| field.number == number && number != but) else { continue };
            self.count()?;
            if field.repeated {
                let at = entries.iter().position(|(name, _)| name == field.name).unwrap_or_else(|| {
                    entries.push((field.name.to_owned(), Value::List(Vec::new())));
                    entries.len() - 1
                });
                if let Some((_, Value::List(items))) = entries.get_mut(at) {
                    self.repeated(content, field, items, depth)?;
                }
            } else {
                entries.push((field.name.to_owned(), self.single(content, field, depth)?));
            }
        }
        Ok(Value::Map(entries))
    }

    pub(crate) fn count(&mut self) -> Result<(), WireError> {
        self.left = self.left.checked_sub(1).ok_or(WireError::TooMuch)?;
        Ok(())
    }

    /// Repeated numbers may be packed.
    fn repeated(&mut self, content: Wire<'_>, field: &Field, items: &mut Vec<Value>, depth: usize) -> Result<(), WireError> {
        let is_number = !matches!(field.kind, Kind::Message(_) | Kind::Text | Kind::Id | Kind::Bytes);
        let run = match content {
            Wire::Bytes(run) if is_number => run,
            content => {
                items.push(self.single(content, field, depth)?);
                return Ok(());
            }
        };
        let mut reader = Reader::new(run);
        while reader.remaining() > 0 {
            self.count()?;
            let content = match field.kind {
                Kind::Fixed64 | Kind::SignedFixed64 | Kind::Double => Wire::Fixed64(u64::from_le_bytes(reader.take()?)),
                _ => Wire::Varint(reader.varint()?),
            };
            items.push(self.single(content, field, depth)?);
        }
        Ok(())
    }

    fn single(&mut self, content: Wire<'_>, field: &Field, depth: usize) -> Result<Value, WireError> {
        let number = |text: String| Value::Number(Number(text));
        Ok(match (field.kind, content) {
            (Kind::Message(fields), Wire::Bytes(bytes)) => self.fields(bytes, fields, 0, depth + 1)?,
            (Kind::Text, Wire::Bytes(bytes)) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
            (Kind::Id, Wire::Bytes(bytes)) => Value::Text(hex(bytes)),
            (Kind::Bytes, Wire::Bytes(bytes)) => Value::Text(base64(bytes)),
            (Kind::Bool, Wire::Varint(bits)) => Value::Bool(bits != 0),
            (Kind::Unsigned, Wire::Varint(bits)) => number(bits.to_string()),
            (Kind::Signed, Wire::Varint(bits)) => number((bits as i64).to_string()),
            (Kind::ZigZag, Wire::Varint(bits)) => number(((bits >> 1) as i64 ^ -((bits & 1) as i64)).to_string()),
            (Kind::Fixed32, Wire::Fixed32(bits)) => number(bits.to_string()),
            (Kind::Fixed64, Wire::Fixed64(bits)) => number(bits.to_string()),
            (Kind::SignedFixed64, Wire::Fixed64(bits)) => number((bits as i64).to_string()),
            (Kind::Double, Wire::Fixed64(bits)) => number(python_float(f64::from_bits(bits))),
            _ => return Err(WireError::Malformed),
        })
    }
}

/// Encodes a map as an embedded message in field `number`.
pub fn encode(number: u32, value: &Value, fields: &'static [Field], out: &mut Vec<u8>) {
    write_bytes(number, &encode_message(value, fields), out);
}

/// Encodes a map as a message, the inverse of [`decode`]. Entries that are not in the table are omitted.
pub fn encode_message(value: &Value, fields: &'static [Field]) -> Vec<u8> {
    let mut inner = Vec::new();
    if let Value::Map(entries) = value {
        for (name, value) in entries {
            let Some(field) = fields.iter().find(|field| field.name == name) else { continue };
            match value {
                Value::List(items) if field.repeated => items.iter().for_each(|item| write(item, field, &mut inner)),
                value => write(value, field, &mut inner),
            }
        }
    }
    inner
}

fn write(value: &Value, field: &Field, out: &mut Vec<u8>) {
    let text = match value {
        Value::Number(Number(text)) | Value::Text(text) => text.as_str(),
        _ => "",
    };
    match field.kind {
        Kind::Message(fields) => encode(field.number, value, fields, out),
        Kind::Text => write_bytes(field.number, text.as_bytes(), out),
        // The original bytes of an id that is not hexadecimal.
        Kind::Id => write_bytes(field.number, &from_hex(text).unwrap_or_else(|| text.as_bytes().to_vec()), out),
        Kind::Bytes => write_bytes(field.number, &from_base64(text.as_bytes()).unwrap_or_default(), out),
        Kind::Bool => write_varint(field.number, u64::from(matches!(value, Value::Bool(true))), out),
        Kind::Unsigned => write_varint(field.number, text.parse().unwrap_or(0), out),
        Kind::Signed => write_varint(field.number, text.parse::<i64>().unwrap_or(0) as u64, out),
        Kind::ZigZag => {
            let number = text.parse::<i64>().unwrap_or(0);
            write_varint(field.number, (number << 1 ^ number >> 63) as u64, out);
        }
        Kind::Fixed32 => {
            push_varint(u64::from(field.number) << 3 | 5, out);
            out.extend_from_slice(&text.parse::<u32>().unwrap_or(0).to_le_bytes());
        }
        Kind::Fixed64 => write_fixed(field.number, text.parse().unwrap_or(0), out),
        Kind::SignedFixed64 => write_fixed(field.number, text.parse::<i64>().unwrap_or(0) as u64, out),
        Kind::Double => write_fixed(field.number, text.parse::<f64>().unwrap_or(0.0).to_bits(), out),
    }
}

fn push_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

fn write_varint(number: u32, value: u64, out: &mut Vec<u8>) {
    push_varint(u64::from(number) << 3, out);
    push_varint(value, out);
}

fn write_fixed(number: u32, bits: u64, out: &mut Vec<u8>) {
    push_varint(u64::from(number) << 3 | 1, out);
    out.extend_from_slice(&bits.to_le_bytes());
}

fn write_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    push_varint(u64::from(number) << 3 | 2, out);
    push_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Receives the message of a resource and its number.
type Take<'a, E> = dyn FnMut(&[u8], u64) -> Result<(), E> + 'a;

/// Framing of the messages in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefix {
    /// None: consecutive requests form a single one.
    #[default]
    None,
    /// A big-endian 4-byte length, as written by the OpenTelemetry Collector.
    Fixed,
    /// A length as varint.
    Varint,
}

/// Splits a stream of bytes into the messages of its resources.
#[derive(Default)]
pub struct Messages {
    buffer: Vec<u8>,
    prefix: Prefix,
    /// Number of messages returned so far.
    pub count: u64,
}

impl Messages {
    pub fn new(prefix: Prefix) -> Messages {
        Messages { prefix, ..Messages::default() }
    }

    /// Adds bytes, and hands out all complete messages. Returns an error message, without subject, if the rest can't be read.
    pub fn push<E>(&mut self, bytes: &[u8], limit: usize, take: &mut Take<'_, E>) -> Result<Option<String>, E> {
        self.buffer.extend_from_slice(bytes);
        let buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        let outcome = loop {
            let rest = buffer.get(at..).unwrap_or_default();
            match cut(rest, self.prefix) {
                Ok(None) if rest.len() > limit => break Some(format!("it is longer than {}", quipu_model::format::bytes(limit as u64))),
                Ok(None) => break None,
                Err(_) => break Some("it is not an OTLP message".to_owned()),
                Ok(Some((message, used))) => {
                    at += used;
                    if self.prefix == Prefix::None {
                        self.count += 1;
                        take(message, self.count)?;
                        continue;
                    }
                    // A request: each field is a resource.
                    let mut reader = Reader::new(message);
                    loop {
                        let resource = match reader.field() {
                            Ok(None) => break,
                            Ok(Some((1, Wire::Bytes(resource)))) => resource,
                            Ok(Some(_)) => continue,
                            // Not a valid resource either, which is reported later.
                            Err(_) => message,
                        };
                        self.count += 1;
                        take(resource, self.count)?;
                        if resource.len() == message.len() {
                            break;
                        }
                    }
                }
            }
        };
        self.buffer = buffer;
        self.buffer.drain(..at.min(self.buffer.len()));
        Ok(outcome)
    }

    /// Number of bytes after the last complete message.
    pub fn left(&self) -> usize {
        self.buffer.len()
    }
}

/// The first complete message and its total length in bytes; `None` if more bytes are needed.
fn cut(bytes: &[u8], prefix: Prefix) -> Result<Option<(&[u8], usize)>, WireError> {
    if prefix == Prefix::Varint {
        let mut reader = Reader::new(bytes);
        let length = match reader.varint() {
            Ok(length) => usize::try_from(length).map_err(|_| WireError::Malformed)?,
            Err(WireError::CutOff) => return Ok(None),
            Err(error) => return Err(error),
        };
        return Ok(reader.rest.get(..length).map(|message| (message, bytes.len() - reader.remaining() + length)));
    }
    if prefix == Prefix::Fixed {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        return Ok(rest.get(..length).map(|message| (message, length + 4)));
    }
    let mut reader = Reader::new(bytes);
    match reader.field() {
        Ok(None) | Err(WireError::CutOff) => Ok(None),
        Ok(Some((1, Wire::Bytes(message)))) => Ok(Some((message, bytes.len() - reader.remaining()))),
        // The only field of a request.
        Ok(Some(_)) | Err(_) => Err(WireError::Malformed),
    }
}
