//! Reads rows as they were recorded, for everything that leaves a file: trimmed databases, links, exports.
//!
//! Not here: writing them (`store`, `transfer`), and redaction (`share`).

use super::{Session, not_found};
use quipu_model::ordered::{sort_by_key, sort_numbers};
use quipu_model::{MetricPoint, Record, Recording};
use quipu_protocol::{Failure, FailureKind};
use quipu_store::{Copied, Layout, Writer, copy_others, copy_span, copy_trace, event_record, scan_points, span_record, trace_record};

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection<'a> {
    /// The whole file.
    All,
    /// The traces with these ids.
    Traces(&'a [String]),
    /// Some spans of one trace, with their events and the row of the trace.
    Spans {
        /// Id of the trace.
        trace_id: &'a str,
        /// Ids of the spans.
        span_ids: &'a [String],
    },
}

/// The failure of a selection that does not fit into memory.
pub(super) fn too_much(max_bytes: usize) -> Failure {
    let message = format!(
        "The selection takes more than {}, which does not fit into memory here. Select fewer traces or spans.",
        quipu_model::format::bytes(max_bytes as u64)
    );
    Failure { kind: FailureKind::OutOfMemory, message }
}

/// Whether a database in memory stays within a bound.
fn bounded(writer: &Writer, max_bytes: Option<usize>) -> Result<(), Failure> {
    max_bytes.filter(|max| writer.len_in_memory() > *max as u64).map_or(Ok(()), |max| Err(too_much(max)))
}

impl Session {
    /// The rows of a selection, each table in file order. Completes the index first if necessary.
    ///
    /// # Errors
    /// When a trace or span does not exist, when the texts exceed `max_bytes` in total, and when the file can't be read.
    pub fn recording(&mut self, selection: Selection<'_>, max_bytes: usize) -> Result<Recording, Failure> {
        let mut recording = Recording::default();
        let mut bytes = 0;
        self.each_record(selection, &mut |record| {
            bytes += record.text_bytes();
            if bytes > max_bytes {
                return Err(too_much(max_bytes));
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

    /// Calls `seen` with each row of a selection until it fails: traces, then spans, then events, each in file order. Only one row is in
    /// memory at a time.
    ///
    /// # Errors
    /// Errors of `seen`; when a trace or span does not exist; when the file can't be read.
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
        sort_by_key(&mut rowids, |rowid| *rowid);
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
        sort_by_key(&mut events, |id| *id);
        for id in events {
            if let Some(event) = database.bounded(|| event_record(connection, schema, id)).map_err(Failure::from)? {
                seen(Record::Event(&event))?;
            }
        }
        Ok(())
    }

    /// Writes a selection to a database in a new file. The new file contains no remains of deleted or unselected rows.
    ///
    /// # Errors
    /// When the file exists; errors of [`each_record`](Session::each_record). No file is left behind then.
    #[cfg(not(target_family = "wasm"))]
    pub fn write_database(&mut self, selection: Selection<'_>, path: &std::path::Path) -> Result<Copied, Failure> {
        let mut writer = Writer::create_with(path, self.database.schema().layout)?;
        let copied = self.copy_to(selection, &mut writer, None)?;
        writer.finish()?;
        Ok(copied)
    }

    /// A selection as the bytes of a new database.
    ///
    /// # Errors
    /// When memory is insufficient; errors of [`each_record`](Session::each_record).
    pub fn database_bytes(&mut self, selection: Selection<'_>) -> Result<Vec<u8>, Failure> {
        Ok(self.database_in_memory(selection, None)?.into_bytes()?)
    }

    /// A selection in a new database in memory, of at most so many bytes.
    pub(super) fn database_in_memory(&mut self, selection: Selection<'_>, max_bytes: Option<usize>) -> Result<Writer, Failure> {
        let mut writer = Writer::in_memory_with(self.database.schema().layout)?;
        self.copy_to(selection, &mut writer, max_bytes)?;
        Ok(writer)
    }

    /// Copies in one transaction, which stays open if something fails.
    fn copy_to(&mut self, selection: Selection<'_>, writer: &mut Writer, max_bytes: Option<usize>) -> Result<Copied, Failure> {
        let mut copied = Copied::default();
        writer.begin()?;
        match writer.layout() {
            Layout::Quipu => self.copy_own(selection, writer, max_bytes, &mut copied)?,
            _ => self.each_record::<Failure>(selection, &mut |record| {
                writer.copy_row(record, &mut copied)?;
                bounded(writer, max_bytes)
            })?,
        }
        writer.commit()?;
        Ok(copied)
    }

    /// Copies rows of Quipu's own layout: log records with their span or trace; those of neither, and metric points, with the whole file.
    fn copy_own(
        &mut self,
        selection: Selection<'_>,
        writer: &mut Writer,
        max_bytes: Option<usize>,
        copied: &mut Copied,
    ) -> Result<(), Failure> {
        self.complete_index()?;
        let (traces, rows) = self.selected(selection)?;
        let (database, index) = (&self.database, &self.index);
        for row in rows {
            let (is_copied, events) = database.bounded(|| copy_span(database, index.rowid_of(row), writer))?;
            copied.spans += u64::from(is_copied);
            copied.left_out += u64::from(!is_copied);
            copied.events += events;
            bounded(writer, max_bytes)?;
        }
        for rowid in traces.iter().filter_map(|trace| index.trace_rowid(*trace)) {
            copied.traces += u64::from(database.bounded(|| copy_trace(database, rowid, writer))?);
        }
        if selection == Selection::All {
            database.bounded(|| copy_others(database, writer))?;
        }
        Ok(())
    }

    /// Calls `seen` with the imported metric points, in insertion order and as measured: cumulative ones count from their `start_nanos`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn each_metric_point(&self, seen: &mut dyn FnMut(MetricPoint)) -> Result<(), Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        Ok(self.database.bounded(|| scan_points(connection, schema, seen))?)
    }

    /// The traces of a selection, and the rows of its spans, ascending.
    pub(super) fn selected(&self, selection: Selection<'_>) -> Result<(Vec<u32>, Vec<u32>), Failure> {
        let index = &self.index;
        let mut traces: Vec<u32> = match selection {
            Selection::All => (0..index.trace_count()).collect(),
            Selection::Traces(ids) => ids.iter().map(|id| self.trace_number(id)).collect::<Result<_, _>>()?,
            Selection::Spans { trace_id, .. } => vec![self.trace_number(trace_id)?],
        };
        sort_numbers(&mut traces);
        traces.dedup();
        let mut rows: Vec<u32> = match selection {
            Selection::Spans { trace_id, span_ids } => {
                span_ids.iter().map(|span_id| self.find_row(trace_id, span_id)).collect::<Result<_, _>>()?
            }
            _ => traces.iter().flat_map(|trace| index.trace_rows(*trace).iter().copied()).collect(),
        };
        sort_numbers(&mut rows);
        rows.dedup();
        if traces.is_empty() && selection != Selection::All {
            return Err(not_found("No trace was chosen.".into()));
        }
        Ok((traces, rows))
    }
}
