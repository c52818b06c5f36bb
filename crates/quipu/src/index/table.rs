//! One table on its way through the pass: how far it has been read, and skipping rows that cannot be read.
//!
//! Not here: what is done with its rows (`pass`).

use quipu_store::{Database, StoreError};
use std::ops::ControlFlow;

/// Rows between two looks at the budget.
const LOOK: usize = 32;

/// One table on its way through the pass.
#[derive(Clone, Default)]
pub(super) struct Table {
    pub(super) after: i64,
    /// The first and the last rowid; 0 of an empty table. Other programs' rows may have numbers below 1.
    pub(super) lowest: i64,
    pub(super) highest: i64,
    pub(super) done: bool,
    pub(super) lost: u64,
}

impl Table {
    pub(super) fn share(&self) -> f64 {
        if self.done { 1.0 } else { self.share_at(self.after) }
    }

    /// A table with these first and last rowids, of which nothing was read.
    pub(super) fn of((lowest, highest): (i64, i64)) -> Table {
        // Deleted rows at the beginning don't make the rest look further away.
        Table { after: lowest.min(1).saturating_sub(1), lowest: lowest.min(1), highest, ..Table::default() }
    }

    /// The number of rows, if none were deleted.
    pub(super) fn length(&self) -> u64 {
        u64::try_from(self.highest.saturating_sub(self.lowest).saturating_add(1)).unwrap_or(0)
    }

    /// How far through the table a row stands, from 0 to 1.
    pub(super) fn share_at(&self, rowid: i64) -> f64 {
        let (from, length) = (self.lowest as f64 - 1.0, self.highest as f64 - self.lowest as f64 + 1.0);
        if length <= 0.0 { 1.0 } else { (rowid as f64 - from) / length }
    }

    pub(super) fn walk(&self) -> Walk {
        Walk { after: self.after, count: 0, ended: true, disorder: false }
    }

    /// Takes the outcome of a walk: past damage it goes on at the first row that can be read again.
    pub(super) fn settle(
        &mut self,
        walk: Walk,
        outcome: Result<(), StoreError>,
        database: &Database,
        readable: impl Fn(i64) -> bool,
    ) -> Result<(), StoreError> {
        self.after = walk.after;
        match outcome {
            // Rows that do not ascend come from a damaged tree, which might lead in a circle for ever.
            Ok(()) if walk.disorder => {
                self.lost += 1;
                self.done = true;
            }
            Ok(()) => self.done = walk.ended,
            Err(error) if error.is_damage() => {
                database.source_failed()?;
                let next = skip_damage(self.after, self.highest, readable);
                database.source_failed()?;
                let until = next.unwrap_or(self.highest.saturating_add(1)).max(self.after + 1);
                self.lost += u64::try_from(until - 1 - self.after).unwrap_or(0).max(1);
                self.after = until - 1;
                self.done = next.is_none();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// One stretch of rows of a table.
pub(super) struct Walk {
    pub(super) after: i64,
    count: usize,
    /// Whether the table's end was reached.
    ended: bool,
    disorder: bool,
}

impl Walk {
    /// Whether a row comes where it belongs; rowids ascend.
    pub(super) fn is_in_order(&mut self, rowid: i64) -> bool {
        self.disorder = rowid <= self.after && !(self.count == 0 && rowid == i64::MIN);
        !self.disorder
    }

    pub(super) fn stop(&mut self) -> ControlFlow<()> {
        self.ended = false;
        ControlFlow::Break(())
    }

    /// The row was taken; stops after `limit` rows, or when the budget is spent.
    pub(super) fn take(&mut self, rowid: i64, limit: usize, spent: &mut dyn FnMut() -> bool) -> ControlFlow<()> {
        self.after = rowid;
        self.count += 1;
        if self.count >= limit || (self.count.is_multiple_of(LOOK) && spent()) { self.stop() } else { ControlFlow::Continue(()) }
    }
}

/// The first rowid after `after` from which reading works again: doubling steps ahead, then halving back.
fn skip_damage(after: i64, highest: i64, readable: impl Fn(i64) -> bool) -> Option<i64> {
    let (mut bad, mut step) = (after + 1, 1);
    let mut good = loop {
        let at = bad.saturating_add(step);
        if at > highest {
            return None;
        }
        if readable(at) {
            break at;
        }
        (bad, step) = (at, step * 2);
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if readable(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some(good)
}

/// A table whose last page is damaged: its end is found row by row.
pub(super) fn damaged(database: &Database) -> impl Fn(StoreError) -> Result<(i64, i64), StoreError> {
    move |error| {
        if !error.is_damage() {
            return Err(error);
        }
        database.source_failed()?;
        Ok((0, i64::from(u32::MAX)))
    }
}
