//! Log records that belong to no span, and imported metric points, in batches.
//!
//! Not here: their form in OTLP (`transfer`).

use super::Session;
use super::full::Sources;
use super::outgoing::Outgoing;
use super::push::PieceSize;
use crate::transfer::{Source, Unattached, is_known};
use quipu_protocol::Failure;
use quipu_store::{LogsOf, RowsAfter, count_after, count_rows, logs_after, max_log_id, points_after};

/// One request with log records or metric points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnattachedPiece {
    /// An `ExportLogsServiceRequest` or an `ExportMetricsServiceRequest` in protobuf; empty if no entry can be sent.
    pub request: Vec<u8>,
    /// Number of entries in the request.
    pub entries: u64,
    /// Id of the last row read; pass it as `after` to continue after it.
    pub last: i64,
    /// Fingerprint of the last entry; stable while the file is unchanged.
    pub fingerprint: String,
}

/// A kind of data that belongs to no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnattachedSignal {
    /// Log records that belong to no span of the file.
    Logs,
    /// Imported metric points, as measured.
    Points,
}

impl Session {
    /// Calls `sink` with OTLP requests for the log records or metric points after the row with id `after` (0 for all), in file order,
    /// until it fails. One request is in memory at a time, and the file is not locked between requests.
    ///
    /// # Errors
    /// Errors of `sink`; when the file can't be read.
    pub fn each_unattached_piece<E: From<Failure>>(
        &self,
        which: UnattachedSignal,
        after: i64,
        size: PieceSize,
        sink: &mut dyn FnMut(UnattachedPiece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_redacted_unattached_piece(which, after, size, &mut Outgoing::new(None), sink)
    }

    /// Like [`each_unattached_piece`](Session::each_unattached_piece), redacted piece by piece.
    ///
    /// # Errors
    /// Those of [`each_unattached_piece`](Session::each_unattached_piece).
    pub fn each_redacted_unattached_piece<E: From<Failure>>(
        &self,
        which: UnattachedSignal,
        after: i64,
        size: PieceSize,
        outgoing: &mut Outgoing,
        sink: &mut dyn FnMut(UnattachedPiece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_unattached(which, LogsOf::NoSpan, after, size, &mut |batch, last| {
            let (entries, fingerprint) = (batch.len() as u64, batch.fingerprint());
            sink(UnattachedPiece { entries, fingerprint, last, request: outgoing.unattached(batch).request() })
        })
    }

    /// The number of entries after the row with id `after` (0 for all), and the id of the last one; `None` if the file has none.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn remaining_after(&self, which: UnattachedSignal, after: i64) -> Result<Option<(u64, i64)>, Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        Ok(self.database.bounded(|| count_after(connection, schema, which == UnattachedSignal::Points, after))?)
    }

    /// Whether the file still is the one that was read up to row `id`: the row has the same fingerprint, or is a log record that has become
    /// an event of its span since.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn cursor_is_valid(&self, which: UnattachedSignal, id: i64, fingerprint: &str) -> Result<bool, Failure> {
        let from = RowsAfter { id: id.saturating_sub(1), rows: 1, bytes: 0 };
        match self.next_unattached(which, LogsOf::NoSpan, from, &mut Sources::default())? {
            Some((batch, at)) if at == id => Ok(batch.fingerprint() == fingerprint),
            _ if which == UnattachedSignal::Points => Ok(false),
            _ => Ok(self.database.bounded(|| max_log_id(self.database.connection()))?.is_some_and(|greatest| greatest >= id)),
        }
    }

    /// The number of log records or metric points; `None` if the file has none, or if they can't be counted.
    pub(super) fn count_unattached(&self, is_points: bool) -> Option<u64> {
        let counted = self.database.bounded(|| count_rows(self.database.connection(), self.database.schema(), is_points));
        counted.ok().flatten()
    }

    /// Calls `sink` with batches before they are serialized.
    pub(super) fn each_unattached<E: From<Failure>>(
        &self,
        which: UnattachedSignal,
        logs: LogsOf,
        mut after: i64,
        size: PieceSize,
        sink: &mut dyn FnMut(Unattached, i64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut sources = Sources::default();
        while let Some((batch, last)) =
            self.next_unattached(which, logs, RowsAfter { id: after, rows: size.entries, bytes: size.bytes }, &mut sources)?
        {
            sink(batch, last)?;
            after = last;
        }
        Ok(())
    }

    /// The next batch, and the id of the last row read for it.
    fn next_unattached(
        &self,
        which: UnattachedSignal,
        logs: LogsOf,
        from: RowsAfter,
        sources: &mut Sources,
    ) -> Result<Option<(Unattached, i64)>, Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let (batch, last) = match which {
            UnattachedSignal::Logs => {
                let found = self.database.bounded(|| logs_after(connection, schema, logs, from))?;
                let last = found.last().map(|(id, _)| *id);
                (Unattached::Logs(self.with_sources(found, |record| record.source, sources)?), last)
            }
            UnattachedSignal::Points => {
                let mut found = self.database.bounded(|| points_after(connection, schema, from))?;
                let last = found.last().map(|(id, _)| *id);
                found.retain(|(_, point)| is_known(point));
                (Unattached::Points(self.with_sources(found, |point| point.source, sources)?), last)
            }
        };
        Ok(last.map(|last| (batch, last)))
    }

    /// Rows with their resources and scopes.
    fn with_sources<T>(
        &self,
        found: Vec<(i64, T)>,
        number: impl Fn(&T) -> Option<i64>,
        sources: &mut Sources,
    ) -> Result<Vec<(T, Source)>, Failure> {
        let with_source = |(_, row): (i64, T)| {
            let source = self.source(number(&row), sources)?;
            Ok((row, source))
        };
        found.into_iter().map(with_source).collect()
    }
}
