//! A trace as Chrome trace events, which Perfetto and speedscope open.
//!
//! A trace becomes a process. Slices of a thread must nest: spans that do are slices of its single thread; spans that overlap others become
//! asynchronous begin/end pairs with an id, together with their descendants. Not here: the meaning of spans; only their times matter.

use super::TraceWriter;
use quipu_model::{Number, Value};
use quipu_otlp::values::{FullSpan, FullTrace};
use quipu_otlp::values::{attributes, map, number, print, text};
use quipu_protocol::FileFormat;
use std::collections::{BTreeMap, HashMap};

pub(super) fn writer(format: FileFormat, _: bool) -> Option<Box<dyn TraceWriter>> {
    (format == FileFormat::Chrome).then(|| Box::<Events>::default() as Box<dyn TraceWriter>)
}

/// One JSON object with a list of the events of all traces.
#[derive(Default)]
struct Events {
    /// Number of traces so far, which is also the process id of the last one.
    traces: u64,
    clock: Clock,
}

impl TraceWriter for Events {
    fn head(&self) -> String {
        "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [".to_owned()
    }

    fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        let between = if self.traces == 0 { "\n" } else { ",\n" };
        self.traces += 1;
        let events = events(trace, self.traces, &mut self.clock);
        (between.to_owned() + &events.iter().map(print).collect::<Vec<_>>().join(",\n")).into_bytes()
    }

    fn tail(&self) -> &'static str {
        "\n]}\n"
    }
}

/// Times are relative to the first one: a double can't hold microseconds since 1970 with fractions.
#[derive(Default)]
struct Clock(Option<u64>);

impl Clock {
    /// Microseconds with three decimal places.
    fn micros(&self, nanos: u64) -> Option<Value> {
        let since = i128::from(nanos) - i128::from(self.0.unwrap_or(0));
        let (sign, since) = if since < 0 { ("-", -since) } else { ("", since) };
        Some(Value::Number(Number(format!("{sign}{}.{:03}", since / 1_000, since % 1_000))))
    }
}

/// How a span is represented.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drawn {
    /// A slice of the thread.
    Slice,
    /// A begin/end pair, with an id derived from the index of this span.
    Pair(usize),
}

fn events(trace: &FullTrace, process: u64, clock: &mut Clock) -> Vec<Value> {
    let times: Vec<Option<(u64, u64)>> = trace
        .spans
        .iter()
        .map(|span| {
            let start = span.start_nanos(trace)?;
            Some((start, span.end_nanos(trace).unwrap_or(start).max(start)))
        })
        .collect();
    if let Some(first) = times.iter().flatten().map(|(start, _)| *start).min() {
        clock.0.get_or_insert(first);
    }
    let meta = |what: &str, name: String| {
        let arguments = map([("name", text(name))]);
        map([
            ("ph", text("M")),
            ("name", text(what)),
            ("pid", number(process)),
            ("tid", number(1)),
            ("args", Some(arguments)),
        ])
    };
    let root = trace.spans.iter().find(|span| span.span.parent_span_id.is_none()).and_then(|span| span.span.name.as_deref());
    let mut out = vec![
        meta("process_name", format!("{} {}", root.unwrap_or("trace"), trace.trace_id)),
        meta("thread_name", "spans".into()),
    ];
    let mut timed: Vec<(u64, Value)> = Vec::new();
    // Open pairs of each id, the innermost last.
    let mut open: BTreeMap<usize, Vec<(u64, Value)>> = BTreeMap::new();
    for (at, drawn) in arrange(trace, &times) {
        let (Some(full), Some(Some((start, end)))) = (trace.spans.get(at), times.get(at)) else { continue };
        let of = |phase: &str, at: u64, rest: [(&str, Option<Value>); 3]| {
            let [one, two, three] = rest;
            map([
                ("ph", text(phase)),
                ("cat", text("span")),
                ("name", text(full.span.name.clone().unwrap_or_default())),
                ("pid", number(process)),
                ("tid", number(1)),
                ("ts", clock.micros(at)),
                one,
                two,
                three,
            ])
        };
        let arguments = Some(arguments(full));
        match drawn {
            Drawn::Slice => {
                let duration = Value::Number(Number(format!("{}.{:03}", (end - start) / 1_000, (end - start) % 1_000)));
                timed.push((*start, of("X", *start, [("dur", Some(duration)), ("args", arguments), ("id", None)])));
            }
            Drawn::Pair(first) => {
                let id = || trace.spans.get(first).and_then(|span| text(span.span.span_id.as_str()));
                let ends = open.entry(first).or_default();
                while let Some(ended) = ends.pop_if(|(end, _)| *end <= *start) {
                    timed.push(ended);
                }
                ends.push((*end, of("e", *end, [("id", id()), ("args", None), ("dur", None)])));
                timed.push((*start, of("b", *start, [("id", id()), ("args", arguments), ("dur", None)])));
            }
        }
        for (event, nanos) in full.events.iter().zip(full.event_nanos(trace)) {
            let Some(nanos) = nanos else { continue };
            let event = map([
                ("ph", text("i")),
                ("s", text("t")),
                ("cat", text("event")),
                ("name", text(event.name.clone().unwrap_or_default())),
                ("pid", number(process)),
                ("tid", number(1)),
                ("ts", clock.micros(nanos)),
                ("args", Some(Value::Map(attributes(event.attributes.as_deref())))),
            ]);
            timed.push((nanos, event));
        }
    }
    timed.extend(open.into_values().flat_map(|ends| ends.into_iter().rev()));
    // Stable: viewers sort by time only, and an inner pair has to end before an outer one.
    timed.sort_by_key(|(nanos, _)| *nanos);
    out.extend(timed.into_iter().map(|(_, event)| event));
    out
}

