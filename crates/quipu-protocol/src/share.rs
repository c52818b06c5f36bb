//! What is shared, without what, and as what.
//!
//! Not here: links' letters, which whoever compresses puts together (`share::payload`).

use super::FileFormat;
use crate::{LeftOut, RedactOptions, RedactReport};
use serde::{Deserialize, Serialize};

/// Asks what sharing would disclose. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewShare {
    /// The part of the file to share.
    pub what: ShareWhat,
    /// What to leave out.
    pub options: ShareOptions,
}

/// Asks for the bytes to share. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeShare {
    /// The part of the file to share.
    pub what: ShareWhat,
    /// What to leave out.
    pub options: ShareOptions,
    /// The format.
    pub form: ShareForm,
    /// A span, usually the selected one, whose id in the shared copy is wanted ([`Shared::span_id`]).
    pub span_id: Option<String>,
}

/// A part of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareWhat {
    /// Everything.
    All,
    /// These traces, by their ids as recorded.
    Traces(Vec<String>),
    /// Some spans of a trace.
    Spans {
        /// As recorded.
        trace_id: String,
        /// As recorded.
        span_ids: Vec<String>,
    },
}

/// Without what something is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareOptions {
    /// What is private.
    pub redact: RedactOptions,
    /// Texts longer than so many bytes, each of which leaves a mark with its size; `None`: they stay.
    pub leave_out_over: Option<u32>,
}

/// As what something is shared: what a link carries, or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareForm {
    /// The columns of a link, not yet compressed: `quipu_share::payload`.
    Columns,
    /// Markdown of about so many tokens.
    Markdown {
        /// Four bytes each.
        tokens: u32,
    },
    /// A file of any format for [`Contents::Share`](super::Contents::Share) or [`Contents::Traces`](super::Contents::Traces), whole.
    File(FileFormat),
}

/// Something to hand on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The bytes; Markdown and JSON are UTF-8.
    #[serde(with = "as_bytes")]
    pub bytes: Vec<u8>,
    /// A name for a file of it, without a folder.
    pub file_name: String,
    /// The id of the first trace, as it leaves.
    pub trace_id: Option<String>,
    /// The id of the span that was asked for, as it leaves.
    pub span_id: Option<String>,
    /// What was found, and what was taken out.
    pub report: RedactReport,
    /// What was left out for its length.
    pub left_out: LeftOut,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// Its bytes; none behind the end.
    #[serde(with = "as_bytes")]
    pub bytes: Vec<u8>,
    /// Bytes of the whole file.
    pub len: u64,
}

/// A run of bytes, not a list of numbers.
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
