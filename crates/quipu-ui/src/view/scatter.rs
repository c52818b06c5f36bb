//! A scatter plot of traces by start and duration: cells, marks, and the brush that turns a selection into a filter.
//!
//! Both axes are divided into cells with round borders, so that filters stay short. Durations use a logarithmic scale of twenty steps per
//! decade; a cell is one or more steps. Time is linear, so that gaps keep their length.

use super::axis::{step_for, ticks};
use super::{Tick, add_terms};
use quipu_model::Timestamp;
use quipu_model::format::{TimeStyle, counted, duration, time};
use quipu_model::number::truncated;
use quipu_protocol::filter::without_ranges;
use quipu_protocol::{Scatter, ScatterMark, ScatterPoint};
use std::fmt::Write;
use std::ops::Range;

/// Maximum number of columns and rows.
const MOST_CELLS: (u16, u16) = (512, 64);
const MOST_MARKS: usize = 8_192;
/// The steps of one decade of durations.
const STEPS: [u64; 20] = [100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900];
/// Possible numbers of steps per cell.
const STRIDES: [usize; 9] = [1, 2, 4, 5, 10, 20, 40, 80, 160];
/// Maximum coordinate of a mark.
const END: f64 = 65_535.0;
/// Durations labelled on the axis.
const ROUND: [u64; 14] = [
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    60_000_000_000,
    600_000_000_000,
    3_600_000_000_000,
    36_000_000_000_000,
    86_400_000_000_000,
    864_000_000_000_000,
];

/// The duration at a step of the scale.
fn step(number: usize) -> u64 {
    let power = u32::try_from(number / STEPS.len()).unwrap_or(u32::MAX);
    STEPS.get(number % STEPS.len()).map_or(u64::MAX, |step| step.saturating_mul(10_u64.saturating_pow(power)))
}

/// The last step at or below a duration; 0 below the scale.
fn step_below(nanos: u64) -> usize {
    let power = (nanos / 100).max(1).ilog10() as usize;
    let first = power * STEPS.len();
    (first..first + STEPS.len()).rev().find(|number| step(*number) <= nanos).unwrap_or(first)
}

/// The duration borders of the rows, ascending.
fn borders(least: u64, most: u64, at_most: u16) -> Vec<u64> {
    let (mut low, mut high) = (step_below(least), step_below(most) + 1);
    // If all durations are nearly equal, center them.
    if high - low < 8 {
        low = low.saturating_sub(4);
        high += 4;
    }
    let fits = |stride: &&usize| high.div_ceil(**stride) - low / **stride <= at_most.into();
    // For a single row, use the whole scale.
    let stride = *STRIDES.iter().find(fits).unwrap_or(&400);
    let (low, high) = (low / stride, high.div_ceil(stride));
    let mut borders: Vec<u64> = (low..=high).map(|number| step(number * stride)).collect();
    // The ends of the number range give the same border.
    borders.dedup();
    borders
}

/// Groups traces into at most `(columns, rows)` cells; `None` if no cells are requested or no trace has a start and a duration.
pub fn scatter(points: &mut dyn Iterator<Item = ScatterPoint>, cells: (u16, u16)) -> Option<Scatter> {
    if cells.0 == 0 || cells.1 == 0 {
        return None;
    }
    let (columns, rows) = (cells.0.min(MOST_CELLS.0), cells.1.min(MOST_CELLS.1));
    let columns = columns.min(u16::try_from(MOST_MARKS / usize::from(rows)).unwrap_or(u16::MAX));
    let mut placed: Vec<(i64, u64, bool)> = Vec::new();
    let mut left_out = 0;
    for point in points {
        match (point.start, point.duration) {
            (Some(start), Some(duration)) => placed.push((start, duration, point.failed)),
            _ => left_out += 1,
        }
    }
    let starts = || placed.iter().map(|(start, ..)| *start);
    let durations = || placed.iter().map(|(_, duration, _)| *duration);
    let (mut first, mut last) = (starts().min()?, starts().max()?);
    // If all starts are nearly equal, center them in one second.
    if last.abs_diff(first) < 1_000_000 {
        (first, last) = (first.saturating_sub(500_000_000), last.saturating_add(500_000_000));
    }
    let most = durations().max()?;
    let least = durations().filter(|duration| *duration > 0).min().unwrap_or(most);
    let borders = borders(least, most, rows);
    let step = step_for(last.abs_diff(first).max(1), usize::from(columns).saturating_sub(2).max(1));
    let whole_step = i64::try_from(step).unwrap_or(i64::MAX);
    let from = first.saturating_sub(first.rem_euclid(whole_step));
    let columns = last.abs_diff(from) / step + 1;
    let mut picture = Scatter {
        from: Timestamp(from),
        step_nanos: step,
        columns: u16::try_from(columns).unwrap_or(u16::MAX),
        borders,
        marks: Vec::new(),
        left_out,
    };
    picture.marks = marks(&picture, &placed);
    Some(picture)
}

