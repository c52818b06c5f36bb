//! The browser around the page: its history, address, window, console and stored settings; and scripts that do not look at the document.

use super::{Answer, PATIENCE, Page};
use crate::driver::Browser;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

impl Page {
    /// Runs a script's body, and answers what it returns. It is for what a browser offers to every page (workers, storage, timing), not
    /// for finding elements.
    pub(crate) async fn evaluate(&self, body: &str) -> Result<Value> {
        Ok(self.driver.execute(body, Vec::new()).await?.json().clone())
    }

    /// Runs a script that calls its last argument with `{value}` or `{error}`.
    pub(crate) async fn evaluate_async(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        let answer: Answer = self.driver.execute_async(body, arguments).await?.convert()?;
        match answer {
            Answer { error: Some(error), .. } => bail!("{error}"),
            Answer { value, .. } => Ok(value.unwrap_or(Value::Null)),
        }
    }

    /// Waits until a script's body, run as by [`Page::evaluate`], returns true.
    pub(crate) async fn wait_evaluates(&self, condition: &str, what: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            // While a document is replaced, scripts fail.
            let answer = self.evaluate(condition).await;
            if matches!(answer, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                let why = answer.err().map(|error| format!(" The last look failed: {error:#}.")).unwrap_or_default();
                bail!("Waited {} s for {what}; it did not come.{why}", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Goes to an address, and does not wait for the page to run.
    pub(crate) async fn visit(&self, url: &str) -> Result<()> {
        Ok(self.driver.goto(url).await?)
    }

    /// Goes to an empty document, so that the page ends.
    pub(crate) async fn leave(&self) -> Result<()> {
        self.visit("about:blank").await
    }

    /// One step back in the history; the caller waits for what it expects there.
    pub(crate) async fn back(&self) -> Result<()> {
        Ok(self.driver.back().await?)
    }

    /// One step forward in the history; the caller waits for what it expects there.
    pub(crate) async fn forward(&self) -> Result<()> {
        Ok(self.driver.forward().await?)
    }

    /// Reloads the page, and waits until it runs again.
    pub(crate) async fn reload(&self) -> Result<()> {
        self.driver.refresh().await?;
        self.wait_for("document.querySelector('input[type=file]')", "the page to start again").await
    }

    /// Closes the browser.
    pub(crate) async fn quit(&self) -> Result<()> {
        Ok(self.driver.clone().quit().await?)
    }

    /// The address.
    pub(crate) async fn url(&self) -> Result<String> {
        let answer = self.driver.execute("return location.href", Vec::new()).await?;
        Ok(answer.convert()?)
    }

    /// Follows a link to another place of this page: `url` with its fragment.
    pub(crate) async fn follow(&self, url: &str) -> Result<()> {
        self.evaluate(&format!("location.hash = {}", json!(url.split_once('#').map_or("", |(_, hash)| hash)))).await?;
        self.wait_idle().await
    }

    /// Waits until the page is idle and its address contains `part`.
    pub(crate) async fn wait_address(&self, part: &str) -> Result<()> {
        self.wait_for(&format!("location.hash.includes({})", json!(part)), &format!("{part} in the address")).await
    }

    /// Waits until the page is idle and its address does not contain `part`.
    pub(crate) async fn wait_address_without(&self, part: &str) -> Result<()> {
        self.wait_for(&format!("!location.hash.includes({})", json!(part)), &format!("an address without {part}")).await
    }

    /// Waits until the page is idle and its title begins with `start`.
    pub(crate) async fn wait_title(&self, start: &str) -> Result<()> {
        self.wait_for(&format!("document.title.startsWith({})", json!(start)), &format!("the title {start}")).await
    }

    /// Forgets every setting the page has stored.
    pub(crate) async fn clear_settings(&self) -> Result<()> {
        self.evaluate("localStorage.clear()").await?;
        Ok(())
    }

    /// A setting as the page has stored it; `None` where it has not.
    pub(crate) async fn setting(&self, key: &str) -> Result<Option<String>> {
        self.read(&format!("return localStorage.getItem({})", json!(key))).await
    }

    /// How many settings the page has stored.
    pub(crate) async fn setting_count(&self) -> Result<u64> {
        self.read("return Object.keys(localStorage).length").await
    }

    /// How many entries the history of this tab has.
    pub(crate) async fn history_length(&self) -> Result<u64> {
        self.read("return history.length").await
    }

    /// Errors in the console since the last call.
    pub(crate) async fn console_errors(&self) -> Result<Vec<String>> {
        self.console.take_errors(&self.driver).await
    }

    /// Saves what is on screen for people to look at, and answers where.
    pub(crate) async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let dir =
            std::env::var_os("QUIPU_E2E_SCREENSHOTS").map_or_else(|| std::env::temp_dir().join("quipu-e2e-screenshots"), PathBuf::from);
        std::fs::create_dir_all(&dir)?;
        let path = dir.join(format!("{name}.png"));
        self.driver.screenshot(Path::new(&path)).await.with_context(|| format!("{} cannot be written.", path.display()))?;
        Ok(path)
    }

    /// Gives the window's content a colour scheme and a size, and answers whether the browser can: Firefox takes its scheme from the
    /// system, and has no window narrower than some 450 px.
    pub(crate) async fn emulate(&self, scheme: &str, width: u32, height: u32) -> Result<bool> {
        match self.browser {
            Browser::Chromium => {
                let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
                let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
                self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
                Ok(true)
            }
            Browser::Firefox if scheme == "light" => {
                let [beside, above]: [u32; 2] = self.read("return [outerWidth - innerWidth, outerHeight - innerHeight]").await?;
                self.driver.set_window_rect(0, 0, width.max(500) + beside, height + above).await?;
                Ok(true)
            }
            Browser::Firefox => Ok(false),
        }
    }

    /// How many pixels the document is wider than the window; zero or less where nothing has to be scrolled sideways.
    pub(crate) async fn overflow(&self) -> Result<i64> {
        self.read("return document.documentElement.scrollWidth - innerWidth").await
    }

    /// The colour scheme and the background of the document, as they are computed.
    pub(crate) async fn background(&self) -> Result<String> {
        self.read("return getComputedStyle(document.body).colorScheme + ' ' + getComputedStyle(document.body).backgroundColor").await
    }
}
