//! The page of metrics, compared with what SQL counts in the files.

use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, METRICS};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use thirtyfour::{By, Key};

pub(crate) const CASES: &[Case] = cases![
    tokens_and_requests_are_those_of_the_file,
    a_part_of_the_time_is_pulled_out_of_a_chart_and_stands_in_the_address,
    promql_is_answered_in_chart_and_table_and_leads_to_the_spans,
    a_wrong_query_is_marked_where_it_is_wrong,
    a_query_is_completed_by_the_keyboard,
    prices_are_the_readers_own_and_costs_follow,
    names_are_merged_only_when_asked_to,
];

/// The cells of a table, a list a row, the head's first.
fn table(name: &str) -> String {
    format!(
        "const table = named('table', {name:?}); if (!table) return null;
         return [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
    )
}

async fn open_metrics(stage: &Stage, file: &quipu_tests::fixtures::Fixture) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[file.path()]).await?;
    page.click("link", "Metrics").await?;
    wait_for_tables(page).await
}

pub(super) async fn wait_for_tables(page: &Page) -> Result<()> {
    page.wait_until("return isIdle() && !!named('table', 'Durations by span name')", "the tables").await
}

/// Rows of a table by their first cell.
async fn rows(stage: &Stage, name: &str) -> Result<BTreeMap<String, Vec<String>>> {
    let cells: Option<Vec<Vec<String>>> = serde_json::from_value(stage.page.run(&table(name)).await?)?;
    let cells = cells.with_context(|| format!("There is no table {name}."))?;
    Ok(cells.into_iter().skip(1).filter_map(|mut row| (!row.is_empty()).then(|| (row.remove(0), row))).collect())
}

fn number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.replace(',', "").parse().ok()
}

async fn run_query(stage: &Stage, query: &str) -> Result<()> {
    let page = &stage.page;
    page.run("const box = named('textbox', 'PromQL query 1'); box.focus(); box.select(); return true").await?;
    page.type_text(query).await?;
    page.press(Key::Escape).await?;
    page.press(Key::Enter).await?;
    page.wait_until("return isIdle()", "the answer").await
}

async fn tokens_and_requests_are_those_of_the_file(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    check_tables(stage).await
}

/// The tables of the fixture that is open, and the way from one of them to traces.
pub(super) async fn check_tables(stage: &Stage) -> Result<()> {
    let (_scratch, file) = METRICS.open()?;
    let totals = "SELECT json_extract(attributes, '$.model_id'), sum(json_extract(attributes, '$.value')) FROM span_events
        WHERE name = 'metric.completion_tokens' GROUP BY 1";
    let mut statement = file.prepare(totals)?;
    let expected: Vec<(String, f64)> = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    ensure!(!expected.is_empty(), "The fixture has token events.");
    let shown = rows(stage, "Tokens by share").await?;
    for (model, completion) in expected {
        let row = shown.get(&model).with_context(|| format!("{model} is not listed in {shown:?}"))?;
        ensure!(
            row.get(1).and_then(|cell| number(cell)) == Some(completion),
            "{model} has {completion} completion tokens, shown is {row:?}"
        );
    }
    let routes = rows(stage, "Requests by route").await?;
    let mut statement = file.prepare("SELECT name, count(*) FROM spans WHERE json_extract(attributes, '$.__root__') = 1 GROUP BY name")?;
    let expected: BTreeMap<String, f64> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let shown: BTreeMap<String, f64> =
        routes.iter().filter_map(|(route, cells)| Some((route.clone(), cells.first().and_then(|cell| number(cell))?))).collect();
    ensure!(shown == expected, "Requests are {expected:?}, shown are {shown:?}.");
    ensure!(stage.page.run("return document.querySelectorAll('.time-chart canvas').length").await? == 2, "Two charts are drawn.");
    // From a route to its traces.
    let route = expected.keys().next().context("a route")?.clone();
    stage.page.click("button", &route).await?;
    stage.page.wait_until("return isIdle() && !!named('grid', 'Traces')", "the traces").await?;
    let url = stage.page.url().await?;
    ensure!(url.contains("filter=name"), "The address {url} names the filter.");
    Ok(())
}

