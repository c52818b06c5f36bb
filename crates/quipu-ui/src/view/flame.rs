//! Layout of flame graphs: by time, left-heavy, or callers and callees of one name. Only as many boxes as can be seen.
//!
//! Pixels and colours are up to `render::flame`.

use super::statistics::Usage;
use super::times::{Times, self_times};
use quipu_model::number::{narrow, truncated};
use quipu_model::ordered::{ordered, sort_by_key};
use quipu_protocol::{FlameWeight, UNKNOWN_NANOS};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The name of a box that stands for several boxes too small to be seen.
pub const SMALL: u32 = u32::MAX;
/// Maximum number of boxes in a result.
const MAX_BOXES: usize = 40_000;
/// Number of levels tried for a span that overlaps a sibling, before it is drawn over it.
const MAX_TRIES: usize = 48;

/// Layout of the boxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlameOrder {
    /// Each span at its time; spans that overlap a sibling are moved down.
    Time,
    /// Spans of one name with the same callers are merged, the heaviest first.
    LeftHeavy,
    /// Callers of this name, from the nearest up.
    Callers(String),
    /// Callees of this name.
    Callees(String),
}

/// The requested part of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlameWindow {
    /// Start in units of the weight.
    pub from: u64,
    /// End in units of the weight.
    pub to: u64,
    /// Shorter boxes are merged: the length of a pixel.
    pub least: u64,
}

/// A box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlameBox {
    /// Index into the trace's names, or [`SMALL`].
    pub name: u32,
    /// Level, 0 for the outermost.
    pub level: u32,
    /// Start in units of the weight.
    pub start: u64,
    /// Length in units of the weight.
    pub length: u64,
    /// Own part of the length, without children.
    pub own: u64,
    /// Number of spans.
    pub spans: u32,
    /// Number of failed spans.
    pub failed: u32,
    /// Row of the span, or of the longest one.
    pub row: u32,
}

/// The boxes in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlameGraph {
    /// Boxes by level and from left to right.
    pub boxes: Vec<FlameBox>,
    /// Number of levels of the whole graph.
    pub levels: u32,
    /// Length of the whole graph.
    pub total: u64,
    /// Whether boxes were omitted.
    pub cut: bool,
}

/// The length of `least_px` pixels if `part` of the graph is `width_px` pixels wide.
pub fn least_of(part: (u64, u64), width_px: f64, least_px: f64) -> u64 {
    truncated::<u64>((part.1.saturating_sub(part.0)) as f64 / width_px.max(1.0) * least_px)
}

/// `(start, length)` of a box relative to the shown part, 0 to 1; `None` if it is outside.
pub fn box_part(found: &FlameBox, part: (u64, u64)) -> Option<(f64, f64)> {
    let (from, to) = (part.0, part.1.max(part.0 + 1));
    let end = found.start.saturating_add(found.length);
    if found.start >= to || end < from {
        return None;
    }
    let whole = (to - from) as f64;
    let left = found.start.saturating_sub(from) as f64 / whole;
    let right = (end.min(to) - from.min(end)) as f64 / whole;
    Some((left, (right - left).max(0.0)))
}

/// Input columns in tree order.
#[derive(Clone, Copy, Debug)]
pub struct FlameSpans<'a> {
    /// Parents, starts and durations.
    pub times: Times<'a>,
    /// Index into the trace's names.
    pub name: &'a [u32],
    /// Whether each span failed.
    pub failed: &'a [bool],
    /// Token counts and costs of inference requests.
    pub usage: &'a Usage,
}

impl FlameSpans<'_> {
    fn len(&self) -> usize {
        self.name.len()
    }

    fn parent(&self, row: usize) -> Option<usize> {
        self.times.parent.get(row).map(|parent| *parent as usize).filter(|parent| *parent < row)
    }

    fn duration(&self, row: usize) -> u64 {
        self.times.duration.get(row).copied().filter(|nanos| *nanos != UNKNOWN_NANOS).unwrap_or(0)
    }

    fn is_failed(&self, row: usize) -> bool {
        self.failed.get(row).copied().unwrap_or(false)
    }

    /// The own weight of each span, without its children.
    fn own(&self, weight: FlameWeight) -> Vec<u64> {
        match weight {
            FlameWeight::Time => self_times(self.times).into_iter().map(|own| if own == UNKNOWN_NANOS { 0 } else { own }).collect(),
            FlameWeight::Tokens => self.of_rows(self.usage.tokens.iter().copied()),
            FlameWeight::Cost => self.of_rows(self.usage.costs.iter().filter_map(|(row, cost)| Some((*row, (*cost)?.nanos)))),
        }
    }

    fn of_rows(&self, amounts: impl Iterator<Item = (u32, u64)>) -> Vec<u64> {
        let mut own = vec![0; self.len()];
        for (row, amount) in amounts {
            if let Some(slot) = own.get_mut(row as usize) {
                *slot = amount;
            }
        }
        own
    }
}

