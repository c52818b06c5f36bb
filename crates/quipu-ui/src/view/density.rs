//! Level of detail: summarizes where many spans spent their time, for a minimap or a strip.
//!
//! A bucket counts the own time of spans, without that of their children, so nested spans do not count twice. Its kind is the one with the
//! most own time. Large subtrees are summed from precomputed blocks of rows. Drawing is up to the page.

use super::zoom::TimeWindow;
use quipu_model::number::{narrow, truncated};
use quipu_model::{SpanFlags, SpanKind};
use quipu_protocol::{DensityGrid, NO_ROW, TraceColumns, UNKNOWN_NANOS};
use std::fmt::Write;
use std::ops::Range;

/// Maximum number of lanes of a minimap.
const MINIMAP_LANES: usize = 24;
/// Buckets of a minimap.
const MINIMAP_BUCKETS: u32 = 512;
/// Buckets of a strip and of the blocks.
const STRIP_BUCKETS: u32 = 128;
/// Rows per block.
const BLOCK_ROWS: u32 = 256;
/// Strips of up to this many rows are computed exactly from the spans.
const EXACT_ROWS: u32 = 2_048;
/// One plane per kind, and one for failed spans.
const PLANES: usize = SpanKind::ALL.len() + 1;
const FAILED: usize = SpanKind::ALL.len();
/// Width of an instant in buckets.
const INSTANT: f64 = 0.04;

/// The minimap of the whole trace: at most 24 lanes of 512 buckets.
pub fn minimap(columns: &TraceColumns) -> DensityGrid {
    let lane_rows = columns.len().div_ceil(MINIMAP_LANES).max(1);
    grid(columns, u32::try_from(lane_rows).unwrap_or(u32::MAX), MINIMAP_BUCKETS)
}

/// Precomputed blocks for strips of large subtrees; empty if all strips are computed exactly.
pub fn blocks(columns: &TraceColumns) -> DensityGrid {
    if columns.len() <= EXACT_ROWS as usize { DensityGrid::default() } else { grid(columns, BLOCK_ROWS, STRIP_BUCKETS) }
}

fn grid(columns: &TraceColumns, lane_rows: u32, buckets: u32) -> DensityGrid {
    let mut grid = DensityGrid { buckets, lane_rows, ..DensityGrid::default() };
    let window = TimeWindow::whole(columns.duration_nanos);
    let rows = u32::try_from(columns.len()).unwrap_or(u32::MAX);
    grid.cells.reserve_exact(rows.div_ceil(lane_rows) as usize * buckets as usize);
    let mut lane = Lane::new(buckets as usize);
    for first in (0..rows).step_by(lane_rows as usize) {
        lane.clear();
        lane.count(columns, first..first.saturating_add(lane_rows).min(rows), &window);
        grid.cells.extend(lane.cells().map(Cell::packed));
    }
    grid
}

/// A bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cell {
    /// The busy part, 0 to 1.
    share: f64,
    /// Index in [`SpanKind::ALL`] of the kind with the most time.
    kind: usize,
    failed: bool,
}

impl Cell {
    #[expect(clippy::cast_possible_truncation, reason = "a kind is an index in `SpanKind::ALL`, which fits in four bits")]
    fn packed(self) -> u16 {
        // Any activity stays visible.
        let share = if self.share > 0.0 { truncated::<u16>((self.share * 255.0).round().clamp(1.0, 255.0)) } else { 0 };
        share | (self.kind as u16) << 8 | u16::from(self.failed) << 12
    }

    fn unpacked(packed: u16) -> Cell {
        let kind = usize::from(packed >> 8 & 0xf).min(FAILED - 1);
        Cell { share: f64::from(packed & 0xff) / 255.0, kind, failed: packed >> 12 & 1 == 1 }
    }
}

/// Accumulates buckets. Each plane holds differences between adjacent buckets, so that a span of any length changes four numbers.
struct Lane {
    buckets: usize,
    planes: Vec<f64>,
}

impl Lane {
    fn new(buckets: usize) -> Lane {
        Lane { buckets, planes: vec![0.0; PLANES * (buckets + 2)] }
    }

