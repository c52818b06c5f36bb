//! The page object: what a person with a keyboard, a screen reader or a file manager does on the page and sees of it. Elements are found
//! by role and accessible name where they have one, and every action waits for the page's own idle mark.
//!
//! Selectors, roles and names used to find elements are here and in the modules below, one for each screen, and nowhere else: the finders
//! are private, and `tests/selectors.rs` fails where a case queries the document on its own.
//!
//! Not here: expectations.

mod browser;
mod dialogs;
mod elsewhere;
mod files;
mod filter;
mod list;
mod logs;
mod metrics;
mod minimap;
mod notices;
mod search;
mod share;
mod span;
mod sql;
mod trace;
mod views;

pub(crate) use list::{Column, Grouping};
pub(crate) use metrics::Table;
pub(crate) use share::{Copied, KEEP_COPIES_AND_FILES, Lock, Saved};
pub(crate) use views::Tab;

use crate::driver::{Browser, Console};
use crate::script;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};
use thirtyfour::{WebDriver, WebElement};

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// The page in one browser.
pub(crate) struct Page {
    driver: WebDriver,
    /// The browser the page runs in.
    pub(crate) browser: Browser,
    console: Console,
    home: String,
}

/// Rows read from a virtualised table.
struct Rows {
    /// For each row the identifying attribute, then the ones asked for.
    rows: Vec<Vec<Option<String>>>,
    /// `aria-rowcount`.
    announced: i64,
}

#[derive(Deserialize)]
struct Answer {
    value: Option<Value>,
    error: Option<String>,
}

impl Page {
    /// The page served at `home`.
    pub(crate) fn new(driver: WebDriver, browser: Browser, console: Console, home: String) -> Page {
        Page { driver, browser, console, home }
    }

    /// Loads the page, and waits until it runs.
    pub(crate) async fn load(&self) -> Result<()> {
        let home = self.home.clone();
        self.load_from(&home).await
    }

    /// Opens another tab of the browser, to which everything after this refers. It closes with the browser.
    pub(crate) async fn open_window(&self) -> Result<()> {
        let tab = self.driver.new_tab().await?;
        Ok(self.driver.switch_to_window(tab).await?)
    }

    /// Closes all tabs of the browser but this one.
    pub(crate) async fn close_other_windows(&self) -> Result<()> {
        let own = self.driver.window().await?;
        for tab in self.driver.windows().await?.into_iter().filter(|tab| *tab != own) {
            self.driver.switch_to_window(tab).await?;
            self.driver.close_window().await?;
        }
        Ok(self.driver.switch_to_window(own).await?)
    }

    /// Loads the page from another address, and waits until it runs.
    pub(crate) async fn load_from(&self, url: &str) -> Result<()> {
        self.driver.goto(url).await?;
        let started = "return isIdle() && !!document.querySelector('input[type=file], #boot-text[role=alert]')";
        self.wait_until(started, "the page to start").await?;
        match self.text_of("document.querySelector('#boot-text[role=alert]')").await? {
            Some(sentence) => bail!("The page did not start: {sentence}"),
            None => Ok(()),
        }
    }

    /// Waits until the page is idle and the index complete.
    pub(crate) async fn wait_idle(&self) -> Result<()> {
        self.wait_until("return isIdle() && !named('progressbar', 'Indexing')", "the page to be idle and the index complete").await
    }

    /// Waits until the page is idle, while the index may still be incomplete.
    pub(crate) async fn wait_settled(&self) -> Result<()> {
        self.wait_until("return isIdle()", "the page to be idle").await
    }

    /// Whether the page is idle at this moment.
    pub(crate) async fn is_idle(&self) -> Result<bool> {
        self.holds("isIdle()").await
    }

    /// Presses a key, wherever the focus is, and waits until the page is idle.
    pub(crate) async fn press(&self, key: impl Into<char>) -> Result<()> {
        self.driver.action_chain().send_keys(key.into().to_string()).perform().await?;
        self.wait_idle().await
    }

    /// Types a text, wherever the focus is, and waits until the page is idle.
    pub(crate) async fn type_text(&self, text: &str) -> Result<()> {
        self.driver.action_chain().send_keys(text).perform().await?;
        self.wait_settled().await
    }

    /// The accessible name of the element that has the focus.
    pub(crate) async fn focused_name(&self) -> Result<String> {
        self.read("return nameOf(document.activeElement)").await
    }

    /// The visible text of the whole page.
    pub(crate) async fn text(&self) -> Result<String> {
        Ok(self.text_of("document.body").await?.unwrap_or_default())
    }

    /// Whether an element of the page has this id.
    pub(crate) async fn has_id(&self, id: &str) -> Result<bool> {
        self.holds(&format!("document.getElementById({})", json!(id))).await
    }
}

/// What the modules of this page object are made of. Cases cannot call these: they would need selectors.
impl Page {
    /// Runs a script's body with the helpers of [`script::HELPERS`], and answers what it returns.
    async fn run(&self, body: &str) -> Result<Value> {
        self.evaluate(&format!("{}\n{body}", script::HELPERS)).await
    }

    /// Runs a script that calls its last argument with `{value}` or `{error}`, with the same helpers.
    async fn run_async(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        self.evaluate_async(&format!("{}\n{body}", script::HELPERS), arguments).await
    }