/// The boxes in `window`. `focus` is the index of the name for [`FlameOrder::Callers`] and [`FlameOrder::Callees`], which are empty without
/// it.
pub fn flame_graph(spans: FlameSpans<'_>, order: &FlameOrder, focus: Option<u32>, weight: FlameWeight, window: FlameWindow) -> FlameGraph {
    match order {
        FlameOrder::Time => by_time(spans, window),
        FlameOrder::LeftHeavy => Merged::of(spans, weight).laid_out(window),
        FlameOrder::Callees(_) => Merged::callees(spans, weight, focus).laid_out(window),
        FlameOrder::Callers(_) => Merged::callers(spans, weight, focus).laid_out(window),
    }
}

fn by_time(spans: FlameSpans<'_>, window: FlameWindow) -> FlameGraph {
    let own = spans.own(FlameWeight::Time);
    let mut level_of = vec![0_u32; spans.len()];
    // The end of the last box in each level so far.
    let mut taken: Vec<u64> = Vec::new();
    let mut out = Boxes::new(window);
    let mut total = 0;
    for row in 0..spans.len() {
        let start = spans.times.start.get(row).copied().unwrap_or(0);
        let length = spans.duration(row);
        let wanted = spans.parent(row).and_then(|parent| level_of.get(parent)).map_or(0, |level| *level as usize + 1);
        let is_free = |level: usize| taken.get(level).is_none_or(|taken| *taken <= start);
        let level = (wanted..wanted + MAX_TRIES).find(|level| is_free(*level)).unwrap_or(wanted);
        if taken.len() <= level {
            taken.resize(level + 1, 0);
        }
        let end = start.saturating_add(length);
        if let Some(taken) = taken.get_mut(level) {
            *taken = end.max(*taken);
        }
        if let Some(slot) = level_of.get_mut(row) {
            *slot = narrow(level);
        }
        total = total.max(end);
        out.push(FlameBox {
            name: spans.name.get(row).copied().unwrap_or(SMALL),
            level: narrow(level),
            start,
            length,
            own: own.get(row).copied().unwrap_or(0),
            spans: 1,
            failed: u32::from(spans.is_failed(row)),
            row: narrow(row),
        });
    }
    out.finish(narrow(taken.len()), total)
}

/// A box under construction: spans of one name under the same parent box.
struct Node {
    name: u32,
    parent: Option<usize>,
    level: u32,
    own: u64,
    total: u64,
    spans: u32,
    failed: u32,
    row: u32,
    longest: u64,
}

#[derive(Default)]
struct Merged {
    nodes: Vec<Node>,
    numbers: HashMap<(usize, u32), usize>,
}

