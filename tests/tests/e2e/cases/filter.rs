//! The filter over the list: what it finds, by what it can be used, what it says.

use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::{Column, Page};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT};
use std::collections::BTreeSet;
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![
    a_filter_lists_exactly_the_traces_that_sql_finds,
    a_filter_composes_with_failed_and_slowest,
    the_filter_is_used_by_keys_alone,
    terms_are_removed_and_changed,
    an_error_is_told_at_its_place_and_nothing_is_applied,
    the_address_restores_the_filter,
    the_last_filters_are_offered_until_forgotten,
    where_nothing_matches_it_is_said_what_was_looked_for,
    a_bare_word_can_be_searched_in_all_texts,
];

async fn open(stage: &Stage) -> Result<&Page> {
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    Ok(page)
}

async fn a_filter_lists_exactly_the_traces_that_sql_finds(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let all = fixtures::trace_ids(&connection)?.len();
    let page = open(stage).await?;
    for (filter, sql) in [
        ("name:inference", "SELECT DISTINCT trace_id FROM spans WHERE lower(name) LIKE '%inference%'"),
        (
            "-name:inference",
            "SELECT DISTINCT trace_id FROM spans WHERE trace_id NOT IN (SELECT trace_id FROM spans WHERE lower(name) LIKE '%inference%')",
        ),
        ("spans>10", "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) > 10"),
        (
            "spans>10 OR name:shield",
            "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) > 10 OR max(lower(name) LIKE '%shield%')",
        ),
        ("-spans>=4", "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) < 4"),
    ] {
        page.filter(filter).await?;
        let expected: BTreeSet<String> = fixtures::texts(&connection, sql)?.into_iter().collect();
        ensure!(!expected.is_empty() && expected.len() < all, "{filter} matches all traces of this file or none.");
        let found = page.trace_set().await?;
        ensure!(found == expected, "{filter}: the page lists {}, the file has {}.", found.len(), expected.len());
        let count = page.count().await?;
        ensure!(count == format!("{} of {all} traces", expected.len()), "{filter}: the count says {count:?}.");
        page.clear_filter().await?;
        ensure!(page.trace_set().await?.len() == all, "Without the filter all traces are listed again.");
    }
    Ok(())
}

async fn a_filter_composes_with_failed_and_slowest(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let durations = expected::durations(&connection)?;
    let sql = "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) > 3";
    let many: BTreeSet<String> = fixtures::texts(&connection, sql)?.into_iter().collect();
    let failed: BTreeSet<String> = expected::failed_traces(&connection)?.intersection(&many).cloned().collect();
    let page = open(stage).await?;
    page.filter("spans>3").await?;
    page.list().sort_by(Column::Duration).await?;
    let ids = page.trace_ids().await?;
    ensure!(ids.iter().cloned().collect::<BTreeSet<_>>() == many, "The order does not change what is listed.");
    ensure!(ids.is_sorted_by_key(|id| -durations[id]), "The slowest is first.");
    page.list().show_failed().await?;
    ensure!(page.trace_set().await? == failed, "Only what failed and matches is listed.");
    Ok(())
}

async fn the_filter_is_used_by_keys_alone(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = open(stage).await?;
    page.press('/').await?;
    page.type_text("err").await?;
    page.wait_suggestion("error").await?;
    let options = page.suggestions().await?;
    let place = options.iter().position(|option| option.starts_with("error")).context("The field is suggested.")?;
    for _ in 0..=place {
        page.press(Key::Down).await?;
    }
    page.press(Key::Enter).await?;
    ensure!(page.filter_draft().await?.starts_with("error:"), "The suggestion is not in the draft: {:?}", page.filter_draft().await?);
    let rest = "error:true".trim_start_matches(page.filter_draft().await?.as_str());
    page.type_text(rest).await?;
    // A value may be suggested, too: Esc closes that, and Enter applies.
    if !page.suggestions().await?.is_empty() {
        page.press(Key::Escape).await?;
    }
    page.press(Key::Enter).await?;
    ensure!(page.filter_terms().await? == ["error:true"], "The filter is not applied: {:?}", page.filter_terms().await?);
    ensure!(page.trace_set().await? == expected::failed_traces(&connection)?, "The failed traces are listed.");
    // What is offered to an empty input closes first.
    page.leave_filter().await?;
    ensure!(page.focused_name().await? == "Traces", "Esc leads to the table.");
    page.press('j').await?;
    page.press(Key::Enter).await?;
    page.wait_timeline().await?;
    page.back().await?;
    page.wait_list().await?;
    ensure!(page.filter_terms().await? == ["error:true"], "The filter is still there.");
    // Tab chooses what is suggested, Backspace takes the last term away.
    page.press('/').await?;
    page.type_text("durat").await?;
    page.wait_suggestion("duration").await?;
    page.press(Key::Down).await?;
    while !page.selected_suggestion().await?.starts_with("duration") {
        page.press(Key::Down).await?;
    }
    page.press(Key::Tab).await?;
    ensure!(page.filter_draft().await?.starts_with("duration"), "Tab chooses: {:?}", page.filter_draft().await?);
    for _ in 0.."duration>".len() {
        page.press(Key::Backspace).await?;
    }
    ensure!(page.filter_draft().await?.is_empty(), "The draft is gone.");
    page.press(Key::Backspace).await?;
    ensure!(page.filter_terms().await?.is_empty(), "Backspace takes the last term away.");
    Ok(())
}

