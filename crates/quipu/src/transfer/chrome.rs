//! Chrome's trace events: complete slices (`X`), pairs of a thread (`B`, `E`), pairs by id (`b`, `e`, and the older `S`, `F`), instants and
//! names.
//!
//! A process becomes a trace, and slices of a thread nest by their times. They wait until the input ends, since they may come in any order;
//! of a very long input, those before a limit are nested and written first. Counters, flows and samples are not spans; they are counted.

use super::dialect::{Dialect, Input, Reader};
use super::plain::{Origin, PlainEvent, PlainSpan, made_id, plain_id, put, put_all, scaled};
use quipu_model::Value;
use quipu_model::recorded::json_text;
use quipu_otlp::attributes::Object;
use quipu_otlp::fields::{field, text};
use quipu_otlp::rows::Rows;
use std::collections::{BTreeMap, HashMap};

pub(super) const DIALECT: Dialect = Dialect {
    name: "trace events of Chrome",
    content: "a trace event of Chrome",
    lists: &["traceEvents"],
    signs: &[(&["ph", "pid"], "traceEvents"), (&["ph", "ts"], "traceEvents")],
    start: |input| Box::new(Events { input, ..Events::default() }),
};

/// Bytes of waiting events after which those are written.
const LIMIT: usize = if cfg!(target_family = "wasm") { 64 << 20 } else { 256 << 20 };

/// A process, or a thread or an id in it.
type Key = (String, String);

/// A slice that waits.
struct Slice {
    process: String,
    thread: String,
    is_pair: bool,
    start: u64,
    end: Option<u64>,
    number: u64,
    /// Its number in a pair around it.
    above: Option<u64>,
    name: Option<String>,
    category: Option<String>,
    arguments: Vec<(String, Value)>,
    events: Vec<PlainEvent>,
}

#[derive(Default)]
struct Events {
    input: Input,
    slices: Vec<Slice>,
    /// Instants: their thread, and the event.
    instants: Vec<(Key, u64, PlainEvent)>,
    weight: usize,
    count: u64,
    /// Slices that have not ended, by thread, and pairs by id.
    open: HashMap<Key, Vec<Slice>>,
    open_pairs: HashMap<Key, Vec<Slice>>,
    /// Ends and ids of the slices around what comes next in a thread.
    around: HashMap<Key, Vec<(u64, String)>>,
    /// What processes and threads are called, and the traces that were exported as processes.
    process_names: HashMap<String, String>,
    thread_names: HashMap<Key, String>,
    traces: HashMap<String, String>,
    left_out: BTreeMap<&'static str, u64>,
}

impl Reader for Events {
    fn take(&mut self, rows: &mut Rows, _: &str, item: &Value) {
        let process = field(item, "pid").map_or_else(String::new, plain_text);
        let thread = field(item, "tid").map_or_else(String::new, plain_text);
        let phase = text(item, "ph").unwrap_or_default();
        let arguments = match field(item, "args") {
            Some(Value::Map(entries)) => entries.clone(),
            Some(Value::Null) | None => Vec::new(),
            Some(other) => vec![("args".to_owned(), other.clone())],
        };
        if phase == "M" {
            return self.name(item, process, thread);
        }
        let what = match phase.as_str() {
            "C" => "counter",
            "s" | "t" | "f" => "flow event",
            "P" => "sample",
            "X" | "B" | "E" | "b" | "e" | "n" | "S" | "F" | "T" | "p" | "i" | "I" | "R" => "",
            _ => "event of another kind",
        };
        if !what.is_empty() {
            *self.left_out.entry(what).or_default() += 1;
            return;
        }
        let Some(at) = scaled(field(item, "ts"), 3) else { return rows.problem("an event in it has no time") };
        self.count += 1;
        self.weight += 256 + arguments.iter().map(|(key, value)| key.len() + weight(value)).sum::<usize>();
        let key = (process.clone(), thread.clone());
        let slice = |end: Option<u64>, thread: String, is_pair: bool| Slice {
            process: process.clone(),
            thread,
            is_pair,
            start: at,
            end,
            number: self.count,
            above: None,
            name: text(item, "name"),
            category: text(item, "cat"),
            arguments: arguments.clone(),
            events: Vec::new(),
        };
        match phase.as_str() {
            "X" => {
                let end = at.saturating_add(scaled(field(item, "dur"), 3).unwrap_or(0));
                self.slices.push(slice(Some(end), thread, false));
            }
            "B" => {
                let slice = slice(None, thread, false);
                self.open.entry(key).or_default().push(slice);
            }
            "E" => match self.open.get_mut(&key).and_then(Vec::pop) {
                Some(open) => self.slices.push(ended(open, at, arguments)),
                None => rows.problem("an event in it ends a slice that has not begun"),
            },
            "b" | "S" => {
                let key = pair_key(item, &process);
                let mut slice = slice(None, key.1.clone(), true);
                let open = self.open_pairs.entry(key).or_default();
                slice.above = open.last().map(|above| above.number);
                open.push(slice);
            }
            "e" | "F" => match self.open_pairs.get_mut(&pair_key(item, &process)).and_then(Vec::pop) {
                Some(open) => self.slices.push(ended(open, at, arguments)),
                None => rows.problem("an event in it ends a slice that has not begun"),
            },
            _ => {
                let mut attributes = Object::new();
                put_all(&mut attributes, "", &Value::Map(arguments));
                let event = PlainEvent { name: text(item, "name").unwrap_or_default(), time: Some(at), attributes };
                match self.open_pairs.get_mut(&pair_key(item, &process)).and_then(|open| open.last_mut()) {
                    Some(open) if matches!(phase.as_str(), "n" | "T" | "p") => open.events.push(event),
                    _ => self.instants.push((key, at, event)),
                }
            }
        }
        if self.weight > LIMIT {
            self.write(rows);
        }
    }