/// The spans that have times, earliest first, and how each is represented.
fn arrange(trace: &FullTrace, times: &[Option<(u64, u64)>]) -> Vec<(usize, Drawn)> {
    let mut depth: HashMap<&str, usize> = HashMap::new();
    for (at, span) in trace.spans.iter().enumerate() {
        depth.insert(&span.span.span_id, at);
    }
    let mut order: Vec<(u64, u64, usize)> =
        times.iter().enumerate().filter_map(|(at, time)| time.map(|(start, end)| (start, u64::MAX - end, at))).collect();
    // Of spans with the same start the longer one is the outer; if they also have the same end, the later one in the file.
    order.sort_unstable_by_key(|(start, end, at)| (*start, *end, usize::MAX - at));
    let mut drawn: HashMap<usize, Drawn> = HashMap::new();
    // End times of what is open: slices of the thread, and pairs by id.
    let mut open: HashMap<Option<usize>, Vec<u64>> = HashMap::new();
    let mut out = Vec::with_capacity(order.len());
    for (start, end, at) in order {
        let end = u64::MAX - end;
        let parent = trace.spans.get(at).and_then(|span| span.span.parent_span_id.as_deref()).and_then(|parent| depth.get(parent));
        let below = match parent.and_then(|parent| drawn.get(parent)) {
            Some(Drawn::Pair(first)) => Some(*first),
            _ => None,
        };
        let stack = open.entry(below).or_default();
        while stack.last().is_some_and(|last| *last <= start) {
            stack.pop();
        }
        let nests = stack.last().is_none_or(|last| end <= *last);
        let how = match (nests, below) {
            (true, None) => Drawn::Slice,
            (true, Some(first)) => Drawn::Pair(first),
            (false, _) => Drawn::Pair(at),
        };
        let stack = if nests { stack } else { open.entry(Some(at)).or_default() };
        stack.push(end);
        drawn.insert(at, how);
        out.push((at, how));
    }
    out
}

fn arguments(full: &FullSpan) -> Value {
    let span = &full.span;
    let mut entries = vec![("span_id".to_owned(), Value::Text(span.span_id.clone()))];
    for (key, value) in [("parent_span_id", &span.parent_span_id), ("status", &span.status), ("kind", &span.kind)] {
        entries.extend(value.as_ref().map(|value| (key.to_owned(), Value::Text(value.clone()))));
    }
    entries.extend(attributes(span.attributes.as_deref()));
    Value::Map(entries)
}
