//! The views of a trace beside its timeline, compared with what SQL reads from the files.

use crate::harness::{Case, Stage, cases};
use crate::page::Tab;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, METRICS};
use rusqlite::Connection;
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![
    arrow_keys_go_from_tab_to_tab_and_the_address_follows,
    a_conversation_tells_what_was_asked_and_done_and_answered,
    the_turns_of_a_session_read_as_one_conversation,
    logs_are_those_of_the_file_and_filtered_by_severity,
    statistics_sort_by_every_column_and_lead_back_to_the_spans,
    a_flame_graph_has_every_span_and_leads_to_it,
];

/// Opens a trace and one of its tabs.
async fn open_tab(stage: &Stage, file: &fixtures::Fixture, trace_id: &str, tab: Tab) -> Result<()> {
    let page = &stage.page;
    page.load_with(file.path()).await?;
    page.open_trace(trace_id).await?;
    page.open_tab(tab).await
}

async fn arrow_keys_go_from_tab_to_tab_and_the_address_follows(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let trace_id = fixtures::texts(
        &connection,
        "SELECT trace_id FROM spans WHERE json_extract(attributes, '$.session_id') IS NOT NULL ORDER BY rowid LIMIT 1",
    )?
    .pop()
    .context("a trace")?;
    let page = &stage.page;
    open_tab(stage, &AGENT, &trace_id, Tab::Timeline).await?;
    let names = page.tabs().names().await?;
    ensure!(names == ["Timeline", "Flame graph", "Conversation", "Logs", "Statistics"], "The tabs are {names:?}.");
    for (key, name, part) in [
        (Key::Right, "Flame graph", "tab=flame"),
        (Key::End, "Statistics", "tab=statistics"),
        (Key::Left, "Logs", "tab=logs"),
        (Key::Left, "Conversation", "tab=conversation"),
    ] {
        page.press(key).await?;
        let found = page.tabs().focused_and_chosen().await?;
        ensure!(found == [name, name], "Focused and chosen are {found:?}, not {name}.");
        let url = page.url().await?;
        ensure!(url.contains(part), "The address {url} does not name the tab.");
        ensure!(page.tabs().chosen_names_the_view().await?, "The panel is not named by the chosen tab.");
    }
    page.reload().await?;
    page.open(&[AGENT.path()]).await?;
    page.conversation().wait_turn().await?;
    page.back().await?;
    page.wait_idle().await?;
    ensure!(page.url().await?.contains("tab=logs"), "Back returns to the previous tab.");
    Ok(())
}

