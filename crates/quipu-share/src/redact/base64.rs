//! Base64, as it stands in recorded texts and in links.
//!
//! What is not here: finding it in a text (`detect`).

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `bytes` in the alphabet of URLs, without padding.
pub fn encode_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..=chunk.len() {
            let six = (group >> (18 - 6 * place)) & 63;
            text.push(char::from(STANDARD.get(six as usize).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// The bytes behind base64 of either alphabet, padded or not; `None` where a letter is none of it.
pub fn decode_base64url(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.chunks(4) {
        let mut group = 0;
        for letter in chunk {
            group = group << 6 | u32::from(value(*letter)?);
        }
        group <<= 6 * (4 - chunk.len());
        let [_, first, second, third] = group.to_be_bytes();
        bytes.extend_from_slice([first, second, third].get(..chunk.len() - 1)?);
    }
    Some(bytes)
}

fn value(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_alphabets_are_read() {
        assert_eq!(encode_base64url(&[0xfb, 0xff, 0xfe]), "-__-");
        assert_eq!(decode_base64url(b"+//+"), Some(vec![0xfb, 0xff, 0xfe]));
        assert_eq!(decode_base64url(b"aGk="), Some(b"hi".to_vec()));
        assert_eq!(decode_base64url(b"aGk"), Some(b"hi".to_vec()));
        assert_eq!(decode_base64url(b"a"), None);
        assert_eq!(decode_base64url(b"aG k"), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode_base64url(encode_base64url(&bytes).as_bytes()), Some(bytes));
        }
    }
}