fn marks(picture: &Scatter, placed: &[(i64, u64, bool)]) -> Vec<ScatterMark> {
    let rows = usize::from(picture.rows());
    let mut cells = vec![ScatterMark::default(); rows * usize::from(picture.columns)];
    for (start, duration, failed) in placed {
        let (x, y) = (part_of_time(picture, Timestamp(*start)), part_of_duration(picture, *duration));
        let Ok(column) = usize::try_from(start.abs_diff(picture.from.0) / picture.step_nanos.max(1)) else { continue };
        let row = row_of(picture, *duration);
        let Some(mark) = cells.get_mut(column * rows + row) else { continue };
        if mark.traces == 0 {
            (mark.x, mark.y) = (inside(x, column, picture.columns), inside(y, row, picture.rows()));
        } else {
            let middle = |at: usize, of: u16| inside((at as f64 + 0.5) / f64::from(of), at, of);
            (mark.x, mark.y) = (middle(column, picture.columns), middle(row, picture.rows()));
        }
        mark.traces += 1;
        mark.failed += u32::from(*failed);
    }
    cells.retain(|mark| mark.traces > 0);
    cells
}

/// A mark's coordinate, within its cell even if it is on the border.
fn inside(part: f64, cell: usize, cells: u16) -> u16 {
    let border = |cell: usize| (cell as u64 * 65_536).div_ceil(cells.max(1).into());
    let (first, next) = (border(cell), border(cell + 1));
    truncated::<u64>(part * END).clamp(first, next.saturating_sub(1).max(first)).min(65_535) as u16
}

fn part_of_time(picture: &Scatter, at: Timestamp) -> f64 {
    at.0.abs_diff(picture.from.0) as f64 / (picture.step_nanos as f64 * f64::from(picture.columns.max(1)))
}

fn row_of(picture: &Scatter, nanos: u64) -> usize {
    let above = picture.borders.partition_point(|border| *border <= nanos);
    above.saturating_sub(1).min(usize::from(picture.rows()).saturating_sub(1))
}

/// Vertical position of a duration: 0 at the bottom, 1 at the top.
fn part_of_duration(picture: &Scatter, nanos: u64) -> f64 {
    let row = row_of(picture, nanos);
    let (Some(low), Some(high)) = (picture.borders.get(row), picture.borders.get(row + 1)) else { return 0.0 };
    let inside = nanos.saturating_sub(*low) as f64 / high.abs_diff(*low).max(1) as f64;
    (row as f64 + inside.min(1.0)) / f64::from(picture.rows().max(1))
}

/// Ticks of the duration axis at round values, ascending; its ends if there would be fewer than two.
pub fn duration_ticks(picture: &Scatter) -> Vec<Tick> {
    let (Some(least), Some(most)) = (picture.borders.first(), picture.borders.last()) else { return Vec::new() };
    let tick = |nanos: &u64| Tick { at_nanos: *nanos, at: part_of_duration(picture, *nanos), label: duration_label(*nanos) };
    let inside: Vec<Tick> = ROUND.iter().filter(|nanos| (least..=most).contains(nanos)).map(tick).collect();
    match inside.len() {
        0 | 1 => [least, most].map(tick).into(),
        2..=4 => inside,
        len => inside.into_iter().step_by(len.div_ceil(4)).collect(),
    }
}

/// Ticks of the time axis at round values, as many as fit `width` pixels. `offset_minutes` is the user's time zone, `zero` the origin of
/// relative times.
pub fn time_ticks(picture: &Scatter, width: f64, style: TimeStyle, offset_minutes: i32, zero: Option<Timestamp>) -> Vec<Tick> {
    const APART: f64 = 110.0;
    const LABEL: f64 = 60.0;
    let mut ticks = round_times(picture, truncated::<usize>(width / APART), style, offset_minutes, zero);
    // Omit labels that would be cut.
    ticks.retain(|tick| tick.at * width + LABEL <= width);
    ticks
}

