//! Marks on a span's bar: events, and the critical path.

use super::zoom::{Side, TimeWindow};
use quipu_protocol::{PathPart, SpanMoments, TraceColumns};

/// Marks closer than this, relative to the axis, are merged.
const APART: f64 = 0.004;
/// Maximum number of marks per bar.
const MOST_DOTS: usize = 60;

/// One or more events of a span at a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Position relative to the axis, 0 to 1.
    pub at: f64,
    /// Number of events.
    pub events: u32,
    /// Whether one of them reports an error.
    pub error: bool,
    /// Set if the events are before the start of the trace, as with queued spans, or after its end.
    pub beyond: Option<Side>,
}

/// The marks of a span's events on an axis over `window`.
pub fn dots(columns: &TraceColumns, moments: &SpanMoments, window: &TimeWindow) -> Vec<Dot> {
    let mut dots: Vec<Dot> = Vec::new();
    let Some(zero) = columns.start else { return dots };
    for (time, error) in &moments.moments {
        let nanos = time.nanos_since(zero) as f64;
        let (at, beyond) = match (nanos - window.from() as f64) / window.length().max(1) as f64 {
            _ if nanos < 0.0 && window.from() == 0 => (0.0, Some(Side::Before)),
            at if at > 1.0 && window.to() >= columns.duration_nanos => (1.0, Some(Side::After)),
            at => (at, None),
        };
        if !(0.0..=1.0).contains(&at) {
            continue;
        }
        let room = dots.len() < MOST_DOTS;
        match dots.last_mut().filter(|last| (at - last.at < APART && last.beyond == beyond) || !room) {
            Some(last) => {
                last.events += 1;
                last.error |= error;
            }
            None => dots.push(Dot { at, events: 1, error: *error, beyond }),
        }
    }
    dots
}

/// The critical path by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathRows(Vec<PathPart>);

impl PathRows {
    /// Creates it from parts in any order.
    pub fn new(mut parts: Vec<PathPart>) -> PathRows {
        quipu_model::ordered::sort_by_key(&mut parts, |part| (part.row, part.from));
        PathRows(parts)
    }

    /// Whether there is no critical path.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, row: u32) -> &[PathPart] {
        let first = self.0.partition_point(|part| part.row < row);
        let end = self.0.partition_point(|part| part.row <= row);
        self.0.get(first..end).unwrap_or_default()
    }

    /// Nanoseconds of the critical path spent in the span in `row` itself.
    pub fn nanos(&self, row: u32) -> u64 {
        self.of(row).iter().map(|part| part.to - part.from).sum()
    }

    /// `(start, length)` of the parts in `row`, relative to an axis over `window`. Adjacent ones are merged.
    pub fn pieces(&self, row: u32, window: &TimeWindow) -> Vec<(f64, f64)> {
        let mut pieces: Vec<(f64, f64)> = Vec::new();
        for part in self.of(row) {
            let place = |nanos: u64| ((nanos as f64 - window.from() as f64) / window.length().max(1) as f64).clamp(0.0, 1.0);
            let (start, end) = (place(part.from), place(part.to));
            if end <= start {
                continue;
            }
            match pieces.last_mut().filter(|(from, length)| start - (from + length) < APART / 4.0) {
                Some((from, length)) => *length = end - *from,
                None => pieces.push((start, end - start)),
            }
        }
        pieces
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use quipu_model::Timestamp;

    #[test]
    fn events_that_stand_close_are_one_mark_and_those_beyond_stand_at_the_edges() {
        let columns = TraceColumns { start: Some(Timestamp(1_000)), duration_nanos: 1_000, ..TraceColumns::default() };
        let at = |nanos: i64, error: bool| (Timestamp(1_000 + nanos), error);
        let moments =
            SpanMoments { moments: vec![at(-5, false), at(100, false), at(101, true), at(500, false), at(2_000, false)], events: 6 };
        let dots = dots(&columns, &moments, &TimeWindow::whole(1_000));
        let told = |dot: &Dot| {
            let beyond = dot.beyond.map(|side| format!(" {side:?}")).unwrap_or_default();
            let error = if dot.error { " error" } else { "" };
            format!("{} at {:.3}{error}{beyond}", dot.events, dot.at)
        };
        assert_eq!(dots.iter().map(told).collect::<Vec<_>>(), ["1 at 0.000 Before", "2 at 0.100 error", "1 at 0.500", "1 at 1.000 After"]);
    }

    #[test]
    fn the_path_is_told_for_one_row_inside_the_window() {
        let part = |row, from: u64, to: u64| PathPart { row, from: from * 1_000_000, to: to * 1_000_000 };
        let path = PathRows::new(vec![part(1, 80, 100), part(0, 60, 80), part(1, 10, 60), part(0, 0, 10)]);
        let pieces = |row, window| -> Vec<(i64, i64)> {
            let percent = |part: f64| (part * 100.0).round() as i64;
            path.pieces(row, &TimeWindow::new(window, 100_000_000))
                .into_iter()
                .map(|(start, length)| (percent(start), percent(length)))
                .collect()
        };
        assert_eq!(path.nanos(1), 70_000_000);
        assert_eq!(pieces(1, Some((50_000_000, 100_000_000))), [(0, 20), (60, 40)]);
        assert_eq!(pieces(7, None), []);
        assert_eq!(pieces(0, None), [(0, 10), (60, 20)]);
    }
}
