//! One file after another: what comes late, bears the same name or can't be opened never takes the place of what the reader wants.

use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, EVENTS, Fixture, SMALL};
use quipu_tests::{Scratch, hostile};
use serde_json::json;
use std::path::PathBuf;

pub(crate) const CASES: &[Case] = cases![
    a_file_that_is_chosen_before_the_page_is_ready_is_opened,
    nothing_is_seen_or_kept_of_the_prewarming,
    a_file_that_was_left_does_not_come_back_when_its_index_is_complete,
    a_late_sample_does_not_replace_the_file_opened_meanwhile,
    a_sample_that_fails_late_does_not_close_the_file_opened_meanwhile,
    going_back_between_files_of_one_name_opens_the_one_of_the_address,
    another_file_of_the_same_name_is_shown_from_its_list,
    after_a_file_that_cannot_be_opened_the_earlier_one_is_a_click_away,
];

/// Keeps back what the worker says, until `quipuRelease` is called: messages whose first byte, the place of their kind in the protocol's
/// `Event`, is among `KINDS`.
const HOLD: &str = r#"
const held = [];
let holding = true;
const { get, set } = Object.getOwnPropertyDescriptor(Worker.prototype, 'onmessage');
Object.defineProperty(Worker.prototype, 'onmessage', {
  get,
  set(listener) {
    set.call(this, (event) => {
      if (holding && KINDS.includes(event.data.body?.[0])) held.push(() => listener.call(this, event));
      else listener.call(this, event);
    });
  },
});
window.quipuHeld = () => held.length;
window.quipuRelease = () => { holding = false; held.splice(0).forEach((hear) => hear()); };
"#;

/// Answers to questions, and what the worker tells of the index, which never comes before the answer to opening.
const EVERYTHING: &str = "[1, 2]";
/// What the worker tells of the index.
const PROGRESS: &str = "[2]";

/// From now on the page is loaded with a worker whose messages of some kinds are kept back.
fn hold(stage: &Stage, kinds: &str) {
    stage.site.run_first(&HOLD.replace("KINDS", kinds));
}

/// Keeps back what is fetched from now on, until `quipuRelease` is called, with `false` to let it fail.
const HOLD_FETCH: &str = r#"
const fetchNow = window.fetch;
window.fetch = (...what) => new Promise((yes, no) => {
  window.quipuRelease = (well) => (well ? fetchNow.call(window, ...what).then(yes, no) : no(new TypeError('held back by the test')));
});
"#;

/// Waits until the traces of a fixture are listed, and no others.
async fn wait_for_traces_of(page: &Page, fixture: &Fixture) -> Result<()> {
    let (_scratch, connection) = fixture.open()?;
    page.wait_traces(&fixtures::trace_ids(&connection)?, &format!("the traces of {} alone", fixture.file_name())).await
}

/// A copy of a fixture that is named as every server names its file by default.
fn as_trace_store(fixture: &Fixture, scratch: &Scratch) -> Result<PathBuf> {
    scratch.write("trace_store.db", std::fs::read(fixture.path())?)
}

async fn a_file_that_is_chosen_before_the_page_is_ready_is_opened(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    hold(stage, EVERYTHING);
    page.visit(&stage.site.url()).await?;
    // The page asks for a file of the worker's own, to be quicker with the first real one: that comes meanwhile.
    page.wait_evaluates("return quipuHeld() > 0", "the first answer of the worker").await?;
    page.choose(&[SMALL.path()]).await?;
    page.evaluate("quipuRelease()").await?;
    wait_for_traces_of(page, &SMALL).await?;
    page.wait_idle().await?;
    wait_for_traces_of(page, &SMALL).await
}

async fn nothing_is_seen_or_kept_of_the_prewarming(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    let found = page.evaluate("return [document.title, location.hash]").await?;
    let drawn = page.rows_and_alerts().await?;
    ensure!(found == json!(["Quipu", ""]) && drawn == 0, "Prewarming left something on the page: {found}, {drawn} rows and alerts");
    let entries = page.history_length().await?;
    page.open_traces(&[SMALL.path()]).await?;
    wait_for_traces_of(page, &SMALL).await?;
    let now = page.history_length().await?;
    ensure!(now == entries, "Opening the first file replaces the entry of the history: {entries} were there, {now} are.");
    Ok(())
}

