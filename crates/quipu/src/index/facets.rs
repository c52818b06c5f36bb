//! Sparse columns of the values that filters test: models, tools, sessions, turns, agents, unusual statuses; also the services of traces.
//!
//! Each holds a row and a value number for every span that has a value. Not here: other attributes (`profile`).

use super::column::Column;
use super::names::clip;
use hashbrown::{DefaultHashBuilder, HashTable};
use memchr::memmem::Finder;
use quipu_model::dialect::Says;
use quipu_model::number::narrow;
use quipu_model::recorded::RawJson;
use quipu_model::tokens::{model_in, without_quotes};
use std::hash::BuildHasher;
use std::sync::LazyLock;

/// Longer values are truncated to this many bytes.
const MAX_VALUE_BYTES: usize = 256;
/// Limits on the total bytes and the number of distinct values of one facet, which bound the memory a hostile file can claim. Values beyond
/// them are ignored.
const MAX_BYTES: usize = 48 << 20;
const MAX_VALUES: usize = 1 << 20;

/// Interned strings, numbered, in one allocation.
#[derive(Clone, Default)]
pub(crate) struct Dictionary {
    text: String,
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

fn slice<'a>(text: &'a str, ends: &[u32], number: u32) -> &'a str {
    let at = number as usize;
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
    ends.get(at).and_then(|end| text.get(start..*end as usize)).unwrap_or_default()
}

impl Dictionary {
    /// Interns a string and returns its number; `None` if the dictionary is full.
    pub(super) fn number(&mut self, value: &str) -> Option<u32> {
        let value = clip(value, MAX_VALUE_BYTES);
        let (text, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        let hash = hasher.hash_one(value);
        if let Some(number) = self.numbers.find(hash, |number| slice(text, ends, *number) == value) {
            return Some(*number);
        }
        if self.text.len() + value.len() > MAX_BYTES || self.ends.len() >= MAX_VALUES {
            return None;
        }
        let number = narrow(self.ends.len());
        self.text.push_str(value);
        self.ends.push(narrow(self.text.len()));
        let (text, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| hasher.hash_one(slice(text, ends, *number)));
        Some(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The string with this number.
    pub(crate) fn text(&self, number: u32) -> &str {
        slice(&self.text, &self.ends, number)
    }

    /// All strings, by number.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..narrow(self.ends.len())).map(|number| self.text(number))
    }
}

/// One facet: rows of the spans that have a value, ascending, with the value numbers.
#[derive(Clone, Default)]
pub(crate) struct Facet {
    pub(crate) values: Dictionary,
    rows: Column<(u32, u32)>,
}

impl Facet {
    pub(super) fn add(&mut self, row: u32, value: &str) {
        if let Some(number) = self.values.number(value) {
            self.rows.push((row, number));
        }
    }

    /// Pairs of span row and value number.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, u32)> {
        self.rows.iter().copied()
    }

    /// Number of the first value of the span in `row`.
    pub(crate) fn number_of(&self, row: u32) -> Option<u32> {
        let (mut low, mut high) = (0, narrow(self.rows.len()));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.rows.at(middle).0 < row { low = middle + 1 } else { high = middle }
        }
        let found = (low < narrow(self.rows.len())).then(|| *self.rows.at(low));
        found.filter(|(found, _)| *found == row).map(|(_, value)| value)
    }
}

#[derive(Clone, Default)]
pub(crate) struct Facets {
    pub(crate) model: Facet,
    /// The provider of a model.
    pub(crate) provider: Facet,
    pub(crate) tool: Facet,
    pub(crate) session: Facet,
    pub(crate) turn: Facet,
    /// The agent's name, or its id if it has none.
    pub(crate) agent: Facet,
    /// Status of the spans whose status is not `OK`; empty if none was recorded.
    pub(crate) unusual_status: Facet,
    /// What spans whose name is an HTTP method alone are shown as: the method and the path of their address.
    pub(crate) shown_name: Facet,
}

/// The meanings whose values are kept, in the order of [`SpanValues::values`].
const KEPT: [Says; 8] = [
    Says::Model,
    Says::ResponseModel,
    Says::Provider,
    Says::Tool,
    Says::Session,
    Says::Turn,
    Says::AgentId,
    Says::AgentName,
];

/// Facet values of the span being read: the first of each meaning.
#[derive(Default)]
pub(super) struct SpanValues<'a> {
    values: [Option<RawJson<'a>>; KEPT.len()],
    /// The arguments of the traced method, which may name a model or a tool.
    arguments: Option<RawJson<'a>>,
    /// The model among the parameters of a call.
    asked_for: Option<&'a str>,
}

impl<'a> SpanValues<'a> {
    /// Takes an attribute into account. Those whose meaning is not kept are ignored.
    pub(super) fn note(&mut self, says: Says, value: RawJson<'a>) {
        if says == Says::Arguments {
            self.arguments = Some(value);
        } else if says == Says::Parameters {
            self.asked_for = self.asked_for.or_else(|| model_in(value));
        } else if let Some(place) = KEPT.iter().position(|kept| *kept == says)
            && let Some(slot) = self.values.get_mut(place)
            && slot.is_none()
        {
            *slot = Some(value);
        }
    }