async fn terms_are_removed_and_changed(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let page = open(stage).await?;
    page.filter("spans>3 error:true").await?;
    page.filter("name:inference OR name:shield").await?;
    let terms = page.filter_terms().await?;
    ensure!(terms.len() == 3 && terms[0] == "spans>3" && terms[1] == "error:true", "Three terms are applied: {terms:?}");
    page.remove_term("error:true").await?;
    ensure!(page.filter_terms().await?.len() == 2, "One term was removed.");
    page.remove_term(&terms[2]).await?;
    let sql = "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) > 3";
    ensure!(page.trace_set().await? == fixtures::texts(&connection, sql)?.into_iter().collect(), "The other is applied alone.");
    page.edit_term("spans>3").await?;
    ensure!(page.filter_draft().await? == "spans>3", "A click on a term changes it.");
    page.press(Key::Escape).await?;
    ensure!(page.filter_draft().await?.is_empty() && page.filter_terms().await? == ["spans>3"], "Esc leaves it as it was.");
    page.edit_term("spans>3").await?;
    page.filter("0").await?;
    ensure!(page.filter_terms().await? == ["spans>30"], "Enter does not apply the edited term: {:?}", page.filter_terms().await?);
    Ok(())
}

async fn an_error_is_told_at_its_place_and_nothing_is_applied(stage: &Stage) -> Result<()> {
    let page = open(stage).await?;
    let before = (page.trace_set().await?, page.url().await?);
    page.filter("spans>3 duration>abc").await?;
    let told = page.filter_error().await?;
    ensure!(told.contains("abc is not a duration"), "The message does not say what is wrong: {told}");
    ensure!(page.filter_invalid().await?.as_deref() == Some("true"), "The input is marked as wrong.");
    let marked = page.filter_error_mark().await?;
    ensure!(marked == "abc", "The place is marked: {marked}");
    ensure!((page.trace_set().await?, page.url().await?) == before, "Nothing is applied.");
    for _ in 0..3 {
        page.press(Key::Backspace).await?;
    }
    page.filter("1ms").await?;
    ensure!(
        page.filter_terms().await? == ["spans>3", "duration>1ms"],
        "The corrected filter is not applied: {:?}",
        page.filter_terms().await?
    );
    ensure!(page.filter_invalid().await?.is_none(), "The message is gone.");
    Ok(())
}

async fn the_address_restores_the_filter(stage: &Stage) -> Result<()> {
    let page = open(stage).await?;
    page.filter("spans>3").await?;
    let first = page.trace_set().await?;
    page.filter("error:true").await?;
    let both = (page.trace_set().await?, page.url().await?);
    page.back().await?;
    page.wait_settled().await?;
    ensure!(page.filter_terms().await? == ["spans>3"] && page.trace_set().await? == first, "Back restores the previous filter.");
    page.forward().await?;
    page.wait_settled().await?;
    ensure!((page.trace_set().await?, page.url().await?) == both, "Forward restores the next filter.");
    // A link of somebody else's, in a browser that knows nothing.
    page.clear_settings().await?;
    page.reload().await?;
    page.open(&[AGENT.path()]).await?;
    ensure!((page.trace_set().await?, page.url().await?) == both, "A reload restores the filter.");
    ensure!(page.filter_terms().await? == ["spans>3", "error:true"], "Its terms are there.");
    ensure!(page.setting("quipu.filters").await?.is_none(), "A filter from a link is not remembered.");
    Ok(())
}

async fn the_last_filters_are_offered_until_forgotten(stage: &Stage) -> Result<()> {
    let page = open(stage).await?;
    page.filter("spans>3").await?;
    page.filter("error:true").await?;
    // The empty input has the focus then, and offers them.
    page.clear_filter().await?;
    page.wait_suggestions().await?;
    let options = page.suggestions().await?;
    ensure!(options == ["spans>3 error:true", "spans>3", "Forget these filters"], "The latest filters are not offered first: {options:?}");
    page.press(Key::Down).await?;
    page.press(Key::Enter).await?;
    ensure!(page.filter_terms().await? == ["spans>3", "error:true"], "Enter applies one again.");
    page.clear_filter().await?;
    page.wait_suggestions().await?;
    page.press(Key::Up).await?;
    page.press(Key::Enter).await?;
    ensure!(page.suggestions().await?.is_empty(), "The filters are forgotten.");
    page.press(Key::Down).await?;
    ensure!(page.suggestions().await?.is_empty(), "Nothing is offered any more.");
    Ok(())
}

async fn where_nothing_matches_it_is_said_what_was_looked_for(stage: &Stage) -> Result<()> {
    let page = open(stage).await?;
    let all = page.trace_set().await?;
    page.filter("name:nothingofthiskind").await?;
    let text = page.text().await?;
    ensure!(
        text.contains("No trace matches name:nothingofthiskind; 56 traces were looked at."),
        "The page does not say what was searched for:\n{text}"
    );
    page.show_all_traces().await?;
    ensure!(page.trace_set().await? == all, "All traces are listed again.");
    Ok(())
}

async fn a_bare_word_can_be_searched_in_all_texts(stage: &Stage) -> Result<()> {
    let page = open(stage).await?;
    page.type_filter("error:true weather").await?;
    let first = page.suggestions().await?.into_iter().next().unwrap_or_default();
    ensure!(first == "\"weather\" search all texts for “weather”", "The first suggestion is {first:?}.");
    page.press(Key::Tab).await?;
    ensure!(page.filter_draft().await? == "error:true \"weather\"", "It puts the word in quotes.");
    Ok(())
}
