//! What goes wrong under the page: the worker dies, the file changes or vanishes, memory runs out. The reader is told, and goes on.

use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::Column;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, EVENTS};
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

pub(crate) const CASES: &[Case] = cases![
    a_worker_that_is_ended_from_outside_is_replaced_by_itself,
    a_worker_that_fails_is_replaced_once_and_then_on_request,
    a_trace_goes_on_after_the_worker_died,
    a_file_that_is_rewritten_is_told_of_until_it_is_opened_again,
    a_file_that_vanishes_is_told_of,
    an_index_that_would_not_fit_into_memory_is_stopped,
    a_worker_without_memory_says_so,
];

/// Keeps every worker the page starts in `quipuWorkers`.
const KEEP_WORKERS: &str = "
window.quipuWorkers = [];
window.Worker = class extends Worker { constructor(...what) { super(...what); quipuWorkers.push(this); } };";

/// Ends the worker as a browser that is short of memory does: no event tells of it.
const END_WORKER: &str = "quipuWorkers.at(-1).terminate()";

/// Loads the page with a script that runs before its own.
async fn load_with(stage: &Stage, script: &str) -> Result<()> {
    stage.site.run_first(script);
    stage.page.load().await
}

/// Loads the page with a worker that has so many bytes of memory.
pub(super) async fn load_with_memory(stage: &Stage, bytes: u32) -> Result<()> {
    let script = format!(
        "const Plain = Blob;
         window.Blob = class extends Plain {{
           constructor(parts, options) {{
             super(options?.type === 'text/javascript' ? ['self.quipuMemoryLimit = {bytes};\\n', ...parts] : parts, options);
           }}
         }};"
    );
    load_with(stage, &script).await
}

/// A copy of a fixture that was last written an hour ago: browsers tell changes by seconds.
fn old_copy(stage: &Stage) -> Result<PathBuf> {
    let path = stage.scratch.write("telemetry.db", std::fs::read(AGENT.path())?)?;
    File::options().write(true).open(&path)?.set_modified(SystemTime::now() - Duration::from_secs(3_600))?;
    Ok(path)
}

async fn a_worker_that_is_ended_from_outside_is_replaced_by_itself(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = &stage.page;
    load_with(stage, KEEP_WORKERS).await?;
    page.open_traces(&[AGENT.path()]).await?;
    let before = page.trace_ids().await?;
    page.evaluate(END_WORKER).await?;
    let told = page.wait_alert("was restarted").await?;
    ensure!(told.contains("agent") && told.contains("is indexing the file again"), "The banner does not say what happened: {told}");
    page.wait_idle().await?;
    ensure!(page.evaluate("return quipuWorkers.length").await? == 2, "There is one new worker.");
    ensure!(page.trace_ids().await? == before, "The same traces are listed.");
    // What the new worker answers.
    page.list().show_failed().await?;
    let failed = page.trace_set().await?;
    ensure!(failed == expected::failed_traces(&connection)?, "The failed traces are listed.");
    Ok(())
}

async fn a_worker_that_fails_is_replaced_once_and_then_on_request(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    load_with(stage, KEEP_WORKERS).await?;
    page.open_traces(&[AGENT.path()]).await?;
    let before = page.trace_ids().await?;
    let fail = "quipuWorkers.at(-1).dispatchEvent(new ErrorEvent('error', { message: 'a test’s error', cancelable: true }))";
    page.evaluate(fail).await?;
    page.wait_alert("a test’s error").await?;
    page.wait_idle().await?;
    page.evaluate(fail).await?;
    page.wait_alert("Restart it to go on").await?;
    ensure!(
        page.evaluate("return quipuWorkers.length").await? == 2,
        "A worker that fails again at once is not started again without asking."
    );
    ensure!(page.trace_ids().await? == before, "The list stays.");
    page.restart_worker().await?;
    ensure!(page.evaluate("return quipuWorkers.length").await? == 3, "The button starts a worker.");
    ensure!(page.alerts().await?.is_empty(), "The banner goes away.");
    page.open_trace(&before[0]).await?;
    Ok(())
}

