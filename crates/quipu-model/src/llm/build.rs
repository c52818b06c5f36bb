//! Builds a conversation from the spans of a trace or session.
//!
//! Messages are recorded repeatedly: by the router's span below an agent's step, and in every list of messages sent to a model, which
//! includes all earlier ones. Each is shown once. Not here: reading a span (`extract`).

use super::Message;
use super::conversation::{Body, Chunk, Conversation, Entry, Shield, SpanMessages, ToolResult, Turn, Verdict};
use super::extract::{Extracted, Part, extract, part};
use super::is_agent_step;
use super::repeats::Repeated;
use crate::{SpanKind, Spent, Value};
use std::collections::HashMap;

/// Builds the conversation in `spans`, which must be in tree order: parents before their children, siblings by start, one trace after
/// another.
pub fn conversation(spans: &[SpanMessages]) -> Conversation {
    let parts: Vec<Option<(Part, bool)>> = spans.iter().map(part).collect();
    let mut builder = Builder {
        spans,
        parts,
        turns: Vec::new(),
        counts: HashMap::new(),
        counts_by_turn: Vec::new(),
        calls: Vec::new(),
        unpaired: Vec::new(),
        handed_in: Vec::new(),
        repeated: Vec::new(),
        is_mixed: false,
        asked: None,
    };
    let mut place = Vec::with_capacity(spans.len());
    for (at, span) in spans.iter().enumerate() {
        // A parent that comes after its child would be part of a cycle, so it is ignored.
        let parent = span.parent.filter(|parent| *parent < at);
        place.push(builder.place(at, parent, &place));
    }
    builder.is_mixed = place.iter().enumerate().any(|(at, place)| builder.is_nested_step(at) && place.turn == at);
    for at in 0..spans.len() {
        builder.take(at, &place);
    }
    builder.show_handed_in(None);
    builder.show_repeated();
    for turn in &mut builder.turns {
        turn.entries.retain(|entry| !matches!(&entry.body, Body::Earlier(messages) if messages.is_empty()));
    }
    builder.turns.retain(|turn| !turn.entries.is_empty() || turn.failure.is_some() && turn.kind == SpanKind::Turn);
    Conversation { turns: builder.turns }
}

/// Where a span belongs in the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    /// Index of the turn's span.
    turn: usize,
    /// Index of the step's span, which may be the span itself; `None` outside any step.
    step: Option<usize>,
}

pub(super) struct Builder<'a> {
    pub(super) spans: &'a [SpanMessages],
    /// The role of each span, and whether instrumentation states it.
    parts: Vec<Option<(Part, bool)>>,
    pub(super) turns: Vec<Turn>,
    /// Number of times each message was shown, by fingerprint.
    counts: HashMap<u64, u32>,
    /// The same for each turn. A message visible in a turn is not repeated there.
    pub(super) counts_by_turn: Vec<HashMap<u64, u32>>,
    /// Tool calls shown so far.
    calls: Vec<OpenCall>,
    /// Tool results shown before their call: call id, turn, entry.
    unpaired: Vec<(String, usize, usize)>,
    /// Input of turns that is not shown yet: turn, span, message.
    handed_in: Vec<(usize, &'a SpanMessages, Message)>,
    /// Words of agents and chains, which mostly repeat those of their model calls: they are shown at the end, if no call said them.
    pub(super) repeated: Vec<Repeated<'a>>,
    /// Whether steps of concurrent requests are nested in each other.
    is_mixed: bool,
    /// Model, parameters and tools of the previous call.
    asked: Option<Body>,
}

struct OpenCall {
    call_id: Option<String>,
    tool_name: String,
    turn: usize,
    entry: usize,
    number: usize,
}

impl<'a> Builder<'a> {
    fn place(&mut self, at: usize, parent: Option<usize>, places: &[Position]) -> Position {
        let above = parent.and_then(|parent| places.get(parent)).copied();
        // An agent's steps are sequential, so a nested step belongs to another agent that ran at the same time. It becomes a turn of its
        // own.
        if self.is_step(at) && above.and_then(|above| above.step).is_some_and(|step| self.is_step(step)) {
            return Position { turn: at, step: Some(at) };
        }
        let turn = match above {
            Some(above) if self.part(at) != Some(Part::Turn) || self.spans.get(at).is_none_or(|span| !span.is_request) => above.turn,
            _ => at,
        };
        // A step below another step of the same turn records the same call again, one layer down; but where instrumentation states what
        // a span is, a tool that runs within a model call is a step of its own.
        let around = above.filter(|above| above.turn == turn).and_then(|above| above.step);
        let is_another = |step: &usize| self.part(*step) != self.part(at) && (self.is_stated(at) || self.is_stated(*step));
        let step = match (self.part(at), around.filter(|step| self.part(at).is_none_or(|part| part == Part::Turn) || !is_another(step))) {
            (_, Some(step)) => Some(step),
            (Some(Part::Turn) | None, None) => None,
            (Some(_), None) => Some(at),
        };
        Position { turn, step }
    }

