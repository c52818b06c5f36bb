//! The list of traces: orders, groups, columns, what it has in all, and the picture that narrows it.

use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, METRICS};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![
    headings_sort_both_ways_and_say_so,
    sessions_and_turns_hold_their_traces,
    groups_open_and_close_by_keys_and_stand_in_the_address,
    columns_are_chosen_kept_and_shared,
    totals_are_of_what_is_listed,
    a_part_pulled_out_of_the_picture_becomes_a_filter,
    the_picture_is_narrowed_by_keys_and_put_away,
];

async fn open(stage: &Stage, fixture: fixtures::Fixture) -> Result<&Page> {
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[fixture.path()]).await?;
    Ok(page)
}

/// The headings that sort, each with how the list is sorted by it.
async fn headings(page: &Page) -> Result<BTreeMap<String, String>> {
    let script = "return Object.fromEntries([...named('grid', 'Traces').querySelectorAll('[role=columnheader]:has(button)')].map(
        (e) => [e.querySelector('button').firstChild.textContent, e.getAttribute('aria-sort')]))";
    Ok(serde_json::from_value(page.run(script).await?)?)
}

async fn press_heading(page: &Page, name: &str) -> Result<()> {
    page.run(&format!("named('grid', 'Traces').querySelector('[data-column={name}]').click()")).await?;
    page.wait_idle().await
}

async fn headings_sort_both_ways_and_say_so(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let durations = expected::durations(&connection)?;
    let spans: BTreeMap<String, i64> = pairs(&connection, "SELECT trace_id, count(*) FROM spans GROUP BY trace_id")?;
    let page = open(stage, AGENT).await?;
    ensure!(headings(page).await?.get("Start").is_some_and(|sort| sort == "descending"), "The latest is first, and the heading says so.");
    for (column, label, values) in [("duration", "Duration", durations.into_iter().collect()), ("spans", "Spans", spans)] {
        for direction in ["descending", "ascending"] {
            press_heading(page, column).await?;
            let shown: Vec<i64> = page.trace_ids().await?.iter().filter_map(|id| values.get(id).copied()).collect();
            ensure!(shown.len() == values.len(), "All traces are listed.");
            let sorted = if direction == "ascending" { shown.is_sorted() } else { shown.is_sorted_by(|one, next| one >= next) };
            ensure!(sorted, "{label}, {direction}: {shown:?}");
            let sorts = headings(page).await?;
            ensure!(sorts.get(label).is_some_and(|sort| sort == direction), "{label} says {:?}, not {direction}.", sorts.get(label));
            ensure!(sorts.values().filter(|sort| *sort != "none").count() == 1, "One heading is sorted by: {sorts:?}");
        }
    }
    ensure!(page.url().await?.contains("sort=spans"), "The order stands in the address.");
    page.driver.back().await?;
    page.wait_idle().await?;
    ensure!(page.url().await?.contains("sort=-spans"), "A step back is the order before.");
    // A heading keeps the focus, so that it can be pressed again.
    page.run("named('grid', 'Traces').querySelector('[data-column=session]').focus()").await?;
    page.press(Key::Enter).await?;
    let sessions: BTreeMap<String, String> = pairs(&connection, SESSIONS)?;
    let shown: Vec<Option<String>> = page.trace_ids().await?.iter().map(|id| sessions.get(id).cloned()).collect();
    let known: Vec<&String> = shown.iter().map_while(Option::as_ref).collect();
    ensure!(known.len() == sessions.len() && known.is_sorted(), "Sessions by the alphabet, traces without one behind: {shown:?}");
    page.run("if (document.activeElement?.dataset.column !== 'session') throw new Error('The heading lost the focus.')").await?;
    Ok(())
}

const SESSIONS: &str =
    "SELECT trace_id, json_extract(attributes, '$.session_id') FROM spans WHERE json_extract(attributes, '$.session_id') IS NOT NULL";
const TURNS: &str =
    "SELECT trace_id, json_extract(attributes, '$.turn_id') FROM spans WHERE json_extract(attributes, '$.turn_id') IS NOT NULL";