impl Merged {
    /// The box of `name` under `parent`; created if necessary.
    fn node(&mut self, parent: Option<usize>, name: u32) -> usize {
        let key = (parent.map_or(0, |parent| parent + 1), name);
        if let Some(found) = self.numbers.get(&key) {
            return *found;
        }
        let level = parent.and_then(|parent| self.nodes.get(parent)).map_or(0, |parent| parent.level + 1);
        self.nodes.push(Node { name, parent, level, own: 0, total: 0, spans: 0, failed: 0, row: 0, longest: 0 });
        self.numbers.insert(key, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn add(&mut self, node: usize, spans: FlameSpans<'_>, row: usize, own: u64) {
        let length = spans.duration(row);
        let Some(node) = self.nodes.get_mut(node) else { return };
        node.own = node.own.saturating_add(own);
        if node.spans == 0 || length > node.longest {
            (node.longest, node.row) = (length, narrow(row));
        }
        node.spans += 1;
        node.failed += u32::from(spans.is_failed(row));
    }

    /// Sums up subtrees. Parents are created before their children.
    fn summed(mut self) -> Merged {
        for at in (0..self.nodes.len()).rev() {
            let (parent, total) = match self.nodes.get_mut(at) {
                Some(node) => {
                    node.total = node.total.saturating_add(node.own);
                    (node.parent, node.total)
                }
                None => continue,
            };
            if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
                parent.total = parent.total.saturating_add(total);
            }
        }
        self
    }

    fn of(spans: FlameSpans<'_>, weight: FlameWeight) -> Merged {
        let own = spans.own(weight);
        let mut merged = Merged::default();
        let mut node_of: Vec<usize> = Vec::with_capacity(spans.len());
        for row in 0..spans.len() {
            let parent = spans.parent(row).and_then(|parent| node_of.get(parent).copied());
            let node = merged.node(parent, spans.name.get(row).copied().unwrap_or(SMALL));
            merged.add(node, spans, row, own.get(row).copied().unwrap_or(0));
            node_of.push(node);
        }
        merged.summed()
    }

    fn callees(spans: FlameSpans<'_>, weight: FlameWeight, focus: Option<u32>) -> Merged {
        let own = spans.own(weight);
        let mut merged = Merged::default();
        let mut node_of: Vec<Option<usize>> = Vec::with_capacity(spans.len());
        for row in 0..spans.len() {
            let name = spans.name.get(row).copied();
            let above = spans.parent(row).and_then(|parent| node_of.get(parent).copied().flatten());
            // Below a span of the name, everything is a callee, including further spans of the name.
            let node = match above {
                Some(above) => Some(merged.node(Some(above), name.unwrap_or(SMALL))),
                None if name.is_some() && name == focus => Some(merged.node(None, name.unwrap_or(SMALL))),
                None => None,
            };
            if let Some(node) = node {
                merged.add(node, spans, row, own.get(row).copied().unwrap_or(0));
            }
            node_of.push(node);
        }
        merged.summed()
    }

    fn callers(spans: FlameSpans<'_>, weight: FlameWeight, focus: Option<u32>) -> Merged {
        let mut total = spans.own(weight);
        for row in (0..spans.len()).rev() {
            let below = total.get(row).copied().unwrap_or(0);
            if let Some(slot) = spans.parent(row).and_then(|parent| total.get_mut(parent)) {
                *slot = slot.saturating_add(below);
            }
        }
        let mut merged = Merged::default();
        let mut is_inside = vec![false; spans.len()];
        for row in 0..spans.len() {
            let inside = spans.parent(row).and_then(|parent| is_inside.get(parent)).copied().unwrap_or(false);
            let is_focus = focus.is_some() && spans.name.get(row).copied() == focus;
            if let Some(slot) = is_inside.get_mut(row) {
                *slot = inside || is_focus;
            }
            if !is_focus || inside {
                continue;
            }
            // The outermost caller's box has the span's weight as own weight, so that boxes above are as long as those below.
            let weight = total.get(row).copied().unwrap_or(0);
            let mut node = merged.node(None, focus.unwrap_or(SMALL));
            merged.add(node, spans, row, 0);
            let mut at = row;
            while let Some(parent) = spans.parent(at) {
                node = merged.node(Some(node), spans.name.get(parent).copied().unwrap_or(SMALL));
                merged.add(node, spans, parent, 0);
                at = parent;
            }
            if let Some(node) = merged.nodes.get_mut(node) {
                node.own = node.own.saturating_add(weight);
            }
        }
        merged.summed()
    }

    /// Arranges boxes side by side, the heaviest first.
    fn laid_out(&self, window: FlameWindow) -> FlameGraph {
        let key = |at: usize| self.nodes.get(at).map(|node| (node.level, node.parent, Reverse(node.total), node.name));
        let order = ordered(self.nodes.len(), &|one, other| key(one).cmp(&key(other)));
        let mut start_of = vec![0_u64; self.nodes.len()];
        // Start of the next child of each box; the last entry is for the outermost level.
        let mut next = vec![0_u64; self.nodes.len() + 1];
        let mut out = Boxes::new(window);
        let mut levels = 0;
        for at in order {
            // Boxes without weight are omitted.
            let Some(node) = self.nodes.get(at).filter(|node| node.total > 0) else { continue };
            let slot = node.parent.unwrap_or(self.nodes.len());
            let begin = node.parent.and_then(|parent| start_of.get(parent).copied()).unwrap_or(0);
            let Some(offset) = next.get_mut(slot) else { continue };
            let start = begin.saturating_add(*offset);
            *offset = offset.saturating_add(node.total);
            if let Some(slot) = start_of.get_mut(at) {
                *slot = start;
            }
            levels = levels.max(node.level + 1);
            out.push(FlameBox {
                name: node.name,
                level: node.level,
                start,
                length: node.total,
                own: node.own,
                spans: node.spans,
                failed: node.failed,
                row: node.row,
            });
        }
        let total = next.last().copied().unwrap_or(0);
        out.finish(levels, total)
    }
}

/// Collects the result. Boxes too small to be seen are merged or omitted.
struct Boxes {
    window: FlameWindow,
    boxes: Vec<FlameBox>,
    /// The last merged box of each level.
    small: HashMap<u32, usize>,
    cut: bool,
}

impl Boxes {
    fn new(window: FlameWindow) -> Boxes {
        Boxes { window, boxes: Vec::new(), small: HashMap::new(), cut: false }
    }