    fn part(&self, at: usize) -> Option<Part> {
        self.parts.get(at).copied().flatten().map(|(part, _)| part)
    }

    /// Whether instrumentation states the role of a span.
    fn is_stated(&self, at: usize) -> bool {
        self.parts.get(at).copied().flatten().is_some_and(|(_, is_stated)| is_stated)
    }

    fn is_step(&self, at: usize) -> bool {
        self.spans.get(at).is_some_and(|span| is_agent_step(&span.name))
    }

    fn is_nested_step(&self, at: usize) -> bool {
        self.is_step(at) && self.spans.get(at).is_some_and(|span| span.parent.is_some())
    }

    /// Index of the turn of the span `root`, which is created if needed. `None` without that span.
    fn turn(&mut self, root: usize) -> Option<usize> {
        let span = self.spans.get(root)?;
        if let Some(found) = self.turns.iter().rposition(|turn| turn.span_id == span.span_id) {
            return Some(found);
        }
        self.turns.push(Turn {
            span_id: span.span_id.clone(),
            name: span.name.clone(),
            kind: span.kind,
            start: span.start,
            duration_nanos: span.duration_nanos,
            agent: None,
            session_id: None,
            turn_id: None,
            failure: if self.is_step(root) { None } else { span.failure.clone() },
            note: self.is_nested_step(root).then(|| {
                "This step was recorded below a step of a concurrent request; it is unclear which agent’s turn it belongs to.".into()
            }),
            entries: Vec::new(),
        });
        Some(self.turns.len() - 1)
    }

    pub(super) fn push(&mut self, turn: usize, span: &SpanMessages, body: Body) -> usize {
        let entry = Entry { span_id: span.span_id.clone(), start: span.start, duration_nanos: span.duration_nanos, spent: None, body };
        let Some(turn) = self.turns.get_mut(turn) else { return 0 };
        turn.entries.push(entry);
        turn.entries.len() - 1
    }

    fn take(&mut self, at: usize, places: &[Position]) {
        let (Some(part), Some(span), Some(place)) = (self.part(at), self.spans.get(at), places.get(at)) else { return };
        let Some(turn) = self.turn(place.turn) else { return };
        let mut words = extract(span, part);
        if let Some(turn) = self.turns.get_mut(turn) {
            for (slot, found) in [
                (&mut turn.agent, &mut words.agent),
                (&mut turn.session_id, &mut words.session_id),
                (&mut turn.turn_id, &mut words.turn_id),
            ] {
                if slot.is_none() {
                    *slot = found.take();
                }
            }
        }
        if part == Part::Turn {
            return if self.is_stated(at) { self.put_off(turn, at, span, words) } else { self.take_turn(turn, span, words) };
        }
        if place.step != Some(at) {
            return;
        }
        // Lower layers of this step supply data that is missing in the step itself.
        let below: Vec<_> = (places.iter().zip(self.spans.iter().zip(&self.parts)).skip(at + 1))
            .take_while(|(below, _)| below.turn == place.turn)
            .filter(|(below, _)| below.step == Some(at))
            .filter_map(|(_, (span, part))| Some((span, (*part)?.0)))
            .collect();
        match part {
            Part::Inference if self.is_stated(at) => self.take_call(turn, span, words, &below),
            Part::Inference => self.take_inference(turn, span, words, &below),
            Part::Embedding => self.take_embedding(turn, span, words),
            Part::Tool => self.take_tool(turn, span, words, &below),
            Part::Shield => self.take_shield(turn, span, words, &below),
            Part::Retrieval => self.take_retrieval(turn, span, words, &below),
            Part::Turn => {}
        }
    }

