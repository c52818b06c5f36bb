//! Text and images of a message's content, in any recorded form.
//!
//! Not here: the message around it (`read`). Text is never invented: parts other than text are represented by a note in brackets.

use crate::Value;
use crate::recorded::json_text;

/// The text of a content: a string, a part, or a list of parts, one per line. Empty for no content.
pub(super) fn content_text(content: &Value) -> String {
    // A string that contains JSON is still a message as written: don't decode it.
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let Some(items) = content.items() else { return item_text(content) };
    // A list of other values, such as a tool's answer.
    let is_part = |item: &Value| item.as_str().is_some() || ["type", "text"].into_iter().any(|key| item.get(key).is_some());
    if !items.is_empty() && !items.iter().any(is_part) {
        return json_text(content);
    }
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
            // An answer that is an object, and not said in words.
            None => json_text(item),
        },
    }
}

/// A string, or the value of a Python enum member as printed (`<StopReason.end_of_turn: 'end_of_turn'>`). `None` for an empty string, which
/// is recorded for unset fields.
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

/// First characters of images in base64, and their media types.
const IMAGES: [(&str, &str); 4] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
];

/// Images in a content with inline data, as `data:` URLs: PNG, JPEG, GIF and WebP. Images at other URLs are not loaded.
pub(super) fn content_images(content: &Value) -> Vec<String> {
    match content.items() {
        Some(items) if content.as_str().is_none() => items.iter().filter_map(item_image).collect(),
        _ => item_image(content).into_iter().collect(),
    }
}

fn item_image(item: &Value) -> Option<String> {
    let image = ["image", "image_url", "source"].into_iter().find_map(|key| item.get(key)).unwrap_or(item);
    let place = ["data", "url", "uri", "image_url"].into_iter().find_map(|key| image.get(key)).unwrap_or(image);
    let text = place.get("uri").unwrap_or(place).as_str()?;
    let data = match text.strip_prefix("data:") {
        Some(address) => address.split_once(";base64,")?.1,
        None => text,
    };
    // The declared type is ignored in favour of the actual one.
    let (_, kind) = IMAGES.into_iter().find(|(start, _)| data.starts_with(start))?;
    let is_base64 = data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    is_base64.then(|| format!("data:{kind};base64,{data}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::decode;

    #[test]
    fn images_are_recognised_by_their_content() {
        let found = |text: &str| content_images(&decode(text).value);
        let png = "data:image/png;base64,iVBORw0KGgoAAA=";
        assert_eq!(found(r#"[{"type": "text", "text": "x"}, {"type": "image", "image": {"data": "iVBORw0KGgoAAA="}}]"#), [png]);
        assert_eq!(found(r#"{"type": "image", "image": {"url": {"uri": "data:image/svg+xml;base64,iVBORw0KGgoAAA="}}}"#), [png]);
        assert_eq!(
            found(r#"[{"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4AAQ"}}]"#),
            ["data:image/jpeg;base64,/9j/4AAQ"]
        );
        for not in [
            r#"[{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]"#,
            r#"[{"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2Zz4="}}]"#,
            r#"[{"type": "image", "image": {"data": "iVBORw0KGgo\" onerror=\"x"}}]"#,
            r#""iVBORw0KGgo is how a PNG begins""#,
        ] {
            assert_eq!(found(not), Vec::<String>::new(), "{not}");
        }
    }
}
