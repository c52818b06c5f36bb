//! What the page says of its own accord: alerts, warnings about the file, news of a file that grows, and the buttons beside them.

use super::Page;
use anyhow::{Context, Result};
use serde_json::json;

impl Page {
    /// The sentences of all alerts on screen.
    pub(crate) async fn alerts(&self) -> Result<Vec<String>> {
        self.read("return all('alert').filter(shown).map((e) => e.innerText.trim()).filter((text) => text)").await
    }

    /// Waits for an alert that says `part`, and answers it whole.
    pub(crate) async fn wait_alert(&self, part: &str) -> Result<String> {
        let condition = format!("return all('alert').some((e) => shown(e) && e.innerText.includes({}))", json!(part));
        self.wait_until(&condition, &format!("an alert that says {part:?}")).await?;
        let alerts = self.alerts().await?;
        alerts.into_iter().find(|alert| alert.contains(part)).context("The alert is gone again.")
    }

    /// Waits until any alert is shown.
    pub(crate) async fn wait_any_alert(&self) -> Result<()> {
        self.wait_until("return all('alert').some(shown)", "an alert").await
    }

    /// Waits until a file is shown as a table of traces, or refused by an alert.
    pub(crate) async fn wait_list_or_alert(&self) -> Result<()> {
        self.wait_for("named('grid', 'Traces') || all('alert').some(shown)", "a table or a sentence").await
    }

    /// The text of all warnings about the file; empty when there are none.
    pub(crate) async fn warnings(&self) -> Result<String> {
        // All but the first may be behind a button.
        self.run("named('status', 'File warnings')?.querySelector('button[aria-expanded=false]')?.click()").await?;
        self.wait_idle().await?;
        Ok(self.text_of("named('status', 'File warnings')").await?.unwrap_or_default())
    }

    /// Starts the worker again that has failed.
    pub(crate) async fn restart_worker(&self) -> Result<()> {
        self.click("button", "Restart").await
    }

    /// Opens the file again that has changed.
    pub(crate) async fn open_again(&self) -> Result<()> {
        self.click("button", "Open it again").await
    }

    /// Whether a button offers to reload the page.
    pub(crate) async fn offers_reload(&self) -> Result<bool> {
        self.holds("namedLike('button', 'Reload')").await
    }

    /// Waits for the notice that the file has grown, and answers its text.
    pub(crate) async fn wait_growth(&self) -> Result<String> {
        self.wait_for("named('status', 'Growth')", "the notice").await?;
        Ok(self.text_of("named('status', 'Growth')").await?.unwrap_or_default())
    }

    /// Shows what the file has grown by, and waits until the notice is gone.
    pub(crate) async fn show_growth(&self) -> Result<()> {
        self.click("button", "Show them").await?;
        self.wait_for("!named('status', 'Growth')", "the notice to go").await
    }
}