    fn take_turn(&mut self, turn: usize, span: &'a SpanMessages, words: Extracted) {
        if words.input.is_empty() && words.output.is_empty() && words.other.is_empty() {
            return;
        }
        // Results of calls that are only recorded in the model's input; they are shown in chronological order, so they wait. With mixed
        // requests, the input of a turn may even have been recorded on another turn's span.
        let waits = |message: &Message| self.is_mixed || message.role == "tool" && !self.has_call(message);
        let (results, input) = words.input.into_iter().partition(waits);
        self.handed_in.extend(Vec::into_iter(results).map(|message| (turn, span, message)));
        self.take_input(turn, span, input, true);
        for message in words.output {
            self.show(turn, span, message);
        }
        self.take_other(turn, span, words.other);
    }

    fn has_call(&self, message: &Message) -> bool {
        message.call_id.is_some() && self.calls.iter().any(|call| call.call_id == message.call_id)
    }

    /// Shows input that was waiting for its calls: of one turn, or everything that is left.
    pub(super) fn show_handed_in(&mut self, of_turn: Option<usize>) {
        for (turn, span, message) in std::mem::take(&mut self.handed_in) {
            if of_turn.is_some_and(|of| of != turn) {
                self.handed_in.push((turn, span, message));
                continue;
            }
            let is_told = |counts: &HashMap<u64, u32>| counts.contains_key(&fingerprint(&message));
            if self.counts_by_turn.get(turn).is_some_and(is_told) {
                continue;
            }
            if !self.is_mixed {
                self.show(turn, span, message);
            } else if of_turn.is_some() {
                // It may belong to another step.
                self.handed_in.push((turn, span, message));
            } else if is_told(&self.counts) {
                if let Some(turn) = self.turns.get_mut(turn) {
                    turn.note = Some(
                        "The server mixed up concurrent requests: this one’s input was sent to the model in another step, and is shown \
                         there."
                            .into(),
                    );
                }
            } else if let (Some(_), Some(turn)) = (self.show(turn, span, message), self.turns.get_mut(turn)) {
                turn.entries.rotate_right(1);
            }
        }
    }

    pub(super) fn take_other(&mut self, turn: usize, span: &SpanMessages, other: Vec<(String, Value)>) {
        for (key, value) in other {
            self.push(turn, span, Body::Other { key, value });
        }
    }

    /// Adds input messages. Messages shown before, and messages from before this conversation, are folded.
    pub(super) fn take_input(&mut self, turn: usize, span: &SpanMessages, input: Vec<Message>, is_request: bool) {
        let mut left = self.counts.clone();
        let mut is_new: Vec<bool> = input
            .iter()
            .map(|message| match left.get_mut(&fingerprint(message)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            })
            .collect();
        // In an agent's turn, messages before one that was already shown, or before the last user message, are from earlier turns.
        let is_agent = self.turns.get(turn).is_some_and(|turn| turn.kind == SpanKind::Turn);
        let last_word = input.iter().rposition(|message| message.role == "user");
        // A separate request without new messages repeats an earlier one; its last user message is shown again.
        if !is_agent
            && is_new.iter().all(|new| !new)
            && let Some(place) = last_word
            && let (Some(message), Some(is_new)) = (input.get(place), is_new.get_mut(place))
        {
            *is_new = self.counts_by_turn.get(turn).is_none_or(|here| !here.contains_key(&fingerprint(message)));
        }
        let known = is_new.iter().rposition(|new| !new).or(last_word.filter(|_| is_agent)).filter(|_| !is_request);
        let mut folded = Vec::new();
        let mut seen = self.counts_by_turn.get(turn).cloned().unwrap_or_default();
        for (place, (message, new)) in input.into_iter().zip(is_new).enumerate() {
            let is_past = known.is_some_and(|known| place < known) && message.role != "system";
            if !new || is_past {
                if new {
                    *self.counts.entry(fingerprint(&message)).or_default() += 1;
                }
                match seen.get_mut(&fingerprint(&message)) {
                    Some(count) if *count > 0 => *count -= 1,
                    _ => folded.push(message),
                }
                continue;
            }
            if !folded.is_empty() {
                self.fold(turn, span, std::mem::take(&mut folded));
            }
            self.show(turn, span, message);
        }
        if !folded.is_empty() {
            self.fold(turn, span, folded);
        }
    }