    /// Adds the values to the facets under `row`. `is_inference` states whether the span is an inference.
    pub(super) fn keep(self, facets: &mut Facets, row: u32, is_inference: bool) {
        let [model, response_model, provider, tool, session, turn, agent_id, agent_name] = self.values;
        let is_text = |value: &RawJson<'_>| value.as_str().is_some_and(|text| !text.is_empty());
        // The answer often names a dated version of the model; one model must not have two names.
        let asked_for = self.asked_for.filter(|_| is_inference);
        if let Some(model) = asked_for {
            facets.model.add(row, model);
        }
        let slots = [
            (&mut facets.model, model.filter(is_text).or(response_model).filter(|_| asked_for.is_none())),
            (&mut facets.provider, provider),
            (&mut facets.tool, tool),
            (&mut facets.session, session),
            (&mut facets.turn, turn),
            (&mut facets.agent, agent_name.filter(is_text).or(agent_id)),
        ];
        let mut has_value = [false; 6];
        for ((facet, value), has_value) in slots.into_iter().zip(&mut has_value) {
            if let Some(text) = value.and_then(|value| value.as_str()).filter(|text| !text.is_empty()) {
                facet.add(row, without_quotes(&text));
                *has_value = true;
            }
        }
        let Some(arguments) = self.arguments else { return };
        let [has_model, _, has_tool, ..] = has_value;
        if is_inference && !has_model && asked_for.is_none() {
            if let Some(model) = first_argument(arguments, &["model_id", "model"]) {
                facets.model.add(row, model);
            }
        } else if !has_tool && let Some(tool) = first_argument(arguments, &["tool_name"]) {
            facets.tool.add(row, tool);
        }
    }
}

/// The distinct tools called by an agent's inference, from its `output` attribute as written: JSON inside a JSON string, as agents write it
/// since 0.1.5.
pub(super) fn called_tools(output: RawJson<'_>) -> impl Iterator<Item = &str> {
    let mut rest = output.bytes();
    let mut seen: Vec<&str> = Vec::new();
    std::iter::from_fn(move || {
        loop {
            let at = TOOL_NAME.find(rest)?;
            rest = rest.get(at + TOOL_NAME.needle().len()..)?;
            let end = rest.iter().take(MAX_VALUE_BYTES).position(|byte| matches!(byte, b'"' | b'\\'))?;
            let name = std::str::from_utf8(rest.get(..end)?).ok()?;
            if !name.is_empty() && seen.len() < MAX_CALLED && !seen.contains(&name) {
                seen.push(name);
                return Some(name);
            }
        }
    })
}

/// The characters before the name of a called tool.
static TOOL_NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#"\"tool_name\": \""#));
/// Maximum number of distinct tools kept per output.
const MAX_CALLED: usize = 16;

/// The value of the method's first argument, if it has one of these names and is a plain string. Methods that take a model or a tool take
/// it first; not looking further keeps the pass fast.
fn first_argument<'a>(arguments: RawJson<'a>, names: &[&str]) -> Option<&'a str> {
    let inside = arguments.bytes().strip_prefix(b"\"{'")?;
    let rest = names.iter().find_map(|name| inside.strip_prefix(name.as_bytes())?.strip_prefix(b"': '"))?;
    let end = rest.iter().take(MAX_VALUE_BYTES).position(|byte| matches!(byte, b'\'' | b'\\'))?;
    let is_whole = rest.get(end) == Some(&b'\'') && end > 0;
    rest.get(..end).filter(|_| is_whole).and_then(|value| std::str::from_utf8(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_by_their_number_and_are_bounded() {
        let mut values = Dictionary::default();
        let texts: Vec<String> = (0..5_000).map(|number| format!("value {}", number % 3_000)).collect();
        let numbers: Vec<u32> = texts.iter().filter_map(|text| values.number(text)).collect();
        assert_eq!((numbers.len(), values.len()), (5_000, 3_000));
        assert!(texts.iter().zip(&numbers).all(|(text, number)| values.text(*number) == text));
        let long = "ä".repeat(1_000);
        let number = values.number(&long).expect("there is room");
        assert_eq!(values.text(number).len(), MAX_VALUE_BYTES);
    }

    #[test]
    fn a_first_argument_is_read_only_if_it_is_a_plain_string() {
        let read = |json: &str| first_argument(RawJson::from_written(json.as_bytes()), &["model_id", "model"]).map(str::to_owned);
        assert_eq!(read(r#""{'model_id': 'fake/Llama-3.2-3B', 'stream': 'False'}""#).as_deref(), Some("fake/Llama-3.2-3B"));
        assert_eq!(read(r#""{'model': 'x'}""#).as_deref(), Some("x"));
        assert_eq!(read(r#""{'model': \"{'identifier': 'x'}\"}""#), None);
        assert_eq!(read(r#""{'model': 'a\\'b'}""#), None);
        assert_eq!(read(r#""{'stream': 'x', 'model': 'y'}""#), None);
        assert_eq!(read(r#""{'model': ''}""#), None);
        assert_eq!(read("7"), None);
    }
}
