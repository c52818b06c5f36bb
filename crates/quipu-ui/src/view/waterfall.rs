//! The rows of the timeline: visibility below collapsed spans, and the geometry of bars.
//!
//! Rows are in tree order, so a collapsed span hides a contiguous range. Visible rows are a set with rank and select: finding the rows of a
//! window is a binary search, and collapsing changes the bits of one subtree. Time windows are in `zoom`, summaries of collapsed rows in
//! `density`.

use super::rows::RowSet;
use super::zoom::{Side, TimeWindow, place_bar};
use quipu_model::format::duration_text;
use quipu_model::number::narrow;
use quipu_model::{SpanFlags, SpanKind};
use quipu_protocol::{NO_ROW, TraceColumns, UNKNOWN_NANOS};
use std::ops::Range;

/// The visible rows of a trace. Everything is expanded at first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaterfallTree {
    rows: u32,
    /// Collapsed rows, including those hidden by an ancestor: they stay collapsed when it is expanded.
    collapsed: RowSet,
    visible: RowSet,
}

impl WaterfallTree {
    /// All rows of `columns`, expanded.
    pub fn new(columns: &TraceColumns) -> WaterfallTree {
        let rows = u32::try_from(columns.len()).unwrap_or(u32::MAX);
        WaterfallTree { rows, collapsed: RowSet::filled(rows, false), visible: RowSet::filled(rows, true) }
    }

    /// The number of visible rows.
    pub fn visible(&self) -> u32 {
        self.visible.total()
    }

    /// Whether `row` is collapsed.
    pub fn is_collapsed(&self, row: u32) -> bool {
        self.collapsed.has(row)
    }

    /// Whether any row is collapsed.
    pub fn has_collapsed(&self) -> bool {
        self.collapsed.next(0).is_some()
    }

    /// The row at an index among the visible rows.
    pub fn row_at(&self, place: u32) -> Option<u32> {
        self.visible.nth(place)
    }

    /// The index of `row` among the visible rows; `None` if it is hidden or does not exist.
    pub fn place_of(&self, row: u32) -> Option<u32> {
        self.visible.has(row).then(|| self.visible.rank(row))
    }

    /// Collapses or expands `row`. Rows without children are not changed.
    pub fn set_collapsed(&mut self, columns: &TraceColumns, row: u32, collapsed: bool) {
        if row >= self.rows || self.is_collapsed(row) == collapsed || subtree(columns, row) <= 1 {
            return;
        }
        self.collapsed.set(row..row + 1, collapsed);
        // Below a collapsed ancestor, nothing changes visibly.
        if self.visible.has(row) {
            self.show(columns, row..row.saturating_add(subtree(columns, row)));
            self.visible.count();
        }
    }

    /// Collapses all rows with children at `depth` or deeper, so that `depth` + 1 levels stay visible.
    pub fn collapse_from(&mut self, columns: &TraceColumns, depth: u32) {
        self.collapsed = RowSet::of(&columns.subtree, |rows| *rows > 1);
        for (row, _) in (0..self.rows).zip(&columns.depth).filter(|(_, found)| **found < depth) {
            self.collapsed.set(row..row + 1, false);
        }
        self.show(columns, 0..self.rows);
        self.visible.count();
    }

    /// Expands all rows.
    pub fn expand_all(&mut self) {
        self.collapsed = RowSet::filled(self.rows, false);
        self.visible = RowSet::filled(self.rows, true);
    }

    /// Expands the ancestors of `row`, so that it is visible.
    pub fn reveal(&mut self, columns: &TraceColumns, row: u32) {
        let mut top = None;
        for ancestor in ancestors(columns, row) {
            if self.collapsed.has(ancestor) {
                self.collapsed.set(ancestor..ancestor + 1, false);
                top = Some(ancestor);
            }
        }
        if let Some(top) = top {
            self.show(columns, top..top.saturating_add(subtree(columns, top)));
            self.visible.count();
        }
    }

    /// The number of failed spans below `row`.
    pub fn failed_below(&self, columns: &TraceColumns, row: u32) -> u32 {
        let before = |row: u32| columns.failed_rows.partition_point(|failed| *failed < row);
        let end = row.saturating_add(subtree(columns, row));
        narrow(before(end).saturating_sub(before(row.saturating_add(1))))
    }