fn pairs<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> Result<BTreeMap<String, T>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The traces of each group, by SQL; those without one under an empty key.
fn groups(connection: &Connection, sql: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let of: BTreeMap<String, String> = pairs(connection, sql)?;
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for trace in fixtures::trace_ids(connection)? {
        groups.entry(of.get(&trace).cloned().unwrap_or_default()).or_default().insert(trace);
    }
    Ok(groups)
}

/// The rows in the table's order: a group's key, or a trace's id.
async fn lines(page: &Page) -> Result<Vec<(bool, String)>> {
    let table = page.rows("grid", "Traces", "data-place", &["data-group", "data-trace-id"]).await?;
    ensure!(table.announced == table.rows.len() as i64 + 1, "{} rows are announced, {} there.", table.announced, table.rows.len());
    let line = |row: Vec<Option<String>>| match row.as_slice() {
        [_, Some(group), None] => Some((true, group.clone())),
        [_, None, Some(trace)] => Some((false, trace.clone())),
        _ => None,
    };
    table.rows.into_iter().map(line).collect::<Option<_>>().context("A row is a group or a trace.")
}

async fn sessions_and_turns_hold_their_traces(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = METRICS.open()?;
    let page = open(stage, METRICS).await?;
    for (button, sql) in [("Sessions", SESSIONS), ("Turns", TURNS)] {
        let expected = groups(&connection, sql)?;
        page.click("button", button).await?;
        let closed = lines(page).await?;
        let keys: BTreeSet<String> = closed.iter().map(|(_, key)| key.clone()).collect();
        ensure!(closed.iter().all(|(is_group, _)| *is_group), "At first all groups are closed.");
        ensure!(keys == expected.keys().cloned().collect(), "{button}: {} groups, not {}.", keys.len(), expected.len());
        let (largest, traces) =
            expected.iter().filter(|(key, _)| !key.is_empty()).max_by_key(|(_, traces)| traces.len()).context("There are groups.")?;
        ensure!(traces.len() > 1, "A {button} group has several traces.");
        page.click_row("grid", "Traces", "data-group", largest).await?;
        page.wait_idle().await?;
        let open = lines(page).await?;
        let inside: BTreeSet<String> = open.iter().filter(|(is_group, _)| !is_group).map(|(_, id)| id.clone()).collect();
        ensure!(inside == *traces, "{button} {largest} holds {} traces, not {}.", inside.len(), traces.len());
        let at = open.iter().position(|(is_group, key)| *is_group && key == largest).context("The group is there.")?;
        ensure!(open.iter().skip(at + 1).take(traces.len()).all(|(is_group, _)| !is_group), "Its traces stand below it.");
        // What is open stays so in another order.
        press_heading(page, "spans").await?;
        let sorted = lines(page).await?;
        ensure!(sorted.len() == open.len(), "The group is still open: {} rows, {} before.", sorted.len(), open.len());
        press_heading(page, "start").await?;
    }
    Ok(())
}

async fn groups_open_and_close_by_keys_and_stand_in_the_address(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let expected = groups(&connection, SESSIONS)?;
    let page = open(stage, AGENT).await?;
    page.click("button", "Sessions").await?;
    let keys = lines(page).await?;
    page.press('j').await?;
    page.press(Key::Right).await?;
    let expanded = "return document.querySelector('[aria-selected=true] [aria-expanded]')?.getAttribute('aria-expanded') ?? null";
    ensure!(page.run(expanded).await? == "true", "Its button says that it is open.");
    let first = &keys[0].1;
    let traces = expected.get(first).context("The first group is one of the file.")?.len();
    ensure!(lines(page).await?.len() == keys.len() + traces, "The arrow opens the first group.");
    page.press(Key::Right).await?;
    let inside = page.run("return document.querySelector('[aria-selected=true]').dataset.traceId ?? null").await?;
    ensure!(inside.as_str().is_some_and(|id| expected[first].contains(id)), "A second one leads to its first trace.");
    // The address is the view: loading it again restores it, once the file is given.
    let url = page.url().await?;
    ensure!(url.contains("group=session") && url.contains(&format!("open={first}")), "{url}");
    page.driver.refresh().await?;
    page.wait_idle().await?;
    page.open_traces(&[AGENT.path()]).await?;
    ensure!(lines(page).await?.len() == keys.len() + traces, "The group is open after a reload.");
    page.press('j').await?;
    page.press('j').await?;
    page.press(Key::Left).await?;
    page.press(Key::Left).await?;
    ensure!(lines(page).await? == keys, "Left leads to the group, and left again closes it.");
    page.click("button", "Single").await?;
    ensure!(page.trace_ids().await?.len() == fixtures::trace_ids(&connection)?.len(), "Single traces are back.");
    Ok(())
}

