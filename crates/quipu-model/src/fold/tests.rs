//! Compares the search with its definition: the folded text contains the folded needle.

use super::*;
use proptest::prelude::*;

fn found(needle: &str, text: &str) -> Vec<String> {
    Needle::new(needle).expect("a text").find_all(text).map(|range| text[range].to_owned()).collect()
}

#[test]
fn letters_of_every_script_fold() {
    let table = [
        ("K k \u{212a}", "k k k"),
        ("Maße MASSE ẞ", "masse masse ss"),
        ("ΣΊΣΥΦΟΣ σίσυφος", "σίσυφοσ σίσυφοσ"),
        ("ПРИВЕТ Ёлка Ґ", "привет ёлка ґ"),
        ("İstanbul ısı IŞIK", "i\u{307}stanbul isi işik"),
        ("ÅÄÖ ÇÑ Ÿ Œ \u{212b}", "åäö çñ ÿ œ å"),
        ("ﬁn ſo µm Ωx", "fin so μm ωx"),
        ("東京 שלום नमस्ते 🦙", "東京 שלום नमस्ते 🦙"),
        ("ᲐᲑ Ա Ḁ Ⅷ Ⓐ Ａ 𐐀", "აბ ա ḁ ⅷ ⓐ ａ 𐐨"),
    ];
    for (text, expected) in table {
        assert_eq!(folded(text), expected, "{text}");
    }
}

#[test]
fn folding_is_stable_and_fits_its_place() {
    let mut newer = 0;
    for letter in '\0'..=char::MAX {
        // Lower case first: the capital ẞ is its own upper case, but that of ß is SS.
        let mapped: Vec<char> = letter.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
        // A later version of Unicode has more letters with case. Those in the table stay as they are.
        if char::UNICODE_VERSION > table::VERSION && fold(letter).letters() == [letter] && mapped != [letter] {
            newer += 1;
            continue;
        }
        assert_eq!(fold(letter).letters(), mapped, "{letter}");
        assert_eq!(folded(&folded(&letter.to_string())), folded(&letter.to_string()), "{letter}");
    }
    assert!(newer < 100, "{newer} letters of a later Unicode are missing in the table");
}

#[test]
fn every_letter_that_folds_to_ascii_is_known() {
    let hiding: Vec<char> = ('\u{80}'..='\u{1f000}').filter(|letter| fold(*letter).letters().iter().any(|part| part.is_ascii())).collect();
    let mut known = DISGUISES.to_vec();
    known.sort_unstable();
    assert_eq!(hiding, known);
    for letter in ['б', 'é', '東', 'ω', '\u{307}', '𐐨'] {
        let all: Vec<char> = ('\u{80}'..='\u{1f000}').filter(|other| fold(*other).letters().contains(&letter)).collect();
        let mut found: Vec<char> = unfolded(letter).collect();
        found.sort_unstable();
        found.dedup();
        // Cyrillic capitals are folded without a table.
        let missing: Vec<char> = all.into_iter().filter(|other| !found.contains(other)).collect();
        assert!(missing.is_empty(), "{letter}: {missing:?}");
    }
}

#[test]
fn matches_are_whole_letters_of_the_text() {
    assert_eq!(found("s", "aßb"), ["ß"]);
    assert_eq!(found("ST", "ßt"), ["ßt"]);
    assert_eq!(found("error", "Error eRRor terrors"), ["Error", "eRRor", "error"]);
    assert_eq!(found("aa", "AAaaa"), ["AA", "aa"]);
    assert_eq!(found("zürich", "ZÜRICH, Zürich, zurich"), ["ZÜRICH", "Zürich"]);
    assert_eq!(found("x", "été X"), ["X"]);
    assert!(Needle::new("").is_none());
}

proptest! {
    #[test]
    fn a_text_holds_what_its_folded_form_holds(
        needle in "[aAsSkKßſﬁiİı\u{307}\u{212a}éÉжЖ東 ]{1,4}",
        text in "[aAsSkKßſﬁfiIİı\u{307}\u{212a}éÉжЖ東 ]{0,40}",
        head in "[a-zA-Z ]{0,20}",
    ) {
        let text = head + &text;
        let finder = Needle::new(&needle).expect("a text");
        prop_assert_eq!(finder.is_in(&text), folded(&text).contains(&folded(&needle)));
        let mut last = 0;
        for range in finder.find_all(&text) {
            prop_assert!(range.start >= last);
            prop_assert!(folded(&text[range.clone()]).contains(&folded(&needle)));
            last = range.end;
        }
    }
}
