//! The timeline beyond its rows: zooming, the minimap, what collapsed rows show, finding texts.

use crate::harness::{Case, Stage, cases};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT};
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![
    keys_zoom_and_pan_and_the_address_keeps_the_window,
    a_bar_outside_the_window_is_pointed_to,
    the_minimap_s_ends_are_moved_by_keys,
    pulling_over_the_minimap_selects_a_window,
    a_collapsed_span_shows_where_time_was_spent_beneath_it,
    a_text_is_found_in_names_and_opens_what_hides_it,
];

/// The trace with most spans, and its duration in microseconds.
fn largest_trace() -> Result<(String, u64)> {
    let (_scratch, connection) = AGENT.open()?;
    let sql = "
        SELECT trace_id || ' ' || CAST(round((max(julianday(end_time)) - min(julianday(start_time))) * 86400e6) AS INTEGER)
        FROM spans GROUP BY trace_id ORDER BY count(*) DESC, trace_id LIMIT 1";
    let found = fixtures::texts(&connection, sql)?.pop().context("The fixture has traces.")?;
    let (trace_id, micros) = found.split_once(' ').context("An id and a duration.")?;
    Ok((trace_id.to_owned(), micros.parse()?))
}

async fn open_largest(stage: &Stage) -> Result<(String, u64)> {
    let (trace_id, micros) = largest_trace()?;
    stage.page.load().await?;
    stage.page.open_traces(&[AGENT.path()]).await?;
    stage.page.open_trace(&trace_id).await?;
    Ok((trace_id, micros))
}

/// The window in the address, in nanoseconds.
async fn window(stage: &Stage) -> Result<Option<(u64, u64)>> {
    let url = stage.page.url().await?;
    let range = url.split(['?', '&']).find_map(|part| part.strip_prefix("window=")?.split_once('~'));
    Ok(range.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?))))
}

async fn keys_zoom_and_pan_and_the_address_keeps_the_window(stage: &Stage) -> Result<()> {
    let (_, micros) = open_largest(stage).await?;
    let page = &stage.page;
    ensure!(window(stage).await?.is_none(), "At first the whole trace is shown, and the address says nothing.");
    page.press('w').await?;
    let (from, to) = window(stage).await?.context("Zoomed in, the address has the window.")?;
    // The fixture's times are microseconds; julianday is good for some tens of them.
    let half = micros * 1_000 / 2;
    ensure!((to - from).abs_diff(half) < 100_000, "w shows half of the trace: {} of {half} ns.", to - from);
    page.press('w').await?;
    page.press('d').await?;
    let (later, later_end) = window(stage).await?.context("The address has the window.")?;
    ensure!(later > from && later_end - later < to - from, "d moves to later times.");
    page.press('a').await?;
    ensure!(window(stage).await?.is_some_and(|(from, _)| from < later), "a moves to earlier times.");

    let shown = page.trace().axis().await?;
    let kept = window(stage).await?;
    page.reload().await?;
    page.open(&[AGENT.path()]).await?;
    page.wait_timeline().await?;
    ensure!(window(stage).await? == kept, "A reload keeps the window.");
    ensure!(page.trace().axis().await? == shown, "And draws the same axis.");
    page.press('0').await?;
    ensure!(window(stage).await?.is_none(), "0 shows the whole trace again.");
    Ok(())
}

async fn a_bar_outside_the_window_is_pointed_to(stage: &Stage) -> Result<()> {
    open_largest(stage).await?;
    let page = &stage.page;
    ensure!(page.trace().bars_out_of_sight().await?.is_empty(), "Of the whole trace no bar is out of sight.");
    for key in [
        'w', 'w', 'w', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd', 'd',
    ] {
        page.press(key).await?;
    }
    let titles = page.trace().bars_out_of_sight().await?;
    ensure!(
        titles.contains(&"Before the visible range".to_owned()),
        "At the end of the trace no span is before the visible range: {titles:?}"
    );
    // f on a selected one brings it back.
    page.trace().select_bar_out_of_sight().await?;
    page.press('f').await?;
    ensure!(page.trace().selected_bar_is_in_sight().await?, "f shows the selected span.");
    Ok(())
}

