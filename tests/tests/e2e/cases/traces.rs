//! The table of traces and the timelines show what is in the file, for every fixture.

use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::Column;
use anyhow::{Result, bail, ensure};
use quipu_tests::fixtures::{self, Fixture};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::PathBuf;

pub(crate) const CASES: &[Case] = cases![
    metrics_shows_every_trace_and_span,
    old_0_2_11_shows_every_trace_and_span,
    agent_shows_every_trace_and_span,
    small_shows_every_trace_and_span,
    events_shows_every_trace_and_span,
    old_0_0_58_shows_every_trace_and_span,
    old_0_1_8_shows_every_trace_and_span,
    old_0_1_9_shows_every_trace_and_span,
    old_0_2_7_shows_every_trace_and_span,
    failed_shows_exactly_the_failed_traces,
    slowest_sorts_by_duration,
    newest_sorts_by_start,
    tokens_say_for_how_many_requests_they_were_counted,
    dropped_files_open_like_chosen_ones,
    another_file_replaces_the_first,
];

/// Opens `files` and compares the traces, and the timeline of each, with what SQL says of `connection`.
pub(crate) async fn check_file(stage: &Stage, files: &[PathBuf], connection: &Connection) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open_traces(files).await?;
    let shown = page.trace_ids().await?;
    check_sets("traces", &shown.iter().cloned().collect(), &fixtures::trace_ids(connection)?.into_iter().collect())?;
    let timelines = expected::timelines(connection)?;
    let Some((first, _)) = timelines.first_key_value() else { bail!("The fixture holds no trace with spans.") };
    page.open_trace(first).await?;
    let mut current = first;
    for (trace_id, rows) in &timelines {
        let ids: Vec<&str> = rows.iter().map(|(span_id, _, _)| span_id.as_str()).collect();
        page.go_to_trace(current, trace_id, &ids).await?;
        check_sets(&format!("spans of trace {trace_id}"), &page.timeline().await?, rows)?;
        current = trace_id;
    }
    Ok(())
}

/// Fails with the differences where two sets differ.
fn check_sets<T: Ord + std::fmt::Debug>(what: &str, shown: &BTreeSet<T>, expected: &BTreeSet<T>) -> Result<()> {
    let missing: Vec<_> = expected.difference(shown).collect();
    let extra: Vec<_> = shown.difference(expected).collect();
    if !missing.is_empty() || !extra.is_empty() {
        bail!(
            "The {what}: the page shows {}, the file has {}. {} missing, the first {:?}. {} too many, the first {:?}.",
            shown.len(),
            expected.len(),
            missing.len(),
            missing.first(),
            extra.len(),
            extra.first()
        );
    }
    Ok(())
}

async fn check_fixture(stage: &Stage, fixture: Fixture) -> Result<()> {
    let (_scratch, connection) = fixture.open()?;
    check_file(stage, &[fixture.path()], &connection).await
}

async fn small_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::SMALL).await
}

async fn agent_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::AGENT).await
}

async fn metrics_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::METRICS).await
}

async fn events_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::EVENTS).await
}

async fn old_0_0_58_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::OLD_0_0_58).await
}

async fn old_0_1_8_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::OLD_0_1_8).await
}

async fn old_0_1_9_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::OLD_0_1_9).await
}

async fn old_0_2_7_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::OLD_0_2_7).await
}

async fn old_0_2_11_shows_every_trace_and_span(stage: &Stage) -> Result<()> {
    check_fixture(stage, fixtures::OLD_0_2_11).await
}

async fn failed_shows_exactly_the_failed_traces(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    for fixture in [fixtures::SMALL, fixtures::AGENT, fixtures::METRICS, fixtures::EVENTS] {
        let (_scratch, connection) = fixture.open()?;
        let expected = expected::failed_traces(&connection)?;
        ensure!(!expected.is_empty(), "{} has no failed trace to look for.", fixture.name);
        page.open_traces(&[fixture.path()]).await?;
        page.list().show_failed().await?;
        check_sets(&format!("failed traces of {}", fixture.name), &page.trace_set().await?, &expected)?;
        page.list().show_all().await?;
        ensure!(page.trace_ids().await?.len() == fixtures::trace_ids(&connection)?.len(), "“All” does not bring all traces back.");
    }
    Ok(())
}

async fn slowest_sorts_by_duration(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = fixtures::AGENT.open()?;
    let durations = expected::durations(&connection)?;
    let page = &stage.page;
    page.load_with(fixtures::AGENT.path()).await?;
    page.list().sort_by(Column::Duration).await?;
    let ids = page.trace_ids().await?;
    let shown: Vec<i64> = ids.iter().filter_map(|id| durations.get(id).copied()).collect();
    ensure!(shown.len() == durations.len(), "{} of {} traces are shown.", shown.len(), durations.len());
    ensure!(shown.is_sorted_by(|a, b| a >= b), "Durations in the order of the table, in microseconds: {shown:?}");
    Ok(())
}

async fn newest_sorts_by_start(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = fixtures::AGENT.open()?;
    let sql = "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY min(start_time) DESC";
    let expected = fixtures::texts(&connection, sql)?;
    let page = &stage.page;
    page.load_with(fixtures::AGENT.path()).await?;
    ensure!(page.trace_ids().await? == expected, "The first order is not by start, latest first.");
    page.list().sort_by(Column::Duration).await?;
    page.list().sort_by(Column::Start).await?;
    ensure!(page.trace_ids().await? == expected, "“Start” does not bring the first order back.");
    Ok(())
}

async fn tokens_say_for_how_many_requests_they_were_counted(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_with(fixtures::AGENT.path()).await?;
    let text = page.text().await?;
    ensure!(text.contains("counted for 8 of 57 inference requests"), "The page does not say how many requests the tokens are from.");
    Ok(())
}

async fn dropped_files_open_like_chosen_ones(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = fixtures::SMALL.open()?;
    let page = &stage.page;
    page.load().await?;
    page.drop_files(&[fixtures::SMALL.path()]).await?;
    check_sets("traces", &page.trace_set().await?, &fixtures::trace_ids(&connection)?.into_iter().collect())
}

async fn another_file_replaces_the_first(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_with(fixtures::AGENT.path()).await?;
    let first = page.trace_ids().await?;
    page.open_trace(&first[0]).await?;
    // While a trace of the first file is shown.
    page.open_traces(&[fixtures::SMALL.path()]).await?;
    let (_scratch, connection) = fixtures::SMALL.open()?;
    check_sets("traces", &page.trace_set().await?, &fixtures::trace_ids(&connection)?.into_iter().collect())?;
    ensure!(!page.text().await?.contains(fixtures::AGENT.file_name()), "The first file's name is still on the page.");
    Ok(())
}
