//! Finds the traces with a span for which all conditions hold, in the order of their first such span.
//!
//! With a complete index, most spans are decided in memory by their profile and hints; the others are read, one by one or, if there are
//! many, in one scan. Without an index the whole table is scanned, but only until the caller has enough.

use super::condition::{Conditions, Verdict};
use super::error::QueryError;
use crate::index::Index;
use hashbrown::HashSet;
use quipu_store::{
    Database, StoreError, TraceColumn, TraceFull, attributes_at, scan_attributes, scan_trace_ids, trace_by_id, trace_by_rowid,
    under_one_lock,
};
use std::ops::ControlFlow;

/// The file, and its index if that is complete.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) database: &'a Database,
    pub(crate) index: Option<&'a Index>,
}

#[derive(Clone, Debug)]
pub(crate) enum MatchedTrace {
    /// Its number in the index.
    Number(u32),
    Id(String),
}

/// Maximum number of spans read one by one while the database is locked.
const LOOKUPS: u32 = 4_096;

impl<'a> Source<'a> {
    /// The complete index, or [`QueryError::NotIndexed`].
    pub(crate) fn indexed(self) -> Result<&'a Index, QueryError> {
        self.index.ok_or(QueryError::NotIndexed)
    }

    /// Calls `each` with every matching trace, once, until it breaks.
    pub(crate) fn matching_traces(
        self,
        conditions: &Conditions,
        each: &mut dyn FnMut(MatchedTrace) -> Result<ControlFlow<()>, QueryError>,
    ) -> Result<(), QueryError> {
        match self.index {
            Some(index) => self.match_indexed(index, conditions, each),
            None => self.match_scanned(conditions, each),
        }
    }

    /// The row of a matching trace in `traces`, with the values of the columns in `order`; `None` if it has no row.
    pub(crate) fn trace_row(self, trace: &MatchedTrace, order: &[TraceColumn]) -> Result<Option<TraceFull>, QueryError> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        Ok(match (trace, self.index) {
            (MatchedTrace::Id(id), _) => trace_by_id(connection, schema, id, order)?,
            (MatchedTrace::Number(number), Some(index)) => match index.trace_rowid(*number) {
                Some(rowid) => trace_by_rowid(connection, schema, rowid, order)?,
                None => None,
            },
            (MatchedTrace::Number(_), None) => None,
        })
    }

    fn match_scanned(
        self,
        conditions: &Conditions,
        each: &mut dyn FnMut(MatchedTrace) -> Result<ControlFlow<()>, QueryError>,
    ) -> Result<(), QueryError> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let mut seen: HashSet<Box<[u8]>> = HashSet::new();
        let mut failed = None;
        let budget = self.database.budget();
        let mut take = |trace: &[u8], holds: Result<bool, QueryError>| {
            let in_budget = budget.read(conditions.count()).map_err(|limit| QueryError::from(StoreError::from(limit)));
            let outcome = match in_budget.and(holds) {
                Ok(true) if seen.insert(trace.into()) => each(MatchedTrace::Id(String::from_utf8_lossy(trace).into_owned())),
                Ok(_) => Ok(ControlFlow::Continue(())),
                Err(error) => Err(error),
            };
            outcome.unwrap_or_else(|error| {
                failed = Some(error);
                ControlFlow::Break(())
            })
        };
        if conditions.is_empty() {
            scan_trace_ids(connection, schema, |trace| take(trace, Ok(true)))?;
        } else {
            scan_attributes(connection, schema, |_, trace, attributes| take(trace, conditions.hold(attributes)))?;
        }
        failed.map_or(Ok(()), Err)
    }

    fn match_indexed(
        self,
        index: &Index,
        conditions: &Conditions,
        each: &mut dyn FnMut(MatchedTrace) -> Result<ControlFlow<()>, QueryError>,
    ) -> Result<(), QueryError> {
        let profiles = index.profiles();
        let verdicts = conditions.verdicts(profiles);
        let verdict = |row: u32| match verdicts.get(usize::from(profiles.of(row))) {
            _ if conditions.is_empty() => Verdict::Holds,
            Some((Verdict::Unknown, hints)) if !profiles.may_hold(row, *hints) => Verdict::Fails,
            Some((verdict, _)) => *verdict,
            None => Verdict::Unknown,
        };
        let rows = u32::try_from(index.span_count()).unwrap_or(u32::MAX);
        let mut found = MatchSink { seen: vec![false; index.trace_count() as usize], each };
        let unknown = (0..rows).filter(|row| verdict(*row) == Verdict::Unknown).count();
        // A scan reads about four rows in the time of one look-up.
        if unknown > rows as usize / 4 {
            return self.match_by_scan(index, conditions, &verdict, &mut found);
        }
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let mut row = 0;
        while row < rows {
            let until = rows.min(row.saturating_add(LOOKUPS));
            let outcome: Result<ControlFlow<()>, QueryError> = under_one_lock(connection, || {
                for row in row..until {
                    self.database.budget().read(conditions.count()).map_err(StoreError::from)?;
                    let trace = index.trace_of(row);
                    let holds = match verdict(row) {
                        Verdict::Fails => false,
                        _ if found.is_seen(trace) => false,
                        Verdict::Holds => true,
                        Verdict::Unknown => {
                            let read = attributes_at(connection, schema, index.rowid_of(row), |attributes| conditions.hold(attributes))?;
                            read.unwrap_or(Ok(false))?
                        }
                    };
                    if holds && found.take(trace)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            });
            if outcome?.is_break() {
                break;
            }
            row = until;
        }
        Ok(())
    }

    fn match_by_scan(
        self,
        index: &Index,
        conditions: &Conditions,
        verdict: &dyn Fn(u32) -> Verdict,
        found: &mut MatchSink<'_>,
    ) -> Result<(), QueryError> {
        let rows = u32::try_from(index.span_count()).unwrap_or(u32::MAX);
        let mut row = 0;
        let (mut failed, budget) = (None, self.database.budget());
        scan_attributes(self.database.connection(), self.database.schema(), |rowid, _, attributes| {
            while row < rows && index.rowid_of(row) < rowid {
                row += 1;
            }
            // Rows written after the index was built are not in it.
            if row >= rows || index.rowid_of(row) != rowid {
                return ControlFlow::Continue(());
            }
            let trace = index.trace_of(row);
            let holds = match verdict(row) {
                Verdict::Fails => Ok(false),
                _ if found.is_seen(trace) => Ok(false),
                Verdict::Holds => Ok(true),
                Verdict::Unknown => conditions.hold(attributes),
            };
            let in_budget = budget.read(conditions.count()).map_err(|limit| QueryError::from(StoreError::from(limit)));
            let outcome = match in_budget.and(holds) {
                Ok(true) => found.take(trace),
                Ok(false) => Ok(ControlFlow::Continue(())),
                Err(error) => Err(error),
            };
            outcome.unwrap_or_else(|error| {
                failed = Some(error);
                ControlFlow::Break(())
            })
        })?;
        failed.map_or(Ok(()), Err)
    }
}

/// Deduplicates matching traces on their way to the caller.
struct MatchSink<'e> {
    seen: Vec<bool>,
    each: &'e mut dyn FnMut(MatchedTrace) -> Result<ControlFlow<()>, QueryError>,
}

impl MatchSink<'_> {
    fn is_seen(&self, trace: u32) -> bool {
        self.seen.get(trace as usize).copied().unwrap_or(false)
    }

    fn take(&mut self, trace: u32) -> Result<ControlFlow<()>, QueryError> {
        match self.seen.get_mut(trace as usize) {
            Some(seen) if !*seen => {
                *seen = true;
                (self.each)(MatchedTrace::Number(trace))
            }
            _ => Ok(ControlFlow::Continue(())),
        }
    }
}
