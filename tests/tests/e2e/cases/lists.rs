//! The list of traces: orders, groups, columns, what it has in all, and the picture that narrows it.

use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::{Column, Grouping, Page};
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
    page.load_with(fixture.path()).await?;
    Ok(page)
}

async fn headings_sort_both_ways_and_say_so(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let durations = expected::durations(&connection)?;
    let spans: BTreeMap<String, i64> = pairs(&connection, "SELECT trace_id, count(*) FROM spans GROUP BY trace_id")?;
    let page = open(stage, AGENT).await?;
    ensure!(
        page.list().headings().await?.get("Start").is_some_and(|sort| sort == "descending"),
        "The latest is first, and the heading says so."
    );
    for (column, label, values) in [(Column::Duration, "Duration", durations.into_iter().collect()), (Column::Spans, "Spans", spans)] {
        for direction in ["descending", "ascending"] {
            page.list().sort_by(column).await?;
            let shown: Vec<i64> = page.trace_ids().await?.iter().filter_map(|id| values.get(id).copied()).collect();
            ensure!(shown.len() == values.len(), "All traces are listed.");
            let sorted = if direction == "ascending" { shown.is_sorted() } else { shown.is_sorted_by(|one, next| one >= next) };
            ensure!(sorted, "{label}, {direction}: {shown:?}");
            let sorts = page.list().headings().await?;
            ensure!(sorts.get(label).is_some_and(|sort| sort == direction), "{label} says {:?}, not {direction}.", sorts.get(label));
            ensure!(sorts.values().filter(|sort| *sort != "none").count() == 1, "One heading is sorted by: {sorts:?}");
        }
    }
    ensure!(page.url().await?.contains("sort=spans"), "The order is in the address.");
    page.back().await?;
    page.wait_idle().await?;
    ensure!(page.url().await?.contains("sort=-spans"), "Back restores the previous order.");
    // A heading keeps the focus, so that it can be pressed again.
    page.list().focus_heading(Column::Session).await?;
    page.press(Key::Enter).await?;
    let sessions: BTreeMap<String, String> = pairs(&connection, SESSIONS)?;
    let shown: Vec<Option<String>> = page.trace_ids().await?.iter().map(|id| sessions.get(id).cloned()).collect();
    let known: Vec<&String> = shown.iter().map_while(Option::as_ref).collect();
    ensure!(
        known.len() == sessions.len() && known.is_sorted(),
        "Sessions are not in alphabetical order with the traces without one last: {shown:?}"
    );
    ensure!(page.list().heading_has_focus(Column::Session).await?, "The heading lost the focus.");
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

async fn sessions_and_turns_hold_their_traces(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = METRICS.open()?;
    let page = open(stage, METRICS).await?;
    for (grouping, sql) in [(Grouping::Sessions, SESSIONS), (Grouping::Turns, TURNS)] {
        let expected = groups(&connection, sql)?;
        page.list().group_by(grouping).await?;
        let closed = page.list().lines().await?;
        let keys: BTreeSet<String> = closed.iter().map(|(_, key)| key.clone()).collect();
        ensure!(closed.iter().all(|(is_group, _)| *is_group), "At first all groups are closed.");
        ensure!(keys == expected.keys().cloned().collect(), "{grouping:?}: {} groups, not {}.", keys.len(), expected.len());
        let (largest, traces) =
            expected.iter().filter(|(key, _)| !key.is_empty()).max_by_key(|(_, traces)| traces.len()).context("There are groups.")?;
        ensure!(traces.len() > 1, "A {grouping:?} group has several traces.");
        page.list().press_group(largest).await?;
        let open = page.list().lines().await?;
        let inside: BTreeSet<String> = open.iter().filter(|(is_group, _)| !is_group).map(|(_, id)| id.clone()).collect();
        ensure!(inside == *traces, "{grouping:?} {largest} holds {} traces, not {}.", inside.len(), traces.len());
        let at = open.iter().position(|(is_group, key)| *is_group && key == largest).context("The group is there.")?;
        ensure!(open.iter().skip(at + 1).take(traces.len()).all(|(is_group, _)| !is_group), "Its traces are below it.");
        // What is open stays so in another order.
        page.list().sort_by(Column::Spans).await?;
        let sorted = page.list().lines().await?;
        ensure!(sorted.len() == open.len(), "The group is still open: {} rows, {} before.", sorted.len(), open.len());
        page.list().sort_by(Column::Start).await?;
    }
    Ok(())
}

async fn groups_open_and_close_by_keys_and_stand_in_the_address(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let expected = groups(&connection, SESSIONS)?;
    let page = open(stage, AGENT).await?;
    page.list().group_by(Grouping::Sessions).await?;
    let keys = page.list().lines().await?;
    page.press('j').await?;
    page.press(Key::Right).await?;
    ensure!(page.list().selected_group_is_open().await? == Some(true), "Its button says that it is open.");
    let first = &keys[0].1;
    let traces = expected.get(first).context("The first group is one of the file.")?.len();
    ensure!(page.list().lines().await?.len() == keys.len() + traces, "The arrow opens the first group.");
    page.press(Key::Right).await?;
    let inside = page.list().selected_trace().await?;
    ensure!(inside.is_some_and(|id| expected[first].contains(&id)), "A second press moves to its first trace.");
    // The address is the view: loading it again restores it, once the file is given.
    let url = page.url().await?;
    ensure!(url.contains("group=session") && url.contains(&format!("open={first}")), "{url}");
    page.reload().await?;
    page.open_traces(&[AGENT.path()]).await?;
    ensure!(page.list().lines().await?.len() == keys.len() + traces, "The group is open after a reload.");
    page.press('j').await?;
    page.press('j').await?;
    page.press(Key::Left).await?;
    page.press(Key::Left).await?;
    ensure!(page.list().lines().await? == keys, "Left moves to the group, and left again closes it.");
    page.list().group_by(Grouping::Single).await?;
    ensure!(page.trace_ids().await?.len() == fixtures::trace_ids(&connection)?.len(), "Single traces are listed again.");
    Ok(())
}

async fn columns_are_chosen_kept_and_shared(stage: &Stage) -> Result<()> {
    let page = open(stage, AGENT).await?;
    let before = page.list().headings().await?;
    ensure!(before.contains_key("Tokens") && !before.contains_key("Agent"), "{before:?}");
    let shared = page.url().await?;
    page.list().toggle_columns(&["agent", "prompt", "completion"]).await?;
    let after = page.list().headings().await?;
    ensure!(after.contains_key("Agent") && !after.contains_key("Prompt"), "{after:?}");
    page.list().sort_by(Column::Agent).await?;
    page.list().sort_by(Column::Agent).await?;
    ensure!(page.text().await?.contains("weather-bot"), "The agent's name is shown, and from the end of the alphabet it is the first.");
    ensure!(page.url().await?.contains("columns=start,name,"), "{}", page.url().await?);
    // A link of somebody else shows what it says, and changes nothing that is kept.
    page.follow(&shared).await?;
    ensure!(page.list().headings().await? == before, "The link's columns are shown.");
    page.load_with(AGENT.path()).await?;
    ensure!(page.list().headings().await?.contains_key("Agent"), "The chosen columns are kept.");
    page.clear_settings().await?;
    Ok(())
}

async fn totals_are_of_what_is_listed(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = open(stage, AGENT).await?;
    let spans: i64 = connection.query_row("SELECT count(*) FROM spans", [], |row| row.get(0))?;
    let all = page.list().totals().await?;
    ensure!(all.starts_with(&format!("{spans} spans")), "{all}");
    ensure!(all.contains("counted for 8 of 57 inference requests"), "{all}");
    page.list().show_failed().await?;
    let failed = expected::failed_traces(&connection)?;
    let list = failed.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let spans: i64 = connection.query_row(&format!("SELECT count(*) FROM spans WHERE trace_id IN ({list})"), [], |row| row.get(0))?;
    let some = page.list().totals().await?;
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
    ensure!(page.scatter().failed_marks().await? > 0, "Failed traces are crosses.");
    // The right half, across: only time is narrowed.
    page.scatter().drag((0.5, 0.5), (1.0, 0.5)).await?;
    let terms = page.filter_terms().await?;
    ensure!(terms.len() == 1 && terms[0].starts_with("start:"), "{terms:?}");
    let shown = page.trace_set().await?;
    let first = shown.iter().filter_map(|id| starts.get(id)).min().context("Some are listed.")?;
    let later: BTreeSet<String> = starts.iter().filter(|(_, start)| *start >= first).map(|(id, _)| id.clone()).collect();
    ensure!(shown == later && shown.len() < starts.len(), "All that started from then on are listed, and only those.");
    // The upper half of what is left, downwards: only the duration.
    page.scatter().drag((0.5, 0.0), (0.5, 0.5)).await?;
    let terms = page.filter_terms().await?;
    ensure!(terms.len() == 2 && terms[1].starts_with("trace.duration:"), "{terms:?}");
    let slow = page.trace_set().await?;
    let least = slow.iter().filter_map(|id| durations.get(id)).min().context("Some are listed.")?;
    let expected: BTreeSet<String> = later.iter().filter(|id| durations.get(*id) >= Some(least)).cloned().collect();
    ensure!(slow == expected && slow.len() < later.len(), "The slower ones are listed, and only those.");
    // A chip that is removed takes its part back.
    page.remove_term("trace.duration").await?;
    ensure!(page.trace_set().await? == later, "Without its chip the duration is not limited.");
    page.clear_filter().await?;
    ensure!(page.trace_ids().await?.len() == starts.len(), "All traces are listed again.");
    Ok(())
}

async fn the_picture_is_narrowed_by_keys_and_put_away(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let durations = expected::durations(&connection)?;
    let page = open(stage, AGENT).await?;
    page.scatter().focus_shortest_duration().await?;
    for _ in 0..6 {
        page.press(Key::Up).await?;
    }
    let value = page.scatter().shortest_duration().await?;
    ensure!(value.as_ref().is_some_and(|text| text.ends_with('s')), "The slider shows no duration: {value:?}");
    page.press(Key::Enter).await?;
    let terms = page.filter_terms().await?;
    ensure!(terms.len() == 1 && terms[0].starts_with("trace.duration:"), "{terms:?}");
    let shown = page.trace_ids().await?;
    let least = shown.iter().filter_map(|id| durations.get(id)).min().context("Some are listed.")?;
    let expected = durations.values().filter(|duration| *duration >= least).count();
    ensure!(shown.len() == expected && expected < durations.len(), "The slower ones are listed: {} of {}.", shown.len(), durations.len());
    page.scatter().hide().await?;
    ensure!(page.scatter().is_hidden().await?, "The picture is hidden.");
    ensure!(page.url().await?.contains("chart=off"), "The address says so.");
    page.load_with(AGENT.path()).await?;
    ensure!(page.scatter().is_hidden().await?, "It stays hidden.");
    page.clear_settings().await?;
    Ok(())
}
