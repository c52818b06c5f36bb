//! Names and values apart from each other in decoded data: `{"name": "DB_PASSWORD", "value": "X"}`, `("password", "X")`, `["--password",
//! "X"]`.
//!
//! `assigned` finds the same in text.

use super::names::{Wants, wanted};
use quipu_model::Value;

/// Keys of names, and keys of values, in lower case.
const NAMES: &str = "name key field variable header param parameter label k id type";
const VALUES: &str = "value val content text default v stringvalue string_value new_value old_value newvalue oldvalue";

/// The place of the value in a map that holds the name of a secret and its value.
pub(super) fn secret_value(entries: &[(String, Value)]) -> Option<usize> {
    let is_in = |list: &str, key: &str| list.split(' ').any(|listed| listed.eq_ignore_ascii_case(key));
    // A secret of Kubernetes.
    if entries.iter().any(|(key, kind)| key == "kind" && kind.as_str() == Some("Secret")) {
        return entries.iter().position(|(key, _)| matches!(key.as_str(), "data" | "stringData"));
    }
    // `{"type": "token", "content": …}` is a piece of a model's text.
    let names_secret = |(key, name): &(String, Value)| {
        let is_piece = matches!(key.as_str(), "type" | "id") && text_of(name).is_some_and(|name| name.ends_with("oken"));
        is_in(NAMES, key) && !is_piece && text_of(name).is_some_and(is_secret)
    };
    entries.iter().find(|entry| names_secret(entry))?;
    entries.iter().position(|(key, _)| is_in(VALUES, key))
}

/// The places of secrets in a list: after the name in a list of two, after an option of a command.
pub(super) fn secret_places(items: &[Value]) -> Vec<usize> {
    let texts = items.iter().map(text_of);
    if let [name, value] = items
        && text_of(name).is_some_and(is_secret)
        && text_of(value).is_none_or(|value| wanted(value).is_none())
    {
        return vec![1];
    }
    let is_option =
        |text: Option<&str>| text.is_some_and(|text| text.starts_with('-') && !text.contains(['=', ' ', ':']) && is_secret(text));
    texts.enumerate().filter(|(_, text)| is_option(*text)).map(|(place, _)| place + 1).collect()
}

/// Whether a map describes a piece of a model's text with its probability.
pub(super) fn has_probability(entries: &[(String, Value)]) -> bool {
    entries.iter().any(|(key, _)| key.starts_with("logprob") || key == "top_logprobs")
}

fn is_secret(name: &str) -> bool {
    name.len() <= 80 && !name.contains([' ', '\n']) && wanted(name) == Some(Wants::Anything)
}

/// A string, also that of `b'…'`.
fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Tagged { tag, value } if tag == "bytes" => value.as_str(),
        _ => value.as_str(),
    }
}
