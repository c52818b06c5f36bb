//! Finds the name or value at the cursor of a filter that is being typed.
//!
//! Not here: what could be inserted there (`suggest`). Unlike the parser, this accepts any text, since an unfinished filter is rarely
//! valid.

use quipu_protocol::filter::lex::{Piece, Sign, quoted, sign_at, value_at, word_end};

/// The name or value at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CursorContext<'a> {
    /// Byte range in the filter.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The part before the cursor, without quotes and asterisks.
    pub(super) typed: String,
    /// For a value: the field name and operator before it. `None` for a name or a bare word.
    pub(super) of: Option<(Name<'a>, Sign)>,
}

/// The name before an operator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) text: std::borrow::Cow<'a, str>,
    /// The name can only be an attribute key.
    pub(super) is_key: bool,
}

/// The name or value at byte offset `cursor`; `None` inside a free-text term.
pub(super) fn cursor_context(text: &str, cursor: usize) -> Option<CursorContext<'_>> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let word = rest.trim_start_matches(|letter: char| letter.is_whitespace() || "(){}-".contains(letter));
        let start = text.len() - word.len();
        if start > cursor || word.is_empty() {
            return Some(CursorContext { start: cursor, end: cursor, typed: String::new(), of: None });
        }
        let prefix = if word.starts_with("root.") { 5 } else { 0 };
        let start = start + prefix;
        let word = text.get(start..)?;
        let is_key = word.starts_with("attr.") && word_end(word, false) >= 5;
        let name_start = start + if is_key { 5 } else { 0 };
        let name = text.get(name_start..)?;
        let is_quoted = name.starts_with('"');
        let (name_text, length) = if is_quoted {
            let (inside, length) = quoted(name)?;
            (inside.into(), length)
        } else {
            let length = word_end(name, false);
            (name.get(..length)?.into(), length)
        };
        let name_end = name_start + length;
        let after = text.get(name_end..)?;
        let Some((sign, sign_length)) = sign_at(after) else {
            if cursor <= name_end {
                if is_quoted {
                    return None;
                }
                let typed = text.get(start..cursor).unwrap_or_default().to_owned();
                return Some(CursorContext { start: start.min(cursor), end: name_end, typed, of: None });
            }
            // Always advances by at least one character, so that the loop ends.
            at = name_end.max(at + text.get(at..)?.chars().next()?.len_utf8());
            continue;
        };
        let sign_start = text.len() - after.trim_start().len();
        if cursor < sign_start + sign_length {
            let typed = text.get(start..cursor.min(name_end)).unwrap_or_default().to_owned();
            return (!is_quoted && cursor <= name_end).then(|| CursorContext { start: start.min(cursor), end: name_end, typed, of: None });
        }
        let value_start = sign_start + sign_length;
        // Blanks after an operator belong to the value if there is one.
        let value = text.get(value_start..)?;
        let value_start = text.len() - value.trim_start().len();
        let value_start = if value_start > cursor { cursor } else { value_start };
        let value = text.get(value_start..)?;
        let length = value_at(value).map_or(value.len(), |(_, length)| length);
        if cursor <= value_start + length {
            let typed = text.get(value_start..cursor)?;
            // An unclosed quotation mark is treated as closed.
            let pieces = value_at(typed).or_else(|_| value_at(&format!("{typed}\""))).map(|(pieces, _)| pieces).unwrap_or_default();
            let plain = pieces.iter().filter_map(|piece| match piece {
                Piece::Plain(text) | Piece::Quoted(text) => Some(text.as_str()),
                Piece::Star => None,
            });
            return Some(CursorContext {
                start: value_start,
                end: value_start + length,
                typed: plain.collect(),
                of: Some((Name { text: name_text, is_key: is_key || is_quoted }, sign)),
            });
        }
        at = (value_start + length).max(at + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_in_a_name_or_a_value() {
        // `|` flags the cursor.
        let cases = [
            ("|", "0..0 ''"),
            ("du|", "0..2 'du'"),
            ("d|u", "0..2 'd'"),
            ("error:true mo|", "11..13 'mo'"),
            ("(a -mo|", "4..6 'mo'"),
            ("{kind:to|", "6..8 'to' of kind"),
            ("model:|", "6..6 '' of model"),
            ("model: |", "7..7 '' of model"),
            ("model:ll| error:true", "6..8 'll' of model"),
            ("model:\"fake/Ll|", "6..14 'fake/Ll' of model"),
            ("root.na|", "5..7 'na'"),
            ("root.name:x|", "10..11 'x' of name"),
            ("attr.dur|", "0..8 'attr.dur'"),
            ("attr.duration:|", "14..14 '' of key duration"),
            ("\"a key\":v|", "8..9 'v' of key a key"),
            ("\"free te|", "none"),
            ("\"free text\" |", "12..12 ''"),
            ("model:x |error:true", "8..13 ''"),
            ("mod|el:x", "0..5 'mod'"),
            ("größe:ä|", "8..10 'ä' of größe"),
        ];
        for (text, expected) in cases {
            let cursor = text.find('|').expect("a cursor");
            let shown = match cursor_context(&text.replace('|', ""), cursor) {
                None => "none".to_owned(),
                Some(context) => {
                    let of =
                        context.of.map_or(String::new(), |(name, _)| format!(" of {}{}", if name.is_key { "key " } else { "" }, name.text));
                    format!("{}..{} '{}'{of}", context.start, context.end, context.typed)
                }
            };
            assert_eq!(shown, expected, "{text}");
        }
    }
}
