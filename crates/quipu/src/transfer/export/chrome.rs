//! A trace as Chrome trace events, which Perfetto and speedscope open.
//!
//! A trace becomes a process. Slices of a thread must nest, and viewers draw those that do as a call in a call: a span is on the track of its
//! parent if it lies within it and beside no other, and otherwise on a track of its own. Not here: the meaning of spans.

use super::TraceWriter;
use quipu_model::{Number, Value};
use quipu_otlp::values::{FullSpan, FullTrace};
use quipu_otlp::values::{attributes, map, number, print, text};
use quipu_protocol::FileFormat;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

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
    let meta = |what: &str, thread: u64, arguments: Value| {
        map([
            ("ph", text("M")),
            ("name", text(what)),
            ("pid", number(process)),
            ("tid", number(thread)),
            ("args", Some(arguments)),
        ])
    };
    let placed = Tracks::of(trace, &times);
    let root = trace.spans.iter().find(|span| span.span.parent_span_id.is_none()).and_then(|span| span.span.name.as_deref());
    let name = format!("{} {}", root.unwrap_or("trace"), trace.trace_id);
    let mut out = vec![meta("process_name", 1, map([("name", text(name)), ("trace_id", text(trace.trace_id.as_str()))]))];
    for track in 1..=placed.open.len() as u64 {
        let name = if track == 1 { "spans".to_owned() } else { format!("spans {track}") };
        out.push(meta("thread_name", track, map([("name", text(name))])));
    }
    let mut timed: Vec<(u64, Value)> = Vec::new();
    for (at, track) in placed.spans {
        let (Some(full), Some(Some((start, end)))) = (trace.spans.get(at), times.get(at)) else { continue };
        let event = |phase: &str, category: &str, name: Option<&String>, nanos: u64, more: [(&str, Option<Value>); 2]| {
            let [one, two] = more;
            map([
                ("ph", text(phase)),
                ("cat", text(category)),
                ("name", text(name.cloned().unwrap_or_default())),
                ("pid", number(process)),
                ("tid", number(track as u64 + 1)),
                ("ts", clock.micros(nanos)),
                one,
                two,
            ])
        };
        let duration = Value::Number(Number(format!("{}.{:03}", (end - start) / 1_000, (end - start) % 1_000)));
        let more = [("dur", Some(duration)), ("args", Some(arguments(full)))];
        timed.push((*start, event("X", "span", full.span.name.as_ref(), *start, more)));
        for (of_span, nanos) in full.events.iter().zip(full.event_nanos(trace)) {
            let Some(nanos) = nanos else { continue };
            let more = [("s", text("t")), ("args", Some(Value::Map(attributes(of_span.attributes.as_deref()))))];
            timed.push((nanos, event("i", "event", of_span.name.as_ref(), nanos, more)));
        }
    }
    // Stable: viewers sort by time only, and an outer slice has to come before an inner one.
    timed.sort_by_key(|(nanos, _)| *nanos);
    out.extend(timed.into_iter().map(|(_, event)| event));
    out
}

/// The tracks of a trace.
#[derive(Default)]
struct Tracks {
    /// The spans that have times, earliest first, with their tracks.
    spans: Vec<(usize, usize)>,
    /// Of each track, the slices that are open: their ends and spans, the innermost last.
    open: Vec<Vec<(u64, usize)>>,
    /// When each track is free, earliest first. A track may be in it with an earlier time than its last one.
    free: BinaryHeap<Reverse<(u64, usize)>>,
}

/// How many spans up a slice may be from those around it.
const MAX_UP: usize = 64;

impl Tracks {
    fn of(trace: &FullTrace, times: &[Option<(u64, u64)>]) -> Tracks {
        let known: HashMap<&str, usize> = trace.spans.iter().enumerate().map(|(at, span)| (span.span.span_id.as_str(), at)).collect();
        let parents: Vec<Option<usize>> =
            trace.spans.iter().map(|span| span.span.parent_span_id.as_deref().and_then(|parent| known.get(parent).copied())).collect();
        let depths = depths(&parents);
        let depth = |at: usize| depths.get(at).copied().unwrap_or(0);
        let mut order: Vec<(u64, Reverse<u64>, usize, usize)> =
            times.iter().enumerate().filter_map(|(at, time)| time.map(|(start, end)| (start, Reverse(end), depth(at), at))).collect();
        // Of spans with the same start the longer one is the outer, and of those with the same end the one above.
        order.sort_unstable();
        let mut tracks = Tracks::default();
        let mut track_of: Vec<Option<usize>> = vec![None; times.len()];
        for (start, Reverse(end), _, at) in order {
            let parent = parents.get(at).copied().flatten();
            let beside = parent.and_then(|parent| track_of.get(parent).copied().flatten());
            let track = beside.filter(|track| tracks.fits(*track, start, end, at, &parents)).unwrap_or_else(|| tracks.free_at(start));
            if let Some(stack) = tracks.open.get_mut(track) {
                stack.push((end, at));
                // The outermost one ends last.
                let last = stack.first().map_or(end, |(end, _)| *end);
                tracks.free.push(Reverse((last, track)));
            }
            if let Some(place) = track_of.get_mut(at) {
                *place = Some(track);
            }
            tracks.spans.push((at, track));
        }
        tracks
    }

    /// Whether a span can be on a track: what is around it there are spans above it, or nothing is.
    fn fits(&mut self, track: usize, start: u64, end: u64, at: usize, parents: &[Option<usize>]) -> bool {
        let Some(stack) = self.open.get_mut(track) else { return false };
        while stack.pop_if(|(until, _)| *until <= start).is_some() {}
        let Some((until, around)) = stack.last() else { return true };
        let above = std::iter::successors(parents.get(at).copied().flatten(), |above| parents.get(*above).copied().flatten());
        end <= *until && above.take(MAX_UP).any(|above| above == *around)
    }

    /// A track on which nothing is open, which may be new.
    fn free_at(&mut self, start: u64) -> usize {
        while let Some(Reverse((until, track))) = self.free.pop() {
            if until > start {
                self.free.push(Reverse((until, track)));
                break;
            }
            if let Some(stack) = self.open.get_mut(track) {
                while stack.pop_if(|(until, _)| *until <= start).is_some() {}
                if stack.is_empty() {
                    return track;
                }
            }
        }
        self.open.push(Vec::new());
        self.open.len() - 1
    }
}

/// How many spans are above each. Those in a cycle count as far as it was followed.
fn depths(parents: &[Option<usize>]) -> Vec<usize> {
    let mut depths: Vec<Option<usize>> = vec![None; parents.len()];
    let mut path = Vec::new();
    for at in 0..parents.len() {
        let mut above = Some(at);
        let mut depth = 0;
        while let Some(span) = above {
            match depths.get(span).copied().flatten() {
                Some(known) => {
                    depth = known + 1;
                    break;
                }
                None => {
                    // Known from now on, so that a cycle ends.
                    if let Some(place) = depths.get_mut(span) {
                        *place = Some(0);
                    }
                    path.push(span);
                    above = parents.get(span).copied().flatten();
                }
            }
        }
        while let Some(span) = path.pop() {
            if let Some(place) = depths.get_mut(span) {
                *place = Some(depth);
            }
            depth += 1;
        }
    }
    depths.into_iter().map(Option::unwrap_or_default).collect()
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
