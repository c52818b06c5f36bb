//! What helps to read a timeline: hiding framework spans, one request of several, the critical path, jumps, measures, where failures began.

use crate::harness::{Case, Stage, cases};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, EVENTS};

pub(crate) const CASES: &[Case] = cases![
    framework_spans_are_hidden_and_the_url_keeps_that,
    a_merged_trace_shows_one_of_its_requests,
    the_critical_path_is_underlined,
    keys_jump_to_what_matters,
    a_span_is_measured_by_keys_and_the_address_keeps_it,
    events_stand_on_their_bars,
    a_failure_is_told_from_where_it_began,
];

/// The one trace that SQL finds.
fn trace_of(sql: &str) -> Result<String> {
    let (_scratch, connection) = AGENT.open()?;
    fixtures::texts(&connection, sql)?.pop().context("The fixture has such a trace.")
}

const TURN_WITH_TOOL: &str = "SELECT trace_id FROM spans WHERE name = 'tool_execution' ORDER BY trace_id LIMIT 1";
const MERGED: &str = "SELECT trace_id FROM spans WHERE attributes LIKE '%\"__root__\": true%' GROUP BY trace_id HAVING count(*) > 1 ORDER BY count(*) DESC, trace_id LIMIT 1";

async fn open_at(stage: &Stage, trace_id: &str) -> Result<()> {
    stage.page.load().await?;
    stage.page.open_traces(&[AGENT.path()]).await?;
    stage.page.open_trace(trace_id).await
}

async fn framework_spans_are_hidden_and_the_url_keeps_that(stage: &Stage) -> Result<()> {
    let trace_id = trace_of(TURN_WITH_TOOL)?;
    open_at(stage, &trace_id).await?;
    let page = &stage.page;
    let (_scratch, connection) = AGENT.open()?;
    let all = fixtures::number(&connection, &format!("SELECT count(*) FROM spans WHERE trace_id = '{trace_id}'"))?;
    ensure!(page.trace().announced().await? == all, "Everything is shown at first.");
    page.press('p').await?;
    let folded = page.trace().announced().await?;
    let asked_for = fixtures::number(
        &connection,
        &format!("SELECT count(*) FROM spans WHERE trace_id = '{trace_id}' AND attributes NOT LIKE '%__autotraced__%'"),
    )?;
    ensure!(folded < all && folded >= asked_for, "Of {all} spans {folded} stay, {asked_for} of which were traced on purpose.");
    let shown = page.trace().names().await?;
    ensure!(shown.iter().all(|name| !name.contains("RoutingTable")), "Routing tables are framework spans: {shown:?}");
    let told = page.text().await?;
    ensure!(told.contains(&format!("{folded} of {all}")), "The head does not say how many of all spans are shown:\n{told}");
    let url = page.url().await?;
    ensure!(url.contains("framework=folded"), "{url}");
    page.press('p').await?;
    ensure!(page.trace().announced().await? == all, "A second press shows everything again.");
    page.back().await?;
    page.trace().wait_announced(folded).await
}

async fn a_merged_trace_shows_one_of_its_requests(stage: &Stage) -> Result<()> {
    let trace_id = trace_of(MERGED)?;
    open_at(stage, &trace_id).await?;
    let page = &stage.page;
    let (_scratch, connection) = AGENT.open()?;
    let requests = fixtures::number(
        &connection,
        &format!("SELECT count(*) FROM spans WHERE trace_id = '{trace_id}' AND attributes LIKE '%\"__root__\": true%'"),
    )?;
    let options = page.trace().requests().await?;
    ensure!(options == requests, "{requests} requests can be chosen, not {options}.");
    let chosen = page.trace().choose_request(2).await?;
    let first = page.trace().first_span().await?;
    ensure!(first == chosen, "The request's root is the first row: {first}, not {chosen}.");
    let roots = page.trace().roots().await?;
    ensure!(roots == 1, "The request is not the only root: {roots} are shown.");
    Ok(())
}