    /// What a script's body returns, as a value of Rust. `null` is no `String`: such a body needs an `Option`.
    async fn read<T: DeserializeOwned>(&self, body: &str) -> Result<T> {
        let value = self.run(body).await?;
        serde_json::from_value(value.clone()).with_context(|| format!("{body} returned {value}."))
    }

    /// Whether a script's expression is truthy.
    async fn holds(&self, expression: &str) -> Result<bool> {
        self.read(&format!("return !!({expression})")).await
    }

    /// The visible text of what a script's expression finds.
    async fn text_of(&self, expression: &str) -> Result<Option<String>> {
        self.read(&format!("return ({expression})?.innerText ?? null")).await
    }

    /// Waits until a script's body returns true.
    async fn wait_until(&self, condition: &str, what: &str) -> Result<()> {
        self.wait_evaluates(&format!("{}\n{condition}", script::HELPERS), what).await
    }

    /// Waits until the page is idle and a script's expression truthy.
    async fn wait_for(&self, expression: &str, what: &str) -> Result<()> {
        self.wait_until(&format!("return isIdle() && !!({expression})"), what).await
    }

    /// The element that a script's expression finds.
    async fn element(&self, expression: &str, what: &str) -> Result<WebElement> {
        let script = format!("{}\nreturn ({expression})", script::HELPERS);
        self.driver.execute(script, Vec::new()).await?.element().with_context(|| format!("There is no {what}."))
    }

    /// Clicks what a script's expression finds, and waits for nothing.
    async fn click_element(&self, expression: &str, what: &str) -> Result<()> {
        self.click_found(async || self.element(expression, what).await).await
    }

    /// Clicks the button, link or tab whose name contains `part`, and waits until the page is idle.
    async fn click(&self, role: &str, part: &str) -> Result<()> {
        let found = format!("namedLike({}, {})", json!(role), json!(part));
        self.click_element(&found, &format!("{role} whose name contains {part:?}")).await?;
        self.wait_idle().await
    }

    /// Clicks the first element of a CSS selector by script, wherever it is, and waits for nothing.
    async fn click_by_script(&self, selector: &str) -> Result<()> {
        self.run(&format!("document.querySelector({}).click()", json!(selector))).await?;
        Ok(())
    }

    /// Finds and clicks, as a person does who looks again: between the two, what was found may be drawn anew or move away.
    async fn click_found(&self, find: impl AsyncFn() -> Result<WebElement>) -> Result<()> {
        let began = Instant::now();
        loop {
            match find().await?.click().await {
                Err(error) if has_moved(&error) && began.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(15)).await,
                done => return Ok(done?),
            }
        }
    }

    /// Chooses an option of the `select` that a CSS selector finds, and waits for nothing.
    async fn choose_option(&self, selector: &str, value: &str) -> Result<()> {
        let script = format!(
            "const field = document.querySelector({});
             field.value = {};
             field.dispatchEvent(new Event('change', {{ bubbles: true }}))",
            json!(selector),
            json!(value)
        );
        self.run(&script).await?;
        Ok(())
    }

    /// Every row of a virtualised table, by scrolling through it.
    async fn rows(&self, role: &str, name: &str, key: &str, attributes: &[&str]) -> Result<Rows> {
        let arguments = vec![json!(role), json!(name), json!(key), json!(attributes)];
        let answer = self.run_async(script::COLLECT, arguments).await?;
        let rows = serde_json::from_value(answer.get("rows").cloned().unwrap_or_default())?;
        let announced = answer.get("announced").and_then(Value::as_i64).context("The table announces no number of rows.")?;
        Ok(Rows { rows, announced })
    }

    /// The identifying attribute of every row of a virtualised table. Fails when the table announces another number of rows.
    async fn row_ids(&self, role: &str, name: &str, key: &str) -> Result<Vec<String>> {
        let table = self.rows(role, name, key, &[]).await?;
        let ids: Vec<String> = table.rows.into_iter().filter_map(|mut row| row.swap_remove(0)).collect();
        if table.announced != ids.len() as i64 + 1 {
            bail!("The table {name} announces {} rows, its header included, and has {}.", table.announced, ids.len());
        }
        Ok(ids)
    }

    /// Scrolls to a row of a virtualised table.
    async fn reveal(&self, role: &str, name: &str, key: &str, id: &str) -> Result<WebElement> {
        let script = format!("{}\n{}", script::HELPERS, script::REVEAL);
        let answer = self.driver.execute_async(script, vec![json!(role), json!(name), json!(key), json!(id)]).await?;
        let answer: Answer = answer.convert()?;
        match (answer.value, answer.error) {
            (Some(element), None) => Ok(WebElement::from_json(element, self.driver.handle().clone())?),
            (_, error) => bail!("{}", error.unwrap_or_default()),
        }
    }

    /// Scrolls to a row of a virtualised table and clicks it.
    async fn click_row(&self, role: &str, name: &str, key: &str, id: &str) -> Result<()> {
        self.click_found(async || self.reveal(role, name, key, id).await).await
    }
}

/// Whether an element could not be clicked because it is no longer where it was found.
fn has_moved(error: &WebDriverError) -> bool {
    use WebDriverErrorInner::{ElementClickIntercepted, ElementNotInteractable, StaleElementReference};
    matches!(error.as_inner(), ElementClickIntercepted(_) | ElementNotInteractable(_) | StaleElementReference(_))
}
