//! Strings in filters: exact ones, and case-insensitive patterns with `*`.

#![expect(missing_docs, reason = "the syntax tree of the filter language: names are its own words")]

/// The test of a string value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// There is a value.
    Present,
    /// The value is exactly this.
    Is(String),
    /// There is a value, and it is different.
    IsNot(String),
    /// The value matches a pattern.
    Like(Pattern),
}

/// Parts that must occur in a string in this order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The parts as typed, none of them empty.
    pub parts: Vec<String>,
    /// Whether other text can precede the first part.
    pub open_start: bool,
    /// Whether other text can follow the last part.
    pub open_end: bool,
}

mod compare {
    use super::{Pattern, TextTest};
    use quipu_model::fold::folded as fold;

    /// A compiled pattern.
    pub struct Matcher {
        parts: Vec<String>,
        open_start: bool,
        open_end: bool,
    }

    impl Pattern {
        pub fn matcher(&self) -> Matcher {
            Matcher { parts: self.parts.iter().map(|part| fold(part)).collect(), open_start: self.open_start, open_end: self.open_end }
        }
    }

    impl Matcher {
        pub fn matches(&self, text: &str) -> bool {
            let folded = fold(text);
            let mut rest = folded.as_str();
            let mut parts = self.parts.as_slice();
            if let (false, [first, others @ ..]) = (self.open_start, parts) {
                let Some(after) = rest.strip_prefix(first.as_str()) else { return false };
                (rest, parts) = (after, others);
                if parts.is_empty() && !self.open_end {
                    return rest.is_empty();
                }
            }
            if let (false, [others @ .., last]) = (self.open_end, parts) {
                let Some(before) = rest.strip_suffix(last.as_str()) else { return false };
                (rest, parts) = (before, others);
            }
            parts.iter().all(|part| match rest.split_once(part.as_str()) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            })
        }
    }

    /// A compiled test.
    pub enum TextMatcher<'a> {
        Present,
        Is(&'a str),
        IsNot(&'a str),
        Like(Matcher),
    }

    impl TextTest {
        pub fn matcher(&self) -> TextMatcher<'_> {
            match self {
                TextTest::Present => TextMatcher::Present,
                TextTest::Is(text) => TextMatcher::Is(text),
                TextTest::IsNot(text) => TextMatcher::IsNot(text),
                TextTest::Like(pattern) => TextMatcher::Like(pattern.matcher()),
            }
        }
    }

    impl TextMatcher<'_> {
        pub fn holds(&self, text: &str) -> bool {
            match self {
                TextMatcher::Present => true,
                TextMatcher::Is(wanted) => text == *wanted,
                TextMatcher::IsNot(wanted) => text != *wanted,
                TextMatcher::Like(matcher) => matcher.matches(text),
            }
        }
    }
}

pub use compare::{Matcher, TextMatcher};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_order_and_ends_are_kept_where_they_are_closed() {
        let pattern = |text: &str| {
            let parts = text.split('*').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            Pattern { parts, open_start: text.starts_with('*'), open_end: text.ends_with('*') }
        };
        let cases = [
            ("*lama*", "Fake/LLAMA-3.2", true),
            ("fake*", "Fake/Llama", true),
            ("lama*", "Fake/Llama", false),
            ("*3B", "fake/Llama-3.2-3b", true),
            ("*fake", "fake/fak", false),
            ("f*a*b", "fab", true),
            ("ab*b", "ab", false),
            ("ab", "AB", true),
            ("ab", "abc", false),
            ("*σοφός*", "ΣΟΦΌΣ", true),
            ("*", "", true),
        ];
        for (text, on, expected) in cases {
            assert_eq!(pattern(text).matcher().matches(on), expected, "{text} on {on}");
        }
    }
}
