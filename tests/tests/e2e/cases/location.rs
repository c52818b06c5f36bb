//! The address is the view: reload, back and forward lead to the same place.

use crate::harness::{Case, Stage, cases};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, SMALL, SpanRow};

pub(crate) const CASES: &[Case] = cases![
    reload_asks_for_the_file_and_returns_to_trace_and_span,
    another_file_than_the_address_names_is_told_apart,
    back_and_forward_move_between_list_and_trace,
    a_sample_in_the_address_opens_by_itself,
    unknown_parts_of_an_address_are_not_fatal,
];

/// A span that has a parent, in a trace with several.
fn some_span() -> Result<SpanRow> {
    let (_scratch, connection) = SMALL.open()?;
    let spans = fixtures::spans(&connection)?;
    spans.into_iter().find(|span| span.parent_span_id.is_some()).context("The fixture has spans with parents.")
}

async fn reload_asks_for_the_file_and_returns_to_trace_and_span(stage: &Stage) -> Result<()> {
    let span = some_span()?;
    let page = &stage.page;
    page.load_with(SMALL.path()).await?;
    page.open_trace(&span.trace_id).await?;
    page.select_span(&span.span_id).await?;
    let url = page.url().await?;
    ensure!(url.contains(&span.trace_id) && url.contains(&span.span_id), "The address names trace and span: {url}");
    page.reload().await?;
    let text = page.text().await?;
    ensure!(text.contains(SMALL.file_name()), "The page asks for the file by its name.");
    page.open(&[SMALL.path()]).await?;
    page.wait_timeline().await?;
    page.wait_panel().await?;
    ensure!(page.url().await? == url, "The address is the same again: {} and {url}", page.url().await?);
    ensure!(page.panel_text().await?.contains(&span.name), "The panel shows the same span.");
    Ok(())
}

async fn another_file_than_the_address_names_is_told_apart(stage: &Stage) -> Result<()> {
    let span = some_span()?;
    let page = &stage.page;
    page.load_with(SMALL.path()).await?;
    page.open_trace(&span.trace_id).await?;
    page.reload().await?;
    page.open(&[fixtures::EVENTS.path()]).await?;
    // Whatever the page does with the place, it shows the file it was given.
    let text = page.text().await?;
    ensure!(text.contains(fixtures::EVENTS.file_name()), "The page shows the file that was opened.");
    ensure!(!page.trace().has_rows().await?, "A timeline of the other file is shown.");
    Ok(())
}

async fn back_and_forward_move_between_list_and_trace(stage: &Stage) -> Result<()> {
    let span = some_span()?;
    let page = &stage.page;
    page.load_with(SMALL.path()).await?;
    page.open_trace(&span.trace_id).await?;
    let shown = page.timeline().await?;
    page.back().await?;
    page.wait_list().await?;
    page.forward().await?;
    page.wait_timeline().await?;
    ensure!(page.timeline().await? == shown, "Forward shows the same trace.");
    Ok(())
}

async fn a_sample_in_the_address_opens_by_itself(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open_sample().await?;
    let shown = page.trace_ids().await?;
    page.reload().await?;
    page.wait_list().await?;
    page.wait_idle().await?;
    ensure!(page.trace_ids().await? == shown, "The sample opens again by itself.");
    let (_scratch, connection) = fixtures::AGENT.open()?;
    ensure!(shown.len() == fixtures::trace_ids(&connection)?.len(), "The sample shows {} traces.", shown.len());
    Ok(())
}

async fn unknown_parts_of_an_address_are_not_fatal(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    for fragment in [
        "#v1/traces?show=purple&nonsense=1&sort=%ZZ",
        "#v9/future/place",
        "#%",
        "#v1/trace/?span=",
        "#v1/trace/nowhere?file=x",
    ] {
        // Another query, so that the browser loads the page anew.
        page.load_from(&format!("{}?{}{fragment}", stage.site.url(), fragment.len())).await?;
        page.open(&[SMALL.path()]).await?;
        let text = page.text().await?;
        ensure!(text.contains(SMALL.file_name()), "With {fragment} in the address the file does not open:\n{text}");
    }
    Ok(())
}