    fn clear(&mut self) {
        self.planes.fill(0.0);
    }

    /// Adds the spans of `rows`.
    fn count(&mut self, columns: &TraceColumns, rows: Range<u32>, window: &TimeWindow) {
        for row in rows.clone() {
            let at = row as usize;
            let (start, end) = self.place(columns, at, window);
            if end <= 0.0 || start >= self.buckets as f64 {
                continue;
            }
            let kind = columns.kind.get(at).copied().unwrap_or(SpanKind::Other) as usize;
            self.add(kind, start, end, 1.0);
            if columns.flags.get(at).is_some_and(|flags| flags.has(SpanFlags::FAILED)) {
                self.add(FAILED, start, end, 1.0);
            }
            let parent = columns.parent.get(at).copied().unwrap_or(NO_ROW);
            if rows.contains(&parent) {
                let (parent_start, parent_end) = self.place(columns, parent as usize, window);
                let kind = columns.kind.get(parent as usize).copied().unwrap_or(SpanKind::Other) as usize;
                self.add(kind, start.max(parent_start), end.min(parent_end), -1.0);
            }
        }
    }

    /// Start and end of a span in buckets.
    fn place(&self, columns: &TraceColumns, at: usize, window: &TimeWindow) -> (f64, f64) {
        let start = columns.start_nanos.get(at).copied().unwrap_or(0);
        let duration = columns.duration.get(at).copied().filter(|nanos| *nanos != UNKNOWN_NANOS).unwrap_or(0);
        let buckets = self.buckets as f64;
        let start = window.part(start) * buckets;
        let length = duration as f64 / window.length() as f64 * buckets;
        // An instant at the very end is moved inside.
        (if start >= buckets && start <= buckets + 1e-9 { buckets - INSTANT } else { start }, start + length.max(INSTANT))
    }

    fn add(&mut self, plane: usize, start: f64, end: f64, weight: f64) {
        let (start, end) = (start.max(0.0), end.min(self.buckets as f64));
        if end <= start {
            return;
        }
        let offset = plane * (self.buckets + 2);
        let (first, last) = (truncated::<usize>(start), truncated::<usize>(end));
        let mut change = |bucket: usize, by: f64| {
            if let Some(slot) = self.planes.get_mut(offset + bucket) {
                *slot += by * weight;
            }
        };
        // The first and last buckets are partly filled, those between fully.
        if first == last {
            change(first, end - start);
            change(first + 1, start - end);
        } else {
            let (head, tail) = ((first + 1) as f64 - start, end - last as f64);
            change(first, head);
            change(first + 1, 1.0 - head);
            change(last, tail - 1.0);
            change(last + 1, -tail);
        }
    }

    fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        let mut sums = [0.0; PLANES];
        (0..self.buckets).map(move |bucket| {
            let mut cell = Cell::default();
            let mut most = 0.0;
            for (plane, sum) in sums.iter_mut().enumerate() {
                *sum += self.planes.get(plane * (self.buckets + 2) + bucket).copied().unwrap_or(0.0);
                // Ignore rounding errors of sums of differences.
                let own = if *sum > 1e-6 { *sum } else { 0.0 };
                if plane == FAILED {
                    cell.failed = own > 0.0;
                    continue;
                }
                cell.share += own;
                if own > most {
                    (most, cell.kind) = (own, plane);
                }
            }
            cell.share = cell.share.min(1.0);
            cell
        })
    }
}

/// A part of a minimap painted in one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct MinimapRun {
    /// Lane, from 0.
    pub lane: u32,
    /// Start relative to the trace.
    pub start: f64,
    /// Length relative to the trace.
    pub length: f64,
    /// Kind with the most time; `None` for a failed span, if each lane is one span.
    pub kind: Option<SpanKind>,
    /// Busy part in quarters: 0.25 to 1.
    pub strength: f64,
}

