//! The page as a person with a keyboard, a screen reader or a file manager meets it: by roles and accessible names, waiting for the page's
//! own idle mark. The one place that knows those names.
//!
//! What is not here: expectations.

use crate::driver::{Browser, Console};
use crate::script;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};
use thirtyfour::{By, Key, WebDriver, WebElement};

/// The label of the file input.
pub(crate) const FILE_INPUT: &str = "Open telemetry file";

/// The label of the filter over the list.
const FILTER_INPUT: &str = "Filter traces";

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// The page in one browser.
pub(crate) struct Page {
    /// The browser.
    pub(crate) driver: WebDriver,
    /// Which one that is.
    pub(crate) browser: Browser,
    console: Console,
    home: String,
}

/// Rows read from a virtualised table.
pub(crate) struct Rows {
    /// For each row the identifying attribute, then the ones asked for.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// `aria-rowcount`.
    pub(crate) announced: i64,
}

#[derive(Deserialize)]
struct Answer {
    value: Option<Value>,
    error: Option<String>,
}

impl Page {
    /// The page that lies at `home`.
    pub(crate) fn new(driver: WebDriver, browser: Browser, console: Console, home: String) -> Page {
        Page { driver, browser, console, home }
    }

    /// Loads the page, and waits until it runs.
    pub(crate) async fn load(&self) -> Result<()> {
        let home = self.home.clone();
        self.load_from(&home).await
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

    /// Runs a script's body with the helpers of [`script::HELPERS`], and answers what it returns.
    pub(crate) async fn run(&self, body: &str) -> Result<Value> {
        let script = format!("{}\n{body}", script::HELPERS);
        Ok(self.driver.execute(script, Vec::new()).await?.json().clone())
    }

    /// Runs a script that calls its last argument with `{value}` or `{error}`.
    pub(crate) async fn run_async(&self, body: &str, arguments: Vec<Value>) -> Result<Value> {
        let script = format!("{}\n{body}", script::HELPERS);
        let answer: Answer = self.driver.execute_async(script, arguments).await?.convert()?;
        match answer {
            Answer { error: Some(error), .. } => bail!("{error}"),
            Answer { value, .. } => Ok(value.unwrap_or(Value::Null)),
        }
    }

    /// Waits until a script's body answers true.
    pub(crate) async fn wait_until(&self, condition: &str, what: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            // While a document is replaced, scripts fail.
            let answer = self.run(condition).await;
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

    /// Waits until the page is idle and the index complete.
    pub(crate) async fn wait_idle(&self) -> Result<()> {
        self.wait_until("return isIdle() && !named('progressbar', 'Indexing')", "the page to be idle and the index complete").await
    }

    /// Chooses files by the file input, as the button's dialog does.
    pub(crate) async fn choose(&self, files: &[PathBuf]) -> Result<()> {
        let input = self.driver.find(By::Css("input[type=file]")).await.context("There is no file input.")?;
        let label = self.run("return nameOf(document.querySelector('input[type=file]'))").await?;
        if label != FILE_INPUT {
            bail!("The file input is named {label}, not {FILE_INPUT:?}.");
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
        self.wait_until("return isIdle() && !!named('grid', 'Traces')", "the table of traces").await
    }

    /// Drops files onto the page.
    pub(crate) async fn drop_files(&self, files: &[PathBuf]) -> Result<()> {
        let script = "const e = document.createElement('input'); e.type = 'file'; e.multiple = true; document.body.append(e); return e;";
        let input = self.driver.execute(script, Vec::new()).await?.element()?;
        input.send_keys(lines(files)).await?;
        self.driver.execute(script::DROP, vec![input.to_json()?]).await?;
        self.wait_idle().await
    }

    /// Every row of a table, by scrolling through it.
    pub(crate) async fn rows(&self, role: &str, name: &str, key: &str, attributes: &[&str]) -> Result<Rows> {
        let arguments = vec![json!(role), json!(name), json!(key), json!(attributes)];
        let answer = self.run_async(script::COLLECT, arguments).await?;
        let rows = serde_json::from_value(answer.get("rows").cloned().unwrap_or_default())?;
        let announced = answer.get("announced").and_then(Value::as_i64).context("The table announces no number of rows.")?;
        Ok(Rows { rows, announced })
    }

    /// The trace ids in the table, in its order. Fails when the table announces another number.
    pub(crate) async fn trace_ids(&self) -> Result<Vec<String>> {
        let table = self.rows("grid", "Traces", "data-trace-id", &[]).await?;
        let ids: Vec<String> = table.rows.into_iter().filter_map(|mut row| row.swap_remove(0)).collect();
        if table.announced != ids.len() as i64 + 1 {
            bail!("The table of traces announces {} rows, the header among them, and has {} traces.", table.announced, ids.len());
        }
        Ok(ids)
    }

    /// The rows of the timeline: span id, level, parent. Fails when it announces another number, or when a row does not stand below its
    /// parent.
    pub(crate) async fn timeline(&self) -> Result<BTreeSet<crate::expected::TimelineRow>> {
        let table = self.rows("treegrid", "Timeline", "data-span-id", &["aria-level", "data-parent-id"]).await?;
        let mut rows = BTreeSet::new();
        // The rows that lead to the current one, from level 1 down.
        let mut path: Vec<String> = Vec::new();
        for row in &table.rows {
            let [Some(id), Some(level), parent] = row.as_slice() else { bail!("A row of the timeline has no id or level: {row:?}") };
            let level: u32 = level.parse().with_context(|| format!("{level} is no level."))?;
            path.truncate(level.saturating_sub(1) as usize);
            if path.len() + 1 != level as usize || path.last() != parent.as_ref() {
                bail!("The row {id} on level {level} does not stand below its parent {parent:?}, but below {path:?}.");
            }
            path.push(id.clone());
            rows.insert((id.clone(), level, parent.clone()));
        }
        if table.announced != rows.len() as i64 + 1 {
            bail!("The timeline announces {} rows, the header among them, and has {} spans.", table.announced, rows.len());
        }
        Ok(rows)
    }

    /// Scrolls to a row of a table.
    pub(crate) async fn reveal(&self, role: &str, name: &str, key: &str, id: &str) -> Result<WebElement> {
        let script = format!("{}\n{}", script::HELPERS, script::REVEAL);
        let answer = self.driver.execute_async(script, vec![json!(role), json!(name), json!(key), json!(id)]).await?;
        let answer: Answer = answer.convert()?;
        match (answer.value, answer.error) {
            (Some(element), None) => Ok(WebElement::from_json(element, self.driver.handle().clone())?),
            (_, error) => bail!("{}", error.unwrap_or_default()),
        }
    }

    /// Scrolls to a row of a table and clicks it.
    pub(crate) async fn click_row(&self, role: &str, name: &str, key: &str, id: &str) -> Result<()> {
        self.click_found(async || self.reveal(role, name, key, id).await).await
    }

    /// Opens a trace from the table of traces.
    pub(crate) async fn open_trace(&self, trace_id: &str) -> Result<()> {
        self.click_row("grid", "Traces", "data-trace-id", trace_id).await?;
        self.wait_timeline().await
    }

    /// Waits until a trace's timeline is drawn.
    pub(crate) async fn wait_timeline(&self) -> Result<()> {
        let drawn = "const grid = named('treegrid', 'Timeline'); return isIdle() && !!grid && !!grid.querySelector('[data-span-id]')";
        self.wait_until(drawn, "the timeline").await
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
            "const ids = new Set({}); const grid = named('treegrid', 'Timeline');
             const rows = [...(grid?.querySelectorAll('[data-span-id]') ?? [])];
             return isIdle() && rows.length > 0 && rows.every((row) => ids.has(row.dataset.spanId))",
            json!(spans)
        );
        self.wait_until(&drawn, &format!("the timeline of trace {to}, with its spans only")).await
    }

    /// Selects a span in the timeline, and waits for its panel.
    pub(crate) async fn select_span(&self, span_id: &str) -> Result<()> {
        self.click_row("treegrid", "Timeline", "data-span-id", span_id).await?;
        self.wait_panel().await
    }

    /// Waits until the panel of a span is drawn.
    pub(crate) async fn wait_panel(&self) -> Result<()> {
        self.wait_until("return isIdle() && !!named('complementary', 'Span')", "the panel of the span").await
    }

    /// The text of the span's panel.
    pub(crate) async fn panel_text(&self) -> Result<String> {
        self.text_of("named('complementary', 'Span')").await?.context("No span's panel is shown.")
    }

    /// The sentences of all alerts on screen.
    pub(crate) async fn alerts(&self) -> Result<Vec<String>> {
        let answer = self.run("return all('alert').filter(shown).map((e) => e.innerText.trim()).filter((text) => text)").await?;
        Ok(serde_json::from_value(answer)?)
    }

    /// The text of all warnings about the file; empty when there are none.
    pub(crate) async fn warnings(&self) -> Result<String> {
        // All but the first may be behind a button.
        self.run("named('status', 'File warnings')?.querySelector('button[aria-expanded=false]')?.click()").await?;
        self.wait_idle().await?;
        Ok(self.text_of("named('status', 'File warnings')").await?.unwrap_or_default())
    }

    /// Clicks the button, link or tab whose name contains `part`, and waits until the page is idle.
    pub(crate) async fn click(&self, role: &str, part: &str) -> Result<()> {
        let script = format!("{}\nreturn namedLike({}, {})", script::HELPERS, json!(role), json!(part));
        let find = async || {
            let answer = self.driver.execute(script.clone(), Vec::new()).await?;
            answer.element().with_context(|| format!("There is no {role} whose name contains {part:?}."))
        };
        self.click_found(find).await?;
        self.wait_idle().await
    }

    /// Clicks what a selector finds, and waits for nothing.
    pub(crate) async fn click_on(&self, selector: &str) -> Result<()> {
        let find = async || self.driver.find(By::Css(selector)).await.with_context(|| format!("There is no {selector}."));
        self.click_found(find).await
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

    /// Presses a key, wherever the focus is, and waits until the page is idle.
    pub(crate) async fn press(&self, key: impl Into<char>) -> Result<()> {
        self.driver.action_chain().send_keys(key.into().to_string()).perform().await?;
        self.wait_idle().await
    }

    /// Types a text, wherever the focus is, and waits until the page is idle.
    pub(crate) async fn type_text(&self, text: &str) -> Result<()> {
        self.driver.action_chain().send_keys(text).perform().await?;
        self.wait_until("return isIdle()", "what typing brings").await
    }

    /// Opens the box for commands.
    pub(crate) async fn open_commands(&self) -> Result<()> {
        self.driver.action_chain().key_down(Key::Control).send_keys("k").key_up(Key::Control).perform().await?;
        self.wait_until("return document.activeElement?.getAttribute('aria-label') === 'Command'", "the box for commands").await
    }

    /// Types a filter and applies it.
    pub(crate) async fn filter(&self, text: &str) -> Result<()> {
        self.type_filter(text).await?;
        self.press(Key::Enter).await
    }

    /// Types into the filter, behind what is there, and waits for what it suggests.
    pub(crate) async fn type_filter(&self, text: &str) -> Result<()> {
        let script = format!("{}\nreturn named('combobox', {})", script::HELPERS, json!(FILTER_INPUT));
        let input = self.driver.execute(script, Vec::new()).await?.element().context("There is no filter.")?;
        input.send_keys(text).await?;
        self.wait_until("return isIdle()", "the filter's suggestions").await
    }

    /// What stands in the filter's input.
    pub(crate) async fn filter_draft(&self) -> Result<String> {
        let answer = self.run(&format!("return named('combobox', {}).value", json!(FILTER_INPUT))).await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// The terms that are applied.
    pub(crate) async fn filter_terms(&self) -> Result<Vec<String>> {
        let answer = self.run("return [...(named('list', 'Filter terms')?.children ?? [])].map((e) => e.innerText.trim())").await?;
        Ok(serde_json::from_value(answer)?)
    }

    /// What is suggested below the filter; empty when nothing is.
    pub(crate) async fn suggestions(&self) -> Result<Vec<String>> {
        let answer = self.run("return all('option').filter(shown).map((e) => e.innerText.replace(/\\s+/g, ' ').trim())").await?;
        Ok(serde_json::from_value(answer)?)
    }

    /// How many rows the list says it has.
    pub(crate) async fn count(&self) -> Result<String> {
        Ok(self.text_of("named('status', 'Count')").await?.unwrap_or_default())
    }

    /// The visible text of the whole page.
    pub(crate) async fn text(&self) -> Result<String> {
        Ok(self.text_of("document.body").await?.unwrap_or_default())
    }

    /// The visible text of what a script's expression finds.
    pub(crate) async fn text_of(&self, expression: &str) -> Result<Option<String>> {
        let answer = self.run(&format!("return ({expression})?.innerText ?? null")).await?;
        Ok(answer.as_str().map(str::to_owned))
    }

    /// The address.
    pub(crate) async fn url(&self) -> Result<String> {
        let answer = self.driver.execute("return location.href", Vec::new()).await?;
        Ok(answer.convert()?)
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
        self.driver.screenshot(Path::new(&path)).await?;
        Ok(path)
    }
}

/// Paths as the driver takes several: one a line.
fn lines(files: &[PathBuf]) -> String {
    files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n")
}

/// Whether an element could not be clicked because it is no longer where it was found.
fn has_moved(error: &WebDriverError) -> bool {
    use WebDriverErrorInner::{ElementClickIntercepted, ElementNotInteractable, StaleElementReference};
    matches!(error.as_inner(), ElementClickIntercepted(_) | ElementNotInteractable(_) | StaleElementReference(_))
}
