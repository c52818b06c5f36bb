//! Ends and durations of spans by name and outcome: counters of spans, and histograms of durations that are counted where they are asked for.
//!
//! A span takes some 13 bytes here: its row, its end, its bucket, and every 64 spans how many there are of each bucket.

use super::amounts::millis;
use crate::index::SpanEnd;
use crate::model::SpanMarks;
use crate::promql::Curve;
use std::sync::{Arc, OnceLock};

/// Upper bounds of the buckets but the last, in nanoseconds, and as the label `le` has them.
pub(super) const BOUNDS: [(u64, &str); 15] = [
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
/// Every bucket, the infinite one among them.
pub(super) const BUCKETS: usize = BOUNDS.len() + 1;
/// The bucket of a span without a duration.
const NO_BUCKET: u8 = u8::MAX;
/// Spans between two counts.
const BLOCK: usize = 64;

/// The spans of one name and outcome, by end.
pub(super) struct SpanGroup {
    pub(super) name: u32,
    pub(super) failed: bool,
    pub(super) rows: Vec<u32>,
    /// Milliseconds since 1970, UTC.
    pub(super) ends: Vec<i64>,
    buckets: Vec<u8>,
    /// Ends and rows of those that are requests.
    requests: Vec<(i64, u32)>,
    /// Before every block of spans, how many there are up to each bound.
    counts: Vec<[u32; BUCKETS]>,
    sums: OnceLock<Vec<f64>>,
}

/// Sorts all spans with a time into groups.
pub(super) fn group(ends: impl Iterator<Item = SpanEnd>) -> Vec<Arc<SpanGroup>> {
    let mut list: Vec<(u32, i64, u32, u8, bool)> = Vec::new();
    for end in ends {
        let bucket = match end.duration {
            Some(duration) => BOUNDS.partition_point(|(bound, _)| *bound < duration) as u8,
            None => NO_BUCKET,
        };
        let key = end.name << 1 | u32::from(end.marks.has(SpanMarks::FAILED));
        list.push((key, millis(end.at), end.row, bucket, end.marks.has(SpanMarks::REQUEST)));
    }
    list.sort_unstable_by_key(|(key, at, row, ..)| (*key, *at, *row));
    list.chunk_by(|one, other| one.0 == other.0).filter_map(SpanGroup::new).map(Arc::new).collect()
}

impl SpanGroup {
    fn new(list: &[(u32, i64, u32, u8, bool)]) -> Option<SpanGroup> {
        let key = list.first()?.0;
        let mut counts = Vec::with_capacity(list.len() / BLOCK + 1);
        let mut so_far = [0_u32; BUCKETS];
        for (place, (.., bucket, _)) in list.iter().enumerate() {
            if place % BLOCK == 0 {
                counts.push(so_far);
            }
            so_far.iter_mut().skip(usize::from(*bucket)).for_each(|count| *count += 1);
        }
        Some(SpanGroup {
            name: key >> 1,
            failed: key & 1 == 1,
            rows: list.iter().map(|entry| entry.2).collect(),
            ends: list.iter().map(|entry| entry.1).collect(),
            buckets: list.iter().map(|entry| entry.3).collect(),
            requests: list.iter().filter(|entry| entry.4).map(|entry| (entry.1, entry.2)).collect(),
            counts,
            sums: OnceLock::new(),
        })
    }

    /// How many spans ended until then.
    fn ended(&self, at: i64) -> usize {
        self.ends.partition_point(|end| *end <= at)
    }

    /// Spans that `part` counts and that ended within `(after, until]`: end and row.
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

    /// The running sum of durations in seconds; `duration` answers nanoseconds of a row.
    pub(super) fn fill_sums(&self, duration: &dyn Fn(u32) -> Option<u64>) {
        self.sums.get_or_init(|| {
            let mut sum = 0.0;
            let add = |row: &u32| {
                sum += duration(*row).map_or(0.0, |nanos| nanos as f64 / 1e9);
                sum
            };
            self.rows.iter().map(add).collect()
        });
    }

    /// The first end of a span that `part` counts.
    pub(super) fn first(&self, part: Part) -> Option<i64> {
        if part == Part::Requests {
            return self.requests.first().map(|(end, _)| *end);
        }
        (0..self.ends.len()).find(|place| self.counts_in(part, *place)).and_then(|place| self.ends.get(place)).copied()
    }
}

/// What a series counts of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Every span.
    All,
    /// Spans that are requests.
    Requests,
    /// Spans with a duration up to the bound of this bucket.
    UpTo(u8),
    /// Their durations in seconds.
    Seconds,
}

/// A counter over a group.
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
                let block = ended / BLOCK;
                // Behind the last block there may be no count, when it is full.
                let (block, before) = match group.counts.get(block) {
                    Some(counts) => (block, counts),
                    None => match group.counts.last() {
                        Some(counts) => (group.counts.len() - 1, counts),
                        None => return 0.0,
                    },
                };
                let rest = group.buckets.get(block * BLOCK..ended).unwrap_or_default();
                let counted = rest.iter().filter(|bucket| **bucket <= bound).count();
                f64::from(before.get(usize::from(bound)).copied().unwrap_or(0)) + counted as f64
            }
            Part::Seconds => {
                let sums = group.sums.get();
                ended.checked_sub(1).and_then(|last| sums?.get(last)).copied().unwrap_or(0.0)
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
        let end = |row: u32| SpanEnd {
            row,
            name: 3,
            marks: SpanMarks::default(),
            at: i64::from(row) * 10_000_000,
            // 0, 1, 2 … 6 ms again and again; every seventh is unknown.
            duration: (row % 8 != 7).then_some(u64::from(row % 8) * 1_000_000),
        };
        group((0..count).map(end))
    }

    #[test]
    fn buckets_count_what_ended_and_was_no_longer() {
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
        let groups = spans(8);
        groups[0].fill_sums(&|row| (row != 7).then_some(u64::from(row) * 1_000_000_000));
        let curve = SpanCurve { group: groups[0].clone(), part: Part::Seconds };
        assert_eq!((curve.value_at(0), curve.value_at(30), curve.value_at(1_000)), (0.0, 6.0, 21.0));
    }
}
