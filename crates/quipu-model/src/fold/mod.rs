//! Texts compared without letter case, in any script: what a search looks for, and where it stands in a text as it was written.
//!
//! A letter folds to the small letters of its capitals, which is Unicode's full case folding but for a few letters: `ß` is `ss`, `ς` is
//! `σ`, the Kelvin sign is `k`, `ﬁ` is `fi`, `İ` is `i` with a dot above; the Turkish dotless `ı` counts as `i`. A text holds another
//! when its folded form does. What is not here: escapes (`recorded`), accents, which count as written.

mod ascii;
#[cfg(test)]
mod tests;

pub use ascii::AsciiFinder;

use std::ops::Range;

/// The most letters one letter folds to.
const MAX_FOLDED: usize = 4;

/// The folded form of one letter.
#[derive(Clone, Copy)]
struct Folded {
    letters: [char; MAX_FOLDED],
    len: usize,
}

impl Folded {
    fn letters(&self) -> &[char] {
        self.letters.get(..self.len).unwrap_or_default()
    }
}

/// The folded letter, where that needs no table: ASCII, Cyrillic, and scripts without case that fill whole blocks.
fn fold_at_once(letter: char) -> Option<char> {
    match letter {
        '\0'..='\x7f' => Some(letter.to_ascii_lowercase()),
        'а'..='я' => Some(letter),
        'А'..='Я' => char::from_u32(u32::from(letter) + 0x20),
        '\u{2e80}'..='\u{a63f}' | '\u{ac00}'..='\u{d7ff}' | '\u{1f000}'..='\u{10ffff}' => Some(letter),
        _ => None,
    }
}

fn fold(letter: char) -> Folded {
    let mut folded = Folded { letters: [letter; MAX_FOLDED], len: 0 };
    let mut push = |letter| {
        if let Some(place) = folded.letters.get_mut(folded.len) {
            *place = letter;
            folded.len += 1;
        }
    };
    match fold_at_once(letter) {
        Some(letter) => push(letter),
        // Small first: the capital ẞ is its own capital, but ß has two.
        None => letter.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).for_each(push),
    }
    folded
}

/// The letters whose folded form holds `letter`. Beyond ASCII alone: ASCII letters are their own two cases.
pub fn unfolded(letter: char) -> impl Iterator<Item = char> {
    let mapped = ('\u{80}'..'\u{2e80}').chain('\u{a640}'..'\u{ac00}').chain('\u{e000}'..'\u{1f000}');
    let of_a_table = mapped.filter(move |other| fold(*other).letters().contains(&letter));
    let itself = fold_at_once(letter).filter(|_| !letter.is_ascii());
    of_a_table.chain(itself)
}

/// Letters beyond ASCII whose folded form holds an ASCII letter: in them a part of an ASCII text may hide.
const DISGUISES: [char; 20] = [
    'ß', 'İ', 'ı', 'ŉ', 'ſ', 'ǰ', 'ẖ', 'ẗ', 'ẘ', 'ẙ', 'ẚ', 'ẞ', '\u{212a}', 'ﬀ', 'ﬁ', 'ﬂ', 'ﬃ', 'ﬄ', 'ﬅ', 'ﬆ',
];

/// The letters beyond ASCII in which a letter of `text` may hide; `text` is in small ASCII letters.
pub fn disguises(text: &str) -> impl Iterator<Item = char> {
    DISGUISES.into_iter().filter(|letter| fold(*letter).letters().iter().any(|part| part.is_ascii() && text.contains(*part)))
}

/// A text that is looked for.
///
/// ```
/// use quipu_model::fold::Needle;
/// let needle = Needle::new("STRASSE").expect("it is not empty");
/// let text = "Kaiserstraße 3";
/// let found: Vec<_> = needle.find_all(text).map(|range| &text[range]).collect();
/// assert_eq!(found, ["straße"]);
/// ```
#[derive(Clone, Debug)]
pub struct Needle {
    letters: Box<[char]>,
    /// Where the folded form is ASCII alone.
    ascii: Option<AsciiFinder>,
}

impl Needle {
    /// What looks for `text`; `None` when it is empty.
    pub fn new(text: &str) -> Option<Needle> {
        let mut letters = Vec::with_capacity(text.len());
        for letter in text.chars() {
            letters.extend_from_slice(fold(letter).letters());
        }
        let bytes: Option<Vec<u8>> = letters.iter().map(|letter| letter.is_ascii().then_some(*letter as u8)).collect();
        let ascii = AsciiFinder::new(&bytes.unwrap_or_default());
        (!letters.is_empty()).then(|| Needle { letters: letters.into(), ascii })
    }

    /// The folded letters.
    pub fn letters(&self) -> &[char] {
        &self.letters
    }

    /// Whether `text` holds it.
    pub fn is_in(&self, text: &str) -> bool {
        self.find_all(text).next().is_some()
    }

    /// Where it stands in `text`, as ranges of bytes, first to last, none overlapping another. A letter of which only a part belongs to the
    /// match, as the `ß` of `s`, is in the range whole.
    pub fn find_all<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let is_other = |byte: &u8| !byte.is_ascii();
        let plain = if text.is_ascii() { text.len() } else { text.bytes().position(|byte| is_other(&byte)).unwrap_or(text.len()) };
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.find(text, from, plain)?;
            from = found.end;
            Some(found)
        })
    }

    /// The first range at or behind `from`, which stands between two letters. The first `plain` bytes are ASCII.
    fn find(&self, text: &str, from: usize, plain: usize) -> Option<Range<usize>> {
        let Some(ascii) = &self.ascii else { return self.find_slowly(text, from) };
        if let Some(start) = text.as_bytes().get(..plain).and_then(|head| ascii.find(head, from)) {
            return Some(start..start + ascii.len());
        }
        if plain == text.len() {
            return None;
        }
        // Other letters may be part of a match, which may begin before them.
        self.find_slowly(text, from.max(plain.saturating_sub(ascii.len())))
    }

    fn find_slowly(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let first = *self.letters.first()?;
        for (at, letter) in text.get(from..)?.char_indices() {
            if fold_at_once(letter).is_some_and(|folded| folded != first) {
                continue;
            }
            let start = from + at;
            if let Some(end) = (0..fold(letter).len).find_map(|skip| self.end_of_match(text, start, skip)) {
                return Some(start..end);
            }
        }
        None
    }

    /// The end of the match that begins at `start`, behind `skip` letters of what the letter there folds to.
    fn end_of_match(&self, text: &str, start: usize, mut skip: usize) -> Option<usize> {
        let mut wanted = self.letters.as_ref();
        for (at, letter) in text.get(start..)?.char_indices() {
            for letter in fold(letter).letters().get(skip..)? {
                match wanted.split_first() {
                    Some((first, rest)) if first == letter => wanted = rest,
                    Some(_) => return None,
                    None => break,
                }
            }
            skip = 0;
            if wanted.is_empty() {
                return Some(start + at + letter.len_utf8());
            }
        }
        None
    }
}
