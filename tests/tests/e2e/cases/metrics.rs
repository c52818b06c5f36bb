//! The page of metrics, compared with what SQL counts in the files.

use crate::harness::{Case, Stage, cases};
use crate::page::{Tab, Table};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, METRICS};
use std::collections::BTreeMap;
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![
    tokens_and_requests_are_those_of_the_file,
    a_part_of_the_time_is_pulled_out_of_a_chart_and_stands_in_the_address,
    promql_is_answered_in_chart_and_table_and_leads_to_the_spans,
    a_wrong_query_is_marked_where_it_is_wrong,
    a_query_is_completed_by_the_keyboard,
    prices_are_the_readers_own_and_costs_follow,
    names_are_merged_only_when_asked_to,
];

async fn open_metrics(stage: &Stage, file: &quipu_tests::fixtures::Fixture) -> Result<()> {
    let page = &stage.page;
    page.load_with(file.path()).await?;
    page.metrics().open().await
}

fn number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.replace(',', "").parse().ok()
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
    let shown = stage.page.metrics().rows(Table::Tokens).await?;
    for (model, completion) in expected {
        let row = shown.get(&model).with_context(|| format!("{model} is not listed in {shown:?}"))?;
        ensure!(
            row.get(1).and_then(|cell| number(cell)) == Some(completion),
            "{model} has {completion} completion tokens; the page shows {row:?}"
        );
    }
    let routes = stage.page.metrics().rows(Table::Requests).await?;
    let mut statement = file.prepare("SELECT name, count(*) FROM spans WHERE json_extract(attributes, '$.__root__') = 1 GROUP BY name")?;
    let expected: BTreeMap<String, f64> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let shown: BTreeMap<String, f64> =
        routes.iter().filter_map(|(route, cells)| Some((route.clone(), cells.first().and_then(|cell| number(cell))?))).collect();
    ensure!(shown == expected, "There are {expected:?} requests; the page shows {shown:?}.");
    ensure!(stage.page.metrics().charts().await? == 2, "Two charts are drawn.");
    // From a route to its traces.
    let route = expected.keys().next().context("a route")?.clone();
    stage.page.metrics().open_route(&route).await?;
    let url = stage.page.url().await?;
    ensure!(url.contains("filter=name"), "The address {url} names the filter.");
    Ok(())
}

async fn a_part_of_the_time_is_pulled_out_of_a_chart_and_stands_in_the_address(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    let page = &stage.page;
    let before = page.metrics().rows(Table::Durations).await?;
    page.metrics().pull_over_chart().await?;
    let after = page.metrics().rows(Table::Durations).await?;
    let spans = |rows: &BTreeMap<String, Vec<String>>| rows.values().filter_map(|row| number(row.first()?)).sum::<f64>();
    ensure!(spans(&after) < spans(&before), "A part has fewer spans than all.");
    let url = page.url().await?;
    page.reload().await?;
    page.open(&[METRICS.path()]).await?;
    page.metrics().wait().await?;
    ensure!(page.url().await? == url && page.metrics().rows(Table::Durations).await? == after, "The address restores the part.");
    page.metrics().show_all_time().await?;
    ensure!(page.metrics().rows(Table::Durations).await? == before, "The whole range shows the same again.");
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
    page.metrics().ask("sum(total_tokens)").await?;
    let last = page.metrics().rows(Table::Answer).await?;
    let row = last.values().next().context("an answer")?;
    ensure!(row.first().and_then(|cell| number(cell)) == Some(whole), "There are {whole} tokens in all; the page shows {row:?}");
    ensure!(page.metrics().answer_charts().await? == 1, "The answer is drawn.");
    page.metrics().ask_at_the_end().await?;
    let last = page.metrics().rows(Table::Answer).await?;
    ensure!(last.values().next().and_then(|row| number(row.first()?)) == Some(whole), "The value at the end differs: {last:?}");
    // To the spans behind it, and to the first of them.
    let said = page.metrics().show_point_spans().await?;
    let events: i64 = file.query_row("SELECT count(*) FROM span_events WHERE name = 'metric.total_tokens'", [], |row| row.get(0))?;
    ensure!(said.contains(&format!("{events} amounts")), "The value comes from {events} amounts; the page says {said}");
    page.metrics().open_first_point_span().await?;
    ensure!(page.span_panel().is_shown().await?, "The span is shown.");
    page.back().await?;
    page.metrics().wait_table(Table::Answer).await
}

