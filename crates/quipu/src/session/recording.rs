//! Rows of the file as they were recorded, for whatever leaves it: trimmed databases, links, exports.
//!
//! What is not here: writing them anywhere (`store`, `transfer`), and taking out what is private (`share`).

use super::{Session, not_found};
use quipu_model::{LogRecord, MetricPoint, Record, Recording};
use quipu_protocol::{Failure, FailureKind};
use quipu_store::{Copied, Writer, event_record, scan_logs, scan_points, span_record, trace_record};

/// Which part of a file is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Everything.
    All,
    /// These traces, by their ids.
    Traces(&'a [String]),
    /// These spans of one trace, by their ids, with their events and the row of the trace.
    Spans {
        /// The trace.
        trace_id: &'a str,
        /// Its spans that are meant.
        span_ids: &'a [String],
    },
}

impl Session {
    /// The rows of a selection, each table in the order of the file. The index is built first where it is not complete.
    ///
    /// # Errors
    /// When a trace or span is not in the file, when the texts are longer than `max_bytes` in all, and when the file can't be read.
    pub fn recording(&mut self, selection: Selection<'_>, max_bytes: usize) -> Result<Recording, Failure> {
        let mut recording = Recording::default();
        let mut bytes = 0;
        self.each_record(selection, &mut |record| {
            bytes += record.text_bytes();
            if bytes > max_bytes {
                return Err(Failure {
                    kind: FailureKind::OutOfMemory,
                    message: format!(
                        "What was chosen holds more than {} of texts, which is more than there is room for here. Choose fewer traces or spans.",
                        quipu_model::format::bytes(max_bytes as u64)
                    ),
                });
            }
            match record {
                Record::Trace(trace) => recording.traces.push(trace.clone()),
                Record::Span(span) => recording.spans.push(span.clone()),
                Record::Event(event) => recording.events.push(event.clone()),
            }
            Ok(())
        })?;
        Ok(recording)
    }

    /// Hands the rows of a selection to `seen`, one at a time, until it fails: traces, then spans, then events, each in the order of the
    /// file. However large the selection is, one row is in memory.
    ///
    /// # Errors
    /// Those of `seen`; when a trace or span is not in the file; when the file can't be read.
    pub fn each_record<E: From<Failure>>(
        &mut self,
        selection: Selection<'_>,
        seen: &mut dyn FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.complete_index()?;
        let (traces, rows) = self.selected(selection)?;
        let (database, index) = (&self.database, &self.index);
        let (connection, schema) = (database.connection(), database.schema());
        let mut rowids: Vec<i64> = traces.iter().filter_map(|trace| index.trace_rowid(*trace)).collect();
        rowids.sort_unstable();
        for rowid in rowids {
            if let Some(trace) = database.bounded(|| trace_record(connection, schema, rowid)).map_err(Failure::from)? {
                seen(Record::Trace(&trace))?;
            }
        }
        let mut events = Vec::new();
        for row in rows {
            if let Some(span) = database.bounded(|| span_record(connection, schema, index.rowid_of(row))).map_err(Failure::from)? {
                seen(Record::Span(&span))?;
            }
            events.extend(index.event_ids(row));
        }
        events.sort_unstable();
        for id in events {
            if let Some(event) = database.bounded(|| event_record(connection, schema, id)).map_err(Failure::from)? {
                seen(Record::Event(&event))?;
            }
        }
        Ok(())
    }

    /// Writes a selection into a fresh database in a new file. What is deleted in this file, or was not chosen, is not in it.
    ///
    /// # Errors
    /// When there is a file of that name; those of [`each_record`](Session::each_record). No file is left then.
    #[cfg(not(target_family = "wasm"))]
    pub fn write_database(&mut self, selection: Selection<'_>, path: &std::path::Path) -> Result<Copied, Failure> {
        let mut writer = Writer::create(path)?;
        let copied = self.copy_to(selection, &mut writer)?;
        writer.finish()?;
        Ok(copied)
    }

    /// The bytes of a fresh database with a selection in it.
    ///
    /// # Errors
    /// When there is no room for it; those of [`each_record`](Session::each_record).
    pub fn database_bytes(&mut self, selection: Selection<'_>) -> Result<Vec<u8>, Failure> {
        let mut writer = Writer::in_memory()?;
        self.copy_to(selection, &mut writer)?;
        Ok(writer.into_bytes()?)
    }

    /// In one transaction, which is not ended when something fails.
    fn copy_to(&mut self, selection: Selection<'_>, writer: &mut Writer) -> Result<Copied, Failure> {
        let mut copied = Copied::default();
        writer.begin()?;
        self.each_record::<Failure>(selection, &mut |record| Ok(writer.copy_row(record, &mut copied)?))?;
        writer.commit()?;
        Ok(copied)
    }

    /// The points of metrics that were imported with the file, in the order they came, as they were measured: cumulative ones count since
    /// their start, which is `start_nanos`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn each_metric_point(&self, seen: &mut dyn FnMut(MetricPoint)) -> Result<(), Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        Ok(self.database.bounded(|| scan_points(connection, schema, seen))?)
    }

    /// Log records of the file that belong to no span, in the order they came.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn each_loose_log(&self, seen: &mut dyn FnMut(LogRecord)) -> Result<(), Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        Ok(self.database.bounded(|| scan_logs(connection, schema, seen))?)
    }

    /// The traces of a selection, and the rows of its spans, ascending.
    pub(super) fn selected(&self, selection: Selection<'_>) -> Result<(Vec<u32>, Vec<u32>), Failure> {
        let index = &self.index;
        let mut traces: Vec<u32> = match selection {
            Selection::All => (0..index.trace_count()).collect(),
            Selection::Traces(ids) => ids.iter().map(|id| self.trace_number(id)).collect::<Result<_, _>>()?,
            Selection::Spans { trace_id, .. } => vec![self.trace_number(trace_id)?],
        };
        traces.sort_unstable();
        traces.dedup();
        let mut rows: Vec<u32> = match selection {
            Selection::Spans { trace_id, span_ids } => {
                span_ids.iter().map(|span_id| self.find_row(trace_id, span_id)).collect::<Result<_, _>>()?
            }
            _ => traces.iter().flat_map(|trace| index.trace_rows(*trace).iter().copied()).collect(),
        };
        rows.sort_unstable();
        rows.dedup();
        if traces.is_empty() && selection != Selection::All {
            return Err(not_found("No trace was chosen.".into()));
        }
        Ok((traces, rows))
    }
}
