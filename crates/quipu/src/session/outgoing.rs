//! Redacts rows on their way out of a file, trace by trace, and counts what looks like keys.
//!
//! Not here: the redaction itself (`share`), and the formats (`transfer`).

use super::full::{LogEvents, Sources, text_bytes};
use super::{Selection, Session};
use crate::transfer::{Source, Unattached};
use quipu_model::{EventRecord, Recording, SpanRecord, TraceRecord, WholeRows};
use quipu_otlp::{FullSpan, FullTrace};
use quipu_protocol::{Failure, PrivateKind, RedactOptions, RedactReport};
use quipu_share::Redactor;
use std::collections::HashSet;

/// How many bytes of recorded text are searched for keys before a file leaves unredacted: about a second.
const SEARCHED_BYTES: usize = 32 << 20;

/// What happens to rows on their way out. One trace is in memory at a time, and a pseudonym for each id and name that was replaced.
pub struct Outgoing {
    redactor: Option<Redactor>,
}

/// How much of what leaves looks like keys or passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCount {
    /// Number of values.
    pub values: u32,
    /// Whether everything was searched; large selections are only searched at their beginning.
    pub is_complete: bool,
}

impl Outgoing {
    /// Redacts rows; `None` leaves them as they are.
    pub fn new(redact: Option<RedactOptions>) -> Outgoing {
        Outgoing { redactor: redact.map(|options| Redactor::new(options, None)) }
    }

    /// What was found and taken out so far.
    pub fn report(&self) -> RedactReport {
        self.redactor.as_ref().map(Redactor::report).unwrap_or_default()
    }

    pub(crate) fn redactor(&mut self) -> Option<&mut Redactor> {
        self.redactor.as_mut()
    }

    /// A trace as it leaves.
    pub(super) fn trace(&mut self, trace: FullTrace) -> FullTrace {
        let Some(redactor) = &mut self.redactor else { return trace };
        let mut rows = WholeRows::default();
        rows.recording.traces.push(TraceRecord {
            trace_id: trace.trace_id.clone(),
            service_name: trace.service_name.clone(),
            ..TraceRecord::default()
        });
        let mut shapes = Vec::with_capacity(trace.spans.len());
        for span in trace.spans {
            let source = span.source.map(|source| {
                rows.sources.iter().position(|known| *known == source).unwrap_or_else(|| {
                    rows.sources.push(source);
                    rows.sources.len() - 1
                })
            });
            shapes.push((span.events.len(), source));
            rows.recording.spans.push(span.span);
            rows.recording.events.extend(span.events);
            rows.extras.push(span.extra);
        }
        let left = redactor.whole(&rows);
        let mut events = left.recording.events.into_iter();
        let sources = left.sources;
        let spans = left.recording.spans.into_iter().zip(left.extras).zip(shapes).map(|((span, extra), (count, source))| FullSpan {
            span,
            events: events.by_ref().take(count).collect(),
            extra,
            source: source.and_then(|at| sources.get(at).cloned()),
        });
        let spans = spans.collect();
        let row = left.recording.traces.into_iter().next().unwrap_or_default();
        FullTrace { trace_id: row.trace_id, service_name: row.service_name, offset_minutes: trace.offset_minutes, spans }
    }

    /// Log records or metric points as they leave.
    pub(super) fn unattached(&mut self, batch: Unattached) -> Unattached {
        let Some(redactor) = &mut self.redactor else { return batch };
        let source = |redactor: &mut Redactor, source: Source| source.map(|source| redactor.source(&source));
        match batch {
            Unattached::Logs(records) => {
                let one = |(record, from): (_, Source)| (redactor.log(&record), source(redactor, from));
                Unattached::Logs(records.into_iter().map(one).collect())
            }
            Unattached::Points(points) => {
                let one = |(point, from): (_, Source)| (redactor.point(&point), source(redactor, from));
                Unattached::Points(points.into_iter().map(one).collect())
            }
        }
    }

    /// An event as it leaves.
    pub(super) fn event(&mut self, event: EventRecord) -> EventRecord {
        let Some(redactor) = &mut self.redactor else { return event };
        let left = redactor.recording(&Recording { events: vec![event], ..Recording::default() });
        left.events.into_iter().next().unwrap_or_default()
    }

    /// The name of a service as it leaves.
    pub(super) fn service(&mut self, name: Option<String>) -> Option<String> {
        let Some(redactor) = &mut self.redactor else { return name };
        let row = TraceRecord { service_name: name, ..TraceRecord::default() };
        let left = redactor.recording(&Recording { traces: vec![row], ..Recording::default() });
        left.traces.into_iter().next().and_then(|row| row.service_name)
    }
}

impl Session {
    /// Counts the values of a selection that look like keys or passwords, including those of resources and status messages. Completes the
    /// index first if necessary.
    ///
    /// # Errors
    /// When a trace or span does not exist; when the file can't be read.
    pub fn count_keys(&mut self, selection: Selection<'_>) -> Result<KeyCount, Failure> {
        self.complete_index()?;
        let (_, rows) = self.selected(selection)?;
        let mut outgoing = Outgoing::new(Some(RedactOptions::NOTHING));
        let (mut sources, mut seen, mut bytes) = (Sources::new(), HashSet::new(), 0);
        for row in rows {
            if bytes > SEARCHED_BYTES {
                return Ok(KeyCount { values: outgoing.report().places(PrivateKind::Secrets), is_complete: false });
            }
            let Some(mut span) = self.full_span(row, LogEvents::Kept, &mut sources)? else { continue };
            if !seen.insert(span.extra.source) {
                span.source = None;
            }
            bytes += text_bytes(&span);
            let SpanRecord { trace_id, .. } = &span.span;
            let trace_id = trace_id.clone().unwrap_or_default();
            outgoing.trace(FullTrace { trace_id, service_name: None, offset_minutes: 0, spans: vec![span] });
        }
        Ok(KeyCount { values: outgoing.report().places(PrivateKind::Secrets), is_complete: true })
    }
}
