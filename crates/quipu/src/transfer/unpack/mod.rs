//! What lies around the bytes that are imported: compression, archives, encodings, each as a layer that passes on what is inside.
//!
//! A layer is a module with a [`Layer`], and a line in [`layer`]. Each works on a stream in bounded memory, whatever its bytes expand to.
//! Not here: limits of what is made of them (`import`).

mod gzip;
mod literals;
mod tar;
mod utf16;
mod zip;
mod zstd;

use super::content::Content;
use super::import::ImportError;

/// What a layer passes on.
pub(super) enum Inside<'b> {
    /// Bytes of the current file.
    Bytes(&'b [u8]),
    /// A file of an archive begins.
    Begin(&'b str),
    /// A file of an archive ends.
    End,
    /// A file of an archive is left out, described by the end of a sentence.
    Skipped(&'b str, &'static str),
}

/// Takes what is inside.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Inside<'_>) -> Result<(), ImportError>;

/// Unpacks a stream.
pub(super) trait Layer {
    /// Consumes bytes. The result is the end of a sentence if they are damaged.
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<Option<String>, ImportError>;

    /// Ends the stream. The result is the end of a sentence if it is truncated.
    fn finish(&mut self, sink: Sink<'_>) -> Result<Option<String>, ImportError>;
}

/// What kinds of layers there are, in the order in which they may be found inside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Compression,
    Archive,
    /// Of a file of an archive.
    InnerCompression,
    Encoding,
    Notation,
}

/// The layer of files with this content.
pub(super) fn layer(content: Content) -> Option<(Kind, Box<dyn Layer>)> {
    Some(match content {
        Content::Gzip => (Kind::Compression, Box::new(gzip::Unpacker::default())),
        Content::Zstd => (Kind::Compression, Box::new(zstd::Unpacker::default())),
        Content::Zip => (Kind::Archive, Box::new(zip::Archive::default())),
        Content::Tar => (Kind::Archive, Box::new(tar::Archive::default())),
        Content::Utf16 => (Kind::Encoding, Box::new(utf16::Decoder::default())),
        Content::Literals => (Kind::Notation, Box::new(literals::Rewriter::default())),
        _ => return None,
    })
}

/// Files of one archive that are read.
const MAX_FILES: usize = 10_000;

const DAMAGED: &str = "it is damaged";
const CUT_OFF: &str = "it ends in the middle; it was cut off";
const TOO_MANY: &str = "it has more than 10,000 files, of which the first ones were read";

/// Whether a file of an archive is worth reading, by its name alone: what systems add to archives is not.
fn is_wanted(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    !name.ends_with('/') && !name.starts_with("__MACOSX/") && !last.starts_with("._") && last != ".DS_Store"
}
