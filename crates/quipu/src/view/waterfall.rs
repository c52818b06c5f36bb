//! The timeline's rows: which spans are visible under collapsed subtrees, and where their bars lie.
//!
//! A trace's rows stand in tree order, so a collapsed span hides one run of rows. The runs are kept in order: finding the rows of a
//! window costs a binary search, and only collapsing or expanding rebuilds anything.

use super::format::duration_text;
use crate::model::{SpanKind, SpanMarks};
use crate::protocol::{NO_ROW, TraceColumns, UNKNOWN_NANOS};
use std::collections::BTreeSet;
use std::ops::Range;

/// A run of rows hidden under a collapsed span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    /// The first hidden row.
    first: u32,
    /// The row after the last hidden one.
    end: u32,
    /// Rows hidden by this run and all before it.
    hidden: u32,
}

/// Which rows of a trace are visible. Everything is expanded at first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaterfallTree {
    rows: u32,
    /// Rows that are collapsed, also where an ancestor hides them: they stay so when it is expanded again.
    collapsed: BTreeSet<u32>,
    gaps: Vec<Gap>,
    /// For every row, how many failed spans stand before it; one more entry than rows.
    failed_before: Vec<u32>,
}

impl WaterfallTree {
    /// All rows of `columns`, expanded.
    pub fn new(columns: &TraceColumns) -> WaterfallTree {
        let mut failed_before = Vec::with_capacity(columns.len() + 1);
        let mut failed = 0;
        failed_before.push(0);
        for marks in &columns.marks {
            failed += u32::from(marks.has(SpanMarks::FAILED));
            failed_before.push(failed);
        }
        let rows = u32::try_from(columns.len()).unwrap_or(u32::MAX);
        WaterfallTree { rows, collapsed: BTreeSet::new(), gaps: Vec::new(), failed_before }
    }

    /// Visible rows.
    pub fn visible(&self) -> u32 {
        self.rows - self.gaps.last().map_or(0, |gap| gap.hidden)
    }

    /// Whether `row` is collapsed.
    pub fn is_collapsed(&self, row: u32) -> bool {
        self.collapsed.contains(&row)
    }

    /// Whether any row is collapsed.
    pub fn has_collapsed(&self) -> bool {
        !self.collapsed.is_empty()
    }

    /// The row at the visible place `place`, counted from 0.
    pub fn row_at(&self, place: u32) -> Option<u32> {
        if place >= self.visible() {
            return None;
        }
        // The runs that end before this place: those whose first hidden row, less what is hidden before it, is not after it.
        let before = self.gaps.partition_point(|gap| gap.first - (gap.hidden - (gap.end - gap.first)) <= place);
        let hidden = before.checked_sub(1).and_then(|last| self.gaps.get(last)).map_or(0, |gap| gap.hidden);
        Some(place + hidden)
    }

    /// The visible place of `row`; `None` when a collapsed ancestor hides it or there is no such row.
    pub fn place_of(&self, row: u32) -> Option<u32> {
        if row >= self.rows {
            return None;
        }
        let before = self.gaps.partition_point(|gap| gap.first <= row);
        match before.checked_sub(1).and_then(|last| self.gaps.get(last)) {
            None => Some(row),
            Some(gap) if row < gap.end => None,
            Some(gap) => Some(row - gap.hidden),
        }
    }

    /// Collapses or expands `row`. A row without children stays as it is.
    pub fn set_collapsed(&mut self, columns: &TraceColumns, row: u32, collapsed: bool) {
        let changed = if collapsed { subtree(columns, row) > 1 && self.collapsed.insert(row) } else { self.collapsed.remove(&row) };
        if changed {
            self.rebuild(columns);
        }
    }

