//! Decodes a resource's entries (spans, log records, metrics) in parts, so that there is never a tree of more than a piece of it, and counts
//! what is held against a limit before it is taken.
//!
//! A tree takes up to forty times the memory of its bytes. Each part holds the resource and scope again, so a part is at least as long as
//! these: all parts together are then read in time linear in the message. Not here: what the entries become (`otlp`, `logs`, `metrics`).

use super::fields::same;
use super::messages::{Field, Kind};
use super::rows::Rows;
use super::wire::{Decoder, Reader, Wire, WireError};
use quipu_model::Value;
use quipu_model::recorded::{entries, items, parse_json};

/// Bytes of entries that are decoded at a time.
const PART: usize = 64 << 10;
/// What an empty entry or scope counts.
const LEAST: usize = 64;
/// Memory of a value in a tree, its allocations included.
pub(crate) const VALUE: usize = 256;
/// Memory that any request may take: of a million small spans, the rows take far more than the bytes that were sent.
const ALWAYS: usize = 192 << 20;
/// How many times its own length a request may take beyond that.
const TIMES: usize = 4;

/// Why a message was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// It is not what it should be.
    #[error("is not valid")]
    Malformed,
    /// It would take more memory than it may.
    #[error("would take more than {} of memory to be read", quipu_model::format::bytes(*.0))]
    TooMuch(u64),
}

/// The memory that reading may take, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    limit: usize,
}

impl Room {
    /// For a message of this length.
    pub fn of(length: usize) -> Room {
        Room { limit: length.saturating_mul(TIMES).saturating_add(ALWAYS) }
    }

    fn error(self) -> PartError {
        PartError::TooMuch(self.limit as u64)
    }

    /// What is left beside the rows that were read.
    fn left(self, rows: &Rows) -> Result<usize, PartError> {
        self.limit.checked_sub(rows.weight()).ok_or(self.error())
    }
}

/// The names of the lists of scopes, and of the lists of entries in them.
const SCOPES: [&str; 5] = [
    "scopeSpans",
    "scopeLogs",
    "scopeMetrics",
    "instrumentationLibrarySpans",
    "instrumentationLibraryLogs",
];
const ENTRIES: [&str; 4] = ["spans", "logRecords", "logs", "metrics"];

/// What takes a part: the rows, and a resource with some of its entries.
pub type Taker<'t> = &'t mut dyn FnMut(&mut Rows, &Value);

/// A scope of a part: what it has beside its entries, the name of their list, and some of them.
pub(crate) struct Scope<E> {
    pub(crate) inner: Vec<(String, Value)>,
    list: String,
    pub(crate) entries: Vec<E>,
}

/// What takes a part: the rows, and of a resource everything but its scopes, and some of these.
pub(crate) type Hand<'t, E> = &'t mut dyn FnMut(&mut Rows, &mut Vec<(String, Value)>, Vec<Scope<E>>);

/// A part being filled: a resource with scopes, and entries of the last one.
struct Part<'t, E> {
    /// Of the resource: everything but the scopes.
    outer: Vec<(String, Value)>,
    /// Complete scopes, and what the last one has beside its entries.
    scopes: Vec<Scope<E>>,
    inner: Vec<(String, Value)>,
    entry_list: String,
    entries: Vec<E>,
    bytes: usize,
    /// Bytes after which a part is handed over.
    full: usize,
    hand: Hand<'t, E>,
}

