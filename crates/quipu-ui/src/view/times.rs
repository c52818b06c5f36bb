//! Own times of spans, and the critical path.
//!
//! Columns are in tree order: parents before children, siblings by start; times are nanoseconds after the trace's start.

use quipu_model::number::narrow;
use quipu_model::ordered::sort_rows;
use quipu_protocol::{NO_ROW, PathPart, TraceColumns, UNKNOWN_NANOS};
use std::cmp::Reverse;

/// The columns used to compute times, all of the same length.
#[derive(Clone, Copy, Debug)]
pub struct Times<'a> {
    /// Row of the parent, or [`NO_ROW`].
    pub parent: &'a [u32],
    /// Start in nanoseconds.
    pub start: &'a [u64],
    /// Duration in nanoseconds, or [`UNKNOWN_NANOS`].
    pub duration: &'a [u64],
}

impl<'a> Times<'a> {
    /// Borrows the columns of a trace.
    pub fn of(columns: &'a TraceColumns) -> Times<'a> {
        Times { parent: &columns.parent, start: &columns.start_nanos, duration: &columns.duration }
    }

    fn end(&self, row: usize) -> u64 {
        let duration = self.duration.get(row).copied().filter(|nanos| *nanos != UNKNOWN_NANOS).unwrap_or(0);
        self.start_of(row).saturating_add(duration)
    }

    fn start_of(&self, row: usize) -> u64 {
        self.start.get(row).copied().unwrap_or(0)
    }

    /// The parent, which must precede its child; otherwise there would be a cycle.
    fn parent_of(&self, row: usize) -> Option<usize> {
        let parent = self.parent.get(row).copied().filter(|parent| *parent != NO_ROW)? as usize;
        (parent < row).then_some(parent)
    }
}

/// Duration of each span without the union of its children's, clipped to the span; [`UNKNOWN_NANOS`] if the duration is unknown.
pub fn self_times(times: Times<'_>) -> Vec<u64> {
    let count = times.parent.len();
    // Siblings are sorted by start, so the covered range only grows to the right.
    let mut covered_to = vec![0_u64; count];
    let mut own: Vec<u64> = times.duration.to_vec();
    for row in 0..count {
        let Some(parent) = times.parent_of(row) else { continue };
        let (Some(covered), Some(left)) = (covered_to.get_mut(parent), own.get_mut(parent)) else { continue };
        let start = times.start_of(row).max(times.start_of(parent)).max(*covered);
        let end = times.end(row).min(times.end(parent));
        if end > start {
            *covered = end;
            if *left != UNKNOWN_NANOS {
                *left = left.saturating_sub(end - start);
            }
        }
    }
    own
}

/// The critical path, latest part first. It starts at the end of the root that ends last, and always continues in the child that ended last
/// before the current point, clipped to its parent. With several roots, it continues in the one that ended last before the start of the
/// previous one.
#[expect(
    clippy::indexing_slicing,
    reason = "a parent precedes its child, so places in `next` are at most the count plus one, and its sums at most the count"
)]
pub fn critical_path(times: Times<'_>) -> Vec<PathPart> {
    let count = times.parent.len();
    let clipped_end = |row: usize| times.parent_of(row).map_or(times.end(row), |parent| times.end(row).min(times.end(parent)));
    // Children of each span, last to end first; the roots are the children of an additional entry.
    let mut children: Vec<u32> = (0..narrow(count)).collect();
    let key_of = |row: u32| times.parent_of(row as usize).map_or(0, |parent| parent + 1);
    let key = |row: u32| {
        let at = row as usize;
        (key_of(row), Reverse(clipped_end(at)), Reverse(times.start_of(at)), row)
    };
    sort_rows(&mut children, &|one, other| key(one).cmp(&key(other)));
    let mut next = vec![0_usize; count + 2];
    for row in &children {
        next[key_of(*row) + 1] += 1;
    }
    for at in 0..=count {
        next[at + 1] += next[at];
    }
    let ends: Vec<usize> = next.iter().skip(1).copied().collect();

    let mut parts = Vec::new();
    let mut now = u64::MAX;
    // The enclosing spans: 0 is the trace itself, n the span in row n - 1.
    let mut inside = vec![0_usize];
    while let Some(node) = inside.last().copied() {
        let (Some(at), Some(end)) = (next.get_mut(node), ends.get(node)) else { break };
        let mut found = None;
        while *at < *end && found.is_none() {
            let child = children[*at] as usize;
            *at += 1;
            // A span without length is not on the critical path.
            if clipped_end(child) <= now && clipped_end(child) > times.start_of(child) {
                found = Some(child);
            }
        }
        let upto = found.map_or(node.checked_sub(1).map_or(0, |row| times.start_of(row)), clipped_end);
        if let Some(row) = node.checked_sub(1).filter(|_| now > upto) {
            parts.push(PathPart { row: narrow(row), from: upto, to: now });
        }
        now = now.min(upto);
        match found {
            Some(child) => inside.push(child + 1),
            None => {
                inside.pop();
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `(parent, start, duration)`; a parent of -1 means none.
    fn columns(spans: &[(i64, u64, u64)]) -> (Vec<u32>, Vec<u64>, Vec<u64>) {
        let parent = spans.iter().map(|span| u32::try_from(span.0).unwrap_or(NO_ROW)).collect();
        (parent, spans.iter().map(|span| span.1).collect(), spans.iter().map(|span| span.2).collect())
    }

    #[test]
    fn own_time_is_what_no_child_covers() {
        // The children overlap, and the last one outlives its parent.
        let (parent, start, duration) = columns(&[
            (-1, 0, 100),
            (0, 10, 20),
            (0, 20, 30),
            (2, 25, 5),
            (0, 90, 50),
            (-1, 200, UNKNOWN_NANOS),
            (5, 200, 10),
        ]);
        let times = Times { parent: &parent, start: &start, duration: &duration };
        assert_eq!(self_times(times), [50, 20, 25, 5, 50, UNKNOWN_NANOS, 10]);
    }

    #[test]
    fn the_path_goes_back_through_what_ended_last() {
        // root 0..100: a 10..40 with a1 15..20, b 30..80 (overlaps a), c 85..90.
        let (parent, start, duration) = columns(&[(-1, 0, 100), (0, 10, 30), (1, 15, 5), (0, 30, 50), (0, 85, 5)]);
        let times = Times { parent: &parent, start: &start, duration: &duration };
        let path: Vec<(u32, u64, u64)> = critical_path(times).into_iter().map(|part| (part.row, part.from, part.to)).collect();
        // `a` was still running when `b` began, so nothing waited for it.
        assert_eq!(path, [(0, 90, 100), (4, 85, 90), (0, 80, 85), (3, 30, 80), (0, 0, 30)]);
    }

    #[test]
    fn several_roots_follow_each_other() {
        let (parent, start, duration) = columns(&[(-1, 0, 10), (-1, 5, 3), (-1, 20, 10), (2, 22, 2)]);
        let times = Times { parent: &parent, start: &start, duration: &duration };
        let path: Vec<(u32, u64, u64)> = critical_path(times).into_iter().map(|part| (part.row, part.from, part.to)).collect();
        assert_eq!(path, [(2, 24, 30), (3, 22, 24), (2, 20, 22), (0, 0, 10)]);
    }

    proptest! {
        #[test]
        fn own_times_and_the_path_of_one_root_add_up(steps in prop::collection::vec((0_usize..4, 0_u64..30, 0_u64..60), 0..60)) {
            // Each step adds a span to one of the open ones; siblings are sorted by start because time moves forward.
            let mut spans: Vec<(i64, u64, u64)> = vec![(-1, 0, 1_000)];
            let mut open = vec![0_i64];
            for (climb, gap, length) in steps {
                open.truncate(open.len().saturating_sub(climb).max(1));
                let parent = *open.last().unwrap_or(&0);
                let start = spans.last().map_or(0, |last| last.1) + gap;
                open.push(spans.len() as i64);
                spans.push((parent, start, length));
            }
            let (parent, start, duration) = columns(&spans);
            let times = Times { parent: &parent, start: &start, duration: &duration };
            let path = critical_path(times);
            prop_assert_eq!(path.iter().map(|part| part.to - part.from).sum::<u64>(), 1_000);
            for pair in path.windows(2) {
                prop_assert_eq!(pair[0].from, pair[1].to);
            }
            // Brute force: every point in time inside a span and outside of all its children.
            let own = self_times(times);
            for row in 0..spans.len() {
                let (from, to) = (spans[row].1, spans[row].1 + spans[row].2);
                let covered = |at: u64| spans.iter().any(|child| child.0 == row as i64 && child.1 <= at && at < child.1 + child.2);
                prop_assert_eq!(own[row], (from..to).filter(|at| !covered(*at)).count() as u64);
            }
        }
    }
}
