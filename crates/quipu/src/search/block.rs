//! A block of rows that is read in one go, for all searches at once: first the spans, then their events.
//!
//! Not here: which rows come next (`super`).

use super::{Search, Test};
use crate::index::Index;
use crate::index::filter::attribute_holds;
use quipu_store::{Database, StoreError, TextTable, scan_texts};
use std::ops::ControlFlow;

/// Target size of a block in bytes of the file, and its maximum number of rows.
const BLOCK_BYTES: u64 = 4 << 20;
const MAX_ROWS: u64 = 4_096;
/// Rows of the first block; each of the next ones has twice as many.
const FIRST_ROWS: u64 = 128;
/// Bytes and rows searched between two checks of the time budget.
const CHECK_BYTES: usize = 256 << 10;
const CHECK_ROWS: usize = 16;
/// Rows are read in one scan if their rowids span at most this many times their number; otherwise one by one.
const SPARSE: i64 = 4;

/// The number of rows in block `number`, for a file of `bytes` and `spans`.
pub(super) fn rows_of(number: u32, bytes: u64, spans: usize) -> usize {
    let row_bytes = (bytes / (spans as u64).max(1)).max(1);
    let whole = (BLOCK_BYTES / row_bytes).clamp(16, MAX_ROWS);
    whole.min(FIRST_ROWS << number.min(6)) as usize
}

/// The rows of a block, and how far they have been read.
pub(super) struct Block {
    /// Rows of the index, ascending.
    pub(super) rows: Vec<u32>,
    /// Indexes of the searches that need these rows.
    pub(super) tests: Vec<usize>,
    /// Matching rows, for each of `tests`.
    pub(super) found: Vec<Vec<u32>>,
    /// Rows of the trace left after this block, if it belongs to a search in a trace.
    pub(super) trace_left: Option<usize>,
    /// Pairs of rowid and row for spans, and of event id and row for events, ascending.
    spans: Vec<(i64, u32)>,
    events: Vec<(i64, u32)>,
    next_span: usize,
    next_event: usize,
}

impl Block {
    pub(super) fn new(rows: Vec<u32>, tests: Vec<usize>, trace_left: Option<usize>, index: &Index) -> Block {
        let spans = rows.iter().map(|row| (index.rowid_of(*row), *row)).collect();
        let mut events: Vec<(i64, u32)> = rows.iter().flat_map(|row| index.event_ids(*row).map(|id| (id, *row))).collect();
        quipu_model::ordered::sort_by_key(&mut events, |event| *event);
        Block { found: vec![Vec::new(); tests.len()], rows, tests, trace_left, spans, events, next_span: 0, next_event: 0 }
    }

    /// Reads until `spent` returns true. Returns whether the block is complete.
    pub(super) fn read(
        &mut self,
        searches: &[Search],
        database: &Database,
        bytes: &mut u64,
        spent: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StoreError> {
        let (tests, found) = (&self.tests, &mut self.found);
        let searches: Vec<Option<&Search>> = tests.iter().map(|at| searches.get(*at)).collect();
        let mut take = |table: TextTable, row: u32, name: &str, attributes: &[u8]| {
            for (search, found) in searches.iter().zip(found.iter_mut()) {
                let Some(search) = search.filter(|search| search.open.has(row)) else { continue };
                let holds = match (&search.test, table) {
                    (Test::Text(matcher), _) => matcher.is_in_name(name) || matcher.is_in_attributes(attributes),
                    (Test::Attribute(test), TextTable::Spans) => attribute_holds(test, attributes),
                    (Test::Always, TextTable::Spans) => true,
                    // Only strings are searched for in events.
                    (Test::Attribute(_) | Test::Always, TextTable::Events) => false,
                };
                if holds {
                    found.push(row);
                }
            }
        };
        let ended = read_rows(TextTable::Spans, &self.spans, &mut self.next_span, database, bytes, spent, &mut take)?;
        if !ended || !searches.iter().flatten().any(|search| search.is_text()) {
            return Ok(ended);
        }
        read_rows(TextTable::Events, &self.events, &mut self.next_event, database, bytes, spent, &mut take)
    }
}

/// Work done since the last check of the time budget.
#[derive(Default)]
struct WorkDone {
    rows: usize,
    bytes: usize,
}

impl WorkDone {
    fn is_over(&mut self, bytes: usize, spent: &mut dyn FnMut() -> bool) -> bool {
        self.rows += 1;
        self.bytes += bytes;
        if self.rows < CHECK_ROWS && self.bytes < CHECK_BYTES {
            return false;
        }
        *self = WorkDone::default();
        spent()
    }
}

/// Receives a row: its table, its row in the index, its name and its attributes.
type Take<'a> = dyn FnMut(TextTable, u32, &str, &[u8]) + 'a;

/// Reads the rows of `list` from `next`, which ascend. Returns whether the last one was read.
fn read_rows(
    table: TextTable,
    list: &[(i64, u32)],
    next: &mut usize,
    database: &Database,
    bytes: &mut u64,
    spent: &mut dyn FnMut() -> bool,
    take: &mut Take<'_>,
) -> Result<bool, StoreError> {
    let (connection, schema) = (database.connection(), database.schema());
    let mut looked = WorkDone::default();
    let mut one_by_one = false;
    while let (Some((first, _)), Some((end, _))) = (list.get(*next), list.last()) {
        let apart = end.saturating_sub(*first).saturating_add(1);
        let is_dense = !one_by_one && apart / SPARSE <= (list.len() - *next) as i64;
        let last = if is_dense { *end } else { *first };
        let (mut over, mut before) = (false, i64::MIN);
        let outcome = scan_texts(connection, schema, table, (*first, last), |rowid, name, attributes| {
            if rowid <= before {
                // Rowids that do not ascend come from a damaged b-tree, which could loop for ever.
                one_by_one = true;
                return ControlFlow::Break(());
            }
            before = rowid;
            while list.get(*next).is_some_and(|(wanted, _)| *wanted < rowid) {
                *next += 1;
            }
            let mut len = 0;
            if let Some((_, row)) = list.get(*next).filter(|(wanted, _)| *wanted == rowid) {
                *next += 1;
                len = attributes.len() + name.as_ref().map_or(0, |name| name.len());
                *bytes += len as u64;
                take(table, *row, name.as_deref().unwrap_or_default(), attributes);
            }
            over = looked.is_over(len, spent);
            if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match outcome {
            Err(error) if error.is_damage() => {
                database.source_failed()?;
                // Readable rows after the damage are found row by row.
                *next += usize::from(!is_dense);
                one_by_one = true;
            }
            Err(error) => return Err(error),
            Ok(()) if over => return Ok(*next >= list.len()),
            Ok(()) if one_by_one && is_dense => {}
            // Rows of the list that the scan has not met do not exist any more.
            Ok(()) => *next = list.partition_point(|(rowid, _)| *rowid <= last).max(*next),
        }
    }
    Ok(true)
}
