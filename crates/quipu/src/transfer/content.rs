//! Detects the format of a file from its first bytes, regardless of its name.

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A SQLite database.
    Database,
    /// Compressed with gzip.
    Gzip,
    /// JSON of some kind: OTLP or Jaeger.
    Json,
    /// A single OTLP message in protobuf.
    Protobuf,
    /// OTLP messages in protobuf, each after its length as four big-endian bytes, as the collector's file exporter writes them.
    PrefixedProtobuf,
    /// OTLP messages in protobuf, each after its length as a varint, as protobuf libraries write streams.
    DelimitedProtobuf,
    /// Unknown.
    Other,
}

/// Number of bytes that suffice for the detection.
pub(super) const DETECTION_BYTES: usize = 64;

/// Detects the format of a file that starts with `head`. 64 bytes suffice; pass fewer only if the file is shorter.
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

/// Whether files with these first bytes are to be imported: at least one can be, and none is a database, which would be opened instead.
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

/// Whether a message follows a varint of one to four bytes.
fn is_delimited(head: &[u8]) -> bool {
    let more = head.iter().take_while(|byte| **byte >= 0x80).count();
    more < 4 && head.get(more).is_some_and(|last| more > 0 || *last > 2) && head.get(more + 1..).is_some_and(begins_message)
}

/// Whether the bytes start a list of resources: a length-delimited first field, which starts with the field of a resource, of a list of
/// scopes, or of the schema URL.
fn begins_message(head: &[u8]) -> bool {
    if head.first() != Some(&0x0a) {
        return false;
    }
    let length = head.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
    length <= 5 && matches!(head.get(1 + length), Some(0x0a | 0x12 | 0x1a))
}