/// The number of lanes and the parts to paint.
pub fn minimap_runs(grid: &DensityGrid) -> (u32, Vec<MinimapRun>) {
    let buckets = grid.buckets.max(1);
    let lanes = grid.cells.chunks(buckets as usize);
    let count = narrow(lanes.len());
    let mut runs: Vec<MinimapRun> = Vec::new();
    for (lane, cells) in lanes.enumerate() {
        let mut last = None;
        for (bucket, packed) in cells.iter().enumerate() {
            let cell = Cell::unpacked(*packed);
            let quarters = (cell.share * 4.0).ceil();
            let look = (quarters > 0.0 || cell.failed)
                .then(|| if cell.failed { (None, 1.0) } else { (SpanKind::ALL.get(cell.kind).copied(), quarters / 4.0) });
            match (look, runs.last_mut()) {
                (Some(_), Some(run)) if look == last => run.length += 1.0 / f64::from(buckets),
                (Some((kind, strength)), _) => {
                    let start = bucket as f64 / f64::from(buckets);
                    runs.push(MinimapRun { lane: narrow(lane), start, length: 1.0 / f64::from(buckets), kind, strength });
                }
                (None, _) => {}
            }
            last = look;
        }
    }
    (count, runs)
}

/// A minimap as SVG paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Minimap {
    /// Width in SVG units: one per bucket.
    pub width: u32,
    /// Height in SVG units: one per lane.
    pub height: u32,
    /// A path per kind (`None` for failed spans) and strength.
    pub paths: Vec<(Option<SpanKind>, f64, String)>,
    /// Path of failures in a separate drawing, one unit high; empty without failures.
    pub failures: String,
}

/// The SVG paths of a minimap.
pub fn minimap_paths(grid: &DensityGrid) -> Minimap {
    let (height, runs) = minimap_runs(grid);
    let mut map = Minimap { width: grid.buckets, height, ..Minimap::default() };
    let units = |part: f64| truncated::<u32>((part * f64::from(grid.buckets)).round());
    for run in runs {
        let at = map.paths.iter().position(|(kind, strength, _)| (*kind, *strength) == (run.kind, run.strength));
        let at = at.unwrap_or_else(|| {
            map.paths.push((run.kind, run.strength, String::new()));
            map.paths.len() - 1
        });
        let (start, length) = (units(run.start), units(run.length).max(1));
        if let Some((_, _, path)) = map.paths.get_mut(at) {
            let _ = write!(path, "M{start} {}h{length}v1h-{length}z", run.lane);
        }
    }
    let mut failed = vec![false; grid.buckets as usize];
    for cells in grid.cells.chunks(grid.buckets.max(1) as usize) {
        failed.iter_mut().zip(cells).for_each(|(failed, cell)| *failed |= Cell::unpacked(*cell).failed);
    }
    for (at, _) in failed.iter().enumerate().filter(|(_, failed)| **failed) {
        let _ = write!(map.failures, "M{at} 0h1v1h-1z");
    }
    map
}

/// The part of a strip in one colour, as an SVG path. The strip is [`STRIP_WIDTH`] × [`STRIP_HEIGHT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripPath {
    /// Kind of the spans; `None` for failed ones.
    pub kind: Option<SpanKind>,
    /// The attribute `d`.
    pub path: String,
}

/// Width of a strip in SVG units.
pub const STRIP_WIDTH: u32 = STRIP_BUCKETS;
/// Height of a strip in SVG units.
pub const STRIP_HEIGHT: u32 = 8;

/// A histogram of the time spent below `row` in `window`: one path per kind, failed spans last.
pub fn strip(columns: &TraceColumns, row: u32, window: &TimeWindow) -> Vec<StripPath> {
    let end = row.saturating_add(super::waterfall::subtree(columns, row)).min(u32::try_from(columns.len()).unwrap_or(u32::MAX));
    strip_paths(&strip_cells(columns, row.saturating_add(1)..end, window))
}