    fn finish(&mut self, rows: &mut Rows) -> Vec<String> {
        let open = std::mem::take(&mut self.open).into_values().chain(std::mem::take(&mut self.open_pairs).into_values());
        self.slices.extend(open.flatten());
        self.write(rows);
        let counted = |(what, count): (&'static str, u64)| {
            format!("{} left out: they are not spans", quipu_model::format::counted(Some(count), what, &plural(what)))
        };
        std::mem::take(&mut self.left_out).into_iter().map(counted).collect()
    }
}

fn plural(what: &str) -> String {
    what.strip_suffix(" of another kind").map_or_else(|| format!("{what}s"), |what| format!("{what}s of other kinds"))
}

/// A slice at its end, which may have arguments too.
fn ended(mut slice: Slice, at: u64, arguments: Vec<(String, Value)>) -> Slice {
    slice.end = Some(at.max(slice.start));
    slice.arguments.retain(|(key, _)| arguments.iter().all(|(later, _)| later != key));
    slice.arguments.extend(arguments);
    slice
}

/// What pairs an event with others: its category and id.
fn pair_key(item: &Value, process: &str) -> Key {
    let id = field(item, "id").map(plain_text);
    let id = id.or_else(|| {
        let id = field(item, "id2")?;
        field(id, "local").or_else(|| field(id, "global")).map(plain_text)
    });
    (process.to_owned(), format!("{}:{}", text(item, "cat").unwrap_or_default(), id.unwrap_or_default()))
}

fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| json_text(value), str::to_owned)
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => 32 + text.len(),
        Value::List(items) => items.iter().map(|item| 32 + weight(item)).sum(),
        Value::Map(entries) => entries.iter().map(|(key, value)| 64 + key.len() + weight(value)).sum(),
        _ => 32,
    }
}

impl Events {
    fn name(&mut self, item: &Value, process: String, thread: String) {
        let arguments = field(item, "args").unwrap_or(&Value::Null);
        if let Some(trace) = plain_id(arguments.get("trace_id"), 16) {
            self.traces.insert(process.clone(), trace);
        }
        let Some(name) = text(arguments, "name") else { return };
        match text(item, "name").as_deref() {
            Some("process_name") => drop(self.process_names.insert(process, name)),
            Some("thread_name") => drop(self.thread_names.insert((process, thread), name)),
            _ => {}
        }
    }

    fn id(&self, slice: &Slice) -> String {
        own_id(slice).unwrap_or_else(|| self.made(&slice.process, slice.number))
    }

    fn made(&self, process: &str, number: u64) -> String {
        made_id(&["chrome", &self.input.number.to_string(), process, &number.to_string()], 8)
    }