async fn a_file_that_was_left_does_not_come_back_when_its_index_is_complete(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    hold(stage, PROGRESS);
    page.load().await?;
    page.choose(&[SMALL.path()]).await?;
    wait_for_traces_of(page, &SMALL).await?;
    page.wait_evaluates("return quipuHeld() > 0", "the worker to report on the index").await?;
    page.evaluate("location.hash = '#v1/traces?file=elsewhere.db&size=4096'").await?;
    page.wait_question_for("elsewhere.db").await?;
    // What the page asks because of it is under way before this returns.
    page.evaluate("quipuRelease()").await?;
    page.wait_settled().await?;
    ensure!(page.asks_for("elsewhere.db").await?, "The file that was left is shown again:\n{}", page.text().await?);
    // The file is still known: its address leads back to it.
    page.back().await?;
    wait_for_traces_of(page, &SMALL).await
}

/// Clicks a sample that does not come, and opens a file meanwhile.
async fn open_while_a_sample_is_fetched(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.evaluate(HOLD_FETCH).await?;
    // The page is not idle until the sample is there: no waiting for that.
    page.press_sample().await?;
    page.wait_evaluates("return typeof quipuRelease === 'function'", "the sample to be asked for").await?;
    page.choose(&[SMALL.path()]).await?;
    wait_for_traces_of(page, &SMALL).await
}

async fn a_late_sample_does_not_replace_the_file_opened_meanwhile(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_while_a_sample_is_fetched(stage).await?;
    page.evaluate("quipuRelease(true)").await?;
    page.wait_idle().await?;
    let asked = stage.site.seen();
    ensure!(asked.iter().any(|request| request.contains("samples/")), "The sample was not fetched at all: {asked:?}");
    wait_for_traces_of(page, &SMALL).await?;
    ensure!(!page.text().await?.contains(AGENT.file_name()), "The sample is on the page.");
    Ok(())
}

async fn a_sample_that_fails_late_does_not_close_the_file_opened_meanwhile(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_while_a_sample_is_fetched(stage).await?;
    page.evaluate("quipuRelease(false)").await?;
    page.wait_idle().await?;
    let alerts = page.alerts().await?;
    ensure!(alerts.is_empty(), "The page reports a failure of something nobody waits for: {alerts:?}");
    wait_for_traces_of(page, &SMALL).await
}

async fn going_back_between_files_of_one_name_opens_the_one_of_the_address(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (first, second) = (Scratch::new()?, Scratch::new()?);
    page.load().await?;
    page.open_traces(&[as_trace_store(&SMALL, &first)?]).await?;
    wait_for_traces_of(page, &SMALL).await?;
    page.open_traces(&[as_trace_store(&EVENTS, &second)?]).await?;
    wait_for_traces_of(page, &EVENTS).await?;
    page.back().await?;
    wait_for_traces_of(page, &SMALL).await?;
    page.forward().await?;
    wait_for_traces_of(page, &EVENTS).await
}

async fn another_file_of_the_same_name_is_shown_from_its_list(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (first, second) = (Scratch::new()?, Scratch::new()?);
    page.load().await?;
    page.open_traces(&[as_trace_store(&SMALL, &first)?]).await?;
    let traces = page.trace_ids().await?;
    page.open_trace(traces.first().context("The fixture has traces.")?).await?;
    let place = page.url().await?;
    page.drop_files(&[as_trace_store(&EVENTS, &second)?]).await?;
    wait_for_traces_of(page, &EVENTS).await?;
    let alerts = page.alerts().await?;
    ensure!(alerts.is_empty(), "The page compares the other file with the first one’s address: {alerts:?}");
    // The trace of the first file is one step back.
    page.back().await?;
    page.wait_timeline().await?;
    ensure!(page.url().await? == place, "Going back leads to {} instead of {place}", page.url().await?);
    Ok(())
}

async fn after_a_file_that_cannot_be_opened_the_earlier_one_is_a_click_away(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_with(SMALL.path()).await?;
    let traces = page.trace_ids().await?;
    page.open_trace(traces.first().context("The fixture has traces.")?).await?;
    let place = page.url().await?;
    let broken = hostile::encrypted(&stage.scratch)?;
    page.open(std::slice::from_ref(&broken)).await?;
    ensure!(!page.alerts().await?.is_empty(), "The page does not say that the file cannot be opened:\n{}", page.text().await?);
    page.go_back_to(SMALL.file_name()).await?;
    page.wait_timeline().await?;
    ensure!(page.url().await? == place, "The way back leads to {} instead of {place}", page.url().await?);
    ensure!(page.alerts().await?.is_empty(), "The message about the other file stays.");
    // Another file opens from there just as well.
    page.open(&[broken]).await?;
    page.open_traces(&[EVENTS.path()]).await?;
    wait_for_traces_of(page, &EVENTS).await
}