async fn a_trace_goes_on_after_the_worker_died(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let spans = fixtures::spans(&connection)?;
    let span = spans.iter().find(|span| span.parent_span_id.is_some()).context("The fixture has spans with parents.")?;
    let page = &stage.page;
    load_with(stage, KEEP_WORKERS).await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.open_trace(&span.trace_id).await?;
    let shown = page.timeline().await?;
    page.evaluate(END_WORKER).await?;
    // Nobody answers this question: the page asks it again when it can.
    page.click_span(&span.span_id).await?;
    page.wait_alert("was restarted").await?;
    page.span_panel().wait_of(&span.span_id).await?;
    ensure!(page.timeline().await? == shown, "The timeline stays.");
    Ok(())
}

async fn a_file_that_is_rewritten_is_told_of_until_it_is_opened_again(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let path = old_copy(stage)?;
    page.load().await?;
    page.open_traces(std::slice::from_ref(&path)).await?;
    let before = page.trace_ids().await?;
    std::fs::write(&path, std::fs::read(EVENTS.path())?)?;
    page.evaluate("dispatchEvent(new Event('focus'))").await?;
    let told = page.wait_alert("was changed").await?;
    ensure!(
        told.contains("telemetry.db") && told.contains("may be out of date"),
        "The banner does not say what happened and what it means: {told}"
    );
    ensure!(page.trace_ids().await? == before, "The rows of the old file are still listed.");
    page.list().sort_by(Column::Duration).await?;
    ensure!(page.trace_ids().await?.len() == before.len(), "The list still answers from memory.");
    page.wait_alert("was changed").await?;
    // The browser lets nobody read it any more: the button asks for the file.
    page.watch_file_dialog().await?;
    page.open_again().await?;
    page.wait_file_dialog().await?;
    page.open_traces(&[path]).await?;
    let (_scratch, connection) = EVENTS.open()?;
    let (mut now, mut expected) = (page.trace_ids().await?, fixtures::trace_ids(&connection)?);
    now.sort();
    expected.sort();
    ensure!(now == expected, "The traces of the new file are listed.");
    ensure!(page.url().await?.contains("sort=-duration"), "The view is the same.");
    ensure!(page.alerts().await?.is_empty(), "The banner is gone.");
    Ok(())
}

async fn a_file_that_vanishes_is_told_of(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let path = old_copy(stage)?;
    page.load().await?;
    page.open_traces(std::slice::from_ref(&path)).await?;
    let ids = page.trace_ids().await?;
    std::fs::remove_file(&path)?;
    // Nobody comes back to the page or asks anything: it looks by itself.
    page.wait_alert("removed").await?;
    ensure!(page.trace_ids().await? == ids, "The list stays.");
    page.open_traces(&[AGENT.path()]).await?;
    ensure!(page.alerts().await?.is_empty(), "Opening another file removes the banner.");
    Ok(())
}

async fn an_index_that_would_not_fit_into_memory_is_stopped(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = &stage.page;
    load_with_memory(stage, 64 << 20).await?;
    page.choose(&[AGENT.path()]).await?;
    let told = page.wait_alert("needs more memory").await?;
    ensure!(
        told.contains("agent") && told.contains("can still be listed"),
        "The banner does not say what happened and what still works: {told}"
    );
    page.wait_idle().await?;
    let newest = "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY min(start_time) DESC LIMIT 1";
    let newest = fixtures::texts(&connection, newest)?.pop().context("The fixture has traces.")?;
    let first = page.list().first_trace().await?;
    ensure!(first == newest, "The newest traces are listed.");
    page.list().show_failed().await?;
    ensure!(page.text().await?.contains("needs more memory"), "The page still says why it cannot show more.");
    Ok(())
}

async fn a_worker_without_memory_says_so(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    load_with_memory(stage, 500_000).await?;
    page.choose(&[AGENT.path()]).await?;
    let told = page.wait_alert("ran out of memory").await?;
    ensure!(told.contains("agent") && told.contains("quipu"), "The banner does not name the file and what to do: {told}");
    // Where the browser tells what happens in workers, the allocator's last words stand in the console.
    page.console_errors().await?;
    Ok(())
}