    /// Shows a range of rows whose first row is visible, except for collapsed subtrees in it.
    fn show(&mut self, columns: &TraceColumns, rows: Range<u32>) {
        let end = rows.end.min(self.rows);
        self.visible.set(rows.clone(), true);
        let mut row = rows.start;
        while let Some(found) = self.collapsed.next(row).filter(|found| *found < end) {
            row = found.saturating_add(subtree(columns, found)).min(self.rows);
            self.visible.set(found + 1..row, false);
        }
    }
}

/// The ancestors of `row`, nearest first. Terminates even if there is a cycle.
pub(super) fn ancestors(columns: &TraceColumns, row: u32) -> impl Iterator<Item = u32> {
    let parent = |row: u32| columns.parent.get(row as usize).copied().filter(|parent| *parent != NO_ROW && *parent < row);
    std::iter::successors(parent(row), move |row| parent(*row))
}

/// The ids of a span and its descendants; empty if the trace has no such span.
pub fn subtree_ids(columns: &TraceColumns, span_id: &str) -> Vec<String> {
    let Some(row) = columns.span_id.find(span_id) else { return Vec::new() };
    let rows = row..row.saturating_add(subtree(columns, row));
    rows.filter_map(|row| columns.span_id.get(row as usize)).collect()
}

/// The number of rows in the subtree of `row`, including it; 1 if unknown.
pub(super) fn subtree(columns: &TraceColumns, row: u32) -> u32 {
    columns.subtree.get(row as usize).copied().unwrap_or(1).max(1)
}

/// Position of the duration label relative to the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BarLabel {
    /// After the end of the bar.
    After,
    /// Before the start of the bar.
    Before,
    /// On the bar.
    Inside,
}

/// The bar of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Start relative to the axis, 0 to 1.
    pub start: f64,
    /// Length relative to the axis.
    pub length: f64,
    /// The side it is on if it is outside of the axis.
    pub off: Option<Side>,
    /// Whether it starts before the axis.
    pub cut_start: bool,
    /// Whether it ends after the axis.
    pub cut_end: bool,
    /// Position of the duration label.
    pub label: BarLabel,
}

/// A row of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct WaterfallRow {
    /// Row in the columns.
    pub row: u32,
    /// Index among the visible rows.
    pub place: u32,
    /// Span id as recorded.
    pub span_id: String,
    /// Id of the parent, if the parent is in the file.
    pub parent_id: Option<String>,
    /// Span name as recorded.
    pub name: String,
    /// Shown after the name: the tool, if it is known, and the service, where the spans of the trace are of several.
    pub beside: Option<String>,
    /// Span kind.
    pub kind: SpanKind,
    /// Flags of the span.
    pub flags: SpanFlags,
    /// 0 for a root.
    pub depth: u32,
    /// Whether it is expanded; `None` without children.
    pub expanded: Option<bool>,
    /// Number of failed spans hidden below it while it is collapsed.
    pub failed_hidden: u32,
    /// Geometry of the bar.
    pub bar: Bar,
    /// Formatted duration.
    pub duration: String,
}

impl WaterfallRow {
    /// Whether the span failed.
    pub fn failed(&self) -> bool {
        self.flags.has(SpanFlags::FAILED)
    }
}

/// Start and duration of the span in `row`, in nanoseconds; the start is relative to the trace's.
pub fn span_time(columns: &TraceColumns, row: u32) -> (u64, Option<u64>) {
    let start = columns.start_nanos.get(row as usize).copied().unwrap_or(0);
    (start, columns.duration.get(row as usize).copied().filter(|nanos| *nanos != UNKNOWN_NANOS))
}

/// The bar of the span in `row` on an axis over `window`. `label_part` is the width of a duration label relative to the axis.
pub fn bar(columns: &TraceColumns, row: u32, window: &TimeWindow, label_part: f64) -> Bar {
    let (start, duration) = span_time(columns, row);
    let place = place_bar(window, start, duration);
    let label = match place.off {
        Some(Side::Before) => BarLabel::After,
        Some(Side::After) => BarLabel::Before,
        None if place.start + place.length < 1.0 - label_part => BarLabel::After,
        None if place.start > label_part => BarLabel::Before,
        None => BarLabel::Inside,
    };
    Bar { start: place.start, length: place.length, off: place.off, cut_start: place.cut_start, cut_end: place.cut_end, label }
}

