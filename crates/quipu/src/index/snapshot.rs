//! A copy of what a pass has read, so that a later pass over the grown file can resume from it instead of reading everything again.
//!
//! Not here: detecting that a file has grown. In the browser a file that changed can't be read any more, so this module is native only.

use super::Index;
use super::table::Table;
use quipu_model::TokenRecord;
use quipu_model::number::narrow;
use quipu_store::{Database, RemovedSoFar, StoreError, removed_so_far, rowids, scan_spans};
use std::ops::ControlFlow;

/// Everything read from a file, before the derivations.
pub(crate) struct Snapshot {
    pub(super) index: Index,
    pub(super) spans: Table,
    pub(super) events: Table,
    pub(super) outputs: Vec<(u32, TokenRecord)>,
    /// What had been removed from the file.
    pub(super) removed: RemovedSoFar,
}

/// Number of spans that are compared with the file before resuming.
const COMPARED_SPANS: usize = 64;

impl Snapshot {
    pub(super) fn of(index: &Index, [spans, events]: [&Table; 2], outputs: &[(u32, TokenRecord)], removed: RemovedSoFar) -> Snapshot {
        Snapshot { index: index.clone(), spans: spans.clone(), events: events.clone(), outputs: outputs.to_vec(), removed }
    }

    /// Whether nothing was removed from the file, and it still holds a sample of the spans at the same rowids, including the first and the last.
    pub(super) fn matches(&self, database: &Database) -> Result<bool, StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let rows = self.index.spans.len();
        let is_whole = self.spans.lost == 0 && self.events.lost == 0;
        let (_, last_event) = rowids(connection, schema.events.exists, "span_events")?;
        if !is_whole
            || rows == 0
            || removed_so_far(connection, schema) != self.removed
            || !schema.spans.exists
            || last_event < self.events.after
        {
            return Ok(false);
        }
        for place in 0..COMPARED_SPANS {
            let row = narrow(place * (rows - 1) / (COMPARED_SPANS - 1));
            let (rowid, key) = (self.index.rowid_of(row), *self.index.spans.key.at(row));
            let mut is_same = false;
            scan_spans(connection, schema, rowid.saturating_sub(1), &mut |span| {
                is_same = span.rowid == rowid && self.index.non_hex_ids.is_span(&span.span_id, key);
                ControlFlow::Break(())
            })?;
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
