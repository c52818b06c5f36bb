//! One trace, or some of its spans, as a few bytes that fit into a link.
//!
//! [`pack`] writes a recording as columns, which a deflate makes small, [`seal`] puts a version and a checksum before them and makes
//! letters of them; [`unseal`] and [`unpack`] go back. Between the two lies compression: natively [`deflated`] and [`inflated`], in the browser
//! its own streams of the same format, so that the page carries no code for it. docs/formats.md tells the format.
//!
//! What is not here: taking out what is private (`redact`), the view that goes with the data (`url`), encryption, which only the browser
//! does: [`Form::Encrypted`] carries what it made.

mod bytes;
mod columns;
mod error;
mod fit;
mod limits;
#[cfg(test)]
mod tests;
mod times;

pub use columns::{pack, unpack};
pub use error::LinkError;
pub use fit::{LEAST_LEFT_OUT, leave_out, next_limit};
pub use limits::{LINK_LIMITS, LinkLimit, length_text, taken_by};

use quipu_model::encoding::{Crc32, base64_url, from_base64};

/// The version of what [`seal`] writes. A reader opens this version and those before it.
pub const LINK_VERSION: u8 = 1;

/// Columns may become this large when they are inflated: what is larger is no link but a bomb.
pub const MAX_UNPACKED_BYTES: usize = 64 << 20;

/// What lies behind the checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns, compressed as raw deflate.
    Deflated,
    /// The same, encrypted; only who has the key can say what it holds.
    Encrypted,
}

/// Bytes before the body: version, form, checksum.
const HEAD: usize = 6;

/// The letters of a link's data: base64url of version, form, CRC-32 of form and body, and the body.
pub fn seal(body: &[u8], form: Form) -> String {
    let mut bytes = Vec::with_capacity(body.len() + HEAD);
    let form = u8::from(form == Form::Encrypted);
    bytes.extend_from_slice(&[LINK_VERSION, form]);
    bytes.extend_from_slice(&crc32(form, body).to_le_bytes());
    bytes.extend_from_slice(body);
    base64_url(&bytes)
}

/// The form and the body behind the letters.
///
/// # Errors
/// [`LinkError`]: no such letters, another version, cut short, altered.
pub fn unseal(letters: &str) -> Result<(Form, Vec<u8>), LinkError> {
    // Mail programs break lines and put blanks into links.
    let letters: Vec<u8> = letters.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    // A last letter that is not enough for a byte is a link cut short, which the checksum tells.
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

/// A key as an address carries it.
pub fn encode_key(key: &[u8]) -> String {
    base64_url(key)
}

/// The key behind its letters; `None` where they are none.
pub fn decode_key(letters: &str) -> Option<Vec<u8>> {
    from_base64(letters.as_bytes())
}

/// Columns made small: raw deflate, as the browser's `CompressionStream("deflate-raw")` writes it.
#[cfg(not(target_family = "wasm"))]
pub fn deflated(columns: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(columns, 9)
}

/// The columns again.
///
/// # Errors
/// [`LinkError::Altered`] where it is no deflate, [`LinkError::TooLarge`] where it holds more than [`MAX_UNPACKED_BYTES`].
#[cfg(not(target_family = "wasm"))]
pub fn inflated(body: &[u8]) -> Result<Vec<u8>, LinkError> {
    use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
    decompress_to_vec_with_limit(body, MAX_UNPACKED_BYTES).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => LinkError::TooLarge,
        _ => LinkError::Altered,
    })
}

/// The data of a link, wherever in a text the link stands: the letters after the `data=` of an address of Quipu's.
pub fn link_data(text: &str) -> Option<&str> {
    let parts = text.match_indices("#v").filter_map(|(at, _)| text.get(at..)?.split(|letter: char| letter.is_whitespace()).next());
    parts.into_iter().find_map(|fragment| {
        let (_, parts) = fragment.split_once('?')?;
        let data = parts.split('&').find_map(|part| part.strip_prefix("data="))?;
        // Brackets and full stops around a link are not its own.
        let end = data.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))).unwrap_or(data.len());
        data.get(..end)
    })
}

/// The checksum of the form and the body.
fn crc32(form: u8, body: &[u8]) -> u32 {
    let mut sum = Crc32::new();
    sum.update(&[form]);
    sum.update(body);
    sum.sum()
}
