//! Sharing: which part of the file, what is left out, and in which form. And reading the file's bytes.
//!
//! Not here: links' letters, which whoever compresses puts together (`share::payload`).

use super::FileFormat;
use crate::{LeftOut, RedactOptions, RedactReport};
use serde::{Deserialize, Serialize};

/// Asks what sharing would disclose. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewShare {
    /// The part of the file to look at.
    pub what: ShareWhat,
    /// What would be removed.
    pub options: ShareOptions,
}

/// Asks for the bytes to share. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeShare {
    /// The part of the file to share.
    pub what: ShareWhat,
    /// What to remove from it first.
    pub options: ShareOptions,
    /// What the bytes are.
    pub form: ShareForm,
    /// A span, usually the selected one, whose id in the shared copy is wanted ([`Shared::span_id`]).
    pub span_id: Option<String>,
}

/// Asks for a database of a part of the file as it is, row by row, whatever its size. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyDatabase {
    /// The part of the file to copy.
    pub what: ShareWhat,
    /// A span to name in the answer.
    pub span_id: Option<String>,
}

/// The part of the file to share. Ids are as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareWhat {
    /// All traces.
    All,
    /// The traces with these ids, complete.
    Traces(Vec<String>),
    /// Some spans of one trace.
    Spans {
        /// The trace of all the spans.
        trace_id: String,
        /// Spans that are not listed are left out, also those in between.
        span_ids: Vec<String>,
    },
}

/// What is removed before sharing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareOptions {
    /// The kinds of private data to redact.
    pub redact: RedactOptions,
    /// Replaces texts of more bytes than this by a note of their size; `None` keeps them.
    pub leave_out_over: Option<u32>,
}

impl ShareOptions {
    /// Whether nothing is left out.
    pub fn keeps_all(&self) -> bool {
        self.redact == RedactOptions::NOTHING && self.leave_out_over.is_none()
    }
}

/// The form in which something is shared: the data of a link, or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareForm {
    /// The data of a link, not yet compressed: `quipu_share::payload`.
    Columns,
    /// Markdown, cut to about this length.
    Markdown {
        /// Tokens of a language model, taken as four bytes each.
        tokens: u32,
    },
    /// A whole file in a format for [`Contents::Share`](super::Contents::Share) or [`Contents::Traces`](super::Contents::Traces).
    File(FileFormat),
}

/// A part of the file, ready to be shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The bytes; Markdown and JSON are UTF-8.
    #[serde(with = "as_bytes")]
    pub bytes: Vec<u8>,
    /// Suggested name of a file with these bytes, without a folder.
    pub file_name: String,
    /// The first trace's id in the shared copy, where it may be a pseudonym; `None` without traces.
    pub trace_id: Option<String>,
    /// The id of [`MakeShare::span_id`] in the shared copy.
    pub span_id: Option<String>,
    /// The private data that was found, and how much of it was redacted.
    pub report: RedactReport,
    /// Number and size of the texts removed because of [`ShareOptions::leave_out_over`].
    pub left_out: LeftOut,
}

/// The answer to [`ReadFile`](crate::ReadFile).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// A mebibyte, or less at the end of the file; empty after it.
    #[serde(with = "as_bytes")]
    pub bytes: Vec<u8>,
    /// Size of the whole file in bytes.
    pub len: u64,
}

/// Serializes as one run of bytes rather than as a list of numbers.
mod as_bytes {
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;
    use std::fmt;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
