//! What bytes are, told from how they begin, whatever their name says.

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A SQLite database.
    Database,
    /// Compressed by gzip.
    Gzip,
    /// JSON of some kind: OTLP or Jaeger's.
    Json,
    /// OTLP as protobuf.
    Protobuf,
    /// The same as the collector writes it into files: before each message its length in four bytes.
    PrefixedProtobuf,
    /// The same with the length as protobuf writes numbers, as its libraries write streams.
    DelimitedProtobuf,
    /// Anything else.
    Other,
}

/// Bytes that are enough to tell.
pub(super) const ENOUGH: usize = 64;

/// What bytes are that begin with `head`; 64 of them are enough, fewer if there are no more.
///
/// ```
/// use quipu::transfer::{Content, content};
/// assert_eq!(content(b"SQLite format 3\0..."), Content::Database);
/// assert_eq!(content(b"{\"resourceSpans\": []}"), Content::Json);
/// assert_eq!(content(b"Dear reader"), Content::Other);
/// ```
pub fn content(head: &[u8]) -> Content {
    if head.starts_with(b"SQLite format 3\0") {
        return Content::Database;
    }
    if head.starts_with(&[0x1f, 0x8b]) {
        return Content::Gzip;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if let Some((first, rest)) = text.split_first() {
        let next = rest.trim_ascii_start().first();
        let is_object = *first == b'{' && matches!(next, None | Some(b'"' | b'}'));
        if is_object || (*first == b'[' && matches!(next, None | Some(b'{' | b']'))) {
            return Content::Json;
        }
    }
    if begins_message(head) {
        return Content::Protobuf;
    }
    match head.split_first_chunk::<4>() {
        Some((length, message)) if u32::from_be_bytes(*length) > 1 && begins_message(message) => Content::PrefixedProtobuf,
        _ if is_delimited(head) => Content::DelimitedProtobuf,
        _ => Content::Other,
    }
}

/// Whether files that begin so are imported: one at least can be, and none is a database, which is opened instead.
pub fn are_imported<'b>(heads: impl IntoIterator<Item = &'b [u8]>) -> bool {
    let mut any = false;
    for head in heads {
        match content(head) {
            Content::Database => return false,
            Content::Other => {}
            _ => any = true,
        }
    }
    any
}

/// Whether a message stands behind a number of one to four bytes.
fn is_delimited(head: &[u8]) -> bool {
    let more = head.iter().take_while(|byte| **byte >= 0x80).count();
    more < 4 && head.get(more).is_some_and(|last| more > 0 || *last > 2) && head.get(more + 1..).is_some_and(begins_message)
}

/// Whether these bytes begin a list of resources: a first field with a length, in which a field of the resource, of a list of scopes or of
/// the schema's address begins.
fn begins_message(head: &[u8]) -> bool {
    if head.first() != Some(&0x0a) {
        return false;
    }
    let length = head.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
    length <= 5 && matches!(head.get(1 + length), Some(0x0a | 0x12 | 0x1a))
}
