//! Bytes as text (hexadecimal, base64) and their checksum (CRC-32).
//!
//! Written out here, because crates that do it cost the browser's programs more than they are worth: `crc32fast` carries 16 KB of tables,
//! `base64` an engine for each alphabet, and its decoders take one alphabet at a time, where recorded texts have either. What is not here:
//! numbers in hexadecimal, percent-encoding (`share::percent`), the base 85 of the one HTML file.

/// Base64's alphabet (RFC 4648, section 4).
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Base64's alphabet for URLs and file names (RFC 4648, section 5).
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Two lower-case hexadecimal digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of an even number of hexadecimal digits in either case; `None` for any other text.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Base64 in the standard alphabet, padded.
pub fn base64(bytes: &[u8]) -> String {
    let mut text = encode_base64(bytes, STANDARD);
    text.extend(std::iter::repeat_n('=', (4 - text.len() % 4) % 4));
    text
}

/// Base64 in the alphabet of URLs, without padding.
pub fn base64_url(bytes: &[u8]) -> String {
    encode_base64(bytes, URL_SAFE)
}

fn encode_base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..=chunk.len() {
            let six = (group >> (18 - 6 * place)) & 63;
            text.push(char::from(alphabet.get(six as usize).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// The bytes of base64 in either alphabet, padded or not; `None` for any other text.
pub fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.chunks(4) {
        let mut group = 0;
        for letter in chunk {
            group = group << 6 | u32::from(six_bits(*letter)?);
        }
        group <<= 6 * (4 - chunk.len());
        let [_, first, second, third] = group.to_be_bytes();
        bytes.extend_from_slice([first, second, third].get(..chunk.len() - 1)?);
    }
    Some(bytes)
}

fn six_bits(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// CRC-32 as gzip and zip have it (CRC-32/ISO-HDLC), over bytes that come in pieces.
pub struct Crc32 {
    state: u32,
    /// Made at run time: as a constant it would be a kilobyte of every program.
    table: [u32; 256],
}

impl Default for Crc32 {
    fn default() -> Crc32 {
        Crc32::new()
    }
}

impl Crc32 {
    /// The checksum of no bytes.
    pub fn new() -> Crc32 {
        let mut table = [0; 256];
        for (byte, entry) in (0_u32..).zip(&mut table) {
            *entry = (0..8).fold(byte, |rest, _| if rest & 1 == 1 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 });
        }
        Crc32 { state: !0, table }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state = bytes.iter().fold(self.state, |state, byte| {
            let at = (state ^ u32::from(*byte)) & 0xff;
            state >> 8 ^ self.table.get(at as usize).copied().unwrap_or(0)
        });
    }

    /// The checksum of all bytes taken.
    pub fn sum(&self) -> u32 {
        !self.state
    }

    /// Begins anew, with the same table.
    pub fn reset(&mut self) {
        self.state = !0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        // Section 10.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
            assert_eq!(base64_url(bytes.as_bytes()), text.trim_end_matches('='));
            assert_eq!(from_base64(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
        assert_eq!(base64_url(&[0xfb, 0xff, 0xfe]), "-__-");
        assert_eq!(from_base64(b"+//+"), from_base64(b"-__-"));
        for text in ["a", "aG k", "====", "aGk=aGk="] {
            assert_eq!(from_base64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn hexadecimal_has_two_digits_a_byte() {
        assert_eq!(hex(&[0, 0x0a, 0xff]), "000aff");
        assert_eq!(from_hex("000aFF"), Some(vec![0, 0x0a, 0xff]));
        for text in ["0", "0x", "+1", "é", "  "] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn the_checksum_is_that_of_gzip() {
        let mut sum = Crc32::new();
        assert_eq!(sum.sum(), 0);
        sum.update(b"1234");
        sum.update(b"56789");
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(sum.sum(), 0xcbf4_3926);
        sum.reset();
        assert_eq!(sum.sum(), 0);
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(from_base64(base64(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(from_base64(base64_url(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(from_hex(&hex(&bytes)), Some(bytes));
        }
    }
}
