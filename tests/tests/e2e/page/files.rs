//! Opening files: by the file input, by dropping them, from the samples; and what the page asks for and says of them.

use super::Page;
use crate::script;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::PathBuf;
use thirtyfour::By;

/// The file input, which is there on every screen.
const FILE_INPUT: &str = "input[type=file]";
/// Its label.
const FILE_INPUT_NAME: &str = "Open telemetry file";
/// The button that opens the sample of an agent's run.
const SAMPLE: &str = "Agent run";

impl Page {
    /// Chooses files by the file input, as the button's dialog does.
    pub(crate) async fn choose(&self, files: &[PathBuf]) -> Result<()> {
        let input = self.driver.find(By::Css(FILE_INPUT)).await.context("There is no file input.")?;
        let label: String = self.read(&format!("return nameOf(document.querySelector({}))", json!(FILE_INPUT))).await?;
        if label != FILE_INPUT_NAME {
            bail!("The file input is named {label:?}, not {FILE_INPUT_NAME:?}.");
        }
        // A dialog replaces the choice; the driver would add to it.
        self.driver.execute("arguments[0].value = ''", vec![input.to_json()?]).await?;
        input.send_keys(lines(files)).await?;
        Ok(())
    }

    /// Chooses files, and waits until they are shown with the index complete, or refused.
    pub(crate) async fn open(&self, files: &[PathBuf]) -> Result<()> {
        self.choose(files).await?;
        self.wait_idle().await
    }

    /// Opens files that must be shown as a table of traces.
    pub(crate) async fn open_traces(&self, files: &[PathBuf]) -> Result<()> {
        self.open(files).await?;
        self.wait_list().await
    }

    /// Loads the page and opens a file that must be shown as a table of traces.
    pub(crate) async fn load_with(&self, file: PathBuf) -> Result<()> {
        self.load().await?;
        self.open_traces(&[file]).await
    }

    /// Drops files onto the page.
    pub(crate) async fn drop_files(&self, files: &[PathBuf]) -> Result<()> {
        let script = "const e = document.createElement('input'); e.type = 'file'; e.multiple = true; document.body.append(e); return e;";
        let input = self.driver.execute(script, Vec::new()).await?.element()?;
        input.send_keys(lines(files)).await?;
        self.driver.execute(script::DROP, vec![input.to_json()?]).await?;
        self.wait_idle().await
    }

    /// Opens the sample of an agent's run, and waits until its traces are listed.
    pub(crate) async fn open_sample(&self) -> Result<()> {
        self.click("button", SAMPLE).await?;
        self.wait_list().await
    }

    /// Presses the button of the sample, and does not wait: the page is not idle until the sample is there.
    pub(crate) async fn press_sample(&self) -> Result<()> {
        self.run(&format!("namedLike('button', {}).click()", json!(SAMPLE))).await?;
        Ok(())
    }

    /// Presses the button that asks for a file.
    pub(crate) async fn press_open_file(&self) -> Result<()> {
        self.click("button", "Open file").await
    }

    /// Keeps the browser's dialog for files closed from now on, and notes that it was asked for.
    pub(crate) async fn watch_file_dialog(&self) -> Result<()> {
        let script = format!(
            "document.querySelector({}).addEventListener('click', (e) => {{ e.preventDefault(); window.quipuAsked = true; }})",
            json!(FILE_INPUT)
        );
        self.run(&script).await?;
        Ok(())
    }

    /// Waits until the browser's dialog for files was asked for, after [`Page::watch_file_dialog`].
    pub(crate) async fn wait_file_dialog(&self) -> Result<()> {
        self.wait_evaluates("return window.quipuAsked === true", "the question for the file").await
    }

    /// Whether a file can be opened.
    pub(crate) async fn accepts_files(&self) -> Result<bool> {
        self.holds(&format!("document.querySelector({})", json!(FILE_INPUT))).await
    }

    /// Waits until the page invites to choose a file.
    pub(crate) async fn wait_invitation(&self) -> Result<()> {
        self.wait_for("namedLike('button', 'Choose a file')", "the question for a file").await
    }

    /// Waits until the page is idle and asks for the file of this name.
    pub(crate) async fn wait_question_for(&self, name: &str) -> Result<()> {
        self.wait_for(&question_for(name), &format!("the question for {name}")).await
    }

    /// Whether the page is idle and asks for the file of this name.
    pub(crate) async fn asks_for(&self, name: &str) -> Result<bool> {
        self.holds(&format!("isIdle() && {}", question_for(name))).await
    }

    /// Goes back to the file that was open before one that cannot be opened.
    pub(crate) async fn go_back_to(&self, name: &str) -> Result<()> {
        self.click("button", &format!("Go back to {name}")).await
    }

    /// Waits until an import says how far it is and how fast.
    pub(crate) async fn wait_import_progress(&self) -> Result<()> {
        let moved = "const bar = named('progressbar', 'Importing');
                     return !!bar && Number(bar.getAttribute('aria-valuenow')) > 0 && bar.getAttribute('aria-valuetext').includes('/s')";
        self.wait_until(moved, "progress").await
    }

    /// Cancels an import.
    pub(crate) async fn cancel_import(&self) -> Result<()> {
        self.click("button", "Cancel").await
    }

    /// What the page says the file holds: each fact's name and value on lines of their own.
    pub(crate) async fn file_facts(&self) -> Result<String> {
        Ok(self.text_of("document.querySelector('[aria-label=File]')").await?.unwrap_or_default())
    }
}

/// The button that asks for the file of this name.
fn question_for(name: &str) -> String {
    format!("namedLike('button', {})", json!(format!("Open {name}")))
}

/// Paths as the driver takes several: one a line.
fn lines(files: &[PathBuf]) -> String {
    files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n")
}
