//! A file in other formats, one trace at a time.
//!
//! What is not here: the formats (`transfer`), and where the bytes go.

use super::{Selection, Session};
use crate::model::{EventRecord, Record, SpanExtra};
use crate::protocol::Failure;
use crate::store::{source, span_extra};
use crate::transfer::{ExportFormat, Exporter, FullSpan, FullTrace};
use std::collections::HashMap;

impl Session {
    /// Hands a selection in another format to `sink`, piece by piece, until it fails; answers how many spans there were. One trace is in
    /// memory at a time. The index is built first where it is not complete.
    ///
    /// # Errors
    /// Those of `sink`; when a trace or span is not in the file; when the file can't be read.
    pub fn export<E: From<Failure>>(
        &mut self,
        selection: Selection<'_>,
        format: ExportFormat,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        self.complete_index()?;
        let (traces, _) = self.selected(selection)?;
        let mut exporter = Exporter::new(format);
        let mut spans = 0;
        sink(exporter.head().as_bytes())?;
        for trace in traces {
            let id = [self.index.trace_id_text(trace)];
            let of_trace = if matches!(selection, Selection::Spans { .. }) { selection } else { Selection::Traces(&id) };
            let full = self.full_trace(trace, of_trace)?;
            spans += full.spans.len() as u64;
            if !full.spans.is_empty() {
                sink(&exporter.trace(&full))?;
            }
        }
        sink(exporter.tail().as_bytes())?;
        Ok(spans)
    }

    fn full_trace(&mut self, trace: u32, selection: Selection<'_>) -> Result<FullTrace, Failure> {
        let mut full = FullTrace {
            trace_id: self.index.trace_id_text(trace),
            service_name: None,
            offset_minutes: self.index.offset_minutes(trace),
            spans: Vec::new(),
        };
        let mut events: HashMap<String, Vec<EventRecord>> = HashMap::new();
        self.each_record::<Failure>(selection, &mut |record| {
            match record {
                Record::Trace(row) => full.service_name.clone_from(&row.service_name),
                Record::Span(span) => {
                    full.spans.push(FullSpan { span: span.clone(), events: Vec::new(), extra: SpanExtra::default(), source: None });
                }
                Record::Event(event) => {
                    events.entry(event.span_id.clone().unwrap_or_default()).or_default().push(event.clone());
                }
            }
            Ok(())
        })?;
        let (database, mut sources) = (&self.database, HashMap::new());
        let (connection, schema) = (database.connection(), database.schema());
        for span in &mut full.spans {
            span.events = events.remove(&span.span.span_id).unwrap_or_default();
            span.extra = database.bounded(|| span_extra(connection, schema, &span.span.span_id))?.unwrap_or_default();
            if let Some(number) = span.extra.source {
                span.source = match sources.get(&number) {
                    Some(known) => Option::clone(known),
                    None => {
                        let found = database.bounded(|| source(connection, schema, number))?;
                        sources.insert(number, found.clone());
                        found
                    }
                };
            }
        }
        Ok(full)
    }
}
