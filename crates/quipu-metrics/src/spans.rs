//! Ends and durations of spans by name and status: counters of spans, and histograms of durations that are computed when needed.
//!
//! Takes some 22 bytes per span: row, end, duration and bucket, and cumulative bucket counts for every 64 spans.

use super::amounts::millis;
use super::metrics_input::SpanColumns;
use quipu_model::SpanFlags;
use quipu_promql::Curve;
use quipu_protocol::UNKNOWN_NANOS;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The last bucket, the infinite one.
pub(super) const INFINITE: u8 = 15;
/// Upper bounds of all buckets except the last: in nanoseconds, and as values of the label `le`.
pub(super) const BOUNDS: [(u64, &str); INFINITE as usize] = [
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (25_000_000, "0.025"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (500_000_000, "0.5"),
    (1_000_000_000, "1.0"),
    (2_500_000_000, "2.5"),
    (5_000_000_000, "5.0"),
    (10_000_000_000, "10.0"),
    (30_000_000_000, "30.0"),
    (60_000_000_000, "60.0"),
    (120_000_000_000, "120.0"),
    (300_000_000_000, "300.0"),
];
/// Number of buckets, including the infinite one.
const BUCKETS: usize = BOUNDS.len() + 1;
/// Bucket of a span without a duration.
const NO_BUCKET: u8 = u8::MAX;
/// Number of spans between two cumulative counts.
const BLOCK: usize = 64;

/// Spans with the same name and status, sorted by end.
pub(super) struct SpanGroup {
    pub(super) name: u32,
    pub(super) failed: bool,
    pub(super) rows: Vec<u32>,
    /// Milliseconds since 1970, UTC.
    pub(super) ends: Vec<i64>,
    /// Nanoseconds, or [`UNKNOWN_NANOS`].
    durations: Vec<u64>,
    buckets: Vec<u8>,
    /// End and row of the spans that are requests.
    requests: Vec<(i64, u32)>,
    /// For each block of spans: the counts up to each bound and the sum of durations in seconds before it.
    counts: Vec<([u32; BUCKETS], f64)>,
}

/// The spans of a file in groups, which are built on first use.
#[derive(Default)]
pub(super) struct Groups {
    /// The spans until then.
    columns: Mutex<SpanColumns>,
    groups: OnceLock<Vec<Arc<SpanGroup>>>,
}

impl Groups {
    pub(super) fn new(columns: SpanColumns) -> Groups {
        Groups { columns: Mutex::new(columns), groups: OnceLock::new() }
    }

    pub(super) fn get(&self) -> &[Arc<SpanGroup>] {
        self.groups.get_or_init(|| {
            let columns = std::mem::take(&mut *self.columns.lock().unwrap_or_else(PoisonError::into_inner));
            group(&columns)
        })
    }
}

/// A span: name and status as one number, end in milliseconds, row, duration, whether it is a request.
type Entry = (u32, i64, u32, u64, bool);

/// Groups spans by name and status.
fn group(spans: &SpanColumns) -> Vec<Arc<SpanGroup>> {
    let entry = |place: usize| {
        let flags = spans.flags.get(place)?;
        let key = spans.names.get(place)? << 1 | u32::from(flags.has(SpanFlags::FAILED));
        Some((key, millis(*spans.ends.get(place)?), *spans.rows.get(place)?, *spans.durations.get(place)?, flags.has(SpanFlags::REQUEST)))
    };
    let mut list: Vec<Entry> = (0..spans.rows.len()).filter_map(entry).collect();
    list.sort_unstable_by_key(|(key, at, row, ..)| (*key, *at, *row));
    list.chunk_by(|one, other| one.0 == other.0).filter_map(SpanGroup::new).map(Arc::new).collect()
}

fn bucket_of(duration: u64) -> u8 {
    if duration == UNKNOWN_NANOS {
        return NO_BUCKET;
    }
    u8::try_from(BOUNDS.partition_point(|(bound, _)| *bound < duration)).unwrap_or(INFINITE)
}

fn seconds(duration: u64) -> f64 {
    if duration == UNKNOWN_NANOS { 0.0 } else { duration as f64 / 1e9 }
}

impl SpanGroup {
    fn new(list: &[Entry]) -> Option<SpanGroup> {
        let key = list.first()?.0;
        let buckets: Vec<u8> = list.iter().map(|entry| bucket_of(entry.3)).collect();
        let mut counts = Vec::with_capacity(list.len() / BLOCK + 1);
        let (mut so_far, mut spent) = ([0_u32; BUCKETS], 0.0);
        for (place, (entry, bucket)) in list.iter().zip(&buckets).enumerate() {
            if place % BLOCK == 0 {
                counts.push((so_far, spent));
            }
            so_far.iter_mut().skip(usize::from(*bucket)).for_each(|count| *count += 1);
            spent += seconds(entry.3);
        }
        Some(SpanGroup {
            name: key >> 1,
            failed: key & 1 == 1,
            rows: list.iter().map(|entry| entry.2).collect(),
            ends: list.iter().map(|entry| entry.1).collect(),
            durations: list.iter().map(|entry| entry.3).collect(),
            buckets,
            requests: list.iter().filter(|entry| entry.4).map(|entry| (entry.1, entry.2)).collect(),
            counts,
        })
    }

    /// The block that contains the span with index `ended`, or the last block: index of its first span, and the counts before it.
    fn block_of(&self, ended: usize) -> (usize, ([u32; BUCKETS], f64)) {
        let block = (ended / BLOCK).min(self.counts.len().saturating_sub(1));
        (block * BLOCK, self.counts.get(block).copied().unwrap_or_default())
    }

    /// Number of spans that ended at or before `at`.
    fn ended(&self, at: i64) -> usize {
        self.ends.partition_point(|end| *end <= at)
    }

    /// Number of spans that ended within `(after, until]`.
    pub(super) fn count_within(&self, after: i64, until: i64) -> u64 {
        self.ended(until).saturating_sub(self.ended(after)) as u64
    }

    /// End and row of the spans counted by `part` that ended within `(after, until]`.
    pub(super) fn within(&self, part: Part, after: i64, until: i64) -> Vec<(i64, u32)> {
        if part == Part::Requests {
            let place = |at: i64| self.requests.partition_point(|(end, _)| *end <= at);
            return self.requests.get(place(after)..place(until)).unwrap_or_default().to_vec();
        }
        let range = self.ended(after)..self.ended(until);
        let entry = |place: usize| Some((*self.ends.get(place)?, *self.rows.get(place)?));
        range.filter(|place| self.counts_in(part, *place)).filter_map(entry).collect()
    }

    fn counts_in(&self, part: Part, place: usize) -> bool {
        let bucket = self.buckets.get(place).copied().unwrap_or(NO_BUCKET);
        match part {
            Part::All | Part::Requests => true,
            Part::UpTo(bound) => bucket <= bound,
            Part::Seconds => bucket != NO_BUCKET,
        }
    }

    /// Known durations, in nanoseconds, of the spans that ended within `(after, until]`.
    pub(super) fn durations_within(&self, after: i64, until: i64) -> impl Iterator<Item = u64> {
        let list = self.durations.get(self.ended(after)..self.ended(until)).unwrap_or_default();
        list.iter().copied().filter(|duration| *duration != UNKNOWN_NANOS)
    }

    /// Duration in seconds of the span with this row and end; 0 if it is unknown or not in the group.
    pub(super) fn seconds_of(&self, at: i64, row: u32) -> f64 {
        let (from, to) = (self.ended(at.saturating_sub(1)), self.ended(at));
        let place = self.rows.get(from..to).and_then(|rows| rows.iter().position(|found| *found == row));
        place.and_then(|place| self.durations.get(from + place)).map_or(0.0, |duration| seconds(*duration))
    }

    /// End of the first span counted by `part`.
    pub(super) fn first(&self, part: Part) -> Option<i64> {
        if part == Part::Requests {
            return self.requests.first().map(|(end, _)| *end);
        }
        (0..self.ends.len()).find(|place| self.counts_in(part, *place)).and_then(|place| self.ends.get(place)).copied()
    }
}

/// What a series counts in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All spans.
    All,
    /// Spans that are requests.
    Requests,
    /// Spans with a duration up to the bound of this bucket.
    UpTo(u8),
    /// Durations in seconds.
    Seconds,
}

