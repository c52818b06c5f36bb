//! Text operations of the filter bar: adding terms, replacing words by suggestions, history.
//!
//! The language is in `quipu_protocol::filter`.

use quipu_protocol::filter::Filter;
use std::ops::Range;

/// Maximum number of filters in the history.
pub const REMEMBERED: usize = 20;

/// The conjunction of `applied` and `draft`. Filters that could change their meaning, such as `a OR b`, are put in parentheses. Either can
/// be empty.
pub fn add_terms(applied: &str, draft: &str) -> String {
    let (applied, draft) = (applied.trim(), draft.trim());
    if applied.is_empty() || draft.is_empty() {
        return format!("{applied}{draft}");
    }
    let texts = |text: &str| Filter::terms(text).map(|terms| terms.into_iter().map(|term| term.text).collect::<Vec<_>>());
    let wanted = texts(applied).and_then(|mut terms| {
        terms.extend(texts(draft)?);
        Ok(terms)
    });
    let joined = format!("{applied} {draft}");
    if wanted.is_ok() && texts(&joined) == wanted {
        return joined;
    }
    let alone = |text: &str| if texts(text).is_ok_and(|terms| terms.len() > 1) { text.to_owned() } else { format!("({text})") };
    format!("{} {}", alone(applied), alone(draft))
}

/// The byte range of the bare word that ends at `cursor`, if there is one: it could be quoted to search all text instead of only names and
/// keys.
pub fn bare_word(draft: &str, cursor: usize) -> Option<Range<usize>> {
    let before = draft.get(..cursor)?;
    // An open quotation mark extends to the cursor.
    if before.matches('"').count() % 2 == 1 {
        return None;
    }
    let start = before
        .rfind(|letter: char| letter.is_whitespace() || "()".contains(letter))
        .map_or(0, |at| at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let start = start + usize::from(before.get(start..).is_some_and(|word| word.starts_with('-')));
    let word = before.get(start..)?;
    let is_plain = !word.is_empty() && !word.contains([':', '=', '<', '>', '!', '"', '{', '}', '*', '\\']);
    (is_plain && !["AND", "OR", "NOT"].contains(&word)).then_some(start..cursor)
}

/// `text` as a quoted string of the filter language.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Replaces `range` in `draft` with `put`. Also returns the new cursor position in bytes.
pub fn put_in(draft: &str, range: Range<usize>, put: &str) -> (String, usize) {
    let (before, after) = (draft.get(..range.start).unwrap_or(draft), draft.get(range.end..).unwrap_or_default());
    (format!("{before}{put}{after}"), before.len() + put.len())
}

/// Puts `filter` at the front of the history (one filter per line), without duplicates.
pub fn remember(known: &str, filter: &str) -> String {
    let filter = filter.split_whitespace().collect::<Vec<_>>().join(" ");
    let older = known.lines().filter(|line| *line != filter && !line.is_empty());
    std::iter::once(filter.as_str()).filter(|filter| !filter.is_empty()).chain(older).take(REMEMBERED).collect::<Vec<_>>().join("\n")
}

/// Converts an offset in UTF-16 code units, as JavaScript has it, to bytes.
pub fn byte_of_unit(text: &str, unit: usize) -> usize {
    let mut units = 0;
    for (at, letter) in text.char_indices() {
        if units >= unit {
            return at;
        }
        units += letter.len_utf16();
    }
    text.len()
}

/// Converts an offset in bytes to UTF-16 code units.
pub fn unit_of_byte(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).map(|(_, letter)| letter.len_utf16()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terms_are_added_without_changing_what_the_others_mean() {
        for (applied, draft, joined) in [
            ("", "error:true", "error:true"),
            ("error:true", " ", "error:true"),
            ("error:true", "duration>2s", "error:true duration>2s"),
            ("error:true spans>5", "kind:tool kind:turn", "error:true spans>5 kind:tool kind:turn"),
            ("kind:tool OR kind:turn", "error:true", "(kind:tool OR kind:turn) (error:true)"),
            ("error:true", "kind:tool OR kind:turn", "(error:true) (kind:tool OR kind:turn)"),
            ("error:true spans>5", "kind:tool OR kind:turn", "error:true spans>5 (kind:tool OR kind:turn)"),
        ] {
            assert_eq!(add_terms(applied, draft), joined);
        }
    }

    #[test]
    fn only_a_word_without_another_meaning_is_offered_as_a_text() {
        let word = |draft: &str| bare_word(draft, draft.len()).and_then(|range| draft.get(range).map(str::to_owned));
        for draft in ["refund", "error:true refund", "-refund", "(refund", "error:true\u{3000}refund"] {
            assert_eq!(word(draft).as_deref(), Some("refund"), "{draft}");
        }
        for draft in ["", "error:", "error:true", "a>b", "\"refund", "\"a refund", "refund*", "a OR", "refund "] {
            assert_eq!(word(draft), None, "{draft}");
        }
        assert_eq!(bare_word("müde", 2), None, "no cursor stands inside a letter");
        let (draft, cursor) = put_in("-sag \"x\"", 1..4, &quoted("say \"a\\b\""));
        assert_eq!(draft, r#"-"say \"a\\b\"" "x""#);
        assert_eq!(draft.get(cursor..), Some(" \"x\""));
    }

    #[test]
    fn the_history_holds_each_filter_once_latest_first() {
        let mut known = String::new();
        for filter in ["a", "b\n c", "a", " "] {
            known = remember(&known, filter);
        }
        assert_eq!(known, "a\nb c");
        for number in 0..30 {
            known = remember(&known, &format!("spans>{number}"));
        }
        assert_eq!(known.lines().count(), REMEMBERED);
        assert_eq!(known.lines().next(), Some("spans>29"));
    }

    proptest! {
        #[test]
        fn places_go_to_javascript_and_back(text in ".*", at in any::<prop::sample::Index>()) {
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let byte = *at.get(&starts);
            let unit = unit_of_byte(&text, byte);
            prop_assert_eq!(unit, text[..byte].encode_utf16().count());
            prop_assert_eq!(byte_of_unit(&text, unit), byte);
        }

        #[test]
        fn no_text_stops_the_bar(one in ".*", other in ".*", cursor in 0..40_usize) {
            add_terms(&one, &other);
            bare_word(&one, cursor);
            remember(&one, &other);
        }
    }
}