    /// Adds a folded list of messages. It comes before the user's message if only user and system messages are there yet.
    fn fold(&mut self, turn: usize, span: &SpanMessages, messages: Vec<Message>) {
        let place = self.turns.get(turn).and_then(|turn| {
            let words = turn.entries.iter().position(is_words_of_user)?;
            let (before, after) = turn.entries.split_at(words);
            (before.iter().all(is_words_of_system) && after.iter().all(is_words_of_user)).then_some(words)
        });
        messages.iter().for_each(|message| self.count_in_turn(turn, message));
        self.push(turn, span, Body::Earlier(messages));
        if let (Some(place), Some(turn)) = (place, self.turns.get_mut(turn))
            && let Some(from_there) = turn.entries.get_mut(place..)
        {
            from_there.rotate_right(1);
        }
    }

    fn remember(&mut self, turn: usize, message: &Message) {
        *self.counts.entry(fingerprint(message)).or_default() += 1;
        self.count_in_turn(turn, message);
    }

    /// Marks a message as visible in a turn.
    fn count_in_turn(&mut self, turn: usize, message: &Message) {
        if self.counts_by_turn.len() <= turn {
            self.counts_by_turn.resize_with(turn + 1, HashMap::new);
        }
        if let Some(here) = self.counts_by_turn.get_mut(turn) {
            *here.entry(fingerprint(message)).or_default() += 1;
        }
    }

    /// Shows a message for the first time. A tool result is attached to its call instead, if possible. Returns the entry.
    pub(super) fn show(&mut self, turn: usize, span: &SpanMessages, message: Message) -> Option<usize> {
        self.remember(turn, &message);
        if message.role == "tool" {
            let result = ToolResult::handed_in(span.span_id.clone(), message.text.clone());
            if self.answer(message.call_id.as_deref(), message.tool_name.as_deref(), result) {
                return None;
            }
        }
        let calls: Vec<_> = message.tool_calls.iter().map(|call| (call.call_id.clone(), call.tool_name.clone())).collect();
        let results: Vec<_> = calls.iter().map(|(call_id, _)| self.take_unpaired(call_id.as_deref())).collect();
        let answers = message.call_id.clone().filter(|_| message.role == "tool");
        // The system message comes first, even if the request only recorded the user's message before it.
        let is_opening = message.role == "system" && self.turns.get(turn).is_some_and(|turn| turn.entries.iter().all(is_words_of_user));
        let entry = self.push(turn, span, Body::Message { message, results });
        if let (true, Some(turn)) = (is_opening, self.turns.get_mut(turn)) {
            turn.entries.rotate_right(1);
            return Some(0);
        }
        self.unpaired.extend(answers.map(|call_id| (call_id, turn, entry)));
        for (number, (call_id, tool_name)) in calls.into_iter().enumerate() {
            self.calls.push(OpenCall { call_id, tool_name, turn, entry, number });
        }
        Some(entry)
    }

    /// Takes the result of a call that came before the call itself. With merged requests, the start of one is recorded after the end of the
    /// other.
    fn take_unpaired(&mut self, call_id: Option<&str>) -> Option<ToolResult> {
        let at = self.unpaired.iter().position(|(waiting, _, _)| Some(waiting.as_str()) == call_id)?;
        let (_, turn, entry) = self.unpaired.swap_remove(at);
        let entry = self.turns.get_mut(turn)?.entries.get_mut(entry)?;
        let span_id = entry.span_id.clone();
        match std::mem::replace(&mut entry.body, Body::Earlier(Vec::new())) {
            Body::Message { message, .. } => Some(ToolResult::handed_in(span_id, message.text)),
            other => {
                entry.body = other;
                None
            }
        }
    }

