//! Spans that repeat the words of other spans: agents and chains around model calls, and calls within a client's call.
//!
//! Not here: messages that are sent to a model again (`build`).

use super::build::{Builder, fingerprint};
use super::conversation::{Body, SpanMessages};
use super::extract::{Extracted, Part, extract};
use super::{Message, Value};
use std::collections::HashSet;

/// The words of an agent or a chain.
pub(super) struct Repeated<'a> {
    turn: usize,
    /// Index of the outermost span around it.
    root: usize,
    span: &'a SpanMessages,
    words: Extracted,
}

impl<'a> Builder<'a> {
    /// Keeps the words of an agent or a chain for [`Builder::show_repeated`].
    pub(super) fn put_off(&mut self, turn: usize, at: usize, span: &'a SpanMessages, words: Extracted) {
        let root = self.root_of(at);
        self.repeated.push(Repeated { turn, root, span, words });
    }

    /// Shows those words of agents and chains that no model call of the same trace said: input before everything else, output after it.
    pub(super) fn show_repeated(&mut self) {
        let turns: Vec<usize> = (0..self.turns.len()).map(|turn| self.root_of_turn(turn)).collect();
        for Repeated { turn, root, span, words } in std::mem::take(&mut self.repeated) {
            let is_new = |builder: &Builder<'_>, message: &Message| {
                let here = builder.counts_by_turn.iter().zip(&turns).filter(|(_, of)| **of == root);
                !here.into_iter().any(|(counts, _)| counts.contains_key(&fingerprint(message)))
            };
            let mut first = 0;
            for message in words.input {
                if is_new(self, &message)
                    && self.show(turn, span, message).is_some()
                    && let Some(entries) = self.turns.get_mut(turn).and_then(|turn| turn.entries.get_mut(first..))
                {
                    entries.rotate_right(1);
                    first += 1;
                }
            }
            for message in words.output {
                if is_new(self, &message) {
                    self.show(turn, span, message);
                }
            }
            let said = |value: &Value| value.as_str().is_some_and(|text| self.has_said(turn, text));
            let other = words.other.into_iter().filter(|(_, value)| !said(value)).collect();
            self.take_other(turn, span, other);
        }
    }

    /// Takes a model call that instrumentation states. The calls within it are those of a server behind a client's call, or of the steps of
    /// one request: they add what the outer call does not say, in between its input and its answer.
    pub(super) fn take_call(&mut self, turn: usize, span: &SpanMessages, mut words: Extracted, below: &[(&SpanMessages, Part)]) {
        if let Some((inner, _)) = below.iter().find(|(_, part)| *part == Part::Inference) {
            let first = extract(inner, Part::Inference);
            words.model = words.model.or(first.model);
            if words.tools.is_empty() {
                words.tools = first.tools;
            }
            // A server adds what it remembers of the conversation to what the client sends.
            let known: HashSet<u64> = first.input.iter().map(fingerprint).collect();
            let is_in = |message: &Message| known.contains(&fingerprint(message));
            if first.input.len() > words.input.len() && words.input.iter().all(is_in) {
                words.input = first.input;
            }
        }
        self.take_input(turn, span, std::mem::take(&mut words.input), false);
        self.show_handed_in(Some(turn));
        self.show_asked(turn, span, &mut words);
        let mut failure = span.failure.clone();
        let answers: Vec<String> = words.output.iter().map(|message| message.text.trim().to_owned()).collect();
        let mut has_inner = false;
        for (inner, _) in below.iter().filter(|(_, part)| *part == Part::Inference) {
            let inner_words = extract(inner, Part::Inference);
            self.take_input(turn, inner, inner_words.input, false);
            for message in inner_words.output {
                let is_repeated = message.tool_calls.is_empty() && answers.iter().any(|text| *text == message.text.trim());
                if !is_repeated && !self.has_shown(turn, &message) {
                    self.show(turn, inner, message);
                    has_inner = true;
                }
            }
            if answers.is_empty() {
                failure = failure.or_else(|| inner.failure.clone());
            }
        }
        if has_inner && words.output.is_empty() && failure.is_none() {
            return;
        }
        self.show_answer(turn, span, words, failure, span.spent);
    }

    /// Takes a call that computes embeddings: nobody says anything in it, but the texts may be recorded.
    pub(super) fn take_embedding(&mut self, turn: usize, span: &SpanMessages, words: Extracted) {
        let texts: Vec<String> = words.input.into_iter().map(|message| message.text).chain(words.texts).collect();
        if !texts.is_empty() {
            self.push(turn, span, Body::Embedded(texts));
        }
        self.take_other(turn, span, words.other);
        if let Some(failure) = &span.failure {
            self.push(turn, span, Body::Failed(failure.clone()));
        }
    }

    fn root_of(&self, at: usize) -> usize {
        let mut root = at;
        while let Some(parent) = self.spans.get(root).and_then(|span| span.parent).filter(|parent| *parent < root) {
            root = parent;
        }
        root
    }

    fn root_of_turn(&self, turn: usize) -> usize {
        let span_id = self.turns.get(turn).map(|turn| &turn.span_id);
        let at = self.spans.iter().position(|span| Some(&span.span_id) == span_id);
        at.map_or(usize::MAX, |at| self.root_of(at))
    }

    fn has_shown(&self, turn: usize, message: &Message) -> bool {
        self.counts_by_turn.get(turn).is_some_and(|counts| counts.contains_key(&fingerprint(message)))
    }

    /// Whether a message with this text is shown in a turn.
    fn has_said(&self, turn: usize, text: &str) -> bool {
        let entries = self.turns.get(turn).map(|turn| turn.entries.as_slice()).unwrap_or_default();
        entries.iter().any(|entry| matches!(&entry.body, Body::Message { message, .. } if message.text.trim() == text.trim()))
    }
}
