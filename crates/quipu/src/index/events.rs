//! Assigns events to spans. Their attributes stay in the file.

use super::ids::SpanKey;
use super::{Index, NO_TIME};
use hashbrown::HashMap;
use quipu_model::SpanFlags;
use quipu_model::failure::EventVerdict;
use quipu_model::ordered::sort_by_key;
use quipu_model::tokens::TokenKind;

use std::borrow::Cow;

/// A metric event.
#[derive(Clone, Copy)]
pub(super) struct Metric {
    /// The row of its span; [`NO_SPAN`] if that is not in the file.
    pub(super) span: u32,
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) of: MetricFacts,
}

/// Stands for a span that is not in the file; sorts after all others.
pub(crate) const NO_SPAN: u32 = u32::MAX;

/// The measurement of a metric event.
#[derive(Clone, Copy)]
pub(super) struct MetricFacts {
    /// Set if the metric counts tokens.
    pub(super) kind: Option<TokenKind>,
    pub(super) value: f64,
    /// Number of its series; `None` if there are too many.
    pub(super) series: Option<u16>,
}

/// Maximum bytes of a metric's name and labels.
const MAX_SERIES_BYTES: usize = 4_096;

/// Interned names and labels of metrics: the metric's name, then label names and values sorted by label name, separated by zero bytes.
#[derive(Clone, Default)]
pub(super) struct MetricSeries {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl MetricSeries {
    /// Interns a series and returns its number.
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

    /// All series, by number.
    pub(super) fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(AsRef::as_ref)
    }
}

/// An event that came before its span was read.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) span: SpanKey,
    pub(super) facts: EventFacts,
}

/// The facts about an event that the index keeps.
#[derive(Clone, Copy)]
pub(super) struct EventFacts {
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) metric: Option<MetricFacts>,
    /// What it says about the outcome of its span.
    pub(super) verdict: EventVerdict,
}

/// Events by span.
#[derive(Clone, Default)]
pub(super) struct Events {
    /// Pairs of span row and event id; sorted once the pass is complete.
    list: Vec<(u32, i64)>,
    pub(super) metrics: Vec<Metric>,
    /// The series of `metrics`.
    pub(super) series: MetricSeries,
    pub(super) waiting: Vec<Waiting>,
    /// Number of events, including those without a span.
    pub(super) count: u64,
}

impl Events {
    pub(super) fn push(&mut self, row: u32, id: i64) {
        self.list.push((row, id));
    }

    pub(super) fn sort(&mut self) {
        self.list.sort_unstable();
        self.list.shrink_to_fit();
        sort_by_key(&mut self.metrics, |metric| (metric.span, metric.id));
    }

    pub(super) fn of(&self, row: u32) -> &[(u32, i64)] {
        let start = self.list.partition_point(|(of, _)| *of < row);
        let from_row = self.list.get(start..).unwrap_or_default();
        from_row.get(..from_row.partition_point(|(of, _)| *of == row)).unwrap_or_default()
    }
}

/// Adds an event to its span, and flags the span for it.
pub(super) fn attach_event(index: &mut Index, row: u32, event: EventFacts) {
    index.events.push(row, event.id);
    if let Some(of) = event.metric {
        index.events.metrics.push(Metric { span: row, id: event.id, at: event.at, of });
    }
    let start = *index.spans.start.at(row);
    let flags = index.spans.flags.at_mut(row);
    if event.verdict.fails_span() {
        if !flags.has(SpanFlags::FAILED) {
            index.anomalies.hidden_failures += 1;
        }
        flags.add(SpanFlags::FAILED);
    } else if event.verdict.is_logged_error() {
        flags.add(SpanFlags::LOGGED_ERROR);
    }
    if event.at != NO_TIME && start != NO_TIME && event.at < start {
        flags.add(SpanFlags::EARLY_EVENT);
        index.anomalies.early_events += 1;
    }
}