async fn the_minimap_s_ends_are_moved_by_keys(stage: &Stage) -> Result<()> {
    open_largest(stage).await?;
    let page = &stage.page;
    let picture = page.minimap().label().await?;
    ensure!(picture.starts_with("44 spans over "), "The minimap says what it shows: {picture}");
    ensure!(page.minimap().focus_start().await? == "0.0", "The start is at the start.");
    for _ in 0..5 {
        page.press(Key::Right).await?;
    }
    ensure!(page.minimap().focus_start().await? == "5.0", "Five steps move it to 5 %.");
    ensure!(page.minimap().focus_end().await? == "100.0", "The end stays.");
    page.press(Key::Left).await?;
    ensure!(page.minimap().focus_end().await? == "99.0", "The end moves.");
    ensure!(window(stage).await?.is_some(), "The address has the window.");
    page.trace().show_whole().await?;
    ensure!(window(stage).await?.is_none(), "The button shows the whole trace.");
    Ok(())
}

async fn pulling_over_the_minimap_selects_a_window(stage: &Stage) -> Result<()> {
    let (_, micros) = open_largest(stage).await?;
    let page = &stage.page;
    page.minimap().pull([0.25, 0.4, 0.5]).await?;
    let (from, to) = window(stage).await?.context("Dragging over the minimap selects a window.")?;
    let nanos = micros as f64 * 1_000.0;
    let near = |found: u64, part: f64| (found as f64 / nanos - part).abs() < 0.01;
    ensure!(near(from, 0.25) && near(to, 0.5), "From a quarter to a half: {from} to {to} of {nanos} ns.");
    page.minimap().pull([0.3, 0.4, 0.6]).await?;
    let (from, to) = window(stage).await?.context("The window is still there.")?;
    ensure!(near(from, 0.55) && near(to, 0.8), "Dragging the window does not move it: {from} to {to} of {nanos} ns.");
    page.minimap().double_click(0.6).await?;
    ensure!(window(stage).await?.is_none(), "A double click shows the whole trace.");
    Ok(())
}

async fn a_collapsed_span_shows_where_time_was_spent_beneath_it(stage: &Stage) -> Result<()> {
    open_largest(stage).await?;
    let page = &stage.page;
    ensure!(!page.trace().has_strips().await?, "Expanded spans need no strip.");
    page.trace().collapse_all().await?;
    let strips = page.trace().strips().await?;
    ensure!(!strips.is_empty() && strips.iter().all(|paths| *paths > 0), "Each collapsed span has its strip: {strips:?}");
    page.trace().expand_all().await?;
    ensure!(page.timeline().await?.len() == 44, "Expanded, all spans are there.");
    Ok(())
}

async fn a_text_is_found_in_names_and_opens_what_hides_it(stage: &Stage) -> Result<()> {
    let text = "routingtable.get_M";
    let (trace_id, _) = largest_trace()?;
    let (_scratch, connection) = AGENT.open()?;
    let id = format!("SELECT span_id FROM spans WHERE trace_id = '{trace_id}' AND");
    let expected = fixtures::texts(&connection, &format!("{id} name LIKE '%{text}%'"))?;
    let elsewhere = fixtures::texts(&connection, &format!("{id} name NOT LIKE '%{text}%' AND attributes LIKE '%{text}%'"))?;
    ensure!(
        expected.len() > 2 && elsewhere.is_empty(),
        "The fixture has the text in names only: {} and {}.",
        expected.len(),
        elsewhere.len()
    );

    open_largest(stage).await?;
    let page = &stage.page;
    page.trace().collapse_all().await?;
    page.press('/').await?;
    ensure!(page.focused_name().await? == "Find in this trace", "/ moves to the search box.");
    page.type_text(text).await?;
    page.wait_idle().await?;
    let told = page.trace().matches().await?;
    ensure!(told.split(' ').next() == Some(&expected.len().to_string()), "The page counts {told:?}, not {} matches.", expected.len());
    let mut met = Vec::new();
    for number in 1..=expected.len() {
        page.press(Key::Enter).await?;
        page.wait_panel().await?;
        let told = page.trace().matches().await?;
        ensure!(told.starts_with(&format!("{number} of {}", expected.len())), "The match is not numbered: {told:?}.");
        let row = page.trace().reached_match().await?;
        ensure!(page.trace().reached_match_is_in_sight().await?, "The match {row} is scrolled to.");
        met.push(row);
    }
    met.sort();
    let mut wanted = expected.clone();
    wanted.sort();
    ensure!(met == wanted, "Enter visits each match once, although everything was collapsed: {met:?}, not {wanted:?}.");
    page.press(Key::Escape).await?;
    page.press('n').await?;
    ensure!(page.trace().matches().await?.starts_with("1 of "), "n continues from the timeline, and wraps around.");
    ensure!(page.url().await?.contains("find=routingtable.get_M"), "The address has the text.");
    page.press(Key::Escape).await?;
    page.press(Key::Escape).await?;
    ensure!(!page.url().await?.contains("find="), "Esc leaves the panel, then the search.");
    page.wait_timeline().await
}
