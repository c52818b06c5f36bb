//! The screen of log records.

use super::Page;
use anyhow::Result;
use thirtyfour::Key;

/// The list.
const GRID: &str = "named('grid', 'Log records')";
/// The filter's input.
const INPUT: &str = "named('combobox', 'Filter logs')";
/// One record in full.
const PANEL: &str = "named('complementary', 'Log record')";

impl Page {
    /// The screen of log records.
    pub(crate) fn log_list(&self) -> LogList<'_> {
        LogList(self)
    }
}

/// The screen of log records.
pub(crate) struct LogList<'a>(&'a Page);

impl LogList<'_> {
    /// Goes there by the link in the head.
    pub(crate) async fn show(&self) -> Result<()> {
        self.0.click("link", "Logs").await?;
        self.wait().await
    }

    /// Goes there from a list of traces that is empty.
    pub(crate) async fn show_from_empty_list(&self) -> Result<()> {
        self.0.click("button", "Show the logs").await?;
        self.wait().await
    }

    /// Waits until the file was read for the list.
    pub(crate) async fn wait(&self) -> Result<()> {
        let done = format!("{GRID} && !(named('status', 'Count')?.innerText || 'reading').includes('reading')");
        self.0.wait_for(&done, "the log records").await?;
        self.0.wait_settled().await
    }

    /// The text that says how many there are.
    pub(crate) async fn count(&self) -> Result<String> {
        Ok(self.0.text_of("named('status', 'Count')").await?.unwrap_or_default())
    }

    /// The ids of all records listed, in order.
    pub(crate) async fn ids(&self) -> Result<Vec<String>> {
        self.0.row_ids("grid", "Log records", "data-log").await
    }

    /// The texts of the rows in sight.
    pub(crate) async fn lines(&self) -> Result<Vec<String>> {
        self.0
            .read(&format!("return [...{GRID}.querySelectorAll('[data-log]')].map((e) => e.innerText.replace(/\\s+/g, ' ').trim())"))
            .await
    }

    /// Applies a filter.
    pub(crate) async fn filter(&self, text: &str) -> Result<()> {
        self.0.element(INPUT, "filter of logs").await?.send_keys(text).await?;
        self.0.wait_settled().await?;
        self.0.press(Key::Enter).await?;
        self.wait().await
    }

    /// Lists warnings and errors only.
    pub(crate) async fn show_warnings(&self) -> Result<()> {
        self.0.click("button", "Warnings").await?;
        self.wait().await
    }

    /// Lists the oldest record first.
    pub(crate) async fn oldest_first(&self) -> Result<()> {
        self.0.click("button", "Oldest first").await?;
        self.wait().await
    }

    /// Presses the highest bar of the chart.
    pub(crate) async fn press_highest_bar(&self) -> Result<()> {
        self.0
            .run(
                "const bars = [...document.querySelectorAll('[data-range]')];
            bars.sort((a, b) => Number.parseInt(b.title.split(': ')[1]) - Number.parseInt(a.title.split(': ')[1]))[0].click();",
            )
            .await?;
        self.wait().await
    }

    /// Opens a record of the list.
    pub(crate) async fn open(&self, id: &str) -> Result<String> {
        self.0.click_row("grid", "Log records", "data-log", id).await?;
        self.0.wait_for(&format!("{PANEL}?.innerText.includes('Attributes')"), "the record").await?;
        Ok(self.0.text_of(PANEL).await?.unwrap_or_default())
    }

    /// Whether a record is shown in full.
    pub(crate) async fn shows_record(&self) -> Result<bool> {
        self.0.holds(&format!("!!{PANEL}")).await
    }

    /// Follows the link of the record that is shown to its trace.
    pub(crate) async fn go_to_trace(&self) -> Result<()> {
        self.0.run(&format!("{PANEL}.querySelector('dl a').click()")).await?;
        self.0.wait_settled().await
    }
}