#[expect(clippy::indexing_slicing, reason = "a cell's kind is an index in `SpanKind::ALL`, which has `FAILED` kinds")]
fn strip_cells(columns: &TraceColumns, rows: Range<u32>, window: &TimeWindow) -> Vec<Cell> {
    let mut lane = Lane::new(STRIP_BUCKETS as usize);
    let grid = &columns.blocks;
    if rows.end.saturating_sub(rows.start) <= EXACT_ROWS || grid.lane_rows == 0 {
        lane.count(columns, rows, window);
        return lane.cells().collect();
    }
    let (first, end) = (rows.start.div_ceil(grid.lane_rows), rows.end / grid.lane_rows);
    // Rows outside of whole blocks are added one by one.
    lane.count(columns, rows.start..first * grid.lane_rows, window);
    lane.count(columns, end * grid.lane_rows..rows.end, window);
    let mut cells: Vec<Cell> = lane.cells().collect();
    let mut kinds = vec![[0.0; FAILED]; cells.len()];
    for (cell, kinds) in cells.iter().zip(&mut kinds) {
        kinds[cell.kind] = cell.share;
    }
    let whole = TimeWindow::whole(columns.duration_nanos);
    // Each cell of the strip shows the block's bucket at the cell's middle.
    let buckets: Vec<usize> = (0..cells.len())
        .map(|cell| truncated::<usize>(whole.part(window.at((cell as f64 + 0.5) / f64::from(STRIP_BUCKETS))) * f64::from(grid.buckets)))
        .collect();
    for block in grid.cells.chunks(grid.buckets.max(1) as usize).take(end as usize).skip(first as usize) {
        for ((cell, kinds), bucket) in cells.iter_mut().zip(&mut kinds).zip(&buckets) {
            let found = Cell::unpacked(block.get(*bucket).copied().unwrap_or(0));
            cell.share = (cell.share + found.share).min(1.0);
            cell.failed |= found.failed;
            kinds[found.kind] += found.share;
            if kinds[found.kind] > kinds[cell.kind] {
                cell.kind = found.kind;
            }
        }
    }
    cells
}