fn round_times(picture: &Scatter, at_most: usize, style: TimeStyle, offset_minutes: i32, zero: Option<Timestamp>) -> Vec<Tick> {
    let length = picture.step_nanos.saturating_mul(picture.columns.into());
    if let (TimeStyle::Relative, Some(zero)) = (style, zero) {
        let from = u64::try_from(picture.from.nanos_since(zero)).unwrap_or(0);
        return ticks(from, from.saturating_add(length), at_most);
    }
    let step = step_for(length.max(1), at_most.max(1));
    let whole_step = i64::try_from(step).unwrap_or(i64::MAX);
    let offset = if style == TimeStyle::Local { offset_minutes } else { 0 };
    // Round in the displayed time zone.
    let shown = picture.from.0.saturating_add(i64::from(offset) * 60_000_000_000);
    let mut at_nanos = (whole_step - shown.rem_euclid(whole_step)).rem_euclid(whole_step).unsigned_abs();
    let mut ticks = Vec::new();
    while at_nanos <= length && ticks.len() <= at_most {
        let civil = Timestamp(picture.from.0.saturating_add_unsigned(at_nanos)).civil(offset);
        ticks.push(Tick { at_nanos, at: at_nanos as f64 / length.max(1) as f64, label: clock_label(&civil, step, length) });
        at_nanos = at_nanos.saturating_add(step);
    }
    ticks
}

const DAY: u64 = 86_400_000_000_000;

/// The part of a time needed for ticks at this distance: `10:05`, `10:05:30`, `03-01 06:00`, `2026-03-01`.
fn clock_label(civil: &str, step: u64, length: u64) -> String {
    let part = match step {
        DAY.. => 0..10,
        60_000_000_000.. if length >= DAY => 5..16,
        60_000_000_000.. => 11..16,
        1_000_000_000.. => 11..19,
        _ => 11..civil.len(),
    };
    civil.get(part).unwrap_or(civil).to_owned()
}

/// A round duration without zeros: `1 ms`, `10 s`, `1 m`.
fn duration_label(nanos: u64) -> String {
    let text = duration(nanos);
    let Some((number, unit)) = text.split_once(' ') else { return text };
    match number.split_once('.') {
        Some(_) => format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.')),
        _ => [" 00 s", " 00 m", " 00 h"].iter().find_map(|zeros| text.strip_suffix(zeros)).unwrap_or(&text).to_owned(),
    }
}

/// Size of a mark by the number of its traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkSize {
    /// One trace.
    One,
    /// Two to nine traces.
    Few,
    /// Ten or more traces.
    Many,
}

fn size_of(traces: u32) -> MarkSize {
    match traces {
        0 | 1 => MarkSize::One,
        2..=9 => MarkSize::Few,
        _ => MarkSize::Many,
    }
}

/// Half the width of a mark's cross in pixels. A few failures among many traces have a small cross; otherwise, a large file would be all
/// crosses.
fn arm_of(mark: &ScatterMark) -> f64 {
    let whole = if size_of(mark.failed) == MarkSize::One { 3.0 } else { 4.0 };
    match size_of(mark.traces) {
        MarkSize::Many if mark.failed * 4 < mark.traces => 1.0,
        MarkSize::Many if mark.failed * 2 < mark.traces => 2.0,
        _ => whole,
    }
}

/// SVG paths of a scatter plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScatterPaths {
    /// Dots for marks with a trace that did not fail, by size: zero-length lines, to be drawn with round caps.
    pub dots: [String; 3],
    /// Crosses for marks with a failed trace.
    pub crosses: String,
}

/// The SVG paths for a plot of this size in pixels.
pub fn scatter_paths(picture: &Scatter, width: f64, height: f64) -> ScatterPaths {
    let mut paths = ScatterPaths::default();
    for mark in &picture.marks {
        let (x, y) = pixel_of(mark, width, height);
        // Writing to a string can't fail.
        if mark.traces > mark.failed
            && let Some(dots) = paths.dots.get_mut(size_of(mark.traces - mark.failed) as usize)
        {
            let _ = write!(dots, "M{x:.1} {y:.1}h0");
        }
        if mark.failed > 0 {
            let arm = arm_of(mark);
            let across = 2.0 * arm;
            let _ = write!(paths.crosses, "M{:.1} {:.1}l{across} {across}m0-{across}l-{across} {across}", x - arm, y - arm);
        }
    }
    paths
}

