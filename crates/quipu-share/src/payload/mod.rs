//! A trace, or some of its spans, as a few bytes that fit into a link.
//!
//! [`pack`] encodes a recording as columns, which are then compressed with deflate; [`seal`] adds a version and a checksum and encodes the
//! result as text. [`unseal`] and [`unpack`] reverse this. Of a file in Quipu's own layout, [`TablesOut`] encodes the tables as they are. Native targets compress with [`deflated`] and [`inflated`], the page with the
//! browser's own streams. docs/formats.md describes the format.
//!
//! Redaction is in `redact`. Only the browser encrypts; [`Form::Encrypted`] marks its output.

mod bytes;
mod columns;
mod error;
mod fit;
mod limits;
mod tables;
#[cfg(test)]
mod tests;
mod times;

pub use columns::{pack, unpack};
pub use error::LinkError;
pub use fit::{LEAST_LEFT_OUT, leave_out, next_limit};
pub use limits::{LINK_LIMITS, LinkLimit, length_text, taken_by};
pub use tables::{RowSeen, TablesOut, are_tables, unpack_tables};

use quipu_model::encoding::{Crc32, base64_url, from_base64};

/// The version written by [`seal`]. This and earlier versions can be read.
pub const LINK_VERSION: u8 = 2;

/// Maximum size of decompressed columns, against decompression bombs.
pub const MAX_UNPACKED_BYTES: usize = 64_000_000;

/// The error for more than [`MAX_UNPACKED_BYTES`].
pub const TOO_LARGE: LinkError = LinkError::TooLarge { bytes: MAX_UNPACKED_BYTES as u64 };

/// The kind of data after the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns compressed as raw deflate.
    Deflated,
    /// The same, encrypted.
    Encrypted,
}

/// Bytes before the body: version, form, checksum.
const HEAD: usize = 6;

/// Encodes the data of a link: base64url of version, form, CRC-32 of form and body, and the body.
pub fn seal(body: &[u8], form: Form) -> String {
    let mut bytes = Vec::with_capacity(body.len() + HEAD);
    let form = u8::from(form == Form::Encrypted);
    bytes.extend_from_slice(&[LINK_VERSION, form]);
    bytes.extend_from_slice(&crc32(form, body).to_le_bytes());
    bytes.extend_from_slice(body);
    base64_url(&bytes)
}

/// Decodes the data of a link into its form and body.
///
/// # Errors
/// [`LinkError`] if it is not base64url, has another version, or was truncated or altered.
pub fn unseal(letters: &str) -> Result<(Form, Vec<u8>), LinkError> {
    // Mail programs insert line breaks and blanks into links.
    let letters: Vec<u8> = letters.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    // A single leftover character means that the link was truncated, which the checksum detects.
    let whole = if letters.len() % 4 == 1 { letters.len() - 1 } else { letters.len() };
    let bytes = letters.get(..whole).and_then(from_base64).ok_or(LinkError::NotALink)?;
    let version = *bytes.first().ok_or(LinkError::NotALink)?;
    if version > LINK_VERSION {
        return Err(LinkError::FromLater { version });
    }
    let (head, body) = bytes.split_at_checked(HEAD).ok_or(LinkError::Altered)?;
    let form = match head {
        [0, ..] => return Err(LinkError::NotALink),
        [_, 0, ..] => Form::Deflated,
        [_, 1, ..] => Form::Encrypted,
        _ => return Err(LinkError::Altered),
    };
    if head.get(2..) == Some(&crc32(u8::from(form == Form::Encrypted), body).to_le_bytes()) {
        Ok((form, body.to_vec()))
    } else {
        Err(LinkError::Altered)
    }
}

/// Encodes a key for a URL.
pub fn encode_key(key: &[u8]) -> String {
    base64_url(key)
}

/// Decodes a key; `None` if it is invalid.
pub fn decode_key(letters: &str) -> Option<Vec<u8>> {
    from_base64(letters.as_bytes())
}

/// Compresses columns with raw deflate, like the browser's `CompressionStream("deflate-raw")`.
#[cfg(not(target_family = "wasm"))]
pub fn deflated(columns: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(columns, 9)
}

/// Decompresses columns.
///
/// # Errors
/// [`LinkError::Altered`] if it is not valid deflate, [`LinkError::TooLarge`] if the result exceeds [`MAX_UNPACKED_BYTES`].
#[cfg(not(target_family = "wasm"))]
pub fn inflated(body: &[u8]) -> Result<Vec<u8>, LinkError> {
    use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
    decompress_to_vec_with_limit(body, MAX_UNPACKED_BYTES).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => TOO_LARGE,
        _ => LinkError::Altered,
    })
}

/// Finds the data of a Quipu link anywhere in a text: the characters after `data=`.
pub fn link_data(text: &str) -> Option<&str> {
    let parts = text.match_indices("#v").filter_map(|(at, _)| text.get(at..)?.split(|letter: char| letter.is_whitespace()).next());
    parts.into_iter().find_map(|fragment| {
        let (_, parts) = fragment.split_once('?')?;
        let data = parts.split('&').find_map(|part| part.strip_prefix("data="))?;
        // Brackets and full stops around a link are not part of it.
        let end = data.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))).unwrap_or(data.len());
        data.get(..end)
    })
}

/// CRC-32 of the form and the body.
fn crc32(form: u8, body: &[u8]) -> u32 {
    let mut sum = Crc32::new();
    sum.update(&[form]);
    sum.update(body);
    sum.sum()
}