fn strip_paths(cells: &[Cell]) -> Vec<StripPath> {
    let mut paths = vec![String::new(); PLANES];
    let mut at = 0;
    while let Some(cell) = cells.get(at) {
        let look = |cell: &Cell| (truncated::<u32>((cell.share * f64::from(STRIP_HEIGHT)).ceil()), cell.kind);
        let (height, kind) = look(cell);
        let many = cells.iter().skip(at).take_while(|next| look(next) == (height, kind)).count().max(1);
        if height > 0
            && let Some(path) = paths.get_mut(kind)
        {
            let _ = write!(path, "M{at} {STRIP_HEIGHT}v-{height}h{many}v{height}z");
        }
        at += many;
    }
    // Failures are marked by height and by a colour of their own.
    if let Some(path) = paths.get_mut(FAILED) {
        for (at, _) in cells.iter().enumerate().filter(|(_, cell)| cell.failed) {
            let _ = write!(path, "M{at} 0h1v{STRIP_HEIGHT}h-1z");
        }
    }
    let kinds = SpanKind::ALL.into_iter().map(Some).chain([None]);
    kinds.zip(paths).filter(|(_, path)| !path.is_empty()).map(|(kind, path)| StripPath { kind, path }).collect()
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use crate::view::waterfall::tests::{trace, turn};
    use proptest::prelude::*;

    /// Request, tUrn, Inference, Tool, Safety, retrieVal, rOuting, File, other: upper case if at least three quarters are busy, `!` for a
    /// failed span.
    /// a span failed.
    fn letter(cell: &Cell) -> char {
        let letter = b"ruitsvofx"[cell.kind] as char;
        match cell {
            Cell { failed: true, .. } => '!',
            Cell { share: 0.0, .. } => '.',
            Cell { share, .. } if *share < 0.75 => letter,
            _ => letter.to_ascii_uppercase(),
        }
    }

    fn drawn(cells: impl Iterator<Item = Cell>) -> String {
        cells.map(|cell| letter(&cell)).collect()
    }

    fn drawn_grid(grid: &DensityGrid) -> String {
        grid.cells
            .chunks(grid.buckets as usize)
            .map(|lane| drawn(lane.iter().map(|cell| Cell::unpacked(*cell))))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_grid_shows_each_lane_over_time() {
        let columns = turn();
        insta::assert_snapshot!(format!(
            "one row a lane\n{}\n\nthree rows a lane\n{}",
            drawn_grid(&grid(&columns, 1, 50)),
            drawn_grid(&grid(&columns, 3, 50))
        ));
    }

    #[test]
    fn a_minimap_is_painted_in_runs() {
        let (lanes, runs) = minimap_runs(&minimap(&turn()));
        let told: Vec<String> = runs
            .iter()
            .map(|run| {
                let kind = run.kind.map_or("failed", SpanKind::label);
                format!("lane {} {:.3} +{:.3} {kind} {:.2}", run.lane, run.start, run.length, run.strength)
            })
            .collect();
        insta::assert_snapshot!(format!("{lanes} lanes\n{}", told.join("\n")));
    }

    #[test]
    fn a_strip_shows_what_lies_beneath_a_span_within_the_window() {
        let columns = turn();
        let shown = |row: u32, window: Option<(u64, u64)>| {
            let window = TimeWindow::new(window, columns.duration_nanos);
            let end = row + crate::view::waterfall::subtree(&columns, row);
            drawn(strip_cells(&columns, row + 1..end, &window).into_iter())
        };
        insta::assert_snapshot!(format!(
            "beneath the turn, all of it\n{}\nbeneath the turn, from 10 to 30 ms\n{}\nbeneath the shields, all of it\n{}",
            shown(0, None),
            shown(0, Some((10_000_000, 30_000_000))),
            shown(1, None),
        ));
        assert_eq!(strip(&columns, 6, &TimeWindow::whole(columns.duration_nanos)), vec![]);
        let paths = strip(&columns, 5 - 1, &TimeWindow::whole(columns.duration_nanos));
        assert_eq!(paths.iter().map(|path| path.kind).collect::<Vec<_>>(), vec![Some(SpanKind::Inference)]);
    }

    #[test]
    fn traces_without_spans_or_time_have_their_grids() {
        assert_eq!(minimap_runs(&minimap(&TraceColumns::default())), (0, vec![]));
        let columns = trace(&[(0, "x", 0, 0, true)]);
        let (lanes, runs) = minimap_runs(&minimap(&columns));
        assert_eq!((lanes, runs.len()), (1, 1));
        assert_eq!(runs[0].kind, None);
    }

    proptest! {
        #[test]
        fn self_times_add_up_to_the_time_that_is_covered(
            spans in prop::collection::vec((0_u32..3, 0_u64..900, 0_u64..100), 1..60),
        ) {
            // Children lie within their parents without overlap, so the busy time is what the roots cover.
            let mut list: Vec<(u32, &str, u64, u64, bool)> = vec![(0, "root", 0, 1_000, false)];
            let mut next = 0;
            for (_, _, length) in spans {
                let length = length.min(1_000 - next);
                list.push((1, "inference", next, length, false));
                next += length;
            }
            let columns = trace(&list);
            let whole = TimeWindow::whole(columns.duration_nanos);
            let mut lane = Lane::new(64);
            lane.count(&columns, 0..columns.len() as u32, &whole);
            let busy: f64 = lane.cells().map(|cell| cell.share).sum();
            prop_assert!((busy - 64.0).abs() < 0.5 + 0.04 * list.len() as f64, "{} of 64", busy);
        }

        #[test]
        fn large_subtrees_are_added_up_as_if_counted_one_by_one(starts in prop::collection::vec(0_u64..50_000, 2_500..3_000)) {
            // Without nesting, and with spans longer than a bucket, blocks are exact except for rounding.
            let mut list: Vec<(u32, &str, u64, u64, bool)> = vec![(0, "root", 0, 100_000, false)];
            list.extend(starts.into_iter().map(|start| (1, "inference", start, 3_000, start < 10)));
            let mut columns = trace(&list);
            columns.blocks = blocks(&columns);
            let whole = TimeWindow::whole(columns.duration_nanos);
            let quick = strip_cells(&columns, 1..columns.len() as u32, &whole);
            let mut lane = Lane::new(STRIP_BUCKETS as usize);
            lane.count(&columns, 1..columns.len() as u32, &whole);
            for (quick, exact) in quick.iter().zip(lane.cells()) {
                prop_assert!((quick.share - exact.share).abs() < 0.05, "{:?} {:?}", quick, exact);
                prop_assert_eq!(quick.failed, exact.failed);
            }
        }
    }
}