/// A counter of a group.
pub(super) struct SpanCurve {
    pub(super) group: Arc<SpanGroup>,
    pub(super) part: Part,
}

impl Curve for SpanCurve {
    fn value_at(&self, at: i64) -> f64 {
        let group = &self.group;
        let ended = group.ended(at);
        match self.part {
            Part::All => ended as f64,
            Part::Requests => group.requests.partition_point(|(end, _)| *end <= at) as f64,
            Part::UpTo(bound) => {
                let (from, (before, _)) = group.block_of(ended);
                let rest = group.buckets.get(from..ended).unwrap_or_default();
                let counted = rest.iter().filter(|bucket| **bucket <= bound).count();
                f64::from(before.get(usize::from(bound)).copied().unwrap_or(0)) + counted as f64
            }
            Part::Seconds => {
                let (from, (_, spent)) = group.block_of(ended);
                group.durations.get(from..ended).unwrap_or_default().iter().fold(spent, |sum, duration| sum + seconds(*duration))
            }
        }
    }

    fn rises(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(count: u32) -> Vec<Arc<SpanGroup>> {
        // 0, 1, 2 … 6 ms repeatedly; every eighth is unknown.
        let duration = |row: u32| if row % 8 == 7 { UNKNOWN_NANOS } else { u64::from(row % 8) * 1_000_000 };
        group(&SpanColumns {
            rows: (0..count).collect::<Vec<_>>().into(),
            names: vec![3; count as usize].into(),
            flags: vec![SpanFlags::default(); count as usize].into(),
            ends: (0..count).map(|row| i64::from(row) * 10_000_000).collect::<Vec<_>>().into(),
            durations: (0..count).map(duration).collect::<Vec<_>>().into(),
        })
    }

    #[test]
    fn buckets_count_ended_spans_up_to_their_bound() {
        for count in [1, 63, 64, 65, 200, 256] {
            let groups = spans(count);
            let curve = |bucket| SpanCurve { group: groups[0].clone(), part: Part::UpTo(bucket) };
            for until in 0..count {
                let at = i64::from(until) * 10;
                let expected = |most: u32| (0..=until).filter(|row| row % 8 <= most).count() as f64;
                assert_eq!(curve(0).value_at(at), expected(5), "{count} spans, up to {until}");
                assert_eq!(curve(15).value_at(at), expected(6));
            }
            assert_eq!(curve(0).value_at(-1), 0.0);
        }
    }

    #[test]
    fn sums_of_durations_are_in_seconds() {
        for count in [8, 64, 200] {
            let groups = spans(count);
            let curve = SpanCurve { group: groups[0].clone(), part: Part::Seconds };
            let expected = |until: u32| (0..=until).filter(|row| row % 8 != 7).map(|row| f64::from(row % 8) / 1e3).sum::<f64>();
            for until in 0..count {
                assert_eq!(curve.value_at(i64::from(until) * 10), expected(until), "{count} spans, up to {until}");
            }
            assert_eq!((curve.value_at(-1), curve.value_at(i64::MAX)), (0.0, expected(count - 1)));
        }
    }
}