impl<'t, E> Part<'t, E> {
    fn new(outer: Vec<(String, Value)>, bytes: usize, hand: Hand<'t, E>) -> Part<'t, E> {
        let (scopes, inner, entries) = (Vec::new(), Vec::new(), Vec::new());
        Part { outer, scopes, inner, entry_list: String::new(), entries, bytes: 0, full: PART.max(bytes), hand }
    }

    fn close_scope(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        self.scopes.push(Scope { inner: self.inner.clone(), list: self.entry_list.clone(), entries });
    }

    fn hand_over(&mut self, rows: &mut Rows) {
        if self.scopes.is_empty() {
            return;
        }
        (self.hand)(rows, &mut self.outer, std::mem::take(&mut self.scopes));
        self.bytes = 0;
    }

    fn add(&mut self, entry: E, bytes: usize, rows: &mut Rows) {
        self.entries.push(entry);
        self.bytes += bytes + LEAST;
        if self.bytes >= self.full {
            self.close_scope();
            self.hand_over(rows);
        }
    }

    fn begin_scope(&mut self, inner: Vec<(String, Value)>, bytes: usize) {
        self.inner = inner;
        self.full = self.full.max(bytes);
        self.bytes += bytes + LEAST;
    }

    fn end_scope(&mut self, rows: &mut Rows) {
        self.close_scope();
        if self.bytes >= self.full {
            self.hand_over(rows);
        }
    }
}

/// Puts the scopes of a part into a tree of their resource, and has it taken.
fn as_tree(list: &str, rows: &mut Rows, outer: &mut Vec<(String, Value)>, scopes: Vec<Scope<Value>>, take: Taker<'_>) {
    let scopes = scopes.into_iter().map(|mut scope| {
        scope.inner.push((scope.list, Value::List(scope.entries)));
        Value::Map(scope.inner)
    });
    let mut resource = std::mem::take(outer);
    resource.push((list.to_owned(), Value::List(scopes.collect())));
    let resource = Value::Map(resource);
    take(rows, &resource);
    if let Value::Map(mut entries) = resource {
        entries.pop();
        *outer = entries;
    }
}

/// Reads a message of a resource in protobuf.
///
/// # Errors
/// If it is malformed, or takes more memory than `room`.
pub fn read_protobuf(message: &[u8], fields: &'static [Field], room: Room, rows: &mut Rows, take: Taker<'_>) -> Result<(), PartError> {
    let list = repeated(fields).ok_or(PartError::Malformed)?.name;
    let read = &mut |entry: &[u8], fields, room, rows: &Rows| decode(entry, fields, room, rows);
    walk(message, fields, room, rows, read, &mut |rows, outer, scopes| as_tree(list, rows, outer, scopes, take))
}

/// Reads an entry, given its bytes and its fields.
pub(crate) type Read<'t, E> = &'t mut dyn FnMut(&[u8], &'static [Field], Room, &Rows) -> Result<E, PartError>;

/// Walks over a message of a resource, and hands its entries over part by part.
pub(crate) fn walk<E>(
    message: &[u8],
    fields: &'static [Field],
    room: Room,
    rows: &mut Rows,
    read: Read<'_, E>,
    hand: Hand<'_, E>,
) -> Result<(), PartError> {
    let scopes = repeated(fields).ok_or(PartError::Malformed)?;
    let Kind::Message(scope_fields) = scopes.kind else { return Err(PartError::Malformed) };
    let entries = repeated(scope_fields).ok_or(PartError::Malformed)?;
    let Kind::Message(entry_fields) = entries.kind else { return Err(PartError::Malformed) };
    let (outer, outer_bytes) = around(message, fields, scopes.number, room, rows)?;
    let mut part = Part::new(outer, outer_bytes, hand);
    entries.name.clone_into(&mut part.entry_list);
    let mut reader = Reader::new(message);
    while let Some((number, content)) = reader.field().map_err(|_| PartError::Malformed)? {
        match (number == scopes.number, content) {
            (true, Wire::Bytes(scope)) => {
                let (inner, bytes) = around(scope, scope_fields, entries.number, room, rows)?;
                part.begin_scope(inner, bytes);
                let mut reader = Reader::new(scope);
                while let Some((number, content)) = reader.field().map_err(|_| PartError::Malformed)? {
                    match (number == entries.number, content) {
                        (true, Wire::Bytes(bytes)) => {
                            let entry = read(bytes, entry_fields, room, rows)?;
                            part.add(entry, bytes.len(), rows);
                        }
                        (true, _) => return Err(PartError::Malformed),
                        (false, _) => {}
                    }
                }
                part.end_scope(rows);
            }
            (true, _) => return Err(PartError::Malformed),
            (false, _) => {}
        }
    }
    part.hand_over(rows);
    room.left(rows).map(|_| ())
}

/// The list of scopes of a resource, or of entries of a scope.
fn repeated(fields: &'static [Field]) -> Option<&'static Field> {
    fields.iter().find(|field| field.number == 2 && field.repeated)
}

/// A decoder of as many values as there is room for.
pub(crate) fn decoder(room: Room, rows: &Rows) -> Result<Decoder, PartError> {
    Ok(Decoder::new(room.left(rows)? / VALUE))
}

/// Decodes an entry into a tree.
pub(crate) fn decode(bytes: &[u8], fields: &'static [Field], room: Room, rows: &Rows) -> Result<Value, PartError> {
    decoder(room, rows)?
        .message(bytes, fields)
        .map_err(|error| if error == WireError::TooMuch { room.error() } else { PartError::Malformed })
}

/// The fields of a message but one, and their length.
fn around(message: &[u8], fields: &'static [Field], but: u32, room: Room, rows: &Rows) -> Result<(Vec<(String, Value)>, usize), PartError> {
    let mut decoder = Decoder::new(room.left(rows)? / VALUE);
    let found = decoder.message_but(message, fields, but);
    let entries = match found.map_err(|error| if error == WireError::TooMuch { room.error() } else { PartError::Malformed })? {
        Value::Map(entries) => entries,
        _ => Vec::new(),
    };
    let mut reader = Reader::new(message);
    let mut bytes = 0;
    while let Some((number, content)) = reader.field().map_err(|_| PartError::Malformed)? {
        if let (true, Wire::Bytes(content)) = (number != but, content) {
            bytes += content.len();
        }
    }
    Ok((entries, bytes))
}

/// Reads a resource in JSON.
///
/// # Errors
/// If it is no JSON object, or takes more memory than `room`.
pub fn read_json(resource: &[u8], room: Room, rows: &mut Rows, take: Taker<'_>) -> Result<(), PartError> {
    let of = Members::read(resource, &SCOPES, room, rows)?;
    let list = of.list;
    let mut hand =
        |rows: &mut Rows, outer: &mut Vec<(String, Value)>, scopes: Vec<Scope<Value>>| as_tree(&list, rows, outer, scopes, &mut *take);
    let mut part = Part::new(of.others, of.bytes, &mut hand);
    for scope in of.items {
        let scope = scope.map_err(|_| PartError::Malformed)?;
        let inside = Members::read(scope.bytes(), &ENTRIES, room, rows)?;
        part.entry_list.clone_from(&inside.list);
        part.begin_scope(inside.others, inside.bytes);
        for entry in inside.items {
            let json = entry.map_err(|_| PartError::Malformed)?.bytes();
            part.add(parse(json, room, rows)?, json.len(), rows);
        }
        part.end_scope(rows);
    }
    part.hand_over(rows);
    room.left(rows).map(|_| ())
}

/// The members of an object: the items of one list, which are not parsed yet, and the others.
struct Members<'j> {
    list: String,
    items: quipu_model::recorded::Items<'j>,
    others: Vec<(String, Value)>,
    /// Length of the others.
    bytes: usize,
}

impl<'j> Members<'j> {
    fn read(object: &'j [u8], lists: &[&str], room: Room, rows: &Rows) -> Result<Members<'j>, PartError> {
        let mut found = Members { list: String::new(), items: items(b"[]"), others: Vec::new(), bytes: 0 };
        for entry in entries(object) {
            let (key, value) = entry.map_err(|_| PartError::Malformed)?;
            let is_list = lists.iter().any(|list| same(&key, list)) && value.bytes().first() == Some(&b'[');
            if is_list && (found.list.is_empty() || value.bytes().len() > 2) {
                found.list = key.into_owned();
                found.items = items(value.bytes());
            } else {
                found.bytes += value.bytes().len();
                let value = parse(value.bytes(), room, rows)?;
                found.others.push((key.into_owned(), value));
            }
        }
        Ok(found)
    }
}

/// Parses a JSON text, if there is room for its tree beside the rows.
///
/// # Errors
/// If it is not JSON, or takes more memory than `room`.
pub fn parse(json: &[u8], room: Room, rows: &Rows) -> Result<Value, PartError> {
    if values_in(json).saturating_mul(VALUE).saturating_add(json.len()) > room.left(rows)? {
        return Err(room.error());
    }
    let text = std::str::from_utf8(json).map_err(|_| PartError::Malformed)?;
    parse_json(text).ok_or(PartError::Malformed)
}

/// At most how many values a JSON text holds: one more than commas and brackets outside its strings.
fn values_in(json: &[u8]) -> usize {
    let (mut count, mut at) = (1_usize, 0);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b',' | b'[' | b'{' => count += 1,
            b'"' => loop {
                let rest = json.get(at..).unwrap_or_default();
                let Some(run) = memchr::memchr2(b'"', b'\\', rest) else { return count };
                at += run + 1;
                match rest.get(run) {
                    Some(b'\\') => at += 1,
                    _ => break,
                }
            },
            _ => {}
        }
    }
    count
}
