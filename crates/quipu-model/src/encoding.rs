//! Binary-to-text encodings (hexadecimal, base64) and CRC-32.
//!
//! Implemented here because the usual crates add more to the browser's programs than they are worth: `crc32fast` brings 16 KB of tables,
//! `base64` one engine per alphabet, and its decoders accept one alphabet at a time, whereas recorded data may use either. Not here:
//! hexadecimal numbers, percent-encoding (`share::percent`), base 85.

/// The base64 alphabet (RFC 4648, section 4).
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The base64 alphabet for URLs and file names (RFC 4648, section 5).
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes as lower-case hexadecimal, two digits per byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Decodes hexadecimal digits in either case. `None` if their number is odd or there is any other character.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Encodes as base64 in the standard alphabet, with padding.
pub fn base64(bytes: &[u8]) -> String {
    let mut text = encode_base64(bytes, STANDARD);
    text.extend(std::iter::repeat_n('=', (4 - text.len() % 4) % 4));
    text
}

/// Encodes as base64 in the URL-safe alphabet, without padding.
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

/// Decodes base64 in either alphabet, with or without padding. `None` if `text` is not valid base64.
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

/// Incremental CRC-32 as used by gzip and zip (CRC-32/ISO-HDLC).
pub struct Crc32 {
    state: u32,
    /// Computed at run time: a constant table would add a kilobyte to every program.
    table: [u32; 256],
}

impl Default for Crc32 {
    fn default() -> Crc32 {
        Crc32::new()
    }
}

impl Crc32 {
    /// Starts with the checksum of no bytes, which is 0.
    pub fn new() -> Crc32 {
        let mut table = [0; 256];
        for (byte, entry) in (0_u32..).zip(&mut table) {
            *entry = (0..8).fold(byte, |rest, _| if rest & 1 == 1 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 });
        }
        Crc32 { state: !0, table }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state = bytes.iter().fold(self.state, |state, byte| {
            let at = (state ^ u32::from(*byte)) & 0xff;
            state >> 8 ^ self.table.get(at as usize).copied().unwrap_or(0)
        });
    }

    /// The checksum of all bytes added since the start or the last [`reset`](Crc32::reset).
    pub fn sum(&self) -> u32 {
        !self.state
    }

    /// Starts over, keeping the table.
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
        fn decoding_reverses_encoding(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(from_base64(base64(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(from_base64(base64_url(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(from_hex(&hex(&bytes)), Some(bytes));
        }
    }
}
