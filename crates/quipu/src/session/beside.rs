//! What stands beside traces, piece by piece: log records of no span, and points of metrics that were imported.
//!
//! What is not here: what OTLP makes of them (`transfer`).

use super::Session;
use super::push::{PieceSize, Sources};
use crate::transfer::{Source, Unattached, is_known};
use quipu_protocol::Failure;
use quipu_store::{RowsAfter, count_after, logs_after, max_log_id, points_after};

/// Log records, or points of metrics, as one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BesidePiece {
    /// An `ExportLogsServiceRequest` or an `ExportMetricsServiceRequest` in protobuf; empty where no entry can be sent.
    pub request: Vec<u8>,
    /// How many entries are in it.
    pub entries: u64,
    /// The number of the last row that was read, to go on behind it.
    pub last: i64,
    /// By what the last entry is known again, in the same words as long as the file stands.
    pub mark: String,
}

/// Which of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BesideTraces {
    /// Log records of no span of the file.
    Logs,
    /// Points of metrics, as they were measured.
    Points,
}

impl Session {
    /// Hands log records of no span, or points of metrics that were imported, to `sink` as OTLP requests, in the order of the file, those behind
    /// the one with the number `behind` (0 for all). One request is in memory at a time, and nothing holds the file meanwhile.
    ///
    /// # Errors
    /// Those of `sink`; when the file can't be read.
    pub fn each_beside_piece<E: From<Failure>>(
        &self,
        which: BesideTraces,
        behind: i64,
        size: PieceSize,
        sink: &mut dyn FnMut(BesidePiece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_beside(which, behind, size, &mut |beside, last| {
            let (entries, mark) = (beside.len() as u64, beside.fingerprint());
            sink(BesidePiece { entries, mark, last, request: beside.request() })
        })
    }

    /// How many of them stand behind the one with the number `behind` (0 for all), and the number of the last one; `None` where the file has
    /// none.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn beside_rest(&self, which: BesideTraces, behind: i64) -> Result<Option<(u64, i64)>, Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        Ok(self.database.bounded(|| count_after(connection, schema, which == BesideTraces::Points, behind))?)
    }

    /// Whether the file is still the one of which all up to this row was read: the row is there, or it was a log record that has become an
    /// event of its span since.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn goes_on_behind(&self, which: BesideTraces, id: i64, mark: &str) -> Result<bool, Failure> {
        let from = RowsAfter { id: id.saturating_sub(1), rows: 1, bytes: 0 };
        match self.next_beside(which, from, &mut Sources::default())? {
            Some((beside, at)) if at == id => Ok(beside.fingerprint() == mark),
            _ if which == BesideTraces::Points => Ok(false),
            _ => Ok(self.database.bounded(|| max_log_id(self.database.connection()))?.is_some_and(|greatest| greatest >= id)),
        }
    }

    /// Hands them over before they are written.
    pub(super) fn each_beside<E: From<Failure>>(
        &self,
        which: BesideTraces,
        mut behind: i64,
        size: PieceSize,
        sink: &mut dyn FnMut(Unattached, i64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut sources = Sources::default();
        while let Some((beside, last)) =
            self.next_beside(which, RowsAfter { id: behind, rows: size.entries, bytes: size.bytes }, &mut sources)?
        {
            sink(beside, last)?;
            behind = last;
        }
        Ok(())
    }

    /// The next of them, and the number of the last row that was read for it.
    fn next_beside(&self, which: BesideTraces, from: RowsAfter, sources: &mut Sources) -> Result<Option<(Unattached, i64)>, Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let (beside, last) = match which {
            BesideTraces::Logs => {
                let found = self.database.bounded(|| logs_after(connection, schema, from))?;
                let last = found.last().map(|(id, _)| *id);
                (Unattached::Logs(self.with_sources(found, |record| record.source, sources)?), last)
            }
            BesideTraces::Points => {
                let mut found = self.database.bounded(|| points_after(connection, schema, from))?;
                let last = found.last().map(|(id, _)| *id);
                found.retain(|(_, point)| is_known(point));
                (Unattached::Points(self.with_sources(found, |point| point.source, sources)?), last)
            }
        };
        Ok(last.map(|last| (beside, last)))
    }

    /// Rows with the resources and scopes they name.
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
