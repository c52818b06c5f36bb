//! A trace: its timeline's rows, what is shown on them, the requests to choose from, and the search within it.

use super::Page;
use crate::expected::TimelineRow;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::collections::BTreeSet;

/// The timeline.
const GRID: &str = "named('treegrid', 'Timeline')";
/// What identifies the row of a span.
const SPAN_ID: &str = "data-span-id";
/// The row of the selected span.
const SELECTED: &str = "[data-span-id][aria-selected=true]";
/// The row of the match that the search has reached.
const REACHED: &str = "document.querySelector('.matched[aria-selected=true]')";
/// The choice among several requests of a trace.
const REQUESTS: &str = "document.querySelector('select.requests')";

impl Page {
    /// The trace that is shown.
    pub(crate) fn trace(&self) -> Trace<'_> {
        Trace(self)
    }

    /// The rows of the timeline: span id, level, parent. Fails when it announces another number, or when a row is not below its parent.
    pub(crate) async fn timeline(&self) -> Result<BTreeSet<TimelineRow>> {
        let table = self.rows("treegrid", "Timeline", SPAN_ID, &["aria-level", "data-parent-id"]).await?;
        let mut rows = BTreeSet::new();
        // The rows that lead to the current one, from level 1 down.
        let mut path: Vec<String> = Vec::new();
        for row in &table.rows {
            let [Some(id), Some(level), parent] = row.as_slice() else { bail!("A row of the timeline has no id or level: {row:?}") };
            let level: u32 = level.parse().with_context(|| format!("{level} is no level."))?;
            path.truncate(level.saturating_sub(1) as usize);
            if path.len() + 1 != level as usize || path.last() != parent.as_ref() {
                bail!("The row {id} on level {level} is not below its parent {parent:?}, but below {path:?}.");
            }
            path.push(id.clone());
            rows.insert((id.clone(), level, parent.clone()));
        }
        if table.announced != rows.len() as i64 + 1 {
            bail!("The timeline announces {} rows, the header among them, and has {} spans.", table.announced, rows.len());
        }
        Ok(rows)
    }

    /// Waits until a trace's timeline is drawn.
    pub(crate) async fn wait_timeline(&self) -> Result<()> {
        self.wait_for(&format!("{GRID}?.querySelector('[{SPAN_ID}]')"), "the timeline").await
    }

    /// Goes from one trace to another by the address, as a link does. `spans` are the ids of the spans of the other.
    pub(crate) async fn go_to_trace(&self, from: &str, to: &str, spans: &[&str]) -> Result<()> {
        let url = self.url().await?;
        if !url.contains(from) {
            bail!("The address {url} does not name the trace {from}.");
        }
        let script = "location.hash = arguments[0].split('#')[1].replace(/span=[^&]*&?/, '')";
        self.driver.execute(script, vec![json!(url.replace(from, to))]).await?;
        let drawn = format!(
            "const ids = new Set({});
             const rows = [...({GRID}?.querySelectorAll('[{SPAN_ID}]') ?? [])];
             return isIdle() && rows.length > 0 && rows.every((row) => ids.has(row.dataset.spanId))",
            json!(spans)
        );
        self.wait_until(&drawn, &format!("the timeline of trace {to}, with its spans only")).await
    }

    /// Clicks a span in the timeline, and waits for nothing.
    pub(crate) async fn click_span(&self, span_id: &str) -> Result<()> {
        self.click_row("treegrid", "Timeline", SPAN_ID, span_id).await
    }

    /// Selects a span in the timeline, and waits for its panel.
    pub(crate) async fn select_span(&self, span_id: &str) -> Result<()> {
        self.click_span(span_id).await?;
        self.wait_panel().await
    }
}

/// The trace that is shown.
pub(crate) struct Trace<'a>(&'a Page);