async fn a_wrong_query_is_marked_where_it_is_wrong(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    let metrics = stage.page.metrics();
    metrics.ask("rat(total_tokens[5m])").await?;
    let alert = metrics.mistake().await?;
    ensure!(alert.as_ref().is_some_and(|alert| alert.contains("rat")), "The page does not say what is wrong: {alert:?}");
    let marked = metrics.mistake_mark().await?;
    ensure!(marked.as_deref() == Some("rat"), "The marked part is {marked:?}.");
    metrics.ask("rate(total_tokens[5m])").await?;
    ensure!(metrics.mistake().await?.is_none(), "A valid query shows no error.");
    Ok(())
}

async fn a_query_is_completed_by_the_keyboard(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    let page = &stage.page;
    page.metrics().focus_query().await?;
    page.type_text("sum by (mod").await?;
    page.metrics().wait_completion("model_id").await?;
    page.press(Key::Down).await?;
    page.press(Key::Enter).await?;
    page.type_text(") (total_tok").await?;
    page.metrics().wait_completion("total_tokens").await?;
    page.press(Key::Down).await?;
    page.press(Key::Enter).await?;
    page.type_text(")").await?;
    page.metrics().run_query().await?;
    page.metrics().wait_table(Table::Answer).await?;
    let query = page.metrics().query().await?;
    ensure!(query == "sum by (model_id) (total_tokens)", "The query is {query}.");
    Ok(())
}

async fn prices_are_the_readers_own_and_costs_follow(stage: &Stage) -> Result<()> {
    open_metrics(stage, &AGENT).await?;
    let page = &stage.page;
    let heads = page.metrics().headings(Table::Tokens).await?;
    ensure!(!heads.contains(&"Cost".to_owned()), "Nothing costs anything before there is a price.");
    page.metrics().unfold_prices().await?;
    page.metrics().add_price().await?;
    page.metrics().type_price("*", "1000000", "2000000").await?;
    page.metrics().wait_column(Table::Tokens, "Cost").await?;
    for (model, row) in stage.page.metrics().rows(Table::Tokens).await? {
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
    page.go_to_list().await?;
    page.open_trace(&trace_id).await?;
    page.open_tab(Tab::Statistics).await?;
    page.statistics().wait_costs().await?;
    page.open_tab(Tab::FlameGraph).await?;
    page.flame_graph().show_left_heavy().await?;
    page.flame_graph().weigh_by_cost().await?;
    page.screenshot("flame_by_cost").await?;
    // They are kept, and go when they are taken away.
    page.load().await?;
    let kept = page.setting("quipu.prices").await?;
    ensure!(kept.as_deref() == Some("\n*\t1000000\t2000000"), "The browser keeps {kept:?}.");
    page.clear_settings().await?;
    Ok(())
}

async fn names_are_merged_only_when_asked_to(stage: &Stage) -> Result<()> {
    open_metrics(stage, &METRICS).await?;
    let apart: Vec<String> = stage.page.metrics().rows(Table::Tokens).await?.into_keys().collect();
    let long = apart.iter().find(|name| name.starts_with("vllm/")).context("The fixture names a model with its provider.")?;
    let short = long.trim_start_matches("vllm/").to_owned();
    ensure!(apart.contains(&short), "The two names are not listed apart: {apart:?}");
    stage.page.metrics().merge_names().await?;
    let merged: Vec<String> = stage.page.metrics().rows(Table::Tokens).await?.into_keys().collect();
    ensure!(!merged.contains(long) && merged.contains(&short), "More than one name is left: {merged:?}");
    Ok(())
}
