//! The screen of log records against SQL over the same file, and for records that belong to no span.

use crate::harness::{Case, Stage, cases};
use anyhow::{Result, ensure};
use quipu_tests::fixtures::{self, METRICS};
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![log_events_are_listed_filtered_and_lead_to_their_trace, records_without_a_span_are_read_in_full,];

/// The ids of the events that a condition holds for, as the list has them.
fn expected(connection: &rusqlite::Connection, condition: &str, order: &str) -> Result<Vec<String>> {
    let sql =
        format!("SELECT 'e' || id FROM span_events WHERE name = 'unstructured_log' AND {condition} ORDER BY timestamp {order}, id {order}");
    fixtures::texts(connection, &sql)
}

async fn log_events_are_listed_filtered_and_lead_to_their_trace(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = METRICS.open()?;
    let page = &stage.page;
    page.load_with(METRICS.path()).await?;
    let logs = page.log_list();
    logs.show().await?;
    let all = expected(&connection, "TRUE", "DESC")?;
    ensure!(logs.ids().await? == all, "All log events, the latest first.");
    ensure!(logs.count().await? == format!("{} records", all.len()), "{}", logs.count().await?);

    logs.show_warnings().await?;
    let severe = "json_extract(attributes, '$.severity') IN ('warn', 'error', 'critical')";
    let warnings = expected(&connection, severe, "DESC")?;
    ensure!(logs.ids().await? == warnings && !warnings.is_empty(), "Warnings and errors.");
    logs.oldest_first().await?;
    ensure!(logs.ids().await? == expected(&connection, severe, "ASC")?, "The oldest first.");
    logs.filter("identifier").await?;
    let found = expected(&connection, &format!("{severe} AND attributes LIKE '%identifier%'"), "ASC")?;
    ensure!(logs.ids().await? == found && !found.is_empty(), "Those that contain the word.");
    let address = page.url().await?;
    ensure!(address.contains("logs?where=identifier&severity=warn&order=oldest"), "{address}");

    let text = logs.open(&found[0]).await?;
    let message = fixtures::texts(
        &connection,
        &format!("SELECT json_extract(attributes, '$.message') FROM span_events WHERE 'e' || id = '{}'", found[0]),
    )?;
    ensure!(text.contains(message[0].lines().next().unwrap_or_default()), "{text}");
    ensure!(page.url().await?.contains(&format!("log={}", found[0])), "The record stands in the address.");
    logs.go_to_trace().await?;
    let trace = format!("SELECT s.trace_id FROM spans s JOIN span_events e USING (span_id) WHERE 'e' || e.id = '{}'", found[0]);
    ensure!(page.url().await?.contains(&fixtures::texts(&connection, &trace)?[0]), "The link leads to its trace.");
    page.back().await?;
    logs.wait().await?;
    ensure!(logs.ids().await? == found && logs.shows_record().await?, "The way back leads to the same list and record.");

    page.press(Key::Escape).await?;
    ensure!(!logs.shows_record().await?, "Escape closes the record.");
    logs.press_highest_bar().await?;
    let shown = logs.ids().await?;
    ensure!(
        !shown.is_empty() && shown.len() < found.len() && shown.iter().all(|id| found.contains(id)),
        "A bar narrows the time: {shown:?}"
    );
    Ok(())
}

async fn records_without_a_span_are_read_in_full(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open(&[fixtures::repository().join("tests/fixtures/otlp/agent_logs.jsonl")]).await?;
    ensure!(page.file_facts().await?.contains("Log records"), "{}", page.file_facts().await?);
    let logs = page.log_list();
    logs.show_from_empty_list().await?;
    let lines = logs.lines().await?;
    ensure!(lines.len() == 4 && lines[3].contains("claude_code.user_prompt prompt=fix the bug"), "{lines:?}");
    logs.filter("tool:Bash").await?;
    ensure!(logs.count().await? == "1 of 4 records", "{}", logs.count().await?);
    let text = logs.open(&logs.ids().await?[0]).await?;
    ensure!(text.contains("exit 1") && text.contains("claude-code") && text.contains("Resource"), "{text}");
    Ok(())
}