    /// Collapses every row at `depth` or deeper that has children: what stays visible is `depth` levels and one more.
    pub fn collapse_from(&mut self, columns: &TraceColumns, depth: u32) {
        self.collapsed = (0..self.rows)
            .filter(|row| subtree(columns, *row) > 1 && columns.depth.get(*row as usize).is_some_and(|found| *found >= depth))
            .collect();
        self.rebuild(columns);
    }

    /// Expands everything.
    pub fn expand_all(&mut self) {
        self.collapsed.clear();
        self.gaps.clear();
    }

    /// Expands all ancestors of `row`, so that it is visible.
    pub fn reveal(&mut self, columns: &TraceColumns, row: u32) {
        let mut changed = false;
        for ancestor in ancestors(columns, row) {
            changed |= self.collapsed.remove(&ancestor);
        }
        if changed {
            self.rebuild(columns);
        }
    }

    /// Failed spans under `row`, itself not counted.
    pub fn failed_below(&self, columns: &TraceColumns, row: u32) -> u32 {
        let end = (row as usize).saturating_add(subtree(columns, row) as usize);
        let count = |at: usize| self.failed_before.get(at).copied().unwrap_or(0);
        count(end).saturating_sub(count(row as usize + 1))
    }

    fn rebuild(&mut self, columns: &TraceColumns) {
        self.gaps.clear();
        let (mut hidden, mut hidden_to) = (0, 0);
        for &row in &self.collapsed {
            if row < hidden_to {
                continue;
            }
            let end = row.saturating_add(subtree(columns, row)).min(self.rows);
            if end > row + 1 {
                hidden += end - row - 1;
                hidden_to = end;
                self.gaps.push(Gap { first: row + 1, end, hidden });
            }
        }
    }
}

/// The ancestors of `row`, nearest first. Ends even if the columns held a cycle.
pub(super) fn ancestors(columns: &TraceColumns, row: u32) -> impl Iterator<Item = u32> {
    let parent = |row: u32| columns.parent.get(row as usize).copied().filter(|parent| *parent != NO_ROW && *parent < row);
    std::iter::successors(parent(row), move |row| parent(*row))
}

/// Rows of the subtree of `row`, itself included; 1 where nothing is known.
pub(super) fn subtree(columns: &TraceColumns, row: u32) -> u32 {
    columns.subtree.get(row as usize).copied().unwrap_or(1).max(1)
}

/// Where the duration stands beside its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BarLabel {
    /// After the bar's end.
    After,
    /// Before the bar's start.
    Before,
    /// On the bar.
    Inside,
}

/// One row of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct WaterfallRow {
    /// The span's row in the columns.
    pub row: u32,
    /// Its place among the visible rows.
    pub place: u32,
    /// As recorded.
    pub span_id: String,
    /// The parent's id, where the parent is in the file.
    pub parent_id: Option<String>,
    /// As recorded.
    pub name: String,
    /// What it is.
    pub kind: SpanKind,
    /// Marks.
    pub marks: SpanMarks,
    /// 0 for a root.
    pub depth: u32,
    /// Whether it is expanded; `None` without children.
    pub expanded: Option<bool>,
    /// Failed spans it hides while collapsed.
    pub failed_hidden: u32,
    /// Start of the bar as a part of the axis, 0 to 1.
    pub bar_start: f64,
    /// Length of the bar as a part of the axis.
    pub bar_length: f64,
    /// The duration.
    pub duration: String,
    /// Where the duration stands.
    pub label: BarLabel,
}

impl WaterfallRow {
    /// Whether the span failed.
    pub fn failed(&self) -> bool {
        self.marks.has(SpanMarks::FAILED)
    }
}

/// The rows at the visible `places`, with their bars on an axis over the whole trace. `label_part` is the part of the axis that a duration
/// needs beside its bar.
pub fn waterfall_rows(columns: &TraceColumns, tree: &WaterfallTree, places: Range<u32>, label_part: f64) -> Vec<WaterfallRow> {
    places.map_while(|place| tree.row_at(place).and_then(|row| waterfall_row(columns, tree, place, row, label_part))).collect()
}

