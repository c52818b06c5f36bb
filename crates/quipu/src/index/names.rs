//! Span names, each once, with what the name alone tells.

use crate::model::SpanKind;
use crate::tokens::InferenceRole;
use hashbrown::HashMap;

/// What a name tells.
pub(super) struct NameFacts {
    pub(super) text: Box<str>,
    pub(super) kind: SpanKind,
    pub(super) role: Option<InferenceRole>,
}

#[derive(Default)]
pub(super) struct Names {
    facts: Vec<NameFacts>,
    numbers: HashMap<Box<str>, u32>,
}

impl Names {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.facts.len() as u32;
        self.facts.push(NameFacts { text: text.into(), kind: SpanKind::from_name(text), role: InferenceRole::from_name(text) });
        self.numbers.insert(text.into(), number);
        number
    }

    pub(super) fn facts(&self, number: u32) -> &NameFacts {
        &self.facts[number as usize]
    }
}
