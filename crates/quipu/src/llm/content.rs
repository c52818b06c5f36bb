//! The text of a message's content, in whatever shape it was recorded.
//!
//! What is not here: the message around it (`read`). No text is made up: only notes in brackets stand for parts that are
//! no text.

use crate::model::Value;

/// The text of a content: a string, an item, or a list of items, one below the other. Empty for none.
pub(super) fn content_text(content: &Value) -> String {
    // A string that holds JSON is still what was said: it is not looked into.
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let Some(items) = content.items() else { return item_text(content) };
    let mut out = String::new();
    for item in items {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&item_text(item));
    }
    out
}

fn item_text(item: &Value) -> String {
    if let Some(text) = item.as_str().or_else(|| item.get("text").and_then(Value::as_str)) {
        return text.to_owned();
    }
    match item {
        Value::Null => String::new(),
        _ => match item.get("type").and_then(plain_text).as_deref() {
            Some("image_url" | "input_image") => "[image]".to_owned(),
            Some(kind) => format!("[{kind}]"),
            None => "[part of an unknown kind]".to_owned(),
        },
    }
}

/// A text, or the value of an enum's member as Python prints it (`<StopReason.end_of_turn: 'end_of_turn'>`). `None` for
/// an empty text: unset fields are recorded so.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Opaque(written) => {
            let (_member, value) = written.strip_prefix('<')?.strip_suffix('>')?.split_once(": ")?;
            let quoted = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
            quoted('\'').or_else(|| quoted('"'))?
        }
        other => other.as_str()?,
    };
    (!text.is_empty()).then(|| text.to_owned())
}