async fn a_conversation_tells_what_was_asked_and_done_and_answered(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let turn = "SELECT trace_id FROM spans WHERE json_extract(attributes, '$.input') LIKE '%look in docs for llama 2%' ORDER BY start_time LIMIT 1";
    let trace_id = fixtures::texts(&connection, turn)?.pop().context("The fixture has such a turn.")?;
    let last = format!(
        "SELECT json_extract(json_extract(attributes, '$.output'), '$.content') FROM spans
         WHERE trace_id = '{trace_id}' AND name = 'inference' ORDER BY start_time DESC LIMIT 1"
    );
    let answer = fixtures::texts(&connection, &last)?.pop().context("The turn has an answer.")?;
    open_tab(stage, &AGENT, &trace_id, Tab::Conversation).await?;
    let text = stage.page.tabs().view_text().await?;
    let order = [
        "You search.",
        "look in docs for llama 2",
        "Asked fake/Llama-3.2-3B with 2 tools",
        "knowledge_search",
        "BEGIN of knowledge_search",
        &answer,
    ];
    let mut rest = text.as_str();
    for expected in order {
        let at = rest.find(expected).with_context(|| format!("The conversation does not go on with {expected:?}:\n{text}"))?;
        rest = &rest[at..];
    }
    ensure!(text.contains("passed"), "Shields are shown:\n{text}");
    // The arguments are a tree, and as recorded at a press.
    ensure!(!text.contains(r#"{"query""#), "Arguments are shown as recorded, not drawn.");
    stage.page.conversation().show_raw_arguments().await?;
    ensure!(stage.page.tabs().view_text().await?.contains(r#"{"query""#), "A press shows the recorded arguments.");
    // Everything leads to its span.
    stage.page.conversation().open_span_of_result().await?;
    let panel = stage.page.panel_text().await?;
    ensure!(panel.contains("tool_execution"), "The result leads to the span of its tool:\n{panel}");
    ensure!(stage.page.tabs().view_text().await?.contains(&answer), "The conversation stays next to the panel.");
    Ok(())
}

async fn the_turns_of_a_session_read_as_one_conversation(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let session = "json_extract(attributes, '$.session_id')";
    let sql =
        format!("SELECT {session} FROM spans WHERE {session} IS NOT NULL GROUP BY 1 ORDER BY count(DISTINCT trace_id) DESC, 1 LIMIT 1");
    let session_id = fixtures::texts(&connection, &sql)?.pop().context("The fixture has agent sessions.")?;
    let sql = format!("SELECT DISTINCT trace_id FROM spans WHERE {session} = '{session_id}' ORDER BY start_time");
    let traces = fixtures::texts(&connection, &sql)?;
    ensure!(traces.len() > 2, "The session has several traces.");
    open_tab(stage, &AGENT, &traces[1], Tab::Conversation).await?;
    let one = stage.page.tabs().view_text().await?;
    ensure!(one.contains(&format!("The agent session has {} traces.", traces.len())), "{one}");
    stage.page.conversation().show_session().await?;
    let all = stage.page.tabs().view_text().await?;
    ensure!(
        all.len() > one.len() && stage.page.url().await?.contains("told=session"),
        "The conversation is not that of the whole session:\n{all}"
    );
    let turns = stage.page.conversation().turns().await?;
    ensure!(turns as usize >= traces.len(), "{} traces are shown in {turns} turns.", traces.len());
    Ok(())
}

async fn logs_are_those_of_the_file_and_filtered_by_severity(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = METRICS.open()?;
    let sql = "SELECT s.trace_id FROM span_events e JOIN spans s USING (span_id)
               WHERE json_extract(e.attributes, '$.severity') = 'error'
                 AND json_extract(e.attributes, '$.message') LIKE '%Traceback%' ORDER BY e.id LIMIT 1";
    let trace_id = fixtures::texts(&connection, sql)?.pop().context("The fixture has an error.")?;
    let of = |filter: &str| ids(&connection, &trace_id, filter);
    open_tab(stage, &METRICS, &trace_id, Tab::Logs).await?;
    let found = stage.page.logs().ids().await?;
    ensure!(found == of("")?, "The events are {found:?}.");
    stage.page.logs().choose_severity("error").await?;
    let graver = of("AND json_extract(e.attributes, '$.severity') IN ('error', 'critical')")?;
    let found = stage.page.logs().ids().await?;
    ensure!(found == graver && !graver.is_empty(), "The errors are {found:?}, not {graver:?}.");
    ensure!(stage.page.url().await?.contains("severity=error"), "The filter is in the address.");
    let text = stage.page.tabs().view_text().await?;
    ensure!(text.contains("lines between"), "Tracebacks are folded:\n{text}");
    stage.page.logs().open_first_span().await
}

fn ids(connection: &Connection, trace_id: &str, filter: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT CAST(e.id AS TEXT) FROM span_events e JOIN spans s USING (span_id) WHERE s.trace_id = '{trace_id}' {filter}
         ORDER BY e.timestamp, e.id"
    );
    fixtures::texts(connection, &sql)
}

async fn statistics_sort_by_every_column_and_lead_back_to_the_spans(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let largest = "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY count(*) DESC, trace_id LIMIT 1";
    let trace_id = fixtures::texts(&connection, largest)?.pop().context("a trace")?;
    open_tab(stage, &AGENT, &trace_id, Tab::Statistics).await?;
    let order = |sql: &str| {
        fixtures::texts(&connection, &format!("SELECT name FROM spans WHERE trace_id = '{trace_id}' GROUP BY name ORDER BY {sql}"))
    };
    let page = &stage.page;
    for (column, sql) in [
        ("Name", "name"),
        ("Name", "name DESC"),
        ("Spans", "count(*) DESC, name"),
        ("Spans", "count(*), name"),
    ] {
        page.statistics().sort_by(column).await?;
        let names = page.statistics().names().await?;
        ensure!(names == order(sql)?, "Sorted by {sql}, the names are {names:?}.");
    }
    for column in ["Failed", "Total", "Self", "Min", "Median", "p95", "p99", "Max", "Tokens"] {
        page.statistics().sort_by(column).await?;
        let sorted = page.statistics().sorted_descending().await?;
        ensure!(sorted == [column], "The table is sorted by {sorted:?}, not {column}.");
    }
    let counts = page.statistics().spans().await?;
    let spans = fixtures::texts(&connection, &format!("SELECT CAST(count(*) AS TEXT) FROM spans WHERE trace_id = '{trace_id}'"))?;
    ensure!(spans[0].parse().ok() == Some(counts), "The names have {counts} spans, the trace {}.", spans[0]);
    let name = order("name")?.into_iter().find(|name| name.contains("Router.")).context("a router")?;
    page.statistics().open_spans_of(&name).await?;
    let matching = page.trace().matches().await?;
    let of_name = format!("SELECT CAST(count(*) AS TEXT) FROM spans WHERE trace_id = '{trace_id}' AND name = '{name}'");
    let count = fixtures::texts(&connection, &of_name)?.pop().unwrap_or_default();
    ensure!(matching.contains(&count), "There are {count} spans named {name}; {matching} are found.");
    Ok(())
}

async fn a_flame_graph_has_every_span_and_leads_to_it(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let sql = "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) BETWEEN 8 AND 14 ORDER BY count(*) DESC, trace_id LIMIT 1";
    let trace_id = fixtures::texts(&connection, sql)?.pop().context("a trace")?;
    open_tab(stage, &AGENT, &trace_id, Tab::FlameGraph).await?;
    let page = &stage.page;
    let spans = fixtures::texts(&connection, &format!("SELECT span_id FROM spans WHERE trace_id = '{trace_id}'"))?;
    let boxes = page.flame_graph().spans_in_boxes().await?;
    ensure!(boxes == spans.len() as u64, "{} spans are in boxes for {boxes}.", spans.len());
    // By keys alone: to the first box, one down, selected, zoomed to.
    page.flame_graph().focus().await?;
    page.press(Key::Down).await?;
    let child = page.flame_graph().focused_span().await?.context("A box of one span has the focus.")?;
    let parent = format!("SELECT parent_span_id FROM spans WHERE span_id = '{child}'");
    let root = page.flame_graph().first_span().await?;
    ensure!(fixtures::texts(&connection, &parent)?.first() == root.as_ref(), "Down leads to a child.");
    page.press(Key::Enter).await?;
    page.wait_panel().await?;
    ensure!(page.url().await?.contains(&format!("span={child}")), "Enter selects the span.");
    page.press('z').await?;
    ensure!(page.url().await?.contains("window="), "z zooms to it: {}", page.url().await?);
    page.flame_graph().show_whole().await?;
    page.flame_graph().show_callers_and_callees().await?;
    let name = fixtures::texts(&connection, &format!("SELECT name FROM spans WHERE span_id = '{child}'"))?;
    let text = stage.page.tabs().view_text().await?;
    ensure!(text.contains(&format!("Callers of {}", name[0])) && text.contains(&format!("Callees of {}", name[0])), "{text}");
    page.flame_graph().show_left_heavy().await?;
    ensure!(page.url().await?.contains("flame=heavy"), "The order is in the address.");
    let rows = page.flame_graph().rows_of_table().await?;
    let drawn = page.flame_graph().boxes().await?;
    ensure!(rows == drawn, "The table has {rows} rows for {drawn} boxes.");
    Ok(())
}
