//! Statistics by span name as a sortable table with links to spans.

use super::{nothing, page_of, pages};
use crate::view::{NameStatistics, sort_statistics};
use quipu_model::format::{DASH, cost_text, count, duration_text, share_text};
use quipu_protocol::SheetView;
use quipu_protocol::StatisticsColumn;
use quipu_protocol::address::encode;
use quipu_protocol::markup::{Attr, El, Icon, Node, Tag, el};
use quipu_protocol::markup::{button, soft};

/// Rows per page.
const PAGE: usize = 200;

/// Renders the table. `whole` is the trace's duration in nanoseconds, `id_of` returns the id of the span in a row.
pub fn statistics_sheet(rows: &[NameStatistics], whole: u64, id_of: &dyn Fn(u32) -> String, view: &SheetView) -> Vec<Node> {
    if rows.is_empty() {
        return vec![nothing(&["This trace has no spans."]).into()];
    }
    let has_costs = rows.iter().any(|row| row.cost.is_some());
    let columns = StatisticsColumn::ALL.into_iter().filter(|column| has_costs || *column != StatisticsColumn::Cost);
    let sorted = sort_statistics(rows, view.column, !view.ascending);
    let range = page_of(view.page, PAGE, sorted.len());
    let shown = sorted.get(range.clone()).unwrap_or_default();
    let table = el(Tag::Table)
        .class("figures")
        .attr(Attr::Label, "Statistics by span name")
        .with(el(Tag::Thead).with(el(Tag::Tr).all(columns.map(|column| head(column, view)))))
        .with(el(Tag::Tbody).all(shown.iter().map(|found| row(found, whole, id_of, has_costs))));
    let mut nodes = vec![table.into()];
    nodes.extend(pages(range, PAGE, sorted.len(), "name", "names").map(Node::from));
    nodes
}

fn head(column: StatisticsColumn, view: &SheetView) -> El {
    let is_name = column == StatisticsColumn::Name;
    let is_sorted = column == view.column;
    // The first click sorts in descending order, for names in ascending order; the next one reverses it.
    let ascending = if is_sorted { !view.ascending } else { is_name };
    let order = match (is_sorted, view.ascending) {
        (false, _) => "none",
        (true, true) => "ascending",
        (true, false) => "descending",
    };
    let set = format!("by={}&order={}&page=", column.name(), if ascending { "up" } else { "" });
    let press =
        button(column.title(), set).class("sort").attr(Attr::Title, column.meaning()).attr(Attr::Id, format!("by-{}", column.name()));
    el(Tag::Th).class(if is_name { "" } else { "number" }).attr(Attr::Scope, "col").attr(Attr::Sort, order).with(press)
}

fn row(found: &NameStatistics, whole: u64, id_of: &dyn Fn(u32) -> String, has_costs: bool) -> El {
    let number = |text: String| el(Tag::Td).class("number").text(text);
    let time = |nanos: Option<u64>| number(duration_text(nanos));
    let failed = if found.failed == 0 {
        number("0".into())
    } else {
        el(Tag::Td).class("number failed").with(Node::Icon(Icon::Failed)).text(count(found.failed.into()))
    };
    let longest = el(Tag::Button)
        .class("quiet span-link")
        .attr(Attr::Span, id_of(found.longest))
        .attr(Attr::Title, "Show the longest of them")
        .text(duration_text(found.max));
    let set = format!("tab=timeline&find={}", encode(&found.name));
    let name = button(found.name.as_str(), set).class("quiet span-link").attr(Attr::Title, "Find them in the timeline");
    el(Tag::Tr)
        .attr(Attr::Name, found.name.as_str())
        .with(el(Tag::Th).attr(Attr::Scope, "row").with(name))
        .with(number(count(found.count.into())))
        .with(failed)
        .with(time(Some(found.total)))
        .with(time(Some(found.own)).with(soft(share_text(found.own, whole))))
        .with(time(found.min))
        .with(time(found.median))
        .with(time(found.p95))
        .with(time(found.p99))
        .with(el(Tag::Td).class("number").with(longest))
        .with(number(found.tokens.map_or_else(|| DASH.to_owned(), count)))
        .all(has_costs.then(|| number(cost_text(found.cost))))
}