async fn a_part_of_the_time_is_pulled_out_of_a_chart_and_stands_in_the_address(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    let page = &stage.page;
    let before = rows(stage, "Durations by span name").await?;
    page.run("document.querySelector('.time-chart .u-over').scrollIntoView({ block: 'center' })").await?;
    let over = page.driver.find(By::Css(".time-chart .u-over")).await?;
    let pull = page.driver.action_chain().move_to_element_center(&over).click_and_hold();
    pull.move_by_offset(40, 0).move_by_offset(200, 0).release().perform().await?;
    page.wait_until("return isIdle() && location.hash.includes('window=')", "the part in the address").await?;
    let after = rows(stage, "Durations by span name").await?;
    let spans = |rows: &BTreeMap<String, Vec<String>>| rows.values().filter_map(|row| number(row.first()?)).sum::<f64>();
    ensure!(spans(&after) < spans(&before), "A part has fewer spans than all.");
    let url = page.url().await?;
    page.driver.refresh().await?;
    page.wait_until("return isIdle() && !!document.querySelector('input[type=file]')", "the page").await?;
    page.open(&[METRICS.path()]).await?;
    wait_for_tables(page).await?;
    ensure!(page.url().await? == url && rows(stage, "Durations by span name").await? == after, "The address restores the part.");
    page.click("button", "All of it").await?;
    page.wait_until("return isIdle() && !location.hash.includes('window=')", "all of it").await?;
    ensure!(rows(stage, "Durations by span name").await? == before, "All of it is what it was.");
    Ok(())
}

async fn promql_is_answered_in_chart_and_table_and_leads_to_the_spans(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    check_promql(stage).await
}

/// A query of the fixture that is open, and the way from its answer to the spans behind it and back.
pub(super) async fn check_promql(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (_scratch, file) = METRICS.open()?;
    let whole: f64 =
        file.query_row("SELECT sum(json_extract(attributes, '$.value')) FROM span_events WHERE name = 'metric.total_tokens'", [], |row| {
            row.get(0)
        })?;
    run_query(stage, "sum(total_tokens)").await?;
    let last = rows(stage, "Answer").await?;
    let row = last.values().next().context("an answer")?;
    ensure!(row.first().and_then(|cell| number(cell)) == Some(whole), "All tokens are {whole}, shown is {row:?}");
    ensure!(page.run("return document.querySelectorAll('.promql canvas').length").await? == 1, "The answer is drawn.");
    page.click("button", "At the end").await?;
    page.wait_until("return isIdle() && document.querySelectorAll('.promql canvas').length === 0", "the values alone").await?;
    let last = rows(stage, "Answer").await?;
    ensure!(last.values().next().and_then(|row| number(row.first()?)) == Some(whole), "At the end it is the same: {last:?}");
    // To the spans behind it, and to the first of them.
    page.run("document.querySelector('.promql [data-set^=behind]').click()").await?;
    page.wait_until("return isIdle() && !!named('table', 'Spans behind the point')", "the spans").await?;
    let said = page.run("return named('region', 'Spans behind query 1').innerText").await?;
    let events: i64 = file.query_row("SELECT count(*) FROM span_events WHERE name = 'metric.total_tokens'", [], |row| row.get(0))?;
    ensure!(
        said.as_str().is_some_and(|said| said.contains(&format!("{events} amounts"))),
        "{events} amounts are behind it, said is {said}"
    );
    page.run("named('table', 'Spans behind the point').querySelector('a').click()").await?;
    page.wait_timeline().await?;
    let panel = page.run("return !!named('complementary', 'Span')").await?;
    ensure!(panel == json!(true), "The span is shown.");
    page.driver.back().await?;
    page.wait_until("return isIdle() && !!named('table', 'Answer')", "the answer again").await
}

async fn a_wrong_query_is_marked_where_it_is_wrong(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    run_query(stage, "rat(total_tokens[5m])").await?;
    let page = &stage.page;
    let alert = page.run("return document.querySelector('.promql [role=alert]')?.innerText ?? null").await?;
    ensure!(alert.as_str().is_some_and(|alert| alert.contains("rat")), "The mistake is told: {alert}");
    let marked = page.run("return document.querySelector('.promql-echo u')?.innerText ?? null").await?;
    ensure!(marked == "rat", "Marked is {marked}.");
    run_query(stage, "rate(total_tokens[5m])").await?;
    ensure!(page.run("return document.querySelector('.promql [role=alert]')").await? == Value::Null, "A right one has no mistake.");
    Ok(())
}