fn pixel_of(mark: &ScatterMark, width: f64, height: f64) -> (f64, f64) {
    (f64::from(mark.x) / END * width, (1.0 - f64::from(mark.y) / END) * height)
}

/// The mark nearest to a position in pixels, if one is near.
pub fn mark_at(picture: &Scatter, width: f64, height: f64, at: (f64, f64)) -> Option<&ScatterMark> {
    const NEAR: f64 = 100.0;
    let distance = |mark: &ScatterMark| {
        let (x, y) = pixel_of(mark, width, height);
        (x - at.0) * (x - at.0) + (y - at.1) * (y - at.1)
    };
    let nearest = picture.marks.iter().map(|mark| (distance(mark), mark)).min_by(|one, other| one.0.total_cmp(&other.0));
    nearest.filter(|(distance, _)| *distance <= NEAR).map(|(_, mark)| mark)
}

/// A selection of whole cells; it can span a whole axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brush {
    /// Columns from the left.
    pub columns: Range<u16>,
    /// Rows from the bottom.
    pub rows: Range<u16>,
}

/// A side of the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrushSide {
    /// Left, the earliest start.
    From,
    /// Right, the latest start.
    To,
    /// Bottom, the shortest duration.
    Least,
    /// Top, the longest duration.
    Most,
}

impl BrushSide {
    /// All sides.
    pub const ALL: [BrushSide; 4] = [BrushSide::From, BrushSide::To, BrushSide::Least, BrushSide::Most];

    /// The label of its slider.
    pub fn label(self) -> &'static str {
        match self {
            BrushSide::From => "Earliest start",
            BrushSide::To => "Latest start",
            BrushSide::Least => "Shortest duration",
            BrushSide::Most => "Longest duration",
        }
    }
}

impl Brush {
    /// A selection of the whole plot.
    pub fn whole(picture: &Scatter) -> Brush {
        Brush { columns: 0..picture.columns, rows: 0..picture.rows() }
    }

    /// The cell of a mark.
    pub fn around(picture: &Scatter, mark: &ScatterMark) -> Brush {
        let place = |part: u16, cells: u16| {
            let cell = (u32::from(part) * u32::from(cells) / 65_536) as u16;
            cell..cell + 1
        };
        Brush { columns: place(mark.x, picture.columns), rows: place(mark.y, picture.rows()) }
    }

    /// The selection dragged between two points, relative to the plot, from the left and the top. An axis with a movement below `least` is
    /// not narrowed; `None` if neither is.
    pub fn pulled(picture: &Scatter, from: (f64, f64), to: (f64, f64), least: (f64, f64)) -> Option<Brush> {
        let mut brush = Brush::whole(picture);
        let is_pulled = |from: f64, to: f64, least: f64| (from - to).abs() >= least;
        let (across, down) = (is_pulled(from.0, to.0, least.0), is_pulled(from.1, to.1, least.1));
        if across {
            brush.columns = cells(from.0.min(to.0), from.0.max(to.0), picture.columns);
        }
        if down {
            brush.rows = cells(1.0 - from.1.max(to.1), 1.0 - from.1.min(to.1), picture.rows());
        }
        (across || down).then_some(brush)
    }

    /// `(left, top, width, height)` relative to the plot.
    pub fn place(&self, picture: &Scatter) -> (f64, f64, f64, f64) {
        let part = |cell: u16, of: u16| f64::from(cell) / f64::from(of.max(1));
        let (columns, rows) = (picture.columns, picture.rows());
        let (left, right) = (part(self.columns.start, columns), part(self.columns.end, columns));
        let (low, high) = (part(self.rows.start, rows), part(self.rows.end, rows));
        (left, 1.0 - high, right - left, high - low)
    }

    /// The cell border a side is on, and the last border.
    pub fn side(&self, picture: &Scatter, side: BrushSide) -> (u16, u16) {
        match side {
            BrushSide::From => (self.columns.start, picture.columns),
            BrushSide::To => (self.columns.end, picture.columns),
            BrushSide::Least => (self.rows.start, picture.rows()),
            BrushSide::Most => (self.rows.end, picture.rows()),
        }
    }

