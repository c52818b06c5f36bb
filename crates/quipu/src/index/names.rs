//! Interned span names, with the facts that follow from the name alone.

use hashbrown::HashMap;
use quipu_model::SpanKind;
use quipu_model::dialect::{has_bare_method, kind_of_name};
use quipu_model::number::narrow;
use quipu_model::recorded::repaired;
use quipu_model::tokens::InferenceRole;

/// The facts that follow from a name.
#[derive(Clone)]
pub(super) struct NameFacts {
    pub(super) text: Box<str>,
    pub(super) kind: SpanKind,
    pub(super) role: Option<InferenceRole>,
    /// The name is one that a web framework's instrumentation produces.
    pub(super) of_framework: bool,
    /// The name is an HTTP method alone.
    pub(super) has_bare_method: bool,
}

/// Longer names are truncated; the whole name is read together with its span.
const MAX_NAME_BYTES: usize = 1_000;

/// Truncates a string to at most `at_most` bytes, at a character boundary.
pub(super) fn clip(text: &str, at_most: usize) -> &str {
    let mut end = text.len().min(at_most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether a web framework's instrumentation names spans like this: `POST /v1/agents`, `fastapi.endpoint`. Llama Stack's own names do not
/// start with an HTTP method.
fn of_framework(name: &str) -> bool {
    let is_method = |word: &str| matches!(word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS");
    name.starts_with("fastapi.") || name.split_once(' ').is_some_and(|(method, path)| is_method(method) && path.starts_with('/'))
}

#[derive(Clone, Default)]
pub(super) struct Names {
    facts: Vec<NameFacts>,
    numbers: HashMap<Box<[u8]>, u32>,
}

impl Names {
    /// The number of a name, given as bytes that may not be valid UTF-8.
    pub(super) fn number(&mut self, bytes: &[u8]) -> u32 {
        // Nearly every name is known; long ones and those that are not valid UTF-8 take the slow path.
        if let Some(number) = self.numbers.get(bytes) {
            return *number;
        }
        let text = repaired(bytes);
        let text = clip(&text, MAX_NAME_BYTES);
        if let Some(number) = self.numbers.get(text.as_bytes()) {
            return *number;
        }
        let number = narrow(self.facts.len());
        self.facts.push(NameFacts {
            text: text.into(),
            kind: kind_of_name(text),
            role: InferenceRole::from_name(text),
            of_framework: of_framework(text),
            has_bare_method: has_bare_method(text),
        });
        self.numbers.insert(text.as_bytes().into(), number);
        number
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.facts.iter().map(|facts| facts.text.as_ref())
    }

    /// The facts of the name with this number, which must come from this list.
    #[expect(clippy::indexing_slicing, reason = "`number` numbers the names as they come, and none is removed")]
    pub(super) fn facts(&self, number: u32) -> &NameFacts {
        &self.facts[number as usize]
    }
}