    fn push(&mut self, found: FlameBox) {
        let end = found.start.saturating_add(found.length);
        if found.start >= self.window.to || end < self.window.from {
            return;
        }
        if found.length < self.window.least
            && let Some(joined) = self.small.get(&found.level).and_then(|at| self.boxes.get_mut(*at))
        {
            let reach = joined.start.saturating_add(joined.length);
            if found.start >= joined.start && found.start <= reach.saturating_add(self.window.least) {
                if joined.name != found.name || joined.name == SMALL {
                    joined.name = SMALL;
                }
                joined.length = end.max(reach) - joined.start;
                joined.own = joined.own.saturating_add(found.own);
                joined.spans += found.spans;
                joined.failed += found.failed;
                return;
            }
        }
        if self.boxes.len() >= MAX_BOXES {
            self.cut = true;
            return;
        }
        if found.length < self.window.least {
            self.small.insert(found.level, self.boxes.len());
        }
        self.boxes.push(found);
    }

    fn finish(mut self, levels: u32, total: u64) -> FlameGraph {
        sort_by_key(&mut self.boxes, |found| (found.level, found.start, found.row));
        FlameGraph { boxes: self.boxes, levels, total, cut: self.cut }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use crate::view::waterfall::tests::trace;
    use quipu_model::Cost;

    const ALL: FlameWindow = FlameWindow { from: 0, to: u64::MAX, least: 0 };

    /// Two turns: shields, two inferences with a model call each; the second one failed and overlaps a tool.
    fn spans() -> quipu_protocol::TraceColumns {
        trace(&[
            (0, "turn", 0, 40, false),
            (1, "shield", 0, 5, false),
            (1, "inference", 5, 20, false),
            (2, "model", 6, 15, false),
            (1, "tool", 25, 10, false),
            (1, "inference", 30, 10, true),
            (2, "model", 31, 5, true),
        ])
    }

    fn drawn(order: FlameOrder, weight: FlameWeight, window: FlameWindow) -> String {
        let columns = spans();
        // The trace builder gives every span its own name; merge equal ones.
        let mut names: Vec<String> = Vec::new();
        let mut name = Vec::new();
        for row in 0..columns.len() {
            let text = columns.name_of(row).to_owned();
            let at = names.iter().position(|found| *found == text).unwrap_or_else(|| {
                names.push(text);
                names.len() - 1
            });
            name.push(at as u32);
        }
        let failed: Vec<bool> = (0..columns.len()).map(|row| row >= 5).collect();
        let times = Times { parent: &columns.parent, start: &columns.start_nanos, duration: &columns.duration };
        let cost = |nanos| Some(Cost { nanos, ..Cost::default() });
        let usage = Usage { tokens: vec![(3, 30), (6, 10)], costs: vec![(3, cost(3)), (4, None), (6, cost(8))] };
        let all = FlameSpans { times, name: &name, failed: &failed, usage: &usage };
        let focus = match &order {
            FlameOrder::Callers(name) | FlameOrder::Callees(name) => names.iter().position(|found| found == name).map(|at| at as u32),
            _ => None,
        };
        let graph = flame_graph(all, &order, focus, weight, window);
        let unit = if weight == FlameWeight::Time || order == FlameOrder::Time { 1_000_000 } else { 1 };
        let mut out = format!("{order:?} by {weight:?}: {} levels, {} in all\n", graph.levels, graph.total / unit);
        for found in graph.boxes {
            let name = names.get(found.name as usize).map_or("(small)", String::as_str);
            let failed = if found.failed > 0 { format!(", {} failed", found.failed) } else { String::new() };
            let bar = "=".repeat((found.length / unit) as usize);
            let indent = " ".repeat((found.start / unit) as usize);
            out +=
                &format!("{:45}|{name} of {}, own {}{failed}\n", format!("{} {indent}{bar}", found.level), found.spans, found.own / unit);
        }
        out
    }

    #[test]
    fn spans_stand_at_their_times_and_overlapping_ones_below_each_other() {
        insta::assert_snapshot!(drawn(FlameOrder::Time, FlameWeight::Time, ALL));
    }

    #[test]
    fn left_heavy_joins_equal_calls() {
        insta::assert_snapshot!(FlameWeight::ALL.map(|weight| drawn(FlameOrder::LeftHeavy, weight, ALL)).concat());
    }

    #[test]
    fn one_name_has_callers_and_callees() {
        let name = || "inference".to_owned();
        insta::assert_snapshot!(
            drawn(FlameOrder::Callees(name()), FlameWeight::Time, ALL)
                + &drawn(FlameOrder::Callers("model".into()), FlameWeight::Time, ALL)
                + &drawn(FlameOrder::Callers("nobody".into()), FlameWeight::Time, ALL)
        );
    }

    #[test]
    fn what_can_not_be_seen_is_joined_and_what_is_outside_left_out() {
        let window = FlameWindow { from: 4_000_000, to: 28_000_000, least: 12_000_000 };
        insta::assert_snapshot!(drawn(FlameOrder::Time, FlameWeight::Time, window));
    }
}