    /// Moves a side to a border, but not past the opposite side.
    pub fn set_side(&mut self, picture: &Scatter, side: BrushSide, border: u16) {
        match side {
            BrushSide::From => self.columns.start = border.min(self.columns.end.saturating_sub(1)),
            BrushSide::To => self.columns.end = border.max(self.columns.start + 1).min(picture.columns),
            BrushSide::Least => self.rows.start = border.min(self.rows.end.saturating_sub(1)),
            BrushSide::Most => self.rows.end = border.max(self.rows.start + 1).min(picture.rows()),
        }
    }

    /// The value of a side as text; `show` formats a time.
    pub fn side_text(&self, picture: &Scatter, side: BrushSide, show: &dyn Fn(Timestamp) -> String) -> String {
        let (border, _) = self.side(picture, side);
        match side {
            BrushSide::From | BrushSide::To => show(picture.time_at(border)),
            // Shorter durations are in the first row.
            BrushSide::Least if border == 0 => duration_label(0),
            _ => duration_label(picture.borders.get(usize::from(border)).copied().unwrap_or(u64::MAX)),
        }
    }

    /// The selection as text.
    pub fn text(&self, picture: &Scatter, show: &dyn Fn(Timestamp) -> String) -> String {
        let text = |side| self.side_text(picture, side, show);
        format!("{} to {} · {} to {}", text(BrushSide::From), text(BrushSide::To), text(BrushSide::Least), text(BrushSide::Most))
    }

    /// Narrows `filter` to the selection. Replaces ranges of earlier selections, which contain this one.
    pub fn narrowed(&self, picture: &Scatter, filter: &str) -> String {
        let mut filter = filter.to_owned();
        if self.columns != (0..picture.columns) {
            let to = picture.time_at(self.columns.end).0.saturating_sub(1);
            let range = time_range(picture.time_at(self.columns.start).0, to, picture.step_nanos);
            filter = add_terms(&without_ranges(&filter, "start"), &range);
        }
        if self.rows != (0..picture.rows()) {
            let border = |row: u16| picture.borders.get(usize::from(row)).copied().unwrap_or(u64::MAX);
            let low = if self.rows.start == 0 { String::new() } else { duration_term(border(self.rows.start)) };
            let range = format!("trace.duration:{low}..{}", duration_term(border(self.rows.end)));
            filter = add_terms(&without_ranges(&filter, "trace.duration"), &range);
        }
        filter
    }
}

/// The cells between two positions on an axis, at least one.
fn cells(from: f64, to: f64, of: u16) -> Range<u16> {
    let last = of.saturating_sub(1);
    let first = truncated::<u16>(from.clamp(0.0, 1.0) * f64::from(of)).min(last);
    let end = truncated::<u16>((to.clamp(0.0, 1.0) * f64::from(of)).ceil());
    first..end.clamp(first + 1, of.max(first + 1))
}

/// `start:…..…` with the precision that the cells need. The end of a range includes everything it names.
fn time_range(from: i64, to: i64, step: u64) -> String {
    let civil = |at: i64| Timestamp(at).civil(0).replace(' ', "T");
    let length = match step {
        step if step.is_multiple_of(DAY) => 10,
        step if step.is_multiple_of(60_000_000_000) => 16,
        step if step.is_multiple_of(1_000_000_000) => 19,
        _ => usize::MAX,
    };
    let cut = |text: String| text.get(..length).map_or(text.clone(), str::to_owned);
    // Midnight of the first representable day is out of range.
    let from = if from < i64::MIN + DAY.cast_signed() { String::new() } else { cut(civil(from)) };
    format!("start:{from}..{}", cut(civil(to)))
}

/// A duration as written in filters, exactly.
fn duration_term(nanos: u64) -> String {
    // The maximum of filters.
    let nanos = nanos.min(i64::MAX.cast_unsigned());
    let (unit, size) = match nanos {
        1_000_000_000.. => ("s", 1_000_000_000),
        1_000_000.. => ("ms", 1_000_000),
        1_000.. => ("us", 1_000),
        _ => ("ns", 1),
    };
    let rest = nanos % size;
    if rest == 0 {
        return format!("{}{unit}", nanos / size);
    }
    let width = size.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{}.{}{unit}", nanos / size, fraction.trim_end_matches('0'))
}