    /// Nests and writes what waits. The slices around what comes next are remembered.
    fn write(&mut self, rows: &mut Rows) {
        self.weight = 0;
        let mut slices = std::mem::take(&mut self.slices);
        let mut instants = std::mem::take(&mut self.instants);
        // Of slices with the same start the longer one is the outer, or else the one that came first.
        slices.sort_by_key(|slice| (slice.start, u64::MAX - slice.end.unwrap_or(u64::MAX), slice.number));
        instants.sort_by_key(|(_, at, _)| *at);
        let mut instants = instants.into_iter().peekable();
        let mut inside: Vec<(usize, PlainEvent)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut parents = Vec::with_capacity(slices.len());
        for at in 0..=slices.len() {
            let slice = slices.get(at);
            while let Some((key, time, event)) = instants.next_if(|(_, time, _)| slice.is_none_or(|slice| *time < slice.start)) {
                let around = self.around.entry(key).or_default();
                around.retain(|(end, _)| *end >= time);
                match around.last().and_then(|(_, id)| places.get(id)) {
                    Some(place) => inside.push((*place, event)),
                    None => *self.left_out.entry("instant outside of any slice").or_default() += 1,
                }
            }
            let Some(slice) = slice else { break };
            let id = self.id(slice);
            places.insert(id.clone(), at);
            if slice.is_pair {
                parents.push(slice.above.map(|number| self.made(&slice.process, number)));
                continue;
            }
            let end = slice.end.unwrap_or(u64::MAX);
            let around = self.around.entry((slice.process.clone(), slice.thread.clone())).or_default();
            around.retain(|(until, _)| *until > slice.start);
            parents.push(around.iter().rev().find(|(until, _)| *until >= end).map(|(_, id)| id.clone()));
            around.push((end, id));
        }
        for (place, event) in inside {
            if let Some(slice) = slices.get_mut(place) {
                slice.events.push(event);
            }
        }
        for (slice, parent) in slices.into_iter().zip(parents) {
            self.add(slice, parent, rows);
        }
    }

    fn add(&self, slice: Slice, parent: Option<String>, rows: &mut Rows) {
        let process = &slice.process;
        let service = self.process_names.get(process);
        let trace = self.traces.get(process).cloned();
        let (own, span_id) = (own_id(&slice), self.id(&slice));
        let argument = |key: &str| slice.arguments.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        let said = |key: &str| argument(key).filter(|_| own.is_some()).and_then(Value::as_str).map(str::to_owned);
        let mut attributes = Object::new();
        for (key, value) in &slice.arguments {
            if own.is_none() || !OWN.contains(&key.as_str()) {
                put(&mut attributes, key, value);
            }
        }
        let mut origin = Origin::of_service(service.cloned());
        if own.is_none() {
            if let Some(category) = &slice.category {
                attributes.put_text("chrome.category", category);
            }
            if slice.is_pair {
                attributes.put_text("chrome.id", slice.thread.split_once(':').map_or("", |(_, id)| id));
            } else if !slice.thread.is_empty() {
                attributes.put_text("thread.id", &slice.thread);
                if let Some(name) = self.thread_names.get(&(process.clone(), slice.thread.clone())) {
                    attributes.put_text("thread.name", name);
                }
            }
            if !process.is_empty() {
                origin.resource.put_text("process.pid", process);
            }
        }
        let span = PlainSpan {
            trace_id: trace.unwrap_or_else(|| made_id(&["chrome", &self.input.number.to_string(), process], 16)),
            span_id,
            parent: if own.is_some() { plain_id(argument("parent_span_id"), 8) } else { parent },
            kind: said("kind"),
            status: said("status").and_then(|status| ["OK", "ERROR"].into_iter().find(|known| *known == status)),
            name: slice.name,
            start: Some(slice.start),
            end: slice.end,
            attributes,
            events: slice.events,
            ..PlainSpan::default()
        };
        span.add(origin, rows);
    }
}

/// What Quipu's own export of a span has among the arguments.
const OWN: [&str; 4] = ["span_id", "parent_span_id", "status", "kind"];

/// The id of a span that Quipu exported.
fn own_id(slice: &Slice) -> Option<String> {
    let id = slice.arguments.iter().find(|(key, _)| key == "span_id").map(|(_, value)| value)?.as_str()?;
    (id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_ascii_lowercase())
}
