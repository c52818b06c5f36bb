//! Detects strings that look like API keys: servers record provider data, headers and arguments as they are.
//!
//! It is a hint for a warning, on the hot path of indexing: it knows the shapes of the most common keys, and requires a minimum length. What is
//! taken out is found by `share`, which knows many more.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Minimum length of key material.
const MIN_KEY: usize = 16;

const PREFIX_TEXTS: &str = "sk-,sk_live_,hf_,gsk_,tvly-,AKIA,Bearer ,xai-,fw_,ghp_,github_pat_,glpat-,xoxb-,AIza,GOCSPX-,nvapi-";
const NAME_TEXTS: &str = "api_key,api-key,apikey,access_token,auth_token,secret_key,client_secret,password";

static PREFIXES: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| PREFIX_TEXTS.split(',').map(Finder::new).collect());
static NAMES: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| NAME_TEXTS.split(',').map(Finder::new).collect());

/// Whether `text`, the recorded attributes of a span, seems to contain an API key.
pub(super) fn holds_secret(text: &[u8]) -> bool {
    PREFIXES.iter().any(|finder| {
        finder.find_iter(text).any(|at| {
            let boundary = at.checked_sub(1).and_then(|before| text.get(before)).is_none_or(|byte| !byte.is_ascii_alphanumeric());
            boundary && text.get(at + finder.needle().len()..).is_some_and(is_key)
        })
    }) || NAMES.iter().any(|finder| {
        finder.find_iter(text).any(|at| {
            let rest = text.get(at + finder.needle().len()..).unwrap_or_default();
            // Between name and value there may be quotes, escapes, a colon or equals sign, and blanks.
            let start = rest.iter().position(|byte| !b"\"'\\:= ".contains(byte)).unwrap_or(rest.len());
            let (between, value) = rest.split_at(start);
            between.iter().any(|byte| b":=".contains(byte)) && is_key(value)
        })
    })
}

fn is_key(text: &[u8]) -> bool {
    let len = text.iter().take(200).take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)).count();
    let digits = text.iter().take(len).filter(|byte| byte.is_ascii_digit()).count();
    len >= MIN_KEY && digits >= 2
}

#[cfg(test)]
mod tests {
    use super::holds_secret;

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
