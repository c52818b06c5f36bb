//! What filters ask by value and few spans have: models, tools, sessions, turns, agents, odd statuses; and the services of traces.
//!
//! Sparse: a row and a value's number for each span that has one. What is not here: other attributes (`profile`), and which keys hold what,
//! beyond the few that releases and other dialects write.

use super::column::Column;
use super::names::clip;
use hashbrown::{DefaultHashBuilder, HashTable};
use memchr::memmem::Finder;
use quipu_model::recorded::RawJson;
use std::hash::BuildHasher;
use std::sync::LazyLock;

/// Bytes of one value at most; the rest of a longer one is left out.
const MAX_VALUE_BYTES: usize = 256;
/// Bytes and number of the different values of one facet at most: what a hostile file can make it take. Others are no value.
const MAX_BYTES: usize = 48 << 20;
const MAX_VALUES: usize = 1 << 20;

/// Different texts by number, in one piece of memory.
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
    /// The number of a text; `None` where there are too many already.
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
        let number = self.ends.len() as u32;
        self.text.push_str(value);
        self.ends.push(self.text.len() as u32);
        let (text, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| hasher.hash_one(slice(text, ends, *number)));
        Some(number)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text with this number.
    pub(crate) fn text(&self, number: u32) -> &str {
        slice(&self.text, &self.ends, number)
    }

    /// Every text, by number.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len() as u32).map(|number| self.text(number))
    }
}

/// One facet: the spans that have a value, ascending, and which.
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

    /// Rows of spans and the numbers of their values.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, u32)> {
        self.rows.iter().copied()
    }

    /// The number of the first value of the span in `row`.
    pub(crate) fn number_of(&self, row: u32) -> Option<u32> {
        let (mut low, mut high) = (0, self.rows.len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.rows.at(middle).0 < row { low = middle + 1 } else { high = middle }
        }
        let found = (low < self.rows.len() as u32).then(|| *self.rows.at(low));
        found.filter(|(found, _)| *found == row).map(|(_, value)| value)
    }
}

/// The facets of spans.
#[derive(Clone, Default)]
pub(crate) struct Facets {
    pub(crate) model: Facet,
    pub(crate) tool: Facet,
    pub(crate) session: Facet,
    pub(crate) turn: Facet,
    /// By name, or by id where there is none.
    pub(crate) agent: Facet,
    /// Of spans whose status is not `OK`, which nearly all have; a missing one is empty.
    pub(crate) unusual_status: Facet,
}

/// Which facet an attribute belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Model,
    Tool,
    Session,
    Turn,
    AgentId,
    AgentName,
    /// What a method was called with, which may name a model or a tool.
    Arguments,
}

impl Kind {
    /// The one the attribute under this key belongs to.
    pub(super) fn of(key: &str) -> Option<Kind> {
        Some(match key {
            "model" | "model_id" | "gen_ai.request.model" | "gen_ai.response.model" | "llm.model_name" => Kind::Model,
            "tool_name" | "gen_ai.tool.name" | "tool.name" => Kind::Tool,
            "session_id" | "session.id" | "gen_ai.conversation.id" => Kind::Session,
            "turn_id" => Kind::Turn,
            "agent_id" | "gen_ai.agent.id" => Kind::AgentId,
            "agent_name" | "gen_ai.agent.name" => Kind::AgentName,
            "__args__" => Kind::Arguments,
            _ => return None,
        })
    }
}

/// The values of the span that is being read: the first of each kind.
#[derive(Default)]
pub(super) struct SpanValues<'a> {
    values: [Option<RawJson<'a>>; 6],
    arguments: Option<RawJson<'a>>,
}

impl<'a> SpanValues<'a> {
    /// Takes in one attribute.
    pub(super) fn note(&mut self, kind: Kind, value: RawJson<'a>) {
        if kind == Kind::Arguments {
            self.arguments = Some(value);
        } else if let Some(slot) = self.values.get_mut(kind as usize)
            && slot.is_none()
        {
            *slot = Some(value);
        }
    }

    /// Files what was found of the span in `row`; `is_inference` where its method is one's.
    pub(super) fn keep(self, facets: &mut Facets, row: u32, is_inference: bool) {
        let [model, tool, session, turn, agent_id, agent_name] = self.values;
        let is_text = |value: &RawJson<'_>| value.as_str().is_some_and(|text| !text.is_empty());
        let slots = [
            (&mut facets.model, model),
            (&mut facets.tool, tool),
            (&mut facets.session, session),
            (&mut facets.turn, turn),
            (&mut facets.agent, agent_name.filter(is_text).or(agent_id)),
        ];
        let mut has_value = [false; 5];
        for ((facet, value), has_value) in slots.into_iter().zip(&mut has_value) {
            if let Some(text) = value.and_then(|value| value.as_str()).filter(|text| !text.is_empty()) {
                facet.add(row, &text);
                *has_value = true;
            }
        }
        let Some(arguments) = self.arguments else { return };
        if is_inference && !has_value[Kind::Model as usize] {
            if let Some(model) = first_argument(arguments, &["model_id", "model"]) {
                facets.model.add(row, model);
            }
        } else if !has_value[Kind::Tool as usize]
            && let Some(tool) = first_argument(arguments, &["tool_name"])
        {
            facets.tool.add(row, tool);
        }
    }
}

/// The different tools that an agent's inference calls, told from the attribute's value as written: JSON within a JSON text, as agents write
/// their output since 0.1.5.
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

/// What stands before a called tool's name there.
static TOOL_NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#"\"tool_name\": \""#));
/// Different tools of one output that are kept.
const MAX_CALLED: usize = 16;

/// The value of the first argument of a method, where it has one of these names and is a plain text. Methods that are given a model or a
/// tool are given it first; looking no further keeps the pass fast.
fn first_argument<'a>(arguments: RawJson<'a>, names: &[&str]) -> Option<&'a str> {
    let inside = arguments.bytes().strip_prefix(b"\"{'")?;
    let behind = names.iter().find_map(|name| inside.strip_prefix(name.as_bytes())?.strip_prefix(b"': '"))?;
    let end = behind.iter().take(MAX_VALUE_BYTES).position(|byte| matches!(byte, b'\'' | b'\\'))?;
    let is_whole = behind.get(end) == Some(&b'\'') && end > 0;
    behind.get(..end).filter(|_| is_whole).and_then(|value| std::str::from_utf8(value).ok())
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
    fn a_first_argument_is_read_only_where_it_is_a_plain_text() {
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
