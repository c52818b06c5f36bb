//! Jump targets in a trace.

use super::failures::failure_origins;
use super::times::{Times, self_times};
use super::waterfall::{span_time, subtree};
use quipu_model::SpanFlags;
use quipu_model::number::narrow;
use quipu_protocol::{TraceColumns, UNKNOWN_NANOS};

/// A kind of jump target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// The span with the longest own time.
    Slowest,
    /// The next span in which a failure originated.
    Failure,
    /// The next inference request.
    Inference,
}

impl Jump {
    /// The target of a key.
    pub fn from_key(key: &str) -> Option<Jump> {
        match key {
            "t" => Some(Jump::Slowest),
            "e" => Some(Jump::Failure),
            "i" => Some(Jump::Inference),
            _ => None,
        }
    }

    /// Whether the trace has no such target. Does not look at its spans.
    pub fn leads_nowhere(self, columns: &TraceColumns) -> bool {
        match self {
            Jump::Slowest => columns.is_empty(),
            Jump::Failure => columns.failed_rows.is_empty(),
            Jump::Inference => columns.token_totals.requests == 0,
        }
    }

    /// The target row, starting from `selected`; `None` if there is none. Wraps around.
    pub fn target(self, columns: &TraceColumns, selected: Option<u32>) -> Option<u32> {
        match self {
            Jump::Slowest => {
                let own = self_times(Times::of(columns));
                let known = own.iter().enumerate().filter(|(_, nanos)| **nanos != UNKNOWN_NANOS);
                known.max_by_key(|(row, nanos)| (**nanos, std::cmp::Reverse(*row))).map(|(row, _)| narrow(row))
            }
            Jump::Failure => {
                let mut origins = failure_origins(columns);
                quipu_model::ordered::sort_by_key(&mut origins, |row| (span_time(columns, *row).0, *row));
                let at = selected.and_then(|selected| origins.iter().position(|row| *row == selected));
                origins.get(at.map_or(0, |at| at + 1)).or(origins.first()).copied()
            }
            Jump::Inference => {
                let is_one = |row: &u32| columns.flags.get(*row as usize).is_some_and(|flags| flags.has(SpanFlags::INFERENCE_REQUEST));
                let rows = narrow(columns.len());
                let from = selected.map_or(0, |row| row + 1);
                (from..rows).find(is_one).or_else(|| (0..rows).find(is_one))
            }
        }
    }
}

/// Maximum number of children considered for one span's own time.
const MOST_CHILDREN: usize = 100_000;

/// The own time of the span in `row` in nanoseconds: its duration without the parts covered by children. `None` if the duration is unknown
/// or there are too many children.
pub fn own_nanos(columns: &TraceColumns, row: u32) -> Option<u64> {
    let (start, duration) = span_time(columns, row);
    let end = start.saturating_add(duration?);
    let after = row.saturating_add(subtree(columns, row));
    let (mut own, mut covered) = (duration?, start);
    let mut child = row + 1;
    let mut seen = 0;
    while child < after {
        seen += 1;
        if seen > MOST_CHILDREN {
            return None;
        }
        // Siblings are sorted by start, so the covered range only grows to the right.
        let (from, length) = span_time(columns, child);
        let (from, to) = (from.max(covered), from.saturating_add(length.unwrap_or(0)).min(end));
        if to > from {
            own = own.saturating_sub(to - from);
            covered = to;
        }
        child = child.saturating_add(subtree(columns, child));
    }
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::super::waterfall::tests::{trace, turn};
    use super::*;

    #[test]
    fn the_slowest_is_so_by_itself() {
        // The turn is longest, but only waits: the router's call under `inference` took the time.
        assert_eq!(Jump::Slowest.target(&turn(), None), Some(5));
        assert_eq!(Jump::Slowest.target(&trace(&[]), None), None);
    }

    #[test]
    fn failures_are_gone_through_from_where_they_began() {
        let columns = trace(&[(0, "a", 0, 9, true), (1, "late", 5, 1, true), (1, "early", 2, 4, false), (2, "x", 3, 1, true)]);
        let jump = |selected| Jump::Failure.target(&columns, selected);
        assert_eq!([jump(None), jump(Some(3)), jump(Some(1)), jump(Some(0))], [Some(3), Some(1), Some(3), Some(3)]);
        assert_eq!(Jump::Failure.target(&trace(&[(0, "a", 0, 9, false)]), None), None);
    }

    #[test]
    fn inference_requests_are_gone_through_in_a_circle() {
        let mut columns = turn();
        for row in [2, 5] {
            columns.flags[row].add(SpanFlags::INFERENCE_REQUEST);
        }
        let jump = |selected| Jump::Inference.target(&columns, selected);
        assert_eq!([jump(None), jump(Some(2)), jump(Some(5))], [Some(2), Some(5), Some(2)]);
    }

    #[test]
    fn the_own_time_of_one_span_is_that_of_all() {
        let columns = trace(&[(0, "a", 0, 100, false), (1, "b", 10, 30, false), (2, "c", 5, 20, false), (1, "d", 30, 90, false)]);
        let all = self_times(Times::of(&columns));
        let each: Vec<u64> = (0..4).filter_map(|row| own_nanos(&columns, row)).collect();
        assert_eq!(each, all);
    }
}
