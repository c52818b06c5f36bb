//! Texts in quotes: what a search through the file finds, how it is shown, and how it is stopped.

use crate::harness::{Case, Stage, cases};
use crate::page::Page;
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

/// Waits until the search has looked at everything.
async fn wait_searched(page: &Page) -> Result<()> {
    let done =
        "return isIdle() && !named('progressbar', 'Searching') && !(named('status', 'Count')?.innerText ?? 'so far').includes('so far')";
    page.wait_until(done, "the search to be complete").await
}

/// The ids of the spans in the list of matches.
async fn hits(page: &Page) -> Result<Vec<String>> {
    let table = page.rows("grid", "Matches", "data-span-id", &[]).await?;
    let ids: Vec<String> = table.rows.into_iter().filter_map(|mut row| row.swap_remove(0)).collect();
    ensure!(table.announced == ids.len() as i64 + 1, "The list announces {} rows and has {} hits.", table.announced, ids.len());
    Ok(ids)
}

async fn a_text_is_found_in_exactly_the_spans_that_hold_it(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    for text in ["shield", "Traceback", "WEATHER"] {
        let spans: BTreeSet<String> = fixtures::texts(&connection, &holding(text))?.into_iter().collect();
        let traces = format!("SELECT DISTINCT trace_id FROM spans WHERE span_id IN ({})", holding(text));
        let traces: BTreeSet<String> = fixtures::texts(&connection, &traces)?.into_iter().collect();
        if spans.is_empty() {
            continue;
        }
        page.filter(&format!("\"{text}\"")).await?;
        wait_searched(page).await?;
        ensure!(page.trace_ids().await?.into_iter().collect::<BTreeSet<_>>() == traces, "{text}: the traces that hold it are listed.");
        page.click("button", "Matches").await?;
        wait_searched(page).await?;
        let found = hits(page).await?;
        ensure!(found.iter().cloned().collect::<BTreeSet<_>>() == spans, "{text}: {} hits, the file has {}.", found.len(), spans.len());
        let marks =
            page.run("return [...named('grid', 'Matches').querySelectorAll('mark')].map((mark) => mark.textContent.toLowerCase())").await?;
        let marks: Vec<String> = serde_json::from_value(marks)?;
        ensure!(!marks.is_empty() && marks.iter().all(|mark| *mark == text.to_lowercase()), "What matches is marked: {marks:?}");
        page.click("button", "Clear filter").await?;
        ensure!(page.run("return !!named('grid', 'Traces')").await? == true, "Without a text the traces are listed.");
    }
    Ok(())
}

async fn a_hit_opens_with_its_match_marked(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.filter("\"shield\"").await?;
    page.click("button", "Matches").await?;
    wait_searched(page).await?;
    let list = page.url().await?;
    let first = hits(page).await?.into_iter().next().context("The text occurs.")?;
    // By keys: out of the filter, to the first hit, into it.
    for _ in 0..2 {
        if page.run("return document.activeElement?.getAttribute('role') === 'combobox'").await? == true {
            page.press(Key::Escape).await?;
        }
    }
    page.press('j').await?;
    page.press(Key::Enter).await?;
    page.wait_timeline().await?;
    page.wait_panel().await?;
    ensure!(page.url().await?.contains(&first) && page.url().await?.contains("find=shield"), "The address names the span and the text.");
    page.wait_until("return isIdle() && !!document.querySelector('[aria-label=\"Matches in this span\"] li')", "the matches").await?;
    page.run("document.querySelector('[aria-label=\"Matches in this span\"] li button').click()").await?;
    let marked = "
        const panel = named('complementary', 'Span');
        const list = panel.querySelector('[aria-label=\"Matches in this span\"]');
        const marks = [...panel.querySelectorAll('mark')].filter((mark) => !list.contains(mark) && shown(mark));
        return marks.length > 0 && marks.every((mark) => mark.textContent.toLowerCase() === 'shield')";
    page.wait_until(marked, "the text to be marked in the panel").await?;
    page.driver.back().await?;
    page.wait_until("return isIdle() && !!named('grid', 'Matches')", "the matches again").await?;
    ensure!(page.url().await? == list, "Back leads to the matches.");
    Ok(())
}

async fn a_search_is_stopped_and_goes_on(stage: &Stage) -> Result<()> {
    let path = stage.scratch.path().join("grown.db");
    let plan = Plan { sources: vec![AGENT.path()], shape: Shape::Bytes(120_000_000), attribute_bytes: None, seed: 1 };
    grow(&plan, &path)?;
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[path]).await?;
    // A person may be slower: the button is pressed as soon as it is there.
    page.run(
        "new MutationObserver((_, observer) => {
           const stop = named('button', 'Stop');
           if (stop) { observer.disconnect(); stop.click(); }
         }).observe(document.body, { childList: true, subtree: true })",
    )
    .await?;
    page.filter("\"shield\"").await?;
    page.wait_until("return isIdle() && !!named('status', 'Search stopped')", "the search to be stopped").await?;
    ensure!(page.count().await?.contains("so far"), "The list says that it is not whole: {:?}", page.count().await?);
    page.click("button", "Go on").await?;
    wait_searched(page).await?;
    ensure!(page.run("return named('status', 'Search stopped') === null").await? == true, "Nothing is stopped any more.");
    ensure!(page.count().await?.contains(" of "), "The whole is known: {:?}", page.count().await?);
    Ok(())
}
