//! Detects strings that look like API keys: servers record provider data, headers and arguments as they are.
//!
//! It is a hint for a warning, on the hot path of indexing: it knows the shapes of the most common keys, and requires a minimum length. What is
//! taken out is found by `share`, which knows many more.

use std::sync::LazyLock;

/// Minimum length of key material.
const MIN_KEY: usize = 16;

/// What keys begin with, and the names they go by: each with the place of three bytes in it that are rare in other texts.
const PREFIXES: [(&str, usize); 16] = [
    ("sk-", 0),
    ("sk_live_", 1),
    ("hf_", 0),
    ("gsk_", 1),
    ("tvly-", 0),
    ("AKIA", 1),
    ("Bearer ", 0),
    ("xai-", 0),
    ("fw_", 0),
    ("ghp_", 1),
    ("github_pat_", 5),
    ("glpat-", 3),
    ("xoxb-", 2),
    ("AIza", 0),
    ("GOCSPX-", 3),
    ("nvapi-", 0),
];
const NAMES: [(&str, usize); 8] = [
    ("api_key", 2),
    ("api-key", 2),
    ("apikey", 2),
    ("access_token", 5),
    ("auth_token", 3),
    ("secret_key", 5),
    ("client_secret", 5),
    ("password", 3),
];

/// A text to look for.
#[derive(Clone, Copy)]
struct Needle {
    text: &'static [u8],
    /// Where the two bytes are that it was found by.
    at: usize,
    is_name: bool,
}

/// The needles by two of their bytes. Of three bytes, two lie on an even place of any text: so it is searched two bytes at a time, for all
/// needles at once.
struct Needles {
    /// For each two bytes, one more than the place in `groups`, or 0.
    places: Vec<u8>,
    groups: Vec<Vec<Needle>>,
}

static NEEDLES: LazyLock<Needles> = LazyLock::new(|| {
    let mut needles = Needles { places: vec![0; 1 << 16], groups: Vec::new() };
    for (is_name, (text, rare)) in PREFIXES.map(|prefix| (false, prefix)).into_iter().chain(NAMES.map(|name| (true, name))) {
        for at in [rare, rare + 1] {
            let pair = text.as_bytes().get(at..).and_then(<[u8]>::first_chunk::<2>);
            let Some(place) = pair.and_then(|pair| needles.places.get_mut(usize::from(u16::from_be_bytes(*pair)))) else { continue };
            if *place == 0 {
                needles.groups.push(Vec::new());
                *place = u8::try_from(needles.groups.len()).unwrap_or(0);
            }
            let group = usize::from(*place).checked_sub(1).and_then(|at| needles.groups.get_mut(at));
            if let Some(group) = group {
                group.push(Needle { text: text.as_bytes(), at, is_name });
            }
        }
    }
    needles
});

/// Whether `text`, the recorded attributes of a span, seems to contain an API key.
pub(super) fn holds_secret(text: &[u8]) -> bool {
    let needles = &*NEEDLES;
    let (pairs, _) = text.as_chunks::<2>();
    pairs.iter().enumerate().any(|(number, pair)| {
        let place = needles.places.get(usize::from(u16::from_be_bytes(*pair))).copied().unwrap_or(0);
        let group = usize::from(place).checked_sub(1).and_then(|at| needles.groups.get(at));
        group.is_some_and(|group| is_one_of(group, text, number * 2))
    })
}

/// Whether one of the needles is in `text`, with its two bytes at `at`, and a key after it.
fn is_one_of(needles: &[Needle], text: &[u8], at: usize) -> bool {
    needles.iter().any(|needle| {
        let Some(begin) = at.checked_sub(needle.at) else { return false };
        let Some(rest) = text.get(begin..).and_then(|rest| rest.strip_prefix(needle.text)) else { return false };
        if !needle.is_name {
            let before = begin.checked_sub(1).and_then(|before| text.get(before));
            return before.is_none_or(|byte| !byte.is_ascii_alphanumeric()) && is_key(rest);
        }
        // Between name and value there may be quotes, escapes, a colon or equals sign, and blanks.
        let start = rest.iter().position(|byte| !b"\"'\\:= ".contains(byte)).unwrap_or(rest.len());
        let (between, value) = rest.split_at(start);
        between.iter().any(|byte| b":=".contains(byte)) && is_key(value)
    })
}

fn is_key(text: &[u8]) -> bool {
    let len = text.iter().take(200).take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)).count();
    let digits = text.iter().take(len).filter(|byte| byte.is_ascii_digit()).count();
    len >= MIN_KEY && digits >= 2
}

#[cfg(test)]
mod tests {
    use super::{NAMES, PREFIXES, holds_secret};

    #[test]
    fn a_key_is_detected_wherever_it_lies() {
        for (text, between) in PREFIXES.map(|(text, _)| (text, "")).into_iter().chain(NAMES.map(|(text, _)| (text, ": "))) {
            for before in 0..4 {
                for after in 0..2 {
                    let text = format!("{}{text}{between}0123456789abcdef{}", " ".repeat(before), " ".repeat(after));
                    assert!(holds_secret(text.as_bytes()), "{text}");
                }
            }
            for end in 0..text.len() {
                let cut = format!("{}#0123456789abcdef", text.get(..end).unwrap_or_default());
                assert!(!holds_secret(cut.as_bytes()), "{cut}");
            }
        }
    }

    #[test]
    fn keys_are_detected_and_mentions_of_keys_are_not() {
        for text in [
            r#"{"__args__": "{'provider_data': \"{'tavily_search_api_key': 'tvly-abcd1234efgh5678'}\"}"}"#,
            r#"{"output": "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30"}"#,
            r#"{"x": "sk-proj-0123456789abcdefABCDEF"}"#,
            r#"{"openai_api_key": "0123456789abcdef0123"}"#,
            r#"{"x": "login with GOCSPX-0123abcdEFGH5678ijkl"}"#,
            r#"{"password": "correct-horse-42-battery"}"#,
        ] {
            assert!(holds_secret(text.as_bytes()), "{text}");
        }
        for text in [
            r#"{"message": "Pass the key in the header as { \"brave_search_api_key\": <your api key>}"}"#,
            r#"{"message": "api_key\n  Field required [type=missing, input_value={'x': 1}]"}"#,
            r#"{"name": "ask-me-anything-about-0123456789"}"#,
            r#"{"x": "api_key: None"}"#,
            "",
        ] {
            assert!(!holds_secret(text.as_bytes()), "{text}");
        }
    }
}