/// Describes a mark: `3 traces, 1 of them failed · 2026-… to … · 1.6 ms to 2 ms`; `show` formats a time.
pub fn mark_text(picture: &Scatter, mark: &ScatterMark, show: &dyn Fn(Timestamp) -> String) -> String {
    let mut text = counted(Some(mark.traces.into()), "trace", "traces");
    match (mark.failed, mark.traces) {
        (0, _) => {}
        (1, 1) => text += ", failed",
        (failed, _) => {
            let _ = write!(text, ", {failed} of them failed");
        }
    }
    format!("{text} · {}", Brush::around(picture, mark).text(picture, show))
}

/// A one-sentence description of the plot.
pub fn scatter_text(picture: &Scatter) -> String {
    let sum = |of: fn(&ScatterMark) -> u32| picture.marks.iter().map(|mark| u64::from(of(mark))).sum();
    let mut text = format!(
        "{} by start and duration, {} of them failed",
        counted(Some(sum(|mark| mark.traces)), "trace", "traces"),
        sum(|mark| mark.failed)
    );
    if picture.left_out > 0 {
        let _ = write!(text, "; {} without times left out", counted(Some(picture.left_out.into()), "trace", "traces"));
    }
    let show = |at| time(at, TimeStyle::Utc, 0, None);
    format!("{text}. {}", Brush::whole(picture).text(picture, &show))
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quipu_protocol::filter::Filter;

    const SECOND: i64 = 1_000_000_000;
    /// 2026-11-22 18:39:00.
    const ZERO: i64 = 1_795_372_740 * SECOND;

    fn point(second: f64, millis: f64, failed: bool) -> ScatterPoint {
        let start = ZERO + (second * 1e9) as i64;
        ScatterPoint { start: Some(start), duration: Some((millis * 1e6) as u64), failed }
    }

    /// A minute of requests, a gap, and a slow burst with failures.
    fn run() -> Scatter {
        let quick = (0..40).map(|number| point(f64::from(number) * 1.5, 2.0 + f64::from(number % 7), number % 13 == 5));
        let slow = (0..30).map(|number| point(170.0 + f64::from(number) * 0.1, 900.0 + 40.0 * f64::from(number), number % 10 == 0));
        let odd = ScatterPoint { start: None, duration: Some(1), failed: false };
        scatter(&mut quick.chain(slow).chain([odd]), (60, 16)).expect("a picture")
    }

    /// The plot as text: a dot for one trace, a digit or `#` for more, `x` if some failed.
    fn drawn(picture: &Scatter) -> String {
        let mut lines = vec![vec![' '; picture.columns.into()]; picture.rows().into()];
        for mark in &picture.marks {
            let brush = Brush::around(picture, mark);
            let letter = match (mark.failed, mark.traces) {
                (1.., _) => 'x',
                (_, 1) => '·',
                (_, more @ 2..=9) => char::from_digit(more, 10).expect("a digit"),
                _ => '#',
            };
            lines[usize::from(brush.rows.start)][usize::from(brush.columns.start)] = letter;
        }
        let border = |row: usize| duration_label(picture.borders[row]);
        let line = |(row, line): (usize, &Vec<char>)| format!("{:>8} |{}|", border(row), line.iter().collect::<String>());
        lines.iter().enumerate().rev().map(line).collect::<Vec<_>>().join("\n")
    }

    fn shown(ticks: &[Tick]) -> String {
        ticks.iter().map(|tick| format!("{} @ {:.3}", tick.label, tick.at)).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn traces_lie_by_start_and_duration_and_a_gap_is_as_long_as_it_was() {
        let picture = run();
        assert_eq!((picture.left_out, picture.marks.iter().map(|mark| mark.traces).sum::<u32>()), (1, 70));
        insta::assert_snapshot!(drawn(&picture), @r"
         1.6 s |                                  x|
           1 s |                                  x|
        630 ms |                                  x|
        400 ms |                                   |
        250 ms |                                   |
        160 ms |                                   |
        100 ms |                                   |
         63 ms |                                   |
         40 ms |                                   |
         25 ms |                                   |
         16 ms |                                   |
         10 ms |                                   |
        6.3 ms | x 2 ······                        |
          4 ms |2··2·x·2 x 3                       |
        2.5 ms |· · · · · ·                        |
        1.6 ms |· · · · · ·                        |
        ");
        insta::assert_snapshot!(
            [
                shown(&duration_ticks(&picture)),
                shown(&time_ticks(&picture, 700.0, TimeStyle::Utc, 0, None)),
                shown(&time_ticks(&picture, 700.0, TimeStyle::Local, 345, None)),
                shown(&time_ticks(&picture, 700.0, TimeStyle::Relative, 0, Some(Timestamp(ZERO - 5 * SECOND)))),
                scatter_text(&picture),
            ]
            .join("\n"),
            @r"
            10 ms @ 0.250 | 100 ms @ 0.562 | 1 s @ 0.875
            18:39:00 @ 0.000 | 18:39:30 @ 0.171 | 18:40:00 @ 0.343 | 18:40:30 @ 0.514 | 18:41:00 @ 0.686 | 18:41:30 @ 0.857
            00:24:00 @ 0.000 | 00:24:30 @ 0.171 | 00:25:00 @ 0.343 | 00:25:30 @ 0.514 | 00:26:00 @ 0.686 | 00:26:30 @ 0.857
            30 s @ 0.143 | 1 m @ 0.314 | 1 m 30 s @ 0.486 | 2 m @ 0.657 | 2 m 30 s @ 0.829
            70 traces by start and duration, 6 of them failed; 1 trace without times left out. 2026-11-22 18:39:00.000 to 2026-11-22 18:41:55.000 · 0 ns to 2.5 s
            "
        );
    }

    #[test]
    fn ticks_of_time_say_as_much_of_the_clock_as_they_need() {
        let over = |seconds: f64| {
            let picture = scatter(&mut [point(0.0, 1.0, false), point(seconds, 1.0, false)].into_iter(), (100, 10)).expect("a picture");
            shown(&time_ticks(&picture, 480.0, TimeStyle::Utc, 0, None))
        };
        insta::assert_snapshot!([over(0.0), over(0.9), over(40.0), over(5_000.0), over(200_000.0), over(9e6)].join("\n"), @r"
        18:38:59.500 @ 0.000 | 18:39:00.000 @ 0.490
        18:39:00.000 @ 0.000 | 18:39:00.500 @ 0.549
        18:39:00 @ 0.000 | 18:39:15 @ 0.370 | 18:39:30 @ 0.741
        19:00 @ 0.250 | 19:30 @ 0.607
        2026-11-23 @ 0.105 | 2026-11-24 @ 0.526
        2026-12-03 @ 0.113 | 2026-12-30 @ 0.368 | 2027-01-26 @ 0.623
        ");
    }

    #[test]
    fn marks_are_dots_by_size_and_crosses_where_traces_failed() {
        let points = [point(0.0, 1.0, false), point(9.0, 100.0, true), point(9.0, 100.0, false), point(9.0, 100.0, false)];
        let picture = scatter(&mut points.into_iter(), (10, 10)).expect("a picture");
        let paths = scatter_paths(&picture, 100.0, 50.0);
        insta::assert_debug_snapshot!(paths, @r#"
        ScatterPaths {
            dots: [
                "M0.0 50.0h0",
                "M90.0 2.8h0",
                "",
            ],
            crosses: "M87.0 -0.2l6 6m0-6l-6 6",
        }
        "#);
        let pixel = pixel_of(&picture.marks[1], 100.0, 50.0);
        let found = mark_at(&picture, 100.0, 50.0, (pixel.0 + 4.0, pixel.1 - 4.0)).expect("a mark is near");
        let show = |at: Timestamp| at.civil(0);
        insta::assert_snapshot!(mark_text(&picture, found, &show), @"3 traces, 1 of them failed · 2026-11-22 18:39:08.000 to 2026-11-22 18:39:10.000 · 100 ms to 180 ms");
        assert_eq!(mark_at(&picture, 100.0, 50.0, (50.0, 25.0)), None);
    }

    #[test]
    fn a_few_failed_traces_among_many_have_a_small_cross() {
        let arm = |traces, failed| arm_of(&ScatterMark { traces, failed, ..ScatterMark::default() });
        assert_eq!([arm(100, 1), arm(100, 24), arm(100, 25), arm(100, 50), arm(100, 100)], [1.0, 1.0, 2.0, 4.0, 4.0]);
        assert_eq!([arm(1, 1), arm(9, 1), arm(9, 2)], [3.0, 3.0, 4.0]);
    }

    #[test]
    fn a_brush_becomes_short_terms_and_replaces_those_of_an_earlier_one() {
        let picture = run();
        let least = (0.01, 0.05);
        let pull = |from, to| Brush::pulled(&picture, from, to, least);
        let narrowed = |brush: Option<Brush>, filter: &str| brush.map_or("nothing".into(), |brush| brush.narrowed(&picture, filter));
        insta::assert_snapshot!(
            [
                narrowed(pull((0.5, 0.5), (0.502, 0.51)), ""),
                narrowed(pull((0.9, 0.5), (1.0, 0.51)), "error:true"),
                narrowed(pull((0.4, 0.0), (0.405, 0.45)), "error:true"),
                narrowed(pull((0.9, 0.1), (2.0, -1.0)), "start>2026-11-01 kind:tool start:2026-11-22..2026-11-23 trace.duration:1ms..9s"),
                narrowed(pull((0.0, 0.6), (0.3, 3.0)), "kind:tool OR trace.duration>1s"),
                narrowed(Some(Brush::whole(&picture)), "as it was"),
            ]
            .join("\n"),
            @r"
            nothing
            error:true start:2026-11-22T18:41:35..2026-11-22T18:41:54
            error:true trace.duration:63ms..2.5s
            start>2026-11-01 kind:tool start:2026-11-22T18:41:35..2026-11-22T18:41:54 trace.duration:1s..2.5s
            (kind:tool OR trace.duration>1s) (start:2026-11-22T18:39:00..2026-11-22T18:39:54) trace.duration:..40ms
            as it was
            "
        );
    }

    #[test]
    fn sides_move_by_keys_and_never_pass_each_other() {
        let picture = run();
        let mut brush = Brush::whole(&picture);
        brush.set_side(&picture, BrushSide::To, 20);
        brush.set_side(&picture, BrushSide::From, 30);
        brush.set_side(&picture, BrushSide::Least, 3);
        brush.set_side(&picture, BrushSide::Most, 0);
        assert_eq!(brush, Brush { columns: 19..20, rows: 3..4 });
        let show = |at: Timestamp| at.civil(0);
        insta::assert_snapshot!(brush.text(&picture, &show), @"2026-11-22 18:40:35.000 to 2026-11-22 18:40:40.000 · 6.3 ms to 10 ms");
        assert_eq!(Brush::whole(&picture).place(&picture), (0.0, 0.0, 1.0, 1.0));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(scatter(&mut std::iter::empty(), (10, 10)), None);
        assert_eq!(scatter(&mut [point(0.0, 1.0, false)].into_iter(), (0, 10)), None);
    }

    proptest! {
        #[test]
        fn every_trace_lies_in_a_cell_whose_filter_names_it(
            points in prop::collection::vec((any::<i64>(), any::<u64>(), any::<bool>()), 1..40),
            spread in 0_u32..63,
            cells in (1_u16..600, 1_u16..80),
        ) {
            let near = |(start, duration, failed): &(i64, u64, bool)| ScatterPoint {
                start: Some(start >> spread),
                duration: Some(duration >> spread),
                failed: *failed,
            };
            let picture = scatter(&mut points.iter().map(near), cells).expect("there are points");
            prop_assert!(picture.columns <= cells.0.min(MOST_CELLS.0) + 2 && picture.rows() <= cells.1);
            prop_assert!(picture.borders.is_sorted_by(|one, next| one < next));
            prop_assert_eq!(picture.marks.iter().map(|mark| mark.traces).sum::<u32>(), points.len() as u32);
            prop_assert_eq!(picture.marks.iter().map(|mark| mark.failed).sum::<u32>(), points.iter().filter(|(.., failed)| *failed).count() as u32);
            for mark in &picture.marks {
                let brush = Brush::around(&picture, mark);
                prop_assert!(brush.columns.end <= picture.columns && brush.rows.end <= picture.rows());
                let filter = brush.narrowed(&picture, "");
                prop_assert!(Filter::parse(&filter).is_ok(), "{}", filter);
                prop_assert_eq!(brush.narrowed(&picture, &filter), filter);
            }
            duration_ticks(&picture);
            for style in [TimeStyle::Utc, TimeStyle::Local, TimeStyle::Relative] {
                prop_assert!(time_ticks(&picture, 660.0, style, -700, Some(Timestamp(0))).len() <= 7);
            }
            scatter_paths(&picture, 300.0, 90.0);
        }
    }
}
