//! Which events belong to which span. Their texts stay in the file.

use super::ids::SpanKey;
use super::{Index, NO_TIME};
use hashbrown::HashMap;
use quipu_model::SpanMarks;
use quipu_model::failure::EventVerdict;
use quipu_model::ordered::sort_by_key;
use quipu_model::tokens::TokenKind;

use std::borrow::Cow;

/// One metric among the events.
#[derive(Clone, Copy)]
pub(super) struct Metric {
    /// The row of its span; [`NO_SPAN`] where that is not in the file.
    pub(super) span: u32,
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) of: MetricFacts,
}

/// The span of a metric whose span is not in the file: behind all others.
pub(super) const NO_SPAN: u32 = u32::MAX;

/// What a metric event measures.
#[derive(Clone, Copy)]
pub(super) struct MetricFacts {
    /// Which count of tokens, where it is one.
    pub(super) kind: Option<TokenKind>,
    pub(super) value: f64,
    /// The number of its series; `None` where there are too many.
    pub(super) series: Option<u16>,
}

/// Bytes of a metric's name and labels at most.
const MAX_SERIES_BYTES: usize = 4_096;

/// Names and labels of metrics, each once: the name, then names and values of labels by name, with zero bytes between.
#[derive(Clone, Default)]
pub(super) struct MetricSeries {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl MetricSeries {
    /// The number of a series.
    pub(super) fn number(&mut self, name: &str, labels: &mut Vec<(Cow<'_, str>, Cow<'_, str>)>) -> Option<u16> {
        sort_by_key(labels, |(name, _)| name.to_string());
        let mut text = name.to_owned();
        for (name, value) in labels.iter() {
            for part in [name, value] {
                text.push('\0');
                text.push_str(&part.replace('\0', " "));
            }
        }
        if let Some(number) = self.numbers.get(text.as_str()) {
            return Some(*number);
        }
        let number = u16::try_from(self.texts.len()).ok().filter(|_| text.len() <= MAX_SERIES_BYTES)?;
        self.texts.push(text.as_str().into());
        self.numbers.insert(text.into(), number);
        Some(number)
    }

    /// All of them, by number.
    pub(super) fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(AsRef::as_ref)
    }
}

/// An event whose span was not read yet when it came.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) span: SpanKey,
    pub(super) facts: EventFacts,
}

/// What the index keeps of an event.
#[derive(Clone, Copy)]
pub(super) struct EventFacts {
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) metric: Option<MetricFacts>,
    /// What it says of its span.
    pub(super) verdict: EventVerdict,
}

/// Events by span.
#[derive(Clone, Default)]
pub(super) struct Events {
    /// Row of the span and id of the event; sorted once the pass is complete.
    list: Vec<(u32, i64)>,
    pub(super) metrics: Vec<Metric>,
    /// Names and labels of `metrics`.
    pub(super) series: MetricSeries,
    pub(super) waiting: Vec<Waiting>,
    /// Events in all, those without a span among them.
    pub(super) count: u64,
}

impl Events {
    pub(super) fn push(&mut self, row: u32, id: i64) {
        self.list.push((row, id));
    }

    pub(super) fn sort(&mut self) {
        self.list.sort_unstable();
        self.list.shrink_to_fit();
        self.metrics.sort_by_key(|metric| (metric.span, metric.id));
    }

    pub(super) fn of(&self, row: u32) -> &[(u32, i64)] {
        let start = self.list.partition_point(|(of, _)| *of < row);
        let len = self.list[start..].partition_point(|(of, _)| *of == row);
        &self.list[start..start + len]
    }
}

/// Adds an event to its span, and marks the span for it.
pub(super) fn place_event(index: &mut Index, row: u32, event: EventFacts) {
    index.events.push(row, event.id);
    if let Some(of) = event.metric {
        index.events.metrics.push(Metric { span: row, id: event.id, at: event.at, of });
    }
    let start = *index.spans.start.at(row);
    let marks = index.spans.marks.at_mut(row);
    if event.verdict.fails_span() {
        if !marks.has(SpanMarks::FAILED) {
            index.oddities.hidden_failures += 1;
        }
        marks.add(SpanMarks::FAILED);
    } else if event.verdict.is_logged_error() {
        marks.add(SpanMarks::LOGGED_ERROR);
    }
    if event.at != NO_TIME && start != NO_TIME && event.at < start {
        marks.add(SpanMarks::EARLY_EVENT);
        index.oddities.early_events += 1;
    }
}
