//! Exports a file in other formats, one trace at a time.
//!
//! Not here: the formats (`transfer`), and the destination of the bytes.

use super::full::{LogEvents, Sources};
use super::outgoing::Outgoing;
use super::push::PieceSize;
use super::{Selection, Session, UnattachedSignal};
use crate::transfer::Exporter;
use quipu_otlp::FullTrace;
use quipu_protocol::{Failure, FileFormat, RedactOptions, RedactReport};
use quipu_store::LogsOf;

/// Log records or metric points per line.
const UNATTACHED_SIZE: PieceSize = PieceSize { entries: 1_000, bytes: 4 << 20 };

/// Options of an export. By default it is lossless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// What is taken out, trace by trace.
    pub redact: Option<RedactOptions>,
    /// Whether cells of CSV are written as they are, even if a spreadsheet would run them.
    pub raw: bool,
}

/// The outcome of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Number of spans.
    pub spans: u64,
    /// Number of spans of the same traces that lack a requested attribute, or have none at all, and were left out.
    pub left_out: u64,
    /// What was found and taken out, if anything was to be.
    pub report: RedactReport,
}

impl Session {
    /// Writes a selection in another format to `sink`, piece by piece, until it fails. Returns the number of spans. One trace is in memory
    /// at a time. Completes the index first if necessary. OTLP/JSON of a whole file also contains its log records and its metric
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
        Ok(self.export_with(selection, format, ExportOptions::default(), sink)?.spans)
    }

    /// Like [`export`](Session::export), with options.
    ///
    /// # Errors
    /// Those of [`export`](Session::export).
    pub fn export_with<E: From<Failure>>(
        &mut self,
        selection: Selection<'_>,
        format: FileFormat,
        options: ExportOptions,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Exported, E> {
        self.complete_index()?;
        let (traces, _) = self.selected(selection)?;
        let mut exporter = Exporter::new(format, options.raw)?;
        let mut outgoing = Outgoing::new(options.redact);
        let mut spans = 0;
        let has_lines_of_their_own = matches!(selection, Selection::All) && format == FileFormat::OtlpJson;
        let logs = if has_lines_of_their_own { LogEvents::LeftOut } else { LogEvents::Kept };
        sink(exporter.head().as_bytes())?;
        for trace in traces {
            let id = [self.index.trace_id(trace)];
            let of_trace = if matches!(selection, Selection::Spans { .. }) { selection } else { Selection::Traces(&id) };
            let full = self.full_trace(trace, of_trace, logs)?;
            spans += full.spans.len() as u64;
            if !full.spans.is_empty() {
                sink(&exporter.trace(&outgoing.trace(full)))?;
            }
        }
        sink(exporter.tail().as_bytes())?;
        if has_lines_of_their_own {
            for which in [UnattachedSignal::Logs, UnattachedSignal::Points] {
                self.each_unattached(which, LogsOf::All, 0, UNATTACHED_SIZE, &mut |batch, _| {
                    sink(outgoing.unattached(batch).line().as_bytes())
                })?;
            }
        }
        Ok(Exported { spans, left_out: 0, report: outgoing.report() })
    }

    fn full_trace(&self, trace: u32, selection: Selection<'_>, logs: LogEvents) -> Result<FullTrace, Failure> {
        let (_, rows) = self.selected(selection)?;
        let (mut spans, mut sources) = (Vec::with_capacity(rows.len()), Sources::default());
        for row in rows {
            spans.extend(self.full_span(row, logs, &mut sources)?);
        }
        Ok(FullTrace {
            trace_id: self.index.trace_id(trace),
            service_name: self.service_name(trace)?,
            offset_minutes: self.index.offset_minutes(trace),
            spans,
        })
    }
}
