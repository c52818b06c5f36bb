//! Finds matches of a search in displayed values.
//!
//! `fold` compares text.

use super::value_tree::{ValueKind, child, child_count, child_label, leaf_text, value_kind};
use quipu_model::Value;
use quipu_model::fold::Needle;
use quipu_protocol::MatchPlace;

/// Maximum number of highlighted matches in a text.
const MOST_MARKS: usize = 500;
/// Maximum number of values searched for the first match in a tree.
const MOST_VALUES: usize = 5_000;
/// Maximum number of bytes searched for it.
const MOST_BYTES: usize = 1 << 20;

/// Splits `text` into pieces, each with whether it matches. Concatenated they are `text`. Only the first 500 matches are marked.
pub fn pieces<'a>(text: &'a str, needle: &Needle) -> Vec<(bool, &'a str)> {
    let mut pieces = Vec::new();
    let mut end = 0;
    let mut add = |marked: bool, start: usize, end: usize| {
        if let Some(piece) = text.get(start..end).filter(|piece| !piece.is_empty()) {
            pieces.push((marked, piece));
        }
    };
    for found in needle.find_all(text).take(MOST_MARKS) {
        add(false, end, found.start);
        add(true, found.start, found.end);
        end = found.end;
    }
    add(false, end, text.len());
    pieces
}

/// The search text that `matched` is a match of; `matched` itself if there is none.
pub fn found_text<'a>(texts: &'a [String], matched: &'a str) -> &'a str {
    let found = texts.iter().find(|text| Needle::new(text).is_some_and(|needle| needle.is_in(matched)));
    found.map_or(matched, String::as_str)
}

/// The location of a match: `name`, an attribute key, `event`, `event message`.
pub fn place_text(place: &MatchPlace) -> String {
    match place {
        MatchPlace::Name => "name".into(),
        MatchPlace::Attribute(key) => key.clone(),
        MatchPlace::Event { key: Some(key), .. } => format!("event {key}"),
        MatchPlace::Event { key: None, .. } => "event".into(),
    }
}

/// The child indices that lead to the first value in `root` with a matching text or key; `None` if there is none, or the value is too large
/// to search.
pub fn path_to_match(root: &Value, needle: &Needle) -> Option<Vec<usize>> {
    let mut left = (MOST_VALUES, MOST_BYTES);
    let mut path = Vec::new();
    find(root, needle, &mut path, &mut left).then_some(path)
}

fn find(value: &Value, needle: &Needle, path: &mut Vec<usize>, left: &mut (usize, usize)) -> bool {
    let count = child_count(value);
    if count == 0 {
        return leaf_text(value).is_some_and(|text| spend(left, text.len()) && needle.is_in(text));
    }
    let has_keys = value_kind(value) == ValueKind::Map;
    for place in 0..count {
        let label = child_label(value, place);
        if !spend(left, label.len()) {
            return false;
        }
        path.push(place);
        if (has_keys && needle.is_in(&label)) || child(value, place).is_some_and(|child| find(child, needle, path, left)) {
            return true;
        }
        path.pop();
    }
    false
}

/// Deducts one value of `len` bytes from the budget; `false` if it is used up.
fn spend((values, bytes): &mut (usize, usize), len: usize) -> bool {
    let spent = (values.checked_sub(1), bytes.checked_sub(len));
    let (Some(values_left), Some(bytes_left)) = spent else {
        *values = 0;
        return false;
    };
    (*values, *bytes) = (values_left, bytes_left);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needle(text: &str) -> Needle {
        Needle::new(text).expect("it is not empty")
    }

    #[test]
    fn a_text_is_cut_where_it_matches() {
        let cut = |text: &str| {
            pieces(text, &needle("ab"))
                .iter()
                .map(|(marked, piece)| format!("{}{piece}", if *marked { "*" } else { "" }))
                .collect::<Vec<_>>()
        };
        assert_eq!(cut("xAby ab"), ["x", "*Ab", "y ", "*ab"]);
        assert_eq!(cut("none"), ["none"]);
        assert!(cut("").is_empty());
    }

    #[test]
    fn marks_are_bounded_and_nothing_is_lost() {
        let text = "ab-".repeat(2_000);
        let pieces = pieces(&text, &needle("ab"));
        assert_eq!(pieces.iter().filter(|(marked, _)| *marked).count(), MOST_MARKS);
        assert_eq!(pieces.iter().map(|(_, piece)| *piece).collect::<String>(), text);
    }

    #[test]
    fn the_path_leads_to_the_first_match() {
        let value = quipu_model::recorded::decode(r#"{"a": [1, {"b": "nothing"}], "c": ["x", {"d": "the Refund"}], "refund": 1}"#).value;
        assert_eq!(path_to_match(&value, &needle("refund")), Some(vec![1, 1, 0]));
        assert_eq!(path_to_match(&value, &needle("b")), Some(vec![0, 1, 0]));
        assert_eq!(path_to_match(&value, &needle("1")), Some(vec![0, 0]), "a number matches, the place of an item does not");
        assert_eq!(path_to_match(&value, &needle("zzz")), None);
    }

    #[test]
    fn a_match_tells_which_text_was_looked_for() {
        let texts = ["Straße".to_owned(), "refund".to_owned()];
        assert_eq!(found_text(&texts, "REFUND"), "refund");
        assert_eq!(found_text(&texts, "STRASSE"), "Straße");
        assert_eq!(found_text(&[], "as it is"), "as it is");
    }

    #[test]
    fn a_large_value_is_not_looked_through() {
        let value = quipu_model::recorded::decode(&format!("[{}\"end\"]", "1,".repeat(MOST_VALUES + 1))).value;
        assert_eq!(path_to_match(&value, &needle("end")), None);
    }
}
