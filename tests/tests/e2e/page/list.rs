//! The list of traces: its rows, groups, headings, columns and totals, and the scatter chart above it.

use super::Page;
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use thirtyfour::Key;

/// The table.
const GRID: &str = "named('grid', 'Traces')";
/// What identifies the row of a trace.
const TRACE_ID: &str = "data-trace-id";
/// The chart.
const PLOT: &str = "document.querySelector('.plot')";
/// The handle of the chart that takes away what is shorter.
const SHORTEST: &str = "named('slider', 'Shortest duration')";

/// A column by whose heading the list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// When a trace began.
    Start,
    /// How long it took.
    Duration,
    /// How many spans it has.
    Spans,
    /// The agent session it belongs to.
    Session,
    /// The agent.
    Agent,
}

impl Column {
    /// Its heading.
    fn heading(self) -> String {
        let key = match self {
            Column::Start => "start",
            Column::Duration => "duration",
            Column::Spans => "spans",
            Column::Session => "session",
            Column::Agent => "agent",
        };
        format!("{GRID}.querySelector('[data-column={key}]')")
    }
}

/// What the rows of the list are grouped by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grouping {
    /// Nothing: a row is a trace.
    Single,
    /// Agent sessions.
    Sessions,
    /// Turns of an agent.
    Turns,
}

impl Page {
    /// The list of traces.
    pub(crate) fn list(&self) -> TraceList<'_> {
        TraceList(self)
    }

    /// The scatter chart above the list.
    pub(crate) fn scatter(&self) -> Scatter<'_> {
        Scatter(self)
    }

    /// Goes to the list of traces by its link.
    pub(crate) async fn go_to_list(&self) -> Result<()> {
        self.click("link", "Traces").await
    }

    /// Waits until the page is idle and the list of traces shown.
    pub(crate) async fn wait_list(&self) -> Result<()> {
        self.wait_for(GRID, "the table of traces").await
    }

    /// Whether the list of traces is shown.
    pub(crate) async fn shows_list(&self) -> Result<bool> {
        self.holds(GRID).await
    }

    /// The trace ids in the list, in its order. Fails when the list announces another number.
    pub(crate) async fn trace_ids(&self) -> Result<Vec<String>> {
        self.row_ids("grid", "Traces", TRACE_ID).await
    }

    /// The trace ids in the list, in no order.
    pub(crate) async fn trace_set(&self) -> Result<BTreeSet<String>> {
        Ok(self.trace_ids().await?.into_iter().collect())
    }

    /// Waits until rows of these traces are drawn, and of no others. The page need not be idle.
    pub(crate) async fn wait_traces(&self, ids: &[String], what: &str) -> Result<()> {
        let condition = format!(
            "const ids = new Set({}); const rows = [...({GRID}?.querySelectorAll('[{TRACE_ID}]') ?? [])];
             return rows.length > 0 && rows.every((row) => ids.has(row.dataset.traceId))",
            json!(ids)
        );
        self.wait_until(&condition, what).await
    }

    /// Waits until the page is idle and the row of a trace drawn.
    pub(crate) async fn wait_trace(&self, trace_id: &str) -> Result<()> {
        let row = format!("{GRID}?.querySelector({})", json!(format!("[{TRACE_ID}='{trace_id}']")));
        self.wait_for(&row, &format!("the row of trace {trace_id}")).await
    }

    /// Opens a trace from the list.
    pub(crate) async fn open_trace(&self, trace_id: &str) -> Result<()> {
        self.click_row("grid", "Traces", TRACE_ID, trace_id).await?;
        self.wait_timeline().await
    }

    /// The id of the trace or span whose row is selected or has the focus.
    pub(crate) async fn current_row(&self) -> Result<Option<String>> {
        let script = "
            const row = document.activeElement?.closest('[data-trace-id], [data-span-id]')
                ?? document.getElementById(document.activeElement?.getAttribute('aria-activedescendant') ?? '')
                ?? document.querySelector('[role=grid] [aria-selected=true], [role=treegrid] [aria-selected=true]');
            return row ? row.dataset.traceId ?? row.dataset.spanId ?? null : null;";
        self.read(script).await
    }

    /// How many rows of traces, rows of spans and alerts are in the document, shown or not.
    pub(crate) async fn rows_and_alerts(&self) -> Result<u64> {
        self.read("return document.querySelectorAll('[data-trace-id], [data-span-id], [role=alert]').length").await
    }
}

/// The list of traces.
pub(crate) struct TraceList<'a>(&'a Page);