    /// Attaches a result to its call: by call id, or else to the first call of that tool without a result. Returns whether there is such a
    /// call. An existing result is only completed, because the same result is sent to the model again.
    fn answer(&mut self, call_id: Option<&str>, tool_name: Option<&str>, result: ToolResult) -> bool {
        let mut waits = |call: &OpenCall| match self
            .turns
            .get_mut(call.turn)
            .and_then(|turn| turn.entries.get_mut(call.entry))
            .map(|entry| &mut entry.body)
        {
            Some(Body::Message { results, .. }) => results.get_mut(call.number).map(|slot| slot.is_none()),
            _ => None,
        };
        let found = match call_id {
            Some(id) => self.calls.iter().rposition(|call| call.call_id.as_deref() == Some(id)),
            None => None,
        };
        let found = found.or_else(|| {
            let by_order = |call: &OpenCall| {
                let same_id = call_id.is_none() || call.call_id.is_none();
                let same_tool = tool_name.is_none_or(|name| name == call.tool_name);
                same_id && same_tool && waits(call) == Some(true)
            };
            self.calls.iter().position(by_order)
        });
        // A tool's span without the answer is that of the latest call that was answered in words only.
        let found = found.or_else(|| {
            let is_bare = |call: &OpenCall| self.result_of(call).is_some_and(|kept| kept.duration_nanos.is_none());
            let same_tool = |call: &OpenCall| tool_name == Some(call.tool_name.as_str()) && is_bare(call);
            if call_id.is_none() && result.text.is_none() { self.calls.iter().rposition(same_tool) } else { None }
        });
        let Some(call) = found.and_then(|found| self.calls.get(found)) else { return false };
        let entry = self.turns.get_mut(call.turn).and_then(|turn| turn.entries.get_mut(call.entry));
        if let Some(Body::Message { results, .. }) = entry.map(|entry| &mut entry.body)
            && let Some(slot) = results.get_mut(call.number)
        {
            match slot {
                None => *slot = Some(result),
                // A result from a message has no time and no chunks; the tool's span has more.
                Some(kept) if kept.duration_nanos.is_none() && result.duration_nanos.is_some() => {
                    let text = result.text.or_else(|| kept.text.take());
                    *kept = ToolResult { text, ..result };
                }
                // A tool's span may lack the result, which was then sent to the model.
                Some(kept) => kept.text = kept.text.take().or(result.text),
            }
        }
        true
    }

    /// The result of a call, if it has one.
    fn result_of(&self, call: &OpenCall) -> Option<&ToolResult> {
        match &self.turns.get(call.turn)?.entries.get(call.entry)?.body {
            Body::Message { results, .. } => results.get(call.number)?.as_ref(),
            _ => None,
        }
    }

    fn take_inference(&mut self, turn: usize, span: &SpanMessages, mut words: Extracted, below: &[(&SpanMessages, Part)]) {
        let mut spent = span.spent;
        let mut failure = span.failure.clone();
        for (lower, _) in below.iter().filter(|(_, part)| *part == Part::Inference) {
            let lower_words = extract(lower, Part::Inference);
            spent = spent.or(lower.spent);
            failure = failure.or_else(|| lower.failure.clone());
            if words.input.is_empty() {
                words.input = lower_words.input;
            }
            if words.output.is_empty() {
                words.output = lower_words.output;
            }
            words.model = words.model.or(lower_words.model);
            if words.parameters.is_empty() {
                words.parameters = lower_words.parameters;
            }
            if words.tools.is_empty() {
                words.tools = lower_words.tools;
            }
            words.streamed |= lower_words.streamed;
        }
        self.take_input(turn, span, std::mem::take(&mut words.input), false);
        self.show_handed_in(Some(turn));
        self.show_asked(turn, span, &mut words);
        self.show_answer(turn, span, words, failure, spent);
    }

    /// Shows what was asked, if that changed.
    pub(super) fn show_asked(&mut self, turn: usize, span: &SpanMessages, words: &mut Extracted) {
        let (parameters, tools) = (std::mem::take(&mut words.parameters), std::mem::take(&mut words.tools));
        let asked = Body::Asked { model: words.model.take(), parameters, tools };
        let is_empty = matches!(&asked, Body::Asked { model: None, parameters, tools } if parameters.is_empty() && tools.is_empty());
        if !is_empty && self.asked.as_ref() != Some(&asked) {
            self.push(turn, span, asked.clone());
            self.asked = Some(asked);
        }
    }

    /// Shows what the model answered.
    pub(super) fn show_answer(
        &mut self,
        turn: usize,
        span: &SpanMessages,
        words: Extracted,
        failure: Option<String>,
        spent: Option<Spent>,
    ) {
        let (streamed, answered) = (words.streamed, !words.output.is_empty());
        let mut last = None;
        for message in words.output {
            last = self.show(turn, span, message).or(last);
        }
        let has_other = !words.other.is_empty();
        self.take_other(turn, span, words.other);
        if let Some(failure) = failure {
            last = Some(self.push(turn, span, Body::Failed(failure)));
        } else if !answered && !has_other {
            let text = if streamed { "The answer was streamed; the server did not record it." } else { "The answer was not recorded." };
            last = Some(self.push(turn, span, Body::Missing(text.into())));
        }
        if let Some(entry) = last.and_then(|last| self.turns.get_mut(turn)?.entries.get_mut(last)) {
            entry.spent = spent;
        }
    }