impl Trace<'_> {
    /// The page it is on.
    pub(super) fn page(&self) -> &Page {
        self.0
    }

    /// Whether any row of a span is drawn.
    pub(crate) async fn has_rows(&self) -> Result<bool> {
        self.0.holds("document.querySelector('[data-span-id]')").await
    }

    /// The text of the timeline.
    pub(crate) async fn text(&self) -> Result<Option<String>> {
        self.0.text_of(GRID).await
    }

    /// How many spans the timeline announces.
    pub(crate) async fn announced(&self) -> Result<i64> {
        self.0.read(&format!("return Number({GRID}.getAttribute('aria-rowcount')) - 1")).await
    }

    /// Waits until the timeline announces so many spans.
    pub(crate) async fn wait_announced(&self, spans: i64) -> Result<()> {
        let announced = format!("Number({GRID}?.getAttribute('aria-rowcount')) - 1 === {spans}");
        self.0.wait_for(&announced, &format!("a timeline of {spans} spans")).await
    }

    /// How many rows are in sight as a whole.
    pub(crate) async fn rows_in_sight(&self) -> Result<u64> {
        let script = format!(
            "const grid = {GRID}.getBoundingClientRect();
             const inside = (box) => box.top >= 0 && box.bottom <= innerHeight && box.bottom <= grid.bottom + 1;
             return [...document.querySelectorAll('[{SPAN_ID}]')].filter((row) => inside(row.getBoundingClientRect())).length"
        );
        self.0.read(&script).await
    }

    /// The names in the rows that are drawn.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        self.0.read("return [...document.querySelectorAll('[data-span-id] .span-name')].map((name) => name.textContent)").await
    }

    /// The name of the selected span.
    pub(crate) async fn selected_name(&self) -> Result<Option<String>> {
        self.0.read(&format!("return document.querySelector('{SELECTED} .span-name')?.textContent ?? null")).await
    }

    /// The duration beside the bar of the selected span.
    pub(crate) async fn selected_duration(&self) -> Result<Option<String>> {
        self.0.text_of(&format!("document.querySelector('{SELECTED} .bar-label')")).await
    }

    /// The id of the span in the first row.
    pub(crate) async fn first_span(&self) -> Result<String> {
        self.0.read("return document.querySelector('[data-span-id]').dataset.spanId").await
    }

    /// How many rows are drawn on the first level.
    pub(crate) async fn roots(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('[data-span-id][aria-level=\"1\"]').length").await
    }

    /// Whether a span with children is expanded; `None` where its row is not drawn or has no children.
    pub(crate) async fn is_expanded(&self, span_id: &str) -> Result<Option<bool>> {
        let row = format!("document.querySelector({})", json!(format!("[{SPAN_ID}=\"{span_id}\"]")));
        let value: Option<String> = self.0.read(&format!("return {row}?.getAttribute('aria-expanded') ?? null")).await?;
        Ok(value.map(|value| value == "true"))
    }

    /// Collapses every span.
    pub(crate) async fn collapse_all(&self) -> Result<()> {
        self.0.click("button", "Collapse all").await
    }

    /// Expands every span.
    pub(crate) async fn expand_all(&self) -> Result<()> {
        self.0.click("button", "Expand all").await
    }

    /// Whether any row has a strip that shows the time spent beneath it.
    pub(crate) async fn has_strips(&self) -> Result<bool> {
        self.0.holds("document.querySelector('.strip')").await
    }

    /// For every collapsed row, how many paths its strip has.
    pub(crate) async fn strips(&self) -> Result<Vec<u64>> {
        let script = "return [...document.querySelectorAll('[data-span-id][aria-expanded=false]')]
            .map((row) => row.querySelectorAll('.strip path').length)";
        self.0.read(script).await
    }

    /// The stretches of the critical path under the rows: start and width in percent of the timeline.
    pub(crate) async fn critical_path(&self) -> Result<Vec<(f64, f64)>> {
        let script =
            "return [...document.querySelectorAll('.on-path')].map((line) => [parseFloat(line.style.left), parseFloat(line.style.width)])";
        self.0.read(script).await
    }

    /// How many events each dot on a span's bar stands for.
    pub(crate) async fn event_dots(&self, span_id: &str) -> Result<Vec<i64>> {
        let dots = json!(format!("[{SPAN_ID}=\"{span_id}\"] .dot"));
        self.0.read(&format!("return [...document.querySelectorAll({dots})].map((dot) => parseInt(dot.title))")).await
    }

    /// The time that is measured between two marks; `None` where nothing is.
    pub(crate) async fn measured(&self) -> Result<Option<String>> {
        self.0.text_of("named('status', 'Measured')").await
    }

    /// What is said about failed spans above the timeline.
    pub(crate) async fn failures(&self) -> Result<Option<String>> {
        self.0.text_of("document.querySelector('[aria-label=\"Failed spans\"]')").await
    }

    /// How many requests of the trace can be chosen. They are listed once the choice has the focus.
    pub(crate) async fn requests(&self) -> Result<i64> {
        self.0.run(&format!("{REQUESTS}.focus()")).await?;
        self.0.read(&format!("return {REQUESTS}.options.length - 1")).await
    }

    /// Chooses one of several requests, the first being 1, and answers the id of its root.
    pub(crate) async fn choose_request(&self, number: usize) -> Result<String> {
        let value: String = self.0.read(&format!("return {REQUESTS}.options[{number}].value")).await?;
        self.0.choose_option("select.requests", &value).await?;
        self.0.wait_address("request=").await?;
        Ok(value)
    }

    /// How many matches the search within the trace has found, or which of them it has reached; empty where nothing is searched.
    pub(crate) async fn matches(&self) -> Result<String> {
        Ok(self.0.text_of("named('status', 'Matches')").await?.unwrap_or_default())
    }

    /// The span of the match that the search has reached; empty where it has reached none.
    pub(crate) async fn reached_match(&self) -> Result<String> {
        self.0.read(&format!("return {REACHED}?.dataset.spanId ?? ''")).await
    }

    /// Whether the match that the search has reached is in sight.
    pub(crate) async fn reached_match_is_in_sight(&self) -> Result<bool> {
        let script = format!(
            "const grid = {GRID}.getBoundingClientRect();
             const row = {REACHED}?.getBoundingClientRect();
             return !!row && row.top >= grid.top && row.bottom <= grid.bottom + 1"
        );
        self.0.read(&script).await
    }

    /// How many texts are marked in the timeline.
    pub(crate) async fn marks(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('[role=treegrid] mark').length").await
    }
}