async fn columns_are_chosen_kept_and_shared(stage: &Stage) -> Result<()> {
    let page = open(stage, AGENT).await?;
    let before = headings(page).await?;
    ensure!(before.contains_key("Tokens") && !before.contains_key("Agent"), "{before:?}");
    let shared = page.url().await?;
    page.click("button", "Columns").await?;
    for name in ["agent", "prompt", "completion"] {
        page.run(&format!("document.querySelector('#columns-menu [value={name}]').click()")).await?;
        page.wait_idle().await?;
    }
    page.press(Key::Escape).await?;
    let after = headings(page).await?;
    ensure!(after.contains_key("Agent") && !after.contains_key("Prompt"), "{after:?}");
    press_heading(page, "agent").await?;
    press_heading(page, "agent").await?;
    ensure!(page.text().await?.contains("weather-bot"), "The agent's name is shown, and from the end of the alphabet it is the first.");
    ensure!(page.url().await?.contains("columns=start,name,"), "{}", page.url().await?);
    // A link of somebody else shows what it says, and changes nothing that is kept.
    let go = |url: &str| format!("location.hash = {}", serde_json::json!(url.split_once('#').map_or("", |(_, hash)| hash)));
    page.run(&go(&shared)).await?;
    page.wait_idle().await?;
    ensure!(headings(page).await? == before, "The link's columns are shown.");
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    ensure!(headings(page).await?.contains_key("Agent"), "What was chosen is kept.");
    page.run("localStorage.clear()").await?;
    Ok(())
}

async fn totals_are_of_what_is_listed(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = open(stage, AGENT).await?;
    let totals = async || page.text_of("named('note', 'Totals')").await.map(Option::unwrap_or_default);
    let spans: i64 = connection.query_row("SELECT count(*) FROM spans", [], |row| row.get(0))?;
    let all = totals().await?;
    ensure!(all.starts_with(&format!("{spans} spans")), "{all}");
    ensure!(all.contains("counted for 8 of 57 inference requests"), "{all}");
    page.click("button", "Failed").await?;
    let failed = expected::failed_traces(&connection)?;
    let list = failed.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let spans: i64 = connection.query_row(&format!("SELECT count(*) FROM spans WHERE trace_id IN ({list})"), [], |row| row.get(0))?;
    let some = totals().await?;
    ensure!(some.starts_with(&format!("{spans} spans")) && some.contains(&format!("in {} traces", failed.len())), "{some}");
    Ok(())
}

/// Start in microseconds, duration in microseconds, by trace.
fn places(connection: &Connection) -> Result<BTreeMap<String, i64>> {
    let sql =
        "SELECT trace_id, min(unixepoch(start_time) * 1000000 + CAST(substr(start_time, 21, 6) AS INTEGER)) FROM spans GROUP BY trace_id";
    pairs(connection, sql)
}

