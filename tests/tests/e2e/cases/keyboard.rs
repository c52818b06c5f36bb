//! Everything by keyboard: the list, the tree, the panel, and back.

use crate::harness::{Case, Stage, cases};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT};
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![
    the_list_is_walked_and_a_trace_opened_by_keys,
    branches_fold_and_unfold_by_arrow_keys,
    escape_leads_from_the_panel_to_the_trace_to_the_list,
    a_question_mark_lists_the_keys,
    commands_are_found_by_name_and_run,
];

/// The id of the row that is selected or has the focus.
const CURRENT: &str = "
    const row = document.activeElement?.closest('[data-trace-id], [data-span-id]')
        ?? document.getElementById(document.activeElement?.getAttribute('aria-activedescendant') ?? '')
        ?? document.querySelector('[role=grid] [aria-selected=true], [role=treegrid] [aria-selected=true]');
    return row ? row.dataset.traceId ?? row.dataset.spanId ?? null : null;";

async fn current(stage: &Stage) -> Result<Option<String>> {
    Ok(stage.page.run(CURRENT).await?.as_str().map(str::to_owned))
}

async fn the_list_is_walked_and_a_trace_opened_by_keys(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    let ids = page.trace_ids().await?;
    page.press(Key::Home).await?;
    // Home may select the first row or, with nothing selected before, do nothing: j then selects the first or the second.
    page.press('j').await?;
    let first = current(stage).await?.context("After j no row is selected.")?;
    page.press('j').await?;
    let second = current(stage).await?.context("After a second j no row is selected.")?;
    let place = |id: &str| ids.iter().position(|other| other == id);
    ensure!(place(&second) == place(&first).map(|at| at + 1), "j moves one row down: from {first} to {second}.");
    page.press('k').await?;
    ensure!(current(stage).await?.as_deref() == Some(&first), "k moves one row up.");
    page.press(Key::Down).await?;
    ensure!(current(stage).await?.as_deref() == Some(&second), "The arrow moves one row down.");
    page.press(Key::Enter).await?;
    page.wait_timeline().await?;
    ensure!(page.url().await?.contains(&second), "Enter opens the selected trace.");
    Ok(())
}

/// A trace with a branch, and the id of its first root with children.
fn some_branch() -> Result<(String, String)> {
    let (_scratch, connection) = AGENT.open()?;
    let sql = "
        SELECT root.trace_id || ' ' || root.span_id FROM spans AS root
        WHERE root.parent_span_id IS NULL AND (SELECT count(*) FROM spans AS child WHERE child.parent_span_id = root.span_id) > 1
          AND NOT EXISTS (SELECT 1 FROM spans AS other
                          WHERE other.trace_id = root.trace_id AND other.parent_span_id IS NULL AND other.span_id <> root.span_id)
        ORDER BY root.rowid LIMIT 1";
    let ids = fixtures::texts(&connection, sql)?;
    let (trace_id, span_id) = ids.first().and_then(|ids| ids.split_once(' ')).context("The fixture has a root with children.")?;
    Ok((trace_id.to_owned(), span_id.to_owned()))
}

async fn branches_fold_and_unfold_by_arrow_keys(stage: &Stage) -> Result<()> {
    let (trace_id, root) = some_branch()?;
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.open_trace(&trace_id).await?;
    let unfolded = page.timeline().await?;
    ensure!(unfolded.len() > 2, "The trace has a branch.");
    page.select_span(&root).await?;
    page.press(Key::Left).await?;
    let expanded = format!("return document.querySelector('[data-span-id=\"{root}\"]')?.getAttribute('aria-expanded')");
    ensure!(page.run(&expanded).await? == "false", "Left folds the branch.");
    ensure!(page.timeline().await?.len() == 1, "A folded root stands alone.");
    page.press(Key::Right).await?;
    ensure!(page.run(&expanded).await? == "true", "Right unfolds the branch.");
    ensure!(page.timeline().await? == unfolded, "Unfolded it is as before.");
    page.press(Key::Right).await?;
    let child = current(stage).await?.context("A row is selected.")?;
    ensure!(unfolded.iter().any(|(id, _, parent)| *id == child && parent.as_ref() == Some(&root)), "Right goes on to a child.");
    page.press(Key::Left).await?;
    page.press(Key::Left).await?;
    ensure!(page.run(&expanded).await? == "false" || current(stage).await?.as_deref() == Some(&root), "Left leads back to the parent.");
    Ok(())
}

async fn escape_leads_from_the_panel_to_the_trace_to_the_list(stage: &Stage) -> Result<()> {
    let (trace_id, root) = some_branch()?;
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.open_trace(&trace_id).await?;
    page.select_span(&root).await?;
    page.press(Key::Escape).await?;
    page.wait_until("return isIdle() && !named('complementary', 'Span') && !!named('treegrid', 'Timeline')", "the panel to close").await?;
    page.press(Key::Escape).await?;
    page.wait_until("return isIdle() && !!named('grid', 'Traces')", "the list of traces").await
}

async fn a_question_mark_lists_the_keys(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.press('?').await?;
    page.wait_until("return all('dialog').some(shown)", "the list of keys").await?;
    let text = page.text_of("all('dialog').find(shown)").await?.unwrap_or_default();
    ensure!(["Enter", "Esc", "j", "k"].iter().all(|key| text.contains(key)), "The list names its keys:\n{text}");
    page.press(Key::Escape).await?;
    page.wait_until("return !all('dialog').some(shown) && !!named('grid', 'Traces')", "the list of keys to close").await
}

async fn commands_are_found_by_name_and_run(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    let trace_id = page.trace_ids().await?.first().cloned().context("A trace.")?;
    page.open_trace(&trace_id).await?;
    page.open_commands().await?;
    page.driver.active_element().await?.send_keys("conver").await?;
    let offered = page.run("return [...document.querySelectorAll('[role=option] span')].map((name) => name.textContent)").await?;
    ensure!(offered == serde_json::json!(["Show the conversation"]), "What is offered: {offered}");
    page.driver.active_element().await?.send_keys(Key::Enter.value().to_string()).await?;
    page.wait_until("return isIdle() && location.hash.includes('tab=conversation')", "the conversation").await?;
    ensure!(page.run("return document.querySelector('dialog[open]') === null").await? == true, "The palette is gone.");
    // Esc leaves it without doing anything.
    let before = page.url().await?;
    page.open_commands().await?;
    page.driver.active_element().await?.send_keys(Key::Escape.value().to_string()).await?;
    page.wait_until("return document.querySelector('dialog[open]') === null", "the palette to close").await?;
    ensure!(page.url().await? == before, "Nothing was done.");
    Ok(())
}