/// The visible rows at the indices `places`, with bars on an axis over `window`; `label_part` as for [`bar`].
pub fn waterfall_rows(
    columns: &TraceColumns,
    tree: &WaterfallTree,
    places: Range<u32>,
    window: &TimeWindow,
    label_part: f64,
) -> Vec<WaterfallRow> {
    places.map_while(|place| tree.row_at(place).and_then(|row| waterfall_row(columns, tree, place, row, window, label_part))).collect()
}

fn waterfall_row(
    columns: &TraceColumns,
    tree: &WaterfallTree,
    place: u32,
    row: u32,
    window: &TimeWindow,
    label_part: f64,
) -> Option<WaterfallRow> {
    let at = row as usize;
    let parent = columns.parent.get(at).copied().filter(|parent| *parent != NO_ROW);
    let has_children = subtree(columns, row) > 1;
    let collapsed = tree.is_collapsed(row);
    Some(WaterfallRow {
        row,
        place,
        span_id: columns.span_id.get(at)?,
        parent_id: parent.and_then(|parent| columns.span_id.get(parent as usize)),
        name: columns.name_of(at).to_owned(),
        beside: match (columns.tool_of(row), columns.service_of(row)) {
            (Some(tool), Some(service)) => Some(format!("{tool} · {service}")),
            (tool, service) => tool.or(service).map(str::to_owned),
        },
        kind: columns.kind.get(at).copied().unwrap_or(SpanKind::Other),
        flags: columns.flags.get(at).copied().unwrap_or_default(),
        depth: columns.depth.get(at).copied().unwrap_or(0),
        expanded: has_children.then_some(!collapsed),
        failed_hidden: if collapsed { tree.failed_below(columns, row) } else { 0 },
        bar: bar(columns, row, window, label_part),
        duration: duration_text(span_time(columns, row).1),
    })
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
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
            columns.span_id.push(&format!("s{row}"));
            columns.names.push(name);
            columns.name.push(row as u32);
            columns.depth.push(depth);
            columns.start_nanos.push(start * 1_000_000);
            columns.duration.push(duration * 1_000_000);
            columns.flags.push(if failed { SpanFlags::FAILED } else { SpanFlags::default() });
            columns.kind.push(quipu_model::dialect::kind_of_name(name));
            let after = spans[row + 1..].iter().position(|span| span.0 <= depth).unwrap_or(spans.len() - row - 1);
            columns.subtree.push(after as u32 + 1);
            columns.has_branches |= after > 0;
            if failed {
                columns.failed_rows.push(row as u32);
            }
            columns.duration_nanos = columns.duration_nanos.max((start + duration) * 1_000_000);
        }
        columns.span_id.finish();
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

    fn drawn(columns: &TraceColumns, tree: &WaterfallTree, window: Option<(u64, u64)>) -> String {
        waterfall_rows(columns, tree, 0..100, &TimeWindow::new(window, columns.duration_nanos), 0.14)
            .into_iter()
            .map(|row| {
                let caret = match row.expanded {
                    None => ' ',
                    Some(true) => 'v',
                    Some(false) => '>',
                };
                let start = (row.bar.start * 40.0).round() as usize;
                let bar = match row.bar.off {
                    Some(Side::Before) => "<".into(),
                    Some(Side::After) => ">".into(),
                    None => "=".repeat(((row.bar.length * 40.0).round() as usize).max(1)),
                };
                let cut = [(row.bar.cut_start, " from before"), (row.bar.cut_end, " until after")];
                let cut: String = cut.into_iter().filter(|(cut, _)| *cut).map(|(_, word)| word).collect();
                let fail = if row.failed() { " FAILED".into() } else { String::new() };
                let hidden = if row.failed_hidden > 0 { format!(" ({} failed inside)", row.failed_hidden) } else { String::new() };
                let indent = "  ".repeat(row.depth as usize);
                format!(
                    "{:44}|{}{bar} {:?} {}{cut}{fail}{hidden}",
                    format!("{indent}{caret} {}", row.name),
                    " ".repeat(start),
                    row.bar.label,
                    row.duration
                )
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_trace_is_drawn_expanded() {
        let columns = turn();
        insta::assert_snapshot!(drawn(&columns, &WaterfallTree::new(&columns), None));
    }

    #[test]
    fn a_part_of_the_time_is_drawn_larger() {
        let columns = turn();
        insta::assert_snapshot!(drawn(&columns, &WaterfallTree::new(&columns), Some((10_000_000, 30_000_000))));
    }

    #[test]
    fn a_collapsed_span_hides_its_subtree_and_tells_of_failures_inside() {
        let columns = turn();
        let mut tree = WaterfallTree::new(&columns);
        tree.set_collapsed(&columns, 1, true);
        tree.set_collapsed(&columns, 6, true);
        assert_eq!(tree.visible(), 5);
        assert_eq!(tree.place_of(3), None);
        insta::assert_snapshot!(drawn(&columns, &tree, None));
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
        columns.subtree = vec![900; 7].into();
        columns.parent = vec![5; 7].into();
        columns.names = Default::default();
        let mut tree = WaterfallTree::new(&columns);
        tree.set_collapsed(&columns, 3, true);
        tree.reveal(&columns, 6);
        assert!(waterfall_rows(&columns, &tree, 0..100, &TimeWindow::whole(1), 0.14).len() <= 7);
    }

    #[derive(Clone, Debug)]
    enum Operation {
        Set(u32, bool),
        Level(u32),
        Reveal(u32),
        ExpandAll,
    }

    fn any_operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            6 => (0_u32..120, any::<bool>()).prop_map(|(row, collapsed)| Operation::Set(row, collapsed)),
            1 => (0_u32..6).prop_map(Operation::Level),
            2 => (0_u32..120).prop_map(Operation::Reveal),
            1 => Just(Operation::ExpandAll),
        ]
    }

    proptest! {
        #[test]
        fn places_and_rows_agree_with_walking_the_tree(
            steps in prop::collection::vec((0_u32..4, any::<bool>()), 1..120),
            acts in prop::collection::vec(any_operation(), 0..30),
        ) {
            // Each step goes up some levels and adds a child there, so all trees are possible.
            let mut depth = 0_u32;
            let mut spans = Vec::new();
            for (step, failed) in steps {
                spans.push((depth, "x", 0, 1, failed));
                depth = (depth + 1).saturating_sub(step);
            }
            let columns = trace(&spans);
            let mut tree = WaterfallTree::new(&columns);
            let mut collapsed = vec![false; spans.len()];
            let has_children = |row: u32| columns.parent.contains(&row);
            for act in acts {
                match act {
                    Operation::Set(row, to) => {
                        tree.set_collapsed(&columns, row, to);
                        if let Some(slot) = collapsed.get_mut(row as usize).filter(|_| has_children(row)) {
                            *slot = to;
                        }
                    }
                    Operation::Level(depth) => {
                        tree.collapse_from(&columns, depth);
                        for (row, slot) in (0_u32..).zip(&mut collapsed) {
                            *slot = has_children(row) && spans[row as usize].0 >= depth;
                        }
                    }
                    Operation::Reveal(row) => {
                        tree.reveal(&columns, row);
                        ancestors(&columns, row).for_each(|ancestor| collapsed[ancestor as usize] = false);
                    }
                    Operation::ExpandAll => {
                        tree.expand_all();
                        collapsed.fill(false);
                    }
                }
                let hidden = |row: u32| ancestors(&columns, row).any(|ancestor| collapsed[ancestor as usize]);
                let expected: Vec<u32> = (0..spans.len() as u32).filter(|row| !hidden(*row)).collect();
                prop_assert_eq!(tree.visible() as usize, expected.len());
                let found: Vec<u32> = (0..tree.visible()).filter_map(|place| tree.row_at(place)).collect();
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(tree.row_at(tree.visible()), None);
                prop_assert_eq!(tree.has_collapsed(), collapsed.contains(&true));
                for row in 0..spans.len() as u32 {
                    let place = expected.iter().position(|found| *found == row).map(|place| place as u32);
                    prop_assert_eq!(tree.place_of(row), place);
                    prop_assert_eq!(tree.is_collapsed(row), collapsed[row as usize]);
                }
            }
            for row in 0..spans.len() as u32 {
                let below = row + 1..row + subtree(&columns, row);
                prop_assert_eq!(tree.failed_below(&columns, row) as usize, below.filter(|row| spans[*row as usize].4).count());
            }
        }
    }
}
