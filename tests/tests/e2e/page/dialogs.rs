//! Dialogs over the page: the list of keys and the box for commands.

use super::Page;
use anyhow::Result;
use thirtyfour::Key;

impl Page {
    /// Waits until a dialog is shown.
    pub(crate) async fn wait_dialog(&self) -> Result<()> {
        self.wait_until("return all('dialog').some(shown)", "a dialog").await
    }

    /// Waits until no dialog is open.
    pub(crate) async fn wait_no_dialog(&self) -> Result<()> {
        self.wait_until("return !all('dialog').some(shown) && !document.querySelector('dialog[open]')", "the dialog to close").await
    }

    /// Whether a dialog is open.
    pub(crate) async fn has_dialog(&self) -> Result<bool> {
        self.holds("document.querySelector('dialog[open]')").await
    }

    /// The text of the dialog that is shown; empty when there is none.
    pub(crate) async fn dialog_text(&self) -> Result<String> {
        Ok(self.text_of("all('dialog').find(shown)").await?.unwrap_or_default())
    }

    /// Opens the box for commands, and waits until it has the focus.
    pub(crate) async fn open_commands(&self) -> Result<()> {
        self.driver.action_chain().key_down(Key::Control).send_keys("k").key_up(Key::Control).perform().await?;
        self.wait_until("return document.activeElement?.getAttribute('aria-label') === 'Command'", "the box for commands").await
    }

    /// Types into the box for commands, which has the focus.
    pub(crate) async fn type_command(&self, text: &str) -> Result<()> {
        Ok(self.driver.active_element().await?.send_keys(text).await?)
    }

    /// The names of the commands that are offered.
    pub(crate) async fn offered_commands(&self) -> Result<Vec<String>> {
        self.read("return [...document.querySelectorAll('[role=option] span')].map((name) => name.textContent)").await
    }
}
