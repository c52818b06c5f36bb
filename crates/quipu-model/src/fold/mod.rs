//! Case-insensitive search in any script, with match positions in the original text.
//!
//! Letters are folded to the lower case of their upper case, which is Unicode's full case folding except for a few letters: `ß` becomes
//! `ss`, `ς` becomes `σ`, the Kelvin sign `k`, `ﬁ` `fi`, `İ` `i` with a combining dot; the Turkish dotless `ı` becomes `i`. A text matches
//! if its folded form contains the folded needle. Not here: escapes (`recorded`). Accents are significant.

mod ascii;
mod table;
#[cfg(test)]
mod tests;

pub use ascii::AsciiFinder;

use std::ops::Range;

/// Maximum number of letters that one letter folds to.
const MAX_FOLDED: usize = 4;

/// Folded form of one letter.
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

/// Folds letters that need no table: ASCII, Cyrillic, and scripts without case that fill whole blocks.
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
        None => match table::look_up(letter) {
            Ok(letter) => push(letter),
            Err(several) => several.chars().for_each(push),
        },
    }
    folded
}

/// A text with every letter folded: equal for texts that differ in case only.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|letter| folded.extend(fold(letter).letters()));
    folded
}

/// Letters whose folded form contains `letter`. Only non-ASCII letters: an ASCII letter is covered by its two cases.
pub fn unfolded(letter: char) -> impl Iterator<Item = char> {
    let mapped = ('\u{80}'..'\u{2e80}').chain('\u{a640}'..'\u{ac00}').chain('\u{e000}'..'\u{1f000}');
    let of_a_table = mapped.filter(move |other| fold(*other).letters().contains(&letter));
    let itself = fold_at_once(letter).filter(|_| !letter.is_ascii());
    of_a_table.chain(itself)
}

/// Non-ASCII letters whose folded form contains an ASCII letter, and which can therefore match part of an ASCII needle.
const DISGUISES: [char; 20] = [
    'ß', 'İ', 'ı', 'ŉ', 'ſ', 'ǰ', 'ẖ', 'ẗ', 'ẘ', 'ẙ', 'ẚ', 'ẞ', '\u{212a}', 'ﬀ', 'ﬁ', 'ﬂ', 'ﬃ', 'ﬄ', 'ﬅ', 'ﬆ',
];

/// Non-ASCII letters that can match part of `text`, which must be lower-case ASCII.
pub fn disguises(text: &str) -> impl Iterator<Item = char> {
    DISGUISES.into_iter().filter(|letter| fold(*letter).letters().iter().any(|part| part.is_ascii() && text.contains(*part)))
}

/// A string to search for, ignoring case.
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
    /// Set if the folded needle is ASCII only.
    ascii: Option<AsciiFinder>,
}

impl Needle {
    /// Creates a searcher for `text`; `None` if it is empty.
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

    /// Whether `text` contains a match.
    pub fn is_in(&self, text: &str) -> bool {
        self.find_all(text).next().is_some()
    }

    /// Byte ranges of all non-overlapping matches in `text`. A letter that matches only in part, such as `ß` for `s`, is entirely in the
    /// range.
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

    /// First match at or after `from`, which must be a character boundary. The first `plain` bytes are ASCII.
    fn find(&self, text: &str, from: usize, plain: usize) -> Option<Range<usize>> {
        let Some(ascii) = &self.ascii else { return self.find_slowly(text, from) };
        if let Some(start) = text.as_bytes().get(..plain).and_then(|head| ascii.find(head, from)) {
            return Some(start..start + ascii.len());
        }
        if plain == text.len() {
            return None;
        }
        // A match may include other letters and start before them.
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

    /// End of the match that starts at `start`, skipping the first `skip` letters of the folded form of the letter there.
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