fn waterfall_row(columns: &TraceColumns, tree: &WaterfallTree, place: u32, row: u32, label_part: f64) -> Option<WaterfallRow> {
    let at = row as usize;
    let parent = columns.parent.get(at).copied().filter(|parent| *parent != NO_ROW);
    let has_children = subtree(columns, row) > 1;
    let collapsed = tree.is_collapsed(row);
    let nanos = columns.duration.get(at).copied().filter(|nanos| *nanos != UNKNOWN_NANOS);
    let whole = columns.duration_nanos.max(1) as f64;
    let bar_start = (columns.start_nanos.get(at).copied().unwrap_or(0) as f64 / whole).clamp(0.0, 1.0);
    let bar_length = (nanos.unwrap_or(0) as f64 / whole).clamp(0.0, 1.0 - bar_start);
    let label = if bar_start + bar_length < 1.0 - label_part {
        BarLabel::After
    } else if bar_start > label_part {
        BarLabel::Before
    } else {
        BarLabel::Inside
    };
    Some(WaterfallRow {
        row,
        place,
        span_id: columns.span_id.get(at)?.clone(),
        parent_id: parent.and_then(|parent| columns.span_id.get(parent as usize).cloned()),
        name: columns.name.get(at).and_then(|name| columns.names.get(*name as usize)).cloned().unwrap_or_default(),
        kind: columns.kind.get(at).copied().unwrap_or(SpanKind::Other),
        marks: columns.marks.get(at).copied().unwrap_or_default(),
        depth: columns.depth.get(at).copied().unwrap_or(0),
        expanded: has_children.then_some(!collapsed),
        failed_hidden: if collapsed { tree.failed_below(columns, row) } else { 0 },
        bar_start,
        bar_length,
        duration: duration_text(nanos),
        label,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A trace from `(depth, name, start, duration, failed)` in tree order, times in milliseconds.
    pub(in crate::view) fn trace(spans: &[(u32, &str, u64, u64, bool)]) -> TraceColumns {
        let mut columns = TraceColumns { trace_id: "t".into(), ..TraceColumns::default() };
        let mut path: Vec<u32> = Vec::new();
        for (row, &(depth, name, start, duration, failed)) in spans.iter().enumerate() {
            path.truncate(depth as usize);
            columns.parent.push(path.last().copied().unwrap_or(NO_ROW));
            path.push(row as u32);
            columns.span_id.push(format!("s{row}"));
            columns.names.push(name.into());
            columns.name.push(row as u32);
            columns.depth.push(depth);
            columns.start_nanos.push(start * 1_000_000);
            columns.duration.push(duration * 1_000_000);
            columns.marks.push(if failed { SpanMarks::FAILED } else { SpanMarks::default() });
            columns.kind.push(SpanKind::from_name(name));
            let after = spans[row + 1..].iter().position(|span| span.0 <= depth).unwrap_or(spans.len() - row - 1);
            columns.subtree.push(after as u32 + 1);
            columns.duration_nanos = columns.duration_nanos.max((start + duration) * 1_000_000);
        }
        columns
    }

    pub(in crate::view) fn turn() -> TraceColumns {
        trace(&[
            (0, "/v1/agents/{agent_id}/session/{session_id}/turn", 0, 100, false),
            (1, "run_shields", 1, 20, false),
            (2, "run_shield_guard", 2, 18, true),
            (3, "SafetyRouter.run_shield", 3, 16, true),
            (1, "inference", 25, 70, false),
            (2, "InferenceRouter.chat_completion", 26, 68, false),
            (1, "tool_execution", 96, 4, false),
        ])
    }

    fn drawn(columns: &TraceColumns, tree: &WaterfallTree) -> String {
        waterfall_rows(columns, tree, 0..100, 0.14)
            .into_iter()
            .map(|row| {
                let caret = match row.expanded {
                    None => ' ',
                    Some(true) => 'v',
                    Some(false) => '>',
                };
                let start = (row.bar_start * 40.0).round() as usize;
                let bar = "=".repeat(((row.bar_length * 40.0).round() as usize).max(1));
                let fail = if row.failed() { " FAILED".into() } else { String::new() };
                let hidden = if row.failed_hidden > 0 { format!(" ({} failed inside)", row.failed_hidden) } else { String::new() };
                let indent = "  ".repeat(row.depth as usize);
                format!(
                    "{:44}|{}{bar} {:?} {}{fail}{hidden}",
                    format!("{indent}{caret} {}", row.name),
                    " ".repeat(start),
                    row.label,
                    row.duration
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_trace_is_drawn_expanded() {
        let columns = turn();
        insta::assert_snapshot!(drawn(&columns, &WaterfallTree::new(&columns)));
    }

    #[test]
    fn a_collapsed_span_hides_its_subtree_and_tells_of_failures_inside() {
        let columns = turn();
        let mut tree = WaterfallTree::new(&columns);
        tree.set_collapsed(&columns, 1, true);
        tree.set_collapsed(&columns, 6, true);
        assert_eq!(tree.visible(), 5);
        assert_eq!(tree.place_of(3), None);
        insta::assert_snapshot!(drawn(&columns, &tree));
    }

    #[test]
    fn what_was_collapsed_inside_stays_so_when_the_outer_one_opens() {
        let columns = turn();
        let mut tree = WaterfallTree::new(&columns);
        tree.set_collapsed(&columns, 2, true);
        tree.set_collapsed(&columns, 0, true);
        assert_eq!(tree.visible(), 1);
        tree.set_collapsed(&columns, 0, false);
        assert_eq!(tree.visible(), 6);
        assert!(tree.is_collapsed(2));
        tree.reveal(&columns, 3);
        assert_eq!(tree.place_of(3), Some(3));
        tree.collapse_from(&columns, 1);
        assert_eq!(tree.visible(), 4);
        tree.expand_all();
        assert_eq!(tree.visible(), 7);
    }

    #[test]
    fn columns_that_do_not_fit_each_other_are_survived() {
        let mut columns = turn();
        columns.subtree = vec![900; 7];
        columns.parent = vec![5; 7];
        columns.names.clear();
        let mut tree = WaterfallTree::new(&columns);
        tree.set_collapsed(&columns, 3, true);
        tree.reveal(&columns, 6);
        assert!(waterfall_rows(&columns, &tree, 0..100, 0.14).len() <= 7);
    }

    proptest! {
        #[test]
        fn places_and_rows_agree_with_walking_the_tree(
            steps in prop::collection::vec(0_u32..4, 1..120),
            collapsed in prop::collection::vec(0_u32..120, 0..30),
        ) {
            // Each step climbs some levels and adds a child there: every tree can come about.
            let mut depth = 0_u32;
            let mut spans = Vec::new();
            for step in steps {
                spans.push((depth, "x", 0, 1, false));
                depth = (depth + 1).saturating_sub(step);
            }
            let columns = trace(&spans);
            let mut tree = WaterfallTree::new(&columns);
            for row in collapsed {
                tree.set_collapsed(&columns, row, true);
            }
            let expected: Vec<u32> = (0..spans.len() as u32)
                .filter(|row| !ancestors(&columns, *row).any(|ancestor| tree.is_collapsed(ancestor)))
                .collect();
            prop_assert_eq!(tree.visible() as usize, expected.len());
            let found: Vec<u32> = (0..tree.visible()).filter_map(|place| tree.row_at(place)).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(tree.row_at(tree.visible()), None);
            for row in 0..spans.len() as u32 {
                let place = expected.iter().position(|found| *found == row).map(|place| place as u32);
                prop_assert_eq!(tree.place_of(row), place);
            }
        }
    }
}
