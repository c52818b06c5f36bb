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

async fn the_list_is_walked_and_a_trace_opened_by_keys(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    let ids = page.trace_ids().await?;
    page.press(Key::Home).await?;
    // Home may select the first row or, with nothing selected before, do nothing: j then selects the first or the second.
    page.press('j').await?;
    let first = page.current_row().await?.context("After j no row is selected.")?;
    page.press('j').await?;
    let second = page.current_row().await?.context("After a second j no row is selected.")?;
    let place = |id: &str| ids.iter().position(|other| other == id);
    ensure!(place(&second) == place(&first).map(|at| at + 1), "j moves one row down: from {first} to {second}.");
    page.press('k').await?;
    ensure!(page.current_row().await?.as_deref() == Some(&first), "k moves one row up.");
    page.press(Key::Down).await?;
    ensure!(page.current_row().await?.as_deref() == Some(&second), "The arrow moves one row down.");
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
    page.load_with(AGENT.path()).await?;
    page.open_trace(&trace_id).await?;
    let unfolded = page.timeline().await?;
    ensure!(unfolded.len() > 2, "The trace has a branch.");
    page.select_span(&root).await?;
    page.press(Key::Left).await?;
    ensure!(page.trace().is_expanded(&root).await? == Some(false), "Left folds the branch.");
    ensure!(page.timeline().await?.len() == 1, "A folded root is the only row.");
    page.press(Key::Right).await?;
    ensure!(page.trace().is_expanded(&root).await? == Some(true), "Right unfolds the branch.");
    ensure!(page.timeline().await? == unfolded, "Unfolded it is as before.");
    page.press(Key::Right).await?;
    let child = page.current_row().await?.context("A row is selected.")?;
    ensure!(unfolded.iter().any(|(id, _, parent)| *id == child && parent.as_ref() == Some(&root)), "Right moves to a child.");
    page.press(Key::Left).await?;
    page.press(Key::Left).await?;
    ensure!(
        page.trace().is_expanded(&root).await? == Some(false) || page.current_row().await?.as_deref() == Some(&root),
        "Left moves back to the parent."
    );
    Ok(())
}

async fn escape_leads_from_the_panel_to_the_trace_to_the_list(stage: &Stage) -> Result<()> {
    let (trace_id, root) = some_branch()?;
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    page.open_trace(&trace_id).await?;
    page.select_span(&root).await?;
    page.press(Key::Escape).await?;
    page.span_panel().wait_closed().await?;
    page.press(Key::Escape).await?;
    page.wait_list().await
}

async fn a_question_mark_lists_the_keys(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    page.press('?').await?;
    page.wait_dialog().await?;
    let text = page.dialog_text().await?;
    ensure!(["Enter", "Esc", "j", "k"].iter().all(|key| text.contains(key)), "The list names its keys:\n{text}");
    page.press(Key::Escape).await?;
    page.wait_no_dialog().await?;
    page.wait_list().await
}

async fn commands_are_found_by_name_and_run(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    let trace_id = page.trace_ids().await?.first().cloned().context("A trace.")?;
    page.open_trace(&trace_id).await?;
    page.open_commands().await?;
    page.type_command("conver").await?;
    let offered = page.offered_commands().await?;
    ensure!(offered == ["Show the conversation"], "The palette offers {offered:?}");
    page.press(Key::Enter).await?;
    page.wait_address("tab=conversation").await?;
    ensure!(!page.has_dialog().await?, "The palette is gone.");
    // Esc leaves it without doing anything.
    let before = page.url().await?;
    page.open_commands().await?;
    page.press(Key::Escape).await?;
    page.wait_no_dialog().await?;
    ensure!(page.url().await? == before, "Nothing was done.");
    Ok(())
}