async fn a_query_is_completed_by_the_keyboard(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    let page = &stage.page;
    page.run("named('textbox', 'PromQL query 1').focus(); return true").await?;
    page.type_text("sum by (mod").await?;
    page.wait_until("return isIdle() && all('option').some((option) => option.innerText.includes('model_id'))", "a suggestion").await?;
    page.press(Key::Down).await?;
    page.press(Key::Enter).await?;
    page.type_text(") (total_tok").await?;
    page.wait_until("return isIdle() && all('option').some((option) => option.innerText.includes('total_tokens'))", "another").await?;
    page.press(Key::Down).await?;
    page.press(Key::Enter).await?;
    page.type_text(")").await?;
    page.press(Key::Escape).await?;
    page.press(Key::Enter).await?;
    page.wait_until("return isIdle() && !!named('table', 'Answer')", "the answer").await?;
    let query = page.run("return named('textbox', 'PromQL query 1').value").await?;
    ensure!(query == "sum by (model_id) (total_tokens)", "The query is {query}.");
    Ok(())
}

async fn prices_are_the_readers_own_and_costs_follow(stage: &Stage) -> Result<()> {
    open_metrics(stage, &AGENT).await?;
    let page = &stage.page;
    let heads = page.run(&table("Tokens by share")).await?;
    ensure!(heads[0].as_array().is_some_and(|heads| !heads.contains(&json!("Cost"))), "Nothing costs anything before there is a price.");
    page.run("[...document.querySelectorAll('summary')].find((summary) => summary.innerText === 'Prices').click()").await?;
    page.click("button", "Add a price").await?;
    for (label, text) in [
        ("Model pattern, row 1", "*"),
        ("Price per million prompt tokens, row 1", "1000000"),
        ("Price per million completion tokens, row 1", "2000000"),
    ] {
        page.run(&format!("named('textbox', {label:?}).focus(); return true")).await?;
        page.type_text(text).await?;
        page.press(Key::Tab).await?;
    }
    page.wait_until(
        "return isIdle() && [...named('table', 'Tokens by share').rows[0].cells].some((cell) => cell.innerText.trim() === 'Cost')",
        "costs",
    )
    .await?;
    for (model, row) in rows(stage, "Tokens by share").await? {
        let (Some(prompt), Some(completion)) = (row.first().and_then(|cell| number(cell)), row.get(1).and_then(|cell| number(cell))) else {
            continue;
        };
        let cost = row.last().context("a cost")?.trim_start_matches("≥ ").to_owned();
        ensure!(number(&cost) == Some(prompt + 2.0 * completion), "{model}: {prompt} and {completion} tokens cost {cost}");
    }
    // Wherever tokens are: names in a trace, and its flame graph.
    let (_scratch, file) = AGENT.open()?;
    let counted = "SELECT trace_id FROM spans WHERE attributes LIKE '%completion_tokens%' LIMIT 1";
    let trace_id = fixtures::texts(&file, counted)?.pop().context("The sample counts tokens.")?;
    page.click("link", "Traces").await?;
    page.open_trace(&trace_id).await?;
    page.click("tab", "Statistics").await?;
    page.wait_until("return isIdle() && !!document.querySelector('#by-cost')", "a column of costs").await?;
    page.click("tab", "Flame graph").await?;
    page.click("button", "Left-heavy").await?;
    page.click("button", "Cost").await?;
    page.wait_until("return isIdle() && location.hash.includes('weight=cost') && !!document.querySelector('.flame-box')", "boxes by cost")
        .await?;
    page.screenshot("flame_by_cost").await?;
    // They are kept, and go when they are taken away.
    page.load().await?;
    let kept = page.run("return localStorage.getItem('quipu.prices')").await?;
    ensure!(kept == "\n*\t1000000\t2000000", "Kept is {kept}.");
    page.run("localStorage.removeItem('quipu.prices')").await?;
    Ok(())
}

async fn names_are_merged_only_when_asked_to(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    let apart: Vec<String> = rows(stage, "Tokens by share").await?.into_keys().collect();
    let long = apart.iter().find(|name| name.starts_with("vllm/")).context("The fixture names a model with its provider.")?;
    let short = long.trim_start_matches("vllm/").to_owned();
    ensure!(apart.contains(&short), "Both names are listed: {apart:?}");
    stage.page.click("checkbox", "Merge names with their provider").await?;
    stage.page.wait_until("return isIdle() && location.hash.includes('models=merged')", "the switch in the address").await?;
    let merged: Vec<String> = rows(stage, "Tokens by share").await?.into_keys().collect();
    ensure!(!merged.contains(long) && merged.contains(&short), "One name is left: {merged:?}");
    Ok(())
}
