//! The page of metrics: its tables and charts, PromQL queries, prices.

use super::Page;
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::BTreeMap;
use thirtyfour::{By, Key};

/// The editor of the first query.
const QUERY: &str = "named('textbox', 'PromQL query 1')";
/// The part of a chart that is pulled over.
const OVER: &str = ".time-chart .u-over";
/// The table of spans behind a point.
const POINT_SPANS: &str = "named('table', 'Spans behind the point')";

/// A table of metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    /// Tokens by model.
    Tokens,
    /// Requests by route.
    Requests,
    /// Durations by span name.
    Durations,
    /// The values that answer a query.
    Answer,
}

impl Table {
    fn find(self) -> String {
        let name = match self {
            Table::Tokens => "Tokens by share",
            Table::Requests => "Requests by route",
            Table::Durations => "Durations by span name",
            Table::Answer => "Answer",
        };
        format!("named('table', {})", json!(name))
    }
}

impl Page {
    /// The page of metrics.
    pub(crate) fn metrics(&self) -> Metrics<'_> {
        Metrics(self)
    }
}

/// The page of metrics.
pub(crate) struct Metrics<'a>(&'a Page);

impl Metrics<'_> {
    /// Goes there by its link, and waits until it is drawn.
    pub(crate) async fn open(&self) -> Result<()> {
        self.0.click("link", "Metrics").await?;
        self.wait().await
    }

    /// Waits until its tables are drawn.
    pub(crate) async fn wait(&self) -> Result<()> {
        self.wait_table(Table::Durations).await
    }

    /// Waits until the page is idle and a table shown.
    pub(crate) async fn wait_table(&self, table: Table) -> Result<()> {
        self.0.wait_for(&table.find(), &format!("the table {table:?}")).await
    }

    /// The cells of a table, a list a row, the headings first.
    async fn cells(&self, table: Table) -> Result<Vec<Vec<String>>> {
        let script = format!(
            "const table = {}; if (!table) return null;
             return [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))",
            table.find()
        );
        self.0.read::<Option<_>>(&script).await?.with_context(|| format!("There is no table {table:?}."))
    }

    /// The headings of a table.
    pub(crate) async fn headings(&self, table: Table) -> Result<Vec<String>> {
        Ok(self.cells(table).await?.into_iter().next().unwrap_or_default())
    }

    /// The rows of a table by their first cell, without its headings.
    pub(crate) async fn rows(&self, table: Table) -> Result<BTreeMap<String, Vec<String>>> {
        let rows = self.cells(table).await?.into_iter().skip(1);
        Ok(rows.filter_map(|mut row| (!row.is_empty()).then(|| (row.remove(0), row))).collect())
    }

    /// Waits until the page is idle and a table has a column of this heading.
    pub(crate) async fn wait_column(&self, table: Table, heading: &str) -> Result<()> {
        let found = format!("[...{}.rows[0].cells].some((cell) => cell.innerText.trim() === {})", table.find(), json!(heading));
        self.0.wait_for(&found, &format!("the column {heading}")).await
    }

    /// How many charts over time are drawn.
    pub(crate) async fn charts(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('.time-chart canvas').length").await
    }

    /// Goes from a route to its traces.
    pub(crate) async fn open_route(&self, route: &str) -> Result<()> {
        self.0.click("button", route).await?;
        self.0.wait_list().await
    }

    /// Pulls a part of the time out of the first chart.
    pub(crate) async fn pull_over_chart(&self) -> Result<()> {
        self.0.run(&format!("document.querySelector({}).scrollIntoView({{ block: 'center' }})", json!(OVER))).await?;
        let over = self.0.driver.find(By::Css(OVER)).await?;
        let pull = self.0.driver.action_chain().move_to_element_center(&over).click_and_hold();
        pull.move_by_offset(40, 0).move_by_offset(200, 0).release().perform().await?;
        self.0.wait_address("window=").await
    }

    /// Shows all of the time again.
    pub(crate) async fn show_all_time(&self) -> Result<()> {
        self.0.click("button", "Reset").await?;
        self.0.wait_address_without("window=").await
    }

    /// Merges the names of models that only differ in their provider.
    pub(crate) async fn merge_names(&self) -> Result<()> {
        self.0.click("checkbox", "Merge names with their provider").await?;
        self.0.wait_address("models=merged").await
    }

    /// Opens everything that can be unfolded.
    pub(crate) async fn unfold_all(&self) -> Result<()> {
        self.0.run("[...document.querySelectorAll('.metrics summary')].forEach((summary) => summary.click())").await?;
        Ok(())
    }

    /// Unfolds the prices.
    pub(crate) async fn unfold_prices(&self) -> Result<()> {
        self.0.run("[...document.querySelectorAll('summary')].find((summary) => summary.innerText === 'Prices').click()").await?;
        Ok(())
    }

    /// Adds an empty row to the prices.
    pub(crate) async fn add_price(&self) -> Result<()> {
        self.0.click("button", "Add a price").await
    }

    /// Fills the first row of the prices: a pattern of models, and what a million tokens cost.
    pub(crate) async fn type_price(&self, model: &str, prompt: &str, completion: &str) -> Result<()> {
        for (label, text) in [
            ("Model pattern, row 1", model),
            ("Price per million prompt tokens, row 1", prompt),
            ("Price per million completion tokens, row 1", completion),
        ] {
            self.0.run(&format!("named('textbox', {}).focus()", json!(label))).await?;
            self.0.type_text(text).await?;
            self.0.press(Key::Tab).await?;
        }
        Ok(())
    }

    /// Puts the focus into the editor of the first query.
    pub(crate) async fn focus_query(&self) -> Result<()> {
        self.0.run(&format!("{QUERY}.focus()")).await?;
        Ok(())
    }

    /// Types a query in place of the first one, and runs it.
    pub(crate) async fn ask(&self, query: &str) -> Result<()> {
        self.0.run(&format!("{QUERY}.focus(); {QUERY}.select()")).await?;
        self.0.type_text(query).await?;
        self.run_query().await
    }

    /// Runs the query in the editor that has the focus. Escape closes what is suggested.
    pub(crate) async fn run_query(&self) -> Result<()> {
        self.0.press(Key::Escape).await?;
        self.0.press(Key::Enter).await?;
        self.0.wait_settled().await
    }

    /// The query in the first editor.
    pub(crate) async fn query(&self) -> Result<String> {
        self.0.read(&format!("return {QUERY}.value")).await
    }

    /// Waits until the page is idle and a completion contains `part`.
    pub(crate) async fn wait_completion(&self, part: &str) -> Result<()> {
        let found = format!("all('option').some((option) => option.innerText.includes({}))", json!(part));
        self.0.wait_for(&found, &format!("the completion {part}")).await
    }

    /// How many charts of answers are drawn.
    pub(crate) async fn answer_charts(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('.promql canvas').length").await
    }

    /// Asks for the values at the end alone, and waits until they are there without a chart.
    pub(crate) async fn ask_at_the_end(&self) -> Result<()> {
        self.0.click("button", "At the end").await?;
        self.0.wait_for("document.querySelectorAll('.promql canvas').length === 0", "the values alone").await
    }

    /// Shows the spans behind the first value of the answer, and answers what is said about them.
    pub(crate) async fn show_point_spans(&self) -> Result<String> {
        self.0.click_by_script(".promql [data-set^=point]").await?;
        self.0.wait_for(POINT_SPANS, "the spans").await?;
        self.0.text_of("named('region', 'Spans behind query 1')").await?.context("The page says nothing about the spans.")
    }

    /// Goes to the first span behind the value.
    pub(crate) async fn open_first_point_span(&self) -> Result<()> {
        self.0.run(&format!("{POINT_SPANS}.querySelector('a').click()")).await?;
        self.0.wait_timeline().await
    }

    /// What is wrong with a query; `None` where nothing is.
    pub(crate) async fn mistake(&self) -> Result<Option<String>> {
        self.0.text_of("document.querySelector('.promql [role=alert]')").await
    }

    /// The part of the query that is marked as wrong.
    pub(crate) async fn mistake_mark(&self) -> Result<Option<String>> {
        self.0.text_of("document.querySelector('.promql-echo u')").await
    }
}
