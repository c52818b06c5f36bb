//! Handing a trace on: what the page makes of it, and what another browser with a fresh profile makes of that.

use crate::driver::{Browser, Driver};
use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::{Copied, KEEP_COPIES_AND_FILES, Lock, Page, Saved, Tab};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT};
use quipu_tests::hostile::{self, ADDED_SPAN, ADDED_TRACE};
use rusqlite::Connection;
use std::path::PathBuf;

pub(crate) const CASES: &[Case] = cases![
    a_link_with_the_trace_opens_in_the_other_browser,
    a_link_keeps_the_service_of_each_span,
    one_html_file_opens_from_disk_in_the_other_browser,
    the_command_writes_a_file_that_opens_from_disk,
    structure_and_timing_tell_nothing_of_what_was_said,
    an_encrypted_link_asks_for_its_passphrase,
    a_damaged_link_says_so,
    a_saved_database_holds_the_trace_and_nothing_else,
    a_large_value_is_left_out_until_the_link_fits,
    what_is_taken_out_is_shown_before_it_leaves,
    other_formats_leave_without_what_is_private_and_open_again,
];

/// The trace that the cases share: an agent's turn with a tool.
const LARGEST: &str = "SELECT trace_id FROM spans WHERE name = 'tool_execution' GROUP BY trace_id ORDER BY count(*) DESC, trace_id LIMIT 1";

/// Opens the trace and the dialog, and answers its id.
async fn share(stage: &Stage) -> Result<String> {
    let (_scratch, connection) = AGENT.open()?;
    let trace_id = fixtures::texts(&connection, LARGEST)?.pop().context("The fixture has a tool call.")?;
    let trace_id = fixtures::texts(&connection, &format!("SELECT trace_id FROM spans WHERE trace_id = '{trace_id}' LIMIT 1"))?
        .pop()
        .context("The trace has spans.")?;
    stage.site.run_first(KEEP_COPIES_AND_FILES);
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    page.open_trace(&trace_id).await?;
    page.share().open().await?;
    Ok(trace_id)
}

/// Saves a file by the dialog, and answers where it is in the scratch folder.
async fn saved(stage: &Stage, what: Saved) -> Result<PathBuf> {
    let (name, bytes) = stage.page.share().save(what).await?;
    stage.scratch.write(&name, bytes)
}

/// A fresh profile of the other browser.
async fn other(stage: &Stage) -> Result<(Driver, Page)> {
    let browser = if stage.page.browser == Browser::Chromium { Browser::Firefox } else { Browser::Chromium };
    let driver = Driver::start(browser)?;
    let page = Page::new(driver.browser().await?, browser, driver.console(), stage.site.url());
    Ok((driver, page))
}

/// The spans of the shown trace are those of the file.
async fn check_timeline(page: &Page, trace_id: &str) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    page.wait_timeline().await?;
    let expected = expected::timelines(&connection)?.remove(trace_id).context("The trace is in the file.")?;
    let shown = page.timeline().await?;
    ensure!(shown == expected, "The spans of the shared trace: {shown:?}");
    Ok(())
}

