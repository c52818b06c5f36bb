//! Redacts parts of a file one after the other, with the same pseudonyms in all of them.
//!
//! If text of kinds that are kept may repeat redacted text, there are two passes: the first collects the redacted text and ids, the second
//! writes. Not here: what is private in a row (`rows`) or a value (`walk`).

use super::sweep::Sweep;
use super::walk::Walker;
use quipu_model::{LogRecord, MetricPoint, RecordedTime, Recording, Timestamp, WholeRows};
use quipu_protocol::{KindSet, PrivateKind, RedactOptions, RedactReport};
use std::collections::BTreeSet;

/// How many secrets of earlier parts are remembered.
const MAX_REMEMBERED: usize = 1_000;

/// Redacts a recording, or parts of one, one after the other. Ids and names have the same pseudonym in all of them; of the texts that were
/// taken out of earlier parts, only keys and passwords are found again.
pub struct Redactor {
    walker: Walker,
    secrets: BTreeSet<String>,
    spans: u32,
    events: u32,
}

impl Redactor {
    /// Nothing is redacted yet. `origin` becomes 1970-01-01T00:00:00 if times are shifted; without it, the earliest time of the first part
    /// does.
    pub fn new(options: RedactOptions, origin: Option<Timestamp>) -> Redactor {
        let mut walker = Walker::new(options.take_out);
        walker.shifts = options.shift_times;
        walker.origin = origin.filter(|_| options.shift_times);
        Redactor { walker, secrets: BTreeSet::new(), spans: 0, events: 0 }
    }

    /// The redacted rows, in the same order.
    pub fn recording(&mut self, recording: &Recording) -> Recording {
        self.begin(recording);
        self.twice(|walker| walker.recording(recording))
    }

    /// The redacted rows with everything that belongs to them, in the same order.
    pub fn whole(&mut self, rows: &WholeRows) -> WholeRows {
        self.begin(&rows.recording);
        self.twice(|walker| WholeRows {
            recording: walker.recording(&rows.recording),
            extras: rows.extras.iter().map(|extra| walker.extra(extra)).collect(),
            event_counts: rows.event_counts.clone(),
            sources: rows.sources.iter().map(|(resource, scope)| (walker.resource(resource), walker.resource(scope))).collect(),
            logs: rows.logs.iter().map(|log| walker.log(log)).collect(),
            points: rows.points.iter().map(|point| walker.point(point)).collect(),
        })
    }

    /// A redacted log record that belongs to no span.
    pub fn log(&mut self, record: &LogRecord) -> LogRecord {
        self.twice(|walker| walker.log(record))
    }

    /// A redacted metric point. A measurement stays if its name says that it is a count or a duration.
    pub fn point(&mut self, point: &MetricPoint) -> MetricPoint {
        self.twice(|walker| walker.point(point))
    }

    /// A redacted resource and its scope.
    pub fn source(&mut self, (resource, scope): &(String, String)) -> (String, String) {
        self.twice(|walker| (walker.resource(resource), walker.resource(scope)))
    }

    /// The redacted key of an attribute.
    pub fn key(&mut self, key: &str) -> String {
        self.walker.key(key).unwrap_or_else(|| key.to_owned())
    }

    /// What was found and taken out so far.
    pub fn report(&self) -> RedactReport {
        let kinds = self.walker.kinds.iter().filter(|report| report.places > 0).cloned().collect();
        RedactReport { kinds, spans: self.spans, events: self.events }
    }

    fn begin(&mut self, recording: &Recording) {
        let count = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
        self.spans = self.spans.saturating_add(count(recording.spans.len()));
        self.events = self.events.saturating_add(count(recording.events.len()));
        if self.walker.shifts && self.walker.origin.is_none() {
            self.walker.origin = Some(earliest(recording));
        }
    }

    /// If text that is kept may repeat text that is taken out, a first pass collects what is taken out.
    fn twice<T>(&mut self, work: impl Fn(&mut Walker) -> T) -> T {
        let out = self.walker.out;
        // If everything is removed, nothing can repeat it.
        if out != KindSet::NONE && out != KindSet::ALL {
            let mut first = Walker::new(out);
            first.learned = Some(Vec::new());
            work(&mut first);
            let mut learned = first.learned.unwrap_or_default();
            for (text, _) in learned.iter().filter(|(_, kind)| *kind == PrivateKind::Secrets) {
                if self.secrets.len() < MAX_REMEMBERED && !self.secrets.contains(text) {
                    self.secrets.insert(text.clone());
                }
            }
            learned.extend(self.secrets.iter().map(|text| (text.clone(), PrivateKind::Secrets)));
            self.walker.sweep = Sweep::new(learned);
        }
        work(&mut self.walker)
    }
}

pub(super) fn redact(recording: &Recording, options: RedactOptions) -> (Recording, RedactReport) {
    let mut redactor = Redactor::new(options, None);
    let redacted = redactor.recording(recording);
    (redacted, redactor.report())
}

/// The earliest time in the rows.
fn earliest(recording: &Recording) -> Timestamp {
    let of_traces = recording.traces.iter().flat_map(|row| [&row.start_time, &row.end_time, &row.created_at]);
    let of_spans = recording.spans.iter().flat_map(|row| [&row.start_time, &row.end_time]);
    let texts = of_traces.chain(of_spans).chain(recording.events.iter().map(|row| &row.timestamp));
    let earliest = texts.flatten().filter_map(|text| RecordedTime::parse(text).ok()).map(|time| time.at).min();
    earliest.unwrap_or(Timestamp(0))
}
