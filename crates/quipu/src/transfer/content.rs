//! Detects the format of a file from its first bytes, regardless of its name.

use super::dialect::unknown_message;
use quipu_store::other_file;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A SQLite database.
    Database,
    /// Compressed with gzip.
    Gzip,
    /// Compressed with zstd.
    Zstd,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
    /// Text in UTF-16, with a byte order mark.
    Utf16,
    /// JSON of some kind.
    Json,
    /// JavaScript's object literals, as `console.dir` prints them.
    Literals,
    /// A single OTLP message in protobuf.
    Protobuf,
    /// OTLP messages in protobuf, each after its length as four big-endian bytes, as the collector's file exporter writes them.
    PrefixedProtobuf,
    /// OTLP messages in protobuf, each after its length as a varint, as protobuf libraries write streams.
    DelimitedProtobuf,
    /// Unknown.
    Other,
}

impl Content {
    /// Whether it is compressed, or holds files that may be.
    pub fn is_packed(self) -> bool {
        matches!(self, Content::Gzip | Content::Zstd | Content::Zip | Content::Tar)
    }
}

/// Number of bytes that suffice for the detection.
pub const DETECTION_BYTES: usize = 512;

/// Whether a file starts like this.
type IsIt = fn(&[u8]) -> bool;

/// How each format is recognised, in this order.
const SIGNS: [(Content, IsIt); 11] = [
    (Content::Database, |head| head.starts_with(b"SQLite format 3\0")),
    (Content::Gzip, |head| head.starts_with(&[0x1f, 0x8b])),
    // A frame, or one that is skipped.
    (Content::Zstd, |head| head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || head.get(1..4) == Some(&[0x2a, 0x4d, 0x18])),
    (Content::Zip, |head| head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")),
    (Content::Tar, |head| head.get(257..262) == Some(b"ustar")),
    (Content::Utf16, |head| head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff])),
    (Content::Json, is_json),
    (Content::Literals, is_literal),
    (Content::Protobuf, begins_message),
    (Content::PrefixedProtobuf, |head| {
        head.split_first_chunk::<4>().is_some_and(|(length, message)| u32::from_be_bytes(*length) > 1 && begins_message(message))
    }),
    (Content::DelimitedProtobuf, is_delimited),
];

/// Detects the format of a file that starts with `head`. 512 bytes suffice; pass fewer only if the file is shorter.
///
/// ```
/// use quipu::transfer::{Content, content};
/// assert_eq!(content(b"SQLite format 3\0..."), Content::Database);
/// assert_eq!(content(b"{\"resourceSpans\": []}"), Content::Json);
/// assert_eq!(content(b"Dear reader"), Content::Other);
/// ```
pub fn content(head: &[u8]) -> Content {
    SIGNS.iter().find(|(_, is_it)| is_it(head)).map_or(Content::Other, |(content, _)| *content)
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

/// The end of a sentence that says what a file is that can't be imported.
pub(super) fn refusal(head: &[u8]) -> String {
    match other_file(head) {
        _ if head.is_empty() => "empty (0 bytes)".to_owned(),
        Some(what) => what.to_owned(),
        None => format!("nothing that can be imported: {}", unknown_message()),
    }
}

/// The text after a byte order mark and blanks.
fn text(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start()
}

/// An object or a list of objects; or nothing but blanks.
fn is_json(head: &[u8]) -> bool {
    let Some((first, rest)) = text(head).split_first() else { return !head.is_empty() };
    let rest = rest.trim_ascii_start();
    match (first, rest.first()) {
        (b'{', None | Some(b'"' | b'}')) | (b'[', None | Some(b'{' | b']')) => !is_literal(head),
        // A list of lists.
        (b'[', Some(b'[')) => matches!(rest.get(1..).unwrap_or_default().trim_ascii_start().first(), None | Some(b'{' | b']')),
        _ => false,
    }
}

/// Whether the first key of an object, or of the first object of a list, has no quotation marks or single ones.
fn is_literal(head: &[u8]) -> bool {
    let text = text(head);
    let text = text.strip_prefix(b"[").map_or(text, |rest| rest.trim_ascii_start());
    let Some(object) = text.strip_prefix(b"{").map(|rest| rest.trim_ascii_start()) else { return false };
    let key = object.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')).count();
    let after = object.get(key..).unwrap_or_default().trim_ascii_start().first();
    (key > 0 && after == Some(&b':')) || object.first() == Some(&b'\'')
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