async fn a_link_with_the_trace_opens_in_the_other_browser(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let link = stage.page.share().copy(Copied::Link).await?;
    ensure!(link.len() < 32_000, "The link has {} letters.", link.len());
    let (_driver, receiver) = other(stage).await?;
    receiver.load_from(&link).await?;
    check_timeline(&receiver, &trace_id).await?;
    receiver.open_tab(Tab::Conversation).await?;
    let said = receiver.text().await?;
    receiver.reload().await?;
    receiver.conversation().wait_message().await?;
    ensure!(said.contains("user"), "The dialog says {said}");
    // What the receiver prefers is not the sender's to change.
    let kept = receiver.setting_count().await?;
    ensure!(kept == 0, "The link wrote {kept} settings.");
    let errors = receiver.console_errors().await?;
    receiver.quit().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

async fn a_link_keeps_the_service_of_each_span(stage: &Stage) -> Result<()> {
    // A client and the server it calls, in one trace.
    const OF_BOTH: &str = "2aa0e103b4812634dca7f6e3070a72e0";
    stage.site.run_first(KEEP_COPIES_AND_FILES);
    let page = &stage.page;
    page.load_with(fixtures::repository().join("tests/fixtures/otlp/modern/ogx150-client_traces.binpb.gz")).await?;
    page.open_trace(OF_BOTH).await?;
    page.share().open().await?;
    let link = page.share().copy(Copied::Link).await?;
    page.load_from(&link).await?;
    page.wait_timeline().await?;
    let shown = page.text().await?;
    for service in ["my-ogx-app", "ogx-server"] {
        ensure!(shown.contains(service), "{service} is not in {shown}");
    }
    Ok(())
}

async fn one_html_file_opens_from_disk_in_the_other_browser(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let file = saved(stage, Saved::Page).await?;
    let size = std::fs::metadata(&file)?.len();
    ensure!(size < 2_400_000, "It has {size} bytes.");
    let before = stage.site.seen().len();
    let (_driver, receiver) = other(stage).await?;
    receiver.load_from(&format!("file://{}", file.display())).await?;
    check_timeline(&receiver, &trace_id).await?;
    for tab in [Tab::Conversation, Tab::Logs, Tab::Statistics, Tab::FlameGraph] {
        receiver.open_tab(tab).await?;
        receiver.tabs().wait_view().await?;
    }
    receiver.go_to_list().await?;
    ensure!(receiver.trace_ids().await? == [trace_id], "The list holds that trace alone.");
    ensure!(stage.site.seen().len() == before, "The file asks no server.");
    let errors = receiver.console_errors().await?;
    receiver.quit().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

async fn the_command_writes_a_file_that_opens_from_disk(stage: &Stage) -> Result<()> {
    let command = std::env::var_os("QUIPU_E2E_COMMAND").context("QUIPU_E2E_COMMAND names no command; `cargo xtask e2e` builds it.")?;
    let (_scratch, connection) = AGENT.open()?;
    let trace_id = fixtures::texts(&connection, LARGEST)?.pop().context("The fixture has a tool call.")?;
    let page = &stage.page;
    let all = stage.scratch.path().join("all.html");
    let one = stage.scratch.path().join("one.html");
    for (path, words) in [(&all, &[][..]), (&one, &["--trace", &trace_id][..])] {
        let output = std::process::Command::new(&command).arg("export").arg(AGENT.path()).arg("--html").arg(path).args(words).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    page.load_from(&format!("file://{}", one.display())).await?;
    check_timeline(page, &trace_id).await?;
    page.load_from(&format!("file://{}", all.display())).await?;
    page.wait_idle().await?;
    let traces: i64 = fixtures::number(&connection, "SELECT count(DISTINCT trace_id) FROM spans")?;
    ensure!(page.trace_ids().await?.len() as i64 == traces, "All traces are listed.");
    Ok(())
}

async fn structure_and_timing_tell_nothing_of_what_was_said(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let (_scratch, connection) = AGENT.open()?;
    let page = &stage.page;
    page.share().choose_structure_only().await?;
    let link = page.share().copy(Copied::Link).await?;
    let spans = expected::timelines(&connection)?.remove(&trace_id).context("The trace.")?;
    ensure!(link.len() < 4_000, "{} spans take {} letters.", spans.len(), link.len());
    page.load_from(&format!("{}?other{}", stage.site.url(), &link[link.find('#').context("A fragment.")?..])).await?;
    page.wait_timeline().await?;
    let shown = page.timeline().await?;
    ensure!(shown.len() == spans.len(), "The same number of spans: {}", shown.len());
    ensure!(shown.iter().all(|(id, ..)| spans.iter().all(|(known, ..)| known != id)), "Ids are pseudonyms.");
    page.open_tab(Tab::Conversation).await?;
    let text = page.text().await?;
    let said = "
        SELECT json_extract(json_extract(attributes, '$.output'), '$.content') FROM spans
        WHERE name = 'inference' AND length(json_extract(json_extract(attributes, '$.output'), '$.content')) > 20";
    for answer in fixtures::texts(&connection, said)? {
        ensure!(!text.contains(&answer), "The link contains the answer: {answer}");
    }
    ensure!(!text.contains(&trace_id), "The link contains the trace’s id.");
    Ok(())
}

async fn an_encrypted_link_asks_for_its_passphrase(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let page = &stage.page;
    page.share().choose_lock(Lock::Key).await?;
    page.share().wait_link().await?;
    let with_key = page.share().copy(Copied::Link).await?;
    page.share().choose_lock(Lock::Passphrase).await?;
    page.share().type_passphrase("llama on the roof").await?;
    let locked = page.share().copy(Copied::Link).await?;
    ensure!(with_key.contains("key=") && !locked.contains("key="), "The key is in the link only if that was chosen.");

    page.load_from(&with_key.replacen('#', "?key#", 1)).await?;
    check_timeline(page, &trace_id).await?;
    page.load_from(&locked.replacen('#', "?locked#", 1)).await?;
    page.unlock("llama on the root").await?;
    page.wait_any_alert().await?;
    ensure!(page.alerts().await?.concat().contains("Wrong passphrase"), "The message is {:?}", page.alerts().await?);
    page.unlock("llama on the roof").await?;
    check_timeline(page, &trace_id).await
}

async fn a_damaged_link_says_so(stage: &Stage) -> Result<()> {
    share(stage).await?;
    let page = &stage.page;
    let link = page.share().copy(Copied::Link).await?;
    let (start, letters) = link.split_once("data=").context("The link carries data.")?;
    let altered = format!("{}{}{}", &letters[..200], if &letters[200..201] == "A" { "B" } else { "A" }, &letters[201..]);
    let damaged = [
        (letters[..letters.len() / 2].to_owned(), "cut off or changed"),
        (altered, "cut off or changed"),
        (format!("_w{}", &letters[2..]), "later Quipu"),
        ("%%%".to_owned(), "contains no trace"),
        (String::new(), "data is missing"),
    ];
    for (number, (letters, sentence)) in damaged.into_iter().enumerate() {
        page.load_from(&format!("{}data={letters}", start.replacen('#', &format!("?{number}#"), 1))).await?;
        page.wait_idle().await?;
        let text = page.text().await?;
        ensure!(text.contains(sentence), "{number}: {text}");
        ensure!(page.accepts_files().await?, "A file can be opened.");
    }
    page.load_from(&link.replacen("#v2/", "?late#v9/", 1)).await?;
    ensure!(page.text().await?.contains("later Quipu"), "The message about a later version is missing: {}", page.text().await?);
    Ok(())
}

async fn a_saved_database_holds_the_trace_and_nothing_else(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let file = saved(stage, Saved::Database).await?;
    let (_scratch, connection) = AGENT.open()?;
    let copy = Connection::open(&file)?;
    let check: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(check == "ok", "{check}");
    let rows = format!(
        "SELECT span_id || coalesce(parent_span_id, '') || name || start_time || end_time FROM spans WHERE trace_id = '{trace_id}' ORDER BY 1"
    );
    ensure!(fixtures::texts(&copy, &rows)? == fixtures::texts(&connection, &rows)?, "The spans are the same.");
    ensure!(fixtures::texts(&copy, "SELECT DISTINCT trace_id FROM spans")? == [trace_id], "No other trace is in it.");
    let markdown = stage.page.share().copy(Copied::Markdown).await?;
    ensure!(markdown.starts_with('#') && markdown.contains("tool_execution"), "{markdown}");
    Ok(())
}

async fn a_large_value_is_left_out_until_the_link_fits(stage: &Stage) -> Result<()> {
    let file = hostile::odd_values(&stage.scratch, 20_000_000)?;
    stage.site.run_first(KEEP_COPIES_AND_FILES);
    let page = &stage.page;
    page.load_with(file).await?;
    page.open_trace(ADDED_TRACE).await?;
    page.share().open_at_limit().await?;
    page.share().choose_limit(4_000).await?;
    let dialog = page.share().text().await?;
    ensure!(dialog.contains("left out"), "The dialog does not say what was left out: {dialog}");
    let link = page.share().copy(Copied::Link).await?;
    ensure!(link.len() <= 4_000, "{} letters", link.len());
    page.load_from(&link.replacen('#', "?large#", 1)).await?;
    page.select_span(ADDED_SPAN).await?;
    let panel = page.panel_text().await?;
    ensure!(panel.contains("[left out:"), "The span does not say that its text was left out: {panel}");
    Ok(())
}

async fn what_is_taken_out_is_shown_before_it_leaves(stage: &Stage) -> Result<()> {
    share(stage).await?;
    let page = &stage.page;
    ensure!(page.share().text().await?.contains("Ticked data is removed"), "The preview: {}", page.share().text().await?);
    page.share().take_out_prompts().await?;
    page.share().unfold_prompts().await?;
    ensure!(
        page.share().text().await?.contains("[prompt taken out]"),
        "The examples are not shown as they will be shared: {}",
        page.share().text().await?
    );
    ensure!(page.share().prompts_have_focus().await?, "The keyboard stays where it was.");
    let markdown = page.share().copy(Copied::Markdown).await?;
    ensure!(markdown.contains("[prompt taken out]"), "{markdown}");
    Ok(())
}

async fn other_formats_leave_without_what_is_private_and_open_again(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let page = &stage.page;
    let (_scratch, connection) = AGENT.open()?;
    let spans = expected::timelines(&connection)?.remove(&trace_id).context("The trace is in the file.")?;
    let save_as = |title: &'static str| async move {
        page.share().choose_format(title).await?;
        saved(stage, Saved::Format).await
    };
    page.wait_settled().await?;
    let file = save_as("CSV").await?;
    let csv = std::fs::read_to_string(&file)?;
    ensure!(file.extension().is_some_and(|extension| extension == "csv") && csv.contains(&trace_id), "{csv}");
    let file = save_as("Chrome trace").await?;
    let chrome: serde_json::Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let events = chrome["traceEvents"].as_array().map_or(0, Vec::len);
    ensure!(events >= spans.len(), "{events} events of {} spans", spans.len());
    // What is taken out is taken out of these as well.
    page.share().take_out_prompts().await?;
    let file = save_as("OTLP protobuf").await?;
    let bytes = std::fs::read(&file)?;
    ensure!(String::from_utf8_lossy(&bytes).contains("[prompt taken out]"), "Prompts are removed.");
    page.load_with(file).await?;
    page.open_trace(&trace_id).await?;
    let shown = page.timeline().await?;
    ensure!(shown == spans, "The spans of the trace that came back: {shown:?}");
    Ok(())
}