async fn the_critical_path_is_underlined(stage: &Stage) -> Result<()> {
    // All of its rows are drawn at once.
    let small = "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) BETWEEN 5 AND 12 AND sum(parent_span_id IS NULL) = 1 ORDER BY count(*) DESC, trace_id LIMIT 1";
    open_at(stage, &trace_of(small)?).await?;
    let page = &stage.page;
    ensure!(page.trace().critical_path().await?.is_empty(), "It is marked on request only.");
    page.press('x').await?;
    let mut found = page.trace().critical_path().await?;
    found.sort_by(|one, other| one.0.total_cmp(&other.0));
    let covered: f64 = found.iter().map(|line| line.1).sum();
    ensure!((covered - 100.0).abs() < 1.0, "Under the rows of one root it covers the whole time once: {covered} %.");
    ensure!(found.windows(2).all(|pair| pair[1].0 - (pair[0].0 + pair[0].1) < 0.5), "Without gaps: {found:?}");
    ensure!(page.url().await?.contains("path=critical"), "The address keeps it.");
    Ok(())
}

async fn keys_jump_to_what_matters(stage: &Stage) -> Result<()> {
    let trace_id = trace_of("SELECT trace_id FROM spans WHERE name LIKE 'BraveSearch%' LIMIT 1")?;
    open_at(stage, &trace_id).await?;
    let page = &stage.page;
    page.press('e').await?;
    page.wait_panel().await?;
    ensure!(
        page.trace().selected_name().await?.as_deref() == Some("BraveSearchToolRuntimeImpl.invoke_tool"),
        "e goes to where the failure began."
    );
    page.press('i').await?;
    let name = page.trace().selected_name().await?;
    ensure!(name.as_ref().is_some_and(|name| name.starts_with("InferenceRouter.")), "i goes to an inference request: {name:?}");
    page.press('t').await?;
    let expected = {
        let (_scratch, connection) = AGENT.open()?;
        // The children of no span of this trace overlap each other.
        let sql = format!(
            "SELECT name FROM spans s WHERE trace_id = '{trace_id}' ORDER BY (julianday(end_time) - julianday(start_time))
             - coalesce((SELECT sum(julianday(c.end_time) - julianday(c.start_time)) FROM spans c WHERE c.parent_span_id = s.span_id), 0) DESC LIMIT 1"
        );
        fixtures::texts(&connection, &sql)?.pop().context("A slowest span.")?
    };
    ensure!(
        page.trace().selected_name().await?.as_ref() == Some(&expected),
        "t goes to the span with the longest time of its own, {expected}."
    );
    Ok(())
}

async fn a_span_is_measured_by_keys_and_the_address_keeps_it(stage: &Stage) -> Result<()> {
    let trace_id = trace_of(TURN_WITH_TOOL)?;
    open_at(stage, &trace_id).await?;
    let page = &stage.page;
    page.press('j').await?;
    page.press('m').await?;
    page.press('m').await?;
    let measured = page.trace().measured().await?.context("A measure is shown.")?;
    let whole = page.trace().selected_duration().await?.context("A duration.")?;
    ensure!(measured == whole, "The measured length {measured} is not the span’s duration {whole}.");
    ensure!(page.url().await?.contains("measure="), "The address keeps it.");
    page.press('m').await?;
    ensure!(page.trace().measured().await?.is_none(), "A third press ends it.");
    Ok(())
}

async fn events_stand_on_their_bars(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = EVENTS.open()?;
    let sql = "SELECT s.trace_id || ' ' || s.span_id || ' ' || count(*) FROM spans s JOIN span_events e ON e.span_id = s.span_id
               GROUP BY s.span_id ORDER BY count(*) DESC, s.span_id LIMIT 1";
    let found = fixtures::texts(&connection, sql)?.pop().context("A span with events.")?;
    let [trace_id, span_id, events] = found.split(' ').collect::<Vec<_>>()[..] else { anyhow::bail!("three words") };
    let page = &stage.page;
    page.load_with(EVENTS.path()).await?;
    page.open_trace(trace_id).await?;
    let counts = page.trace().event_dots(span_id).await?;
    ensure!(counts.iter().sum::<i64>() == events.parse::<i64>()?, "The bar does not show {events} events: {counts:?}");
    Ok(())
}

async fn a_failure_is_told_from_where_it_began(stage: &Stage) -> Result<()> {
    let trace_id = trace_of("SELECT trace_id FROM spans WHERE name LIKE 'BraveSearch%' LIMIT 1")?;
    open_at(stage, &trace_id).await?;
    let told = stage.page.trace().failures().await?.context("The failures.")?;
    ensure!(told.contains("BraveSearchToolRuntimeImpl.invoke_tool"), "The failure’s origin is not named: {told}");
    ensure!(told.contains("failed ToolRuntimeRouter.invoke_tool and /v1/agents/"), "The spans that failed with it are not named: {told}");
    Ok(())
}
