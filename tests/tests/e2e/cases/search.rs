//! Texts in quotes: what a search through the file finds, how it is shown, and how it is stopped.

use crate::harness::{Case, Stage, cases};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT};
use quipu_tests::grow::{Plan, Shape, grow};
use std::collections::BTreeSet;
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![
    a_text_is_found_in_exactly_the_spans_that_hold_it,
    a_hit_opens_with_its_match_marked,
    a_search_is_stopped_and_goes_on,
];

/// The spans that hold an ASCII text without quotes or line ends: as it is recorded, whatever its case.
fn holding(text: &str) -> String {
    let holds = |column: &str| format!("lower({column}) LIKE '%{}%'", text.to_lowercase());
    format!(
        "SELECT span_id FROM spans WHERE {} OR {} UNION SELECT span_id FROM span_events WHERE {} OR {}",
        holds("name"),
        holds("attributes"),
        holds("name"),
        holds("attributes")
    )
}

async fn a_text_is_found_in_exactly_the_spans_that_hold_it(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    for text in ["shield", "Traceback", "WEATHER"] {
        let spans: BTreeSet<String> = fixtures::texts(&connection, &holding(text))?.into_iter().collect();
        let traces = format!("SELECT DISTINCT trace_id FROM spans WHERE span_id IN ({})", holding(text));
        let traces: BTreeSet<String> = fixtures::texts(&connection, &traces)?.into_iter().collect();
        if spans.is_empty() {
            continue;
        }
        page.filter(&format!("\"{text}\"")).await?;
        page.wait_searched().await?;
        ensure!(page.trace_set().await? == traces, "{text}: the list does not equal the traces that contain it.");
        page.matches().show().await?;
        page.wait_searched().await?;
        let found = page.matches().span_ids().await?;
        ensure!(found.iter().cloned().collect::<BTreeSet<_>>() == spans, "{text}: {} hits, the file has {}.", found.len(), spans.len());
        let marks = page.matches().marks().await?;
        ensure!(!marks.is_empty() && marks.iter().all(|mark| *mark == text.to_lowercase()), "What matches is marked: {marks:?}");
        page.clear_filter().await?;
        ensure!(page.shows_list().await?, "Without a text the traces are listed.");
    }
    Ok(())
}

async fn a_hit_opens_with_its_match_marked(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    page.filter("\"shield\"").await?;
    page.matches().show().await?;
    page.wait_searched().await?;
    let list = page.url().await?;
    let first = page.matches().span_ids().await?.into_iter().next().context("The text occurs.")?;
    // By keys: out of the filter, to the first hit, into it.
    page.leave_filter().await?;
    page.press('j').await?;
    page.press(Key::Enter).await?;
    page.wait_timeline().await?;
    page.wait_panel().await?;
    ensure!(page.url().await?.contains(&first) && page.url().await?.contains("find=shield"), "The address names the span and the text.");
    page.span_panel().wait_matches().await?;
    page.span_panel().open_first_match().await?;
    page.span_panel().wait_marked("shield").await?;
    page.back().await?;
    page.matches().wait().await?;
    ensure!(page.url().await? == list, "Back returns to the matches.");
    Ok(())
}

async fn a_search_is_stopped_and_goes_on(stage: &Stage) -> Result<()> {
    let path = stage.scratch.path().join("grown.db");
    let plan = Plan { sources: vec![AGENT.path()], shape: Shape::Bytes(120_000_000), attribute_bytes: None, seed: 1 };
    grow(&plan, &path)?;
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[path]).await?;
    page.stop_next_search().await?;
    page.filter("\"shield\"").await?;
    page.wait_search_stopped().await?;
    ensure!(page.count().await?.contains("so far"), "The list does not say that it is incomplete: {:?}", page.count().await?);
    page.finish_search().await?;
    ensure!(!page.search_is_stopped().await?, "The search is no longer stopped.");
    ensure!(page.count().await?.contains(" of "), "The total is not known: {:?}", page.count().await?);
    Ok(())
}