async fn a_part_pulled_out_of_the_picture_becomes_a_filter(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = METRICS.open()?;
    let starts = places(&connection)?;
    let durations = expected::durations(&connection)?;
    let page = open(stage, METRICS).await?;
    let crosses = page.run("return document.querySelector('.plot .crosses')?.getAttribute('d').length ?? 0").await?;
    ensure!(crosses.as_u64() > Some(0), "Failed traces are crosses.");
    // The right half, across: only time is narrowed.
    let drag = |from: (f64, f64), to: (f64, f64)| {
        format!(
            "const plot = document.querySelector('.plot'), box = plot.getBoundingClientRect();
             const at = (type, x, y) => plot.dispatchEvent(new PointerEvent(type, {{ bubbles: true, cancelable: true, pointerId: 1, button: 0,
               clientX: box.left + x * box.width, clientY: box.top + y * box.height }}));
             plot.setPointerCapture = () => {{}};
             at('pointerdown', {}, {}); at('pointermove', {}, {}); at('pointerup', {}, {});",
            from.0, from.1, to.0, to.1, to.0, to.1
        )
    };
    page.run(&drag((0.5, 0.5), (1.0, 0.5))).await?;
    page.wait_idle().await?;
    let terms = page.filter_terms().await?;
    ensure!(terms.len() == 1 && terms[0].starts_with("start:"), "{terms:?}");
    let shown: BTreeSet<String> = page.trace_ids().await?.into_iter().collect();
    let first = shown.iter().filter_map(|id| starts.get(id)).min().context("Some are listed.")?;
    let later: BTreeSet<String> = starts.iter().filter(|(_, start)| *start >= first).map(|(id, _)| id.clone()).collect();
    ensure!(shown == later && shown.len() < starts.len(), "All that started from then on are listed, and only those.");
    // The upper half of what is left, downwards: only the duration.
    page.run(&drag((0.5, 0.0), (0.5, 0.5))).await?;
    page.wait_idle().await?;
    let terms = page.filter_terms().await?;
    ensure!(terms.len() == 2 && terms[1].starts_with("trace.duration:"), "{terms:?}");
    let slow: BTreeSet<String> = page.trace_ids().await?.into_iter().collect();
    let least = slow.iter().filter_map(|id| durations.get(id)).min().context("Some are listed.")?;
    let expected: BTreeSet<String> = later.iter().filter(|id| durations.get(*id) >= Some(least)).cloned().collect();
    ensure!(slow == expected && slow.len() < later.len(), "The slower ones are listed, and only those.");
    // A chip that is removed takes its part back.
    page.click("button", "Remove trace.duration").await?;
    ensure!(page.trace_ids().await?.into_iter().collect::<BTreeSet<_>>() == later, "Without its chip the duration is free again.");
    page.click("button", "Clear filter").await?;
    ensure!(page.trace_ids().await?.len() == starts.len(), "All are back.");
    Ok(())
}

async fn the_picture_is_narrowed_by_keys_and_put_away(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let durations = expected::durations(&connection)?;
    let page = open(stage, AGENT).await?;
    page.run("named('slider', 'Shortest duration').focus()").await?;
    for _ in 0..6 {
        page.press(Key::Up).await?;
    }
    let value = page.run("return named('slider', 'Shortest duration').getAttribute('aria-valuetext')").await?;
    ensure!(value.as_str().is_some_and(|text| text.ends_with('s')), "The slider says a duration: {value}");
    page.press(Key::Enter).await?;
    let terms = page.filter_terms().await?;
    ensure!(terms.len() == 1 && terms[0].starts_with("trace.duration:"), "{terms:?}");
    let shown = page.trace_ids().await?;
    let least = shown.iter().filter_map(|id| durations.get(id)).min().context("Some are listed.")?;
    let expected = durations.values().filter(|duration| *duration >= least).count();
    ensure!(shown.len() == expected && expected < durations.len(), "The slower ones are listed: {} of {}.", shown.len(), durations.len());
    page.click("button", "Hide chart").await?;
    let is_away = "return !shown(document.querySelector('.plot'))";
    ensure!(page.run(is_away).await? == true, "The picture is put away.");
    ensure!(page.url().await?.contains("chart=off"), "The address says so.");
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    ensure!(page.run(is_away).await? == true, "It stays away.");
    page.run("localStorage.clear()").await?;
    Ok(())
}
