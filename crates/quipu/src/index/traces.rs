//! Columns of traces: what the `traces` table holds, what is aggregated from spans, and the rows of each trace's spans.

use super::NO_TIME;
use super::column::Column;
use super::ids::{SpanKey, TraceKey, halves};
use super::spans::{Spans, mix};
use hashbrown::HashTable;
use quipu_model::Timestamp;
use quipu_model::number::narrow;

#[derive(Clone, Copy)]
pub(super) struct Trace {
    pub(super) key: TraceKey,
    /// `traces.rowid`, if the trace has a row.
    pub(super) rowid: Option<i64>,
    pub(super) recorded_root: SpanKey,
    /// `created_at`, which is in UTC.
    pub(super) created: i64,
    pub(super) spans: u32,
    pub(super) failed: u32,
    pub(super) requests: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    /// The earliest end of a span: the row in `traces` was created at that time.
    pub(super) first_end: i64,
    /// Row of the root span that names the trace.
    pub(super) root: Option<u32>,
    /// Some time has no zone.
    pub(super) local: bool,
    /// Llama Stack put several requests into it (derived).
    pub(super) merged: bool,
    pub(super) offset_minutes: i16,
    /// Number of the service name; also `None` beyond the first 65,536 names.
    pub(super) service: Option<u16>,
}

impl Trace {
    fn new(key: TraceKey) -> Trace {
        Trace {
            key,
            rowid: None,
            recorded_root: SpanKey::NONE,
            created: NO_TIME,
            spans: 0,
            failed: 0,
            requests: 0,
            start: NO_TIME,
            end: NO_TIME,
            first_end: NO_TIME,
            root: None,
            local: false,
            merged: false,
            offset_minutes: 0,
            service: None,
        }
    }

    /// Extends the trace by the times of a span.
    pub(super) fn widen(&mut self, start: i64, end: i64) {
        for at in [start, end].into_iter().filter(|at| *at != NO_TIME) {
            self.start = if self.start == NO_TIME { at } else { self.start.min(at) };
            self.end = self.end.max(at);
        }
        if end != NO_TIME {
            self.first_end = if self.first_end == NO_TIME { end } else { self.first_end.min(end) };
        }
    }

    /// Nanoseconds from the earliest start to the latest end.
    pub(super) fn duration(&self) -> Option<u64> {
        if self.start == NO_TIME { None } else { Some(self.end.abs_diff(self.start)) }
    }

    /// The start in UTC.
    pub(super) fn utc_start(&self) -> i64 {
        self.utc(self.start)
    }

    /// Converts a time of this trace to UTC.
    pub(super) fn utc(&self, at: i64) -> i64 {
        if at == NO_TIME { NO_TIME } else { Timestamp(at).minus_offset(i32::from(self.offset_minutes)).0 }
    }
}

/// The offset of a clock that showed `local` when UTC was `created`: minutes east of UTC, rounded to a quarter of an hour. `None` if no
/// zone has such an offset.
pub(crate) fn zone_offset(local: i64, created: i64) -> Option<i16> {
    const QUARTER: i64 = 15 * 60_000_000_000;
    let quarters = local.checked_sub(created)?.checked_add(QUARTER / 2)?.div_euclid(QUARTER);
    i16::try_from(quarters).ok().filter(|quarters| (-14 * 4..=14 * 4).contains(quarters)).map(|quarters| quarters * 15)
}

/// All traces, numbered in the order of their first appearance.
#[derive(Clone, Default)]
pub(super) struct Traces {
    list: Column<Trace>,
    numbers: HashTable<u32>,
    /// Number of the trace that was looked up last.
    latest: u32,
    /// Start of each trace's rows in `rows`, with one more entry than traces. Empty until `place_spans`.
    offsets: Vec<u32>,
    rows: Vec<u32>,
}

impl Traces {
    /// Discards the data from rows of `traces`, so that all of them can be read again.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn forget_rows(&mut self) {
        for number in 0..narrow(self.len()) {
            let trace = self.at_mut(number);
            let unread = Trace::new(trace.key);
            // A trace without spans consists of its row only.
            *trace = if trace.spans == 0 {
                unread
            } else {
                Trace { rowid: None, recorded_root: unread.recorded_root, created: unread.created, service: None, ..*trace }
            };
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn at(&self, number: u32) -> &Trace {
        self.list.at(number)
    }

    pub(super) fn at_mut(&mut self, number: u32) -> &mut Trace {
        self.list.at_mut(number)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Trace> {
        self.list.iter()
    }

    fn hash(key: TraceKey) -> u64 {
        let (low, high) = halves(key.0);
        mix(low ^ mix(high))
    }

    pub(super) fn find(&self, key: TraceKey) -> Option<u32> {
        self.numbers.find(Traces::hash(key), |number| self.list.at(*number).key == key).copied()
    }

    pub(super) fn number(&mut self, key: TraceKey) -> u32 {
        // Consecutive spans mostly belong to the same trace.
        if self.list.len() > self.latest as usize && self.list.at(self.latest).key == key {
            return self.latest;
        }
        if let Some(number) = self.find(key) {
            self.latest = number;
            return number;
        }
        let number = narrow(self.list.len());
        self.latest = number;
        self.list.push(Trace::new(key));
        let list = &self.list;
        self.numbers.insert_unique(Traces::hash(key), number, |number| Traces::hash(list.at(*number).key));
        number
    }

    /// Sorts the rows of spans by trace, stably.
    #[expect(
        clippy::indexing_slicing,
        reason = "a span's trace is one of the list, which counted its spans, and the offsets are the sums of these counts"
    )]
    pub(super) fn place_spans(&mut self, spans: &Spans) {
        let mut offsets = Vec::with_capacity(self.list.len() + 1);
        let mut sum = 0_u32;
        offsets.push(0);
        for trace in self.list.iter() {
            sum += trace.spans;
            offsets.push(sum);
        }
        let mut next = offsets.clone();
        let mut rows = vec![0; spans.len()];
        for (row, trace) in spans.trace.iter().enumerate() {
            let slot = &mut next[*trace as usize];
            rows[*slot as usize] = narrow(row);
            *slot += 1;
        }
        (self.offsets, self.rows) = (offsets, rows);
    }

    /// Rows of the trace's spans, ascending; empty until the pass is complete.
    pub(super) fn rows(&self, number: u32) -> &[u32] {
        let at = number as usize;
        match (self.offsets.get(at), self.offsets.get(at + 1)) {
            (Some(start), Some(end)) => self.rows.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_a_local_clock_is_recovered_to_the_quarter() {
        let second = 1_000_000_000_i64;
        let created = 1_790_000_000 * second;
        assert_eq!(zone_offset(created + 3600 * second - 400_000_000, created), Some(60));
        assert_eq!(zone_offset(created - 5 * 3600 * second + second, created), Some(-300));
        assert_eq!(zone_offset(created + (5 * 3600 + 45 * 60) * second, created), Some(345));
        assert_eq!(zone_offset(created + 20 * 3600 * second, created), None);
    }

    #[test]
    fn times_at_the_ends_of_the_range_have_no_zone() {
        assert_eq!(zone_offset(i64::MAX, 0), None);
        assert_eq!(zone_offset(i64::MAX, i64::MIN), None);
        assert_eq!(zone_offset(i64::MIN, 0), None);
    }
}