impl TraceList<'_> {
    /// Shows failed traces only.
    pub(crate) async fn show_failed(&self) -> Result<()> {
        self.0.click("button", "Failed").await
    }

    /// Shows all traces, failed or not.
    pub(crate) async fn show_all(&self) -> Result<()> {
        self.0.click("button", "All").await
    }

    /// Presses a column's heading: sorts by it, or the other way round.
    pub(crate) async fn sort_by(&self, column: Column) -> Result<()> {
        self.0.click_element(&column.heading(), &format!("heading {column:?}")).await?;
        self.0.wait_idle().await
    }

    /// Puts the focus on a column's heading.
    pub(crate) async fn focus_heading(&self, column: Column) -> Result<()> {
        self.0.run(&format!("{}.focus()", column.heading())).await?;
        Ok(())
    }

    /// Whether a column's heading has the focus.
    pub(crate) async fn heading_has_focus(&self, column: Column) -> Result<bool> {
        self.0.holds(&format!("document.activeElement === {}", column.heading())).await
    }

    /// The headings that sort, each with its `aria-sort`.
    pub(crate) async fn headings(&self) -> Result<BTreeMap<String, String>> {
        let script = format!(
            "return Object.fromEntries([...{GRID}.querySelectorAll('[role=columnheader]:has(button)')].map(
                (e) => [e.querySelector('button').firstChild.textContent, e.getAttribute('aria-sort')]))"
        );
        self.0.read(&script).await
    }

    /// Opens the menu of columns, presses those of these names, and closes it.
    pub(crate) async fn toggle_columns(&self, names: &[&str]) -> Result<()> {
        self.0.click("button", "Columns").await?;
        for name in names {
            self.0.click_by_script(&format!("#columns-menu [value={name}]")).await?;
            self.0.wait_idle().await?;
        }
        self.0.press(Key::Escape).await
    }

    /// Groups the rows.
    pub(crate) async fn group_by(&self, grouping: Grouping) -> Result<()> {
        let button = match grouping {
            Grouping::Single => "Single",
            Grouping::Sessions => "Sessions",
            Grouping::Turns => "Turns",
        };
        self.0.click("button", button).await
    }

    /// Opens or closes a group, which its key identifies.
    pub(crate) async fn press_group(&self, key: &str) -> Result<()> {
        self.0.click_row("grid", "Traces", "data-group", key).await?;
        self.0.wait_idle().await
    }

    /// The rows in order: whether each is a group, and the group's key or the trace's id. Fails when the list announces another number.
    pub(crate) async fn lines(&self) -> Result<Vec<(bool, String)>> {
        let table = self.0.rows("grid", "Traces", "data-place", &["data-group", TRACE_ID]).await?;
        ensure!(table.announced == table.rows.len() as i64 + 1, "{} rows are announced, {} there.", table.announced, table.rows.len());
        let line = |row: Vec<Option<String>>| match row.as_slice() {
            [_, Some(group), None] => Some((true, group.clone())),
            [_, None, Some(trace)] => Some((false, trace.clone())),
            _ => None,
        };
        table.rows.into_iter().map(line).collect::<Option<_>>().context("A row is neither a group nor a trace.")
    }

    /// Whether the button of the selected group says that it is open; `None` where no group is selected.
    pub(crate) async fn selected_group_is_open(&self) -> Result<Option<bool>> {
        let script = "return document.querySelector('[aria-selected=true] [aria-expanded]')?.getAttribute('aria-expanded') ?? null";
        match self.0.read::<Option<String>>(script).await?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => bail!("aria-expanded is {other:?}."),
        }
    }

    /// The selected trace; `None` where the selected row is a group.
    pub(crate) async fn selected_trace(&self) -> Result<Option<String>> {
        self.0.read("return document.querySelector('[aria-selected=true]').dataset.traceId ?? null").await
    }

    /// The first trace that is drawn.
    pub(crate) async fn first_trace(&self) -> Result<String> {
        self.0.read(&format!("return {GRID}.querySelector('[{TRACE_ID}]').dataset.traceId")).await
    }

    /// What the listed traces have in all; empty where that is not said.
    pub(crate) async fn totals(&self) -> Result<String> {
        Ok(self.0.text_of("named('note', 'Totals')").await?.unwrap_or_default())
    }
}

/// The scatter chart above the list: traces by start and duration.
pub(crate) struct Scatter<'a>(&'a Page);

impl Scatter<'_> {
    /// The length of the path that marks failed traces; 0 where none is marked.
    pub(crate) async fn failed_marks(&self) -> Result<u64> {
        self.0.read("return document.querySelector('.plot .crosses')?.getAttribute('d').length ?? 0").await
    }

    /// Drags over the chart, from and to points given as parts of its width and height.
    pub(crate) async fn drag(&self, from: (f64, f64), to: (f64, f64)) -> Result<()> {
        let script = format!(
            "const plot = {PLOT}, box = plot.getBoundingClientRect();
             const at = (type, x, y) => plot.dispatchEvent(new PointerEvent(type, {{ bubbles: true, cancelable: true, pointerId: 1, button: 0,
               clientX: box.left + x * box.width, clientY: box.top + y * box.height }}));
             plot.setPointerCapture = () => {{}};
             at('pointerdown', {}, {}); at('pointermove', {}, {}); at('pointerup', {}, {});",
            from.0, from.1, to.0, to.1, to.0, to.1
        );
        self.0.run(&script).await?;
        self.0.wait_idle().await
    }

    /// Puts the focus on the handle for the shortest duration.
    pub(crate) async fn focus_shortest_duration(&self) -> Result<()> {
        self.0.run(&format!("{SHORTEST}.focus()")).await?;
        Ok(())
    }

    /// What the handle for the shortest duration says it is at.
    pub(crate) async fn shortest_duration(&self) -> Result<Option<String>> {
        self.0.read(&format!("return {SHORTEST}.getAttribute('aria-valuetext')")).await
    }

    /// Hides the chart.
    pub(crate) async fn hide(&self) -> Result<()> {
        self.0.click("button", "Hide chart").await
    }

    /// Whether the chart is out of sight.
    pub(crate) async fn is_hidden(&self) -> Result<bool> {
        self.0.holds(&format!("!shown({PLOT})")).await
    }
}