    fn take_tool(&mut self, turn: usize, span: &SpanMessages, mut words: Extracted, below: &[(&SpanMessages, Part)]) {
        let mut failure = span.failure.clone();
        let mut chunks = Vec::new();
        for (lower, part) in below {
            let lower_words = extract(lower, *part);
            failure = failure.or_else(|| lower.failure.clone());
            words.tool.name = words.tool.name.or(lower_words.tool.name);
            words.tool.result = words.tool.result.or(lower_words.tool.result);
            words.tool.arguments = words.tool.arguments.or(lower_words.tool.arguments);
            if chunks.is_empty() {
                chunks = lower_words.chunks;
            }
        }
        // Looking up tool groups and lists of tools creates spans of the same kind, in which no tool ran.
        let Some(tool_name) = words.tool.name else { return };
        let result =
            ToolResult { span_id: span.span_id.clone(), text: words.tool.result, failure, duration_nanos: span.duration_nanos, chunks };
        if let (Some(text), call_id) = (&result.text, &words.tool.call_id) {
            // The next list of messages contains it again.
            let again = Message { role: "tool".into(), text: text.clone(), call_id: call_id.clone(), ..Message::default() };
            self.remember(turn, &again);
        }
        if !self.answer(words.tool.call_id.as_deref(), Some(&tool_name), result.clone()) {
            self.push(turn, span, Body::Ran { tool_name, arguments: words.tool.arguments, result });
        }
        self.take_other(turn, span, words.other);
    }

    fn take_shield(&mut self, turn: usize, span: &SpanMessages, words: Extracted, below: &[(&SpanMessages, Part)]) {
        let mut shield_ids: Vec<String> = words.shield_id.into_iter().collect();
        let mut verdict = words.verdict;
        let mut failure = span.failure.clone();
        for (lower, _) in below.iter().filter(|(_, part)| *part == Part::Shield) {
            let lower_words = extract(lower, Part::Shield);
            failure = failure.or_else(|| lower.failure.clone());
            verdict = verdict.or(lower_words.verdict);
            shield_ids.extend(lower_words.shield_id.filter(|id| !shield_ids.contains(id)));
        }
        let no_shields = verdict == Some(Verdict::NoShields);
        if no_shields {
            return;
        }
        self.take_input(turn, span, words.input, false);
        let verdict = verdict.unwrap_or(Verdict::Unknown);
        if verdict != Verdict::Unknown || failure.is_none() {
            self.push(turn, span, Body::Checked(Shield { shield_ids, verdict }));
        }
        if let Some(failure) = failure {
            self.push(turn, span, Body::Failed(failure));
        }
    }

    fn take_retrieval(&mut self, turn: usize, span: &SpanMessages, words: Extracted, below: &[(&SpanMessages, Part)]) {
        let mut failure = span.failure.clone();
        let (mut query, mut chunks): (_, Vec<Chunk>) = (words.query, words.chunks);
        for (lower, _) in below.iter().filter(|(_, part)| *part == Part::Retrieval) {
            let lower_words = extract(lower, Part::Retrieval);
            failure = failure.or_else(|| lower.failure.clone());
            query = query.or(lower_words.query);
            if chunks.is_empty() {
                chunks = lower_words.chunks;
            }
        }
        if !chunks.is_empty() || words.tool.result.is_some() {
            self.push(turn, span, Body::Retrieved { query, chunks });
        }
        if let Some(failure) = failure {
            self.push(turn, span, Body::Failed(failure));
        }
    }
}

fn is_words_of_system(entry: &Entry) -> bool {
    matches!(&entry.body, Body::Message { message, .. } if message.role == "system")
}

fn is_words_of_user(entry: &Entry) -> bool {
    matches!(&entry.body, Body::Message { message, .. } if message.role == "user")
}

/// Equal for messages with the same content. Call ids distinguish equal calls; context and stop reason are ignored because not every copy
/// of a message has them.
pub(super) fn fingerprint(message: &Message) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    message.role.hash(&mut hasher);
    message.text.trim().hash(&mut hasher);
    message.call_id.hash(&mut hasher);
    for call in &message.tool_calls {
        call.call_id.hash(&mut hasher);
        call.tool_name.hash(&mut hasher);
    }
    hasher.finish()
}
