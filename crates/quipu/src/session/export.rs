//! Exports a file in other formats, one trace at a time.
//!
//! Not here: the formats (`transfer`), and the destination of the bytes.

use super::push::{PieceSize, Sources};
use super::{Selection, Session, UnattachedSignal};
use crate::transfer::Exporter;
use quipu_otlp::FullTrace;
use quipu_protocol::{Failure, FileFormat};

/// Log records or metric points per line.
const UNATTACHED_SIZE: PieceSize = PieceSize { entries: 1_000, bytes: 4 << 20 };

impl Session {
    /// Writes a selection in another format to `sink`, piece by piece, until it fails. Returns the number of spans. One trace is in memory
    /// at a time. Completes the index first if necessary. OTLP/JSON of a whole file also contains its unattached log records and its metric
    /// points, on lines of their own.
    ///
    /// # Errors
    /// When the format does not support [`Contents::Traces`](quipu_protocol::Contents::Traces); errors of `sink`; when a trace or span does
    /// not exist; when the file can't be read.
    pub fn export<E: From<Failure>>(
        &mut self,
        selection: Selection<'_>,
        format: FileFormat,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        self.complete_index()?;
        let (traces, _) = self.selected(selection)?;
        let mut exporter = Exporter::new(format)?;
        let mut spans = 0;
        sink(exporter.head().as_bytes())?;
        for trace in traces {
            let id = [self.index.trace_id(trace)];
            let of_trace = if matches!(selection, Selection::Spans { .. }) { selection } else { Selection::Traces(&id) };
            let full = self.full_trace(trace, of_trace)?;
            spans += full.spans.len() as u64;
            if !full.spans.is_empty() {
                sink(&exporter.trace(&full))?;
            }
        }
        sink(exporter.tail().as_bytes())?;
        if matches!(selection, Selection::All) && format == FileFormat::OtlpJson {
            for which in [UnattachedSignal::Logs, UnattachedSignal::Points] {
                self.each_unattached(which, 0, UNATTACHED_SIZE, &mut |batch, _| sink(batch.line().as_bytes()))?;
            }
        }
        Ok(spans)
    }

    fn full_trace(&self, trace: u32, selection: Selection<'_>) -> Result<FullTrace, Failure> {
        let (_, rows) = self.selected(selection)?;
        let (mut spans, mut sources) = (Vec::with_capacity(rows.len()), Sources::default());
        for row in rows {
            spans.extend(self.full_span(row, &mut sources)?);
        }
        Ok(FullTrace {
            trace_id: self.index.trace_id(trace),
            service_name: self.service_name(trace)?,
            offset_minutes: self.index.offset_minutes(trace),
            spans,
        })
    }
}
