//! Handing a trace on: what the page makes of it, and what another browser with a fresh profile makes of that.

use crate::driver::{Browser, Driver};
use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT};
use quipu_tests::hostile::{self, ADDED_SPAN, ADDED_TRACE};
use rusqlite::Connection;
use serde_json::json;
use std::path::PathBuf;
use thirtyfour::{By, Key};

pub(crate) const CASES: &[Case] = cases![
    a_link_with_the_trace_opens_in_the_other_browser,
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

/// Keeps what the page copies and saves where the test finds it, instead of a clipboard and a folder.
const KEEP: &str = r#"
const kept = (name, text) => { document.documentElement.dataset[name] = text; };
Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => kept('copied', text) } });
const make = URL.createObjectURL;
const blobs = new Map();
URL.createObjectURL = (blob) => { const url = make.call(URL, blob); blobs.set(url, blob); return url; };
HTMLAnchorElement.prototype.click = function () {
  const blob = blobs.get(this.href);
  const name = this.download;
  blob.arrayBuffer().then((buffer) => {
    let letters = '';
    for (const byte of new Uint8Array(buffer)) letters += String.fromCharCode(byte);
    kept('saved', name + '\n' + btoa(letters));
  });
};
"#;

/// The trace that the cases share: an agent's turn with a tool.
const LARGEST: &str = "SELECT trace_id FROM spans WHERE name = 'tool_execution' GROUP BY trace_id ORDER BY count(*) DESC, trace_id LIMIT 1";

/// Opens the trace and the dialog, and answers its id.
async fn share(stage: &Stage) -> Result<String> {
    let (_scratch, connection) = AGENT.open()?;
    let trace_id = fixtures::texts(&connection, LARGEST)?.pop().context("The fixture has a tool call.")?;
    let trace_id = fixtures::texts(&connection, &format!("SELECT trace_id FROM spans WHERE trace_id = '{trace_id}' LIMIT 1"))?
        .pop()
        .context("The trace has spans.")?;
    stage.site.run_first(KEEP);
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.open_trace(&trace_id).await?;
    page.click("button", "Share").await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "the link").await?;
    Ok(trace_id)
}

/// Presses a button of the dialog, and answers what was copied.
async fn copied(page: &Page, button: &str) -> Result<String> {
    page.run("delete document.documentElement.dataset.copied").await?;
    page.click_on(button).await?;
    page.wait_until("return 'copied' in document.documentElement.dataset", "the copy").await?;
    let text = page.run("return document.documentElement.dataset.copied").await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Presses a button of the dialog, and answers the saved file, put into the scratch folder.
async fn saved(stage: &Stage, button: &str) -> Result<PathBuf> {
    let page = &stage.page;
    page.click_on(button).await?;
    page.wait_until("return 'saved' in document.documentElement.dataset", "the file").await?;
    let text = page.run("return document.documentElement.dataset.saved").await?;
    let (name, letters) = text.as_str().and_then(|text| text.split_once('\n')).context("A name and bytes.")?;
    stage.scratch.write(name, decoded(letters))
}

fn decoded(letters: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let sixes: Vec<u8> = letters.bytes().filter(|letter| *letter != b'=').map(value).collect();
    let bytes = sixes.chunks(4).flat_map(|chunk| {
        let group = chunk.iter().fold(0_u32, |group, six| group << 6 | u32::from(*six)) << (6 * (4 - chunk.len()));
        group.to_be_bytes()[1..chunk.len()].to_vec()
    });
    bytes.collect()
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
    let link = copied(&stage.page, "#share-link").await?;
    ensure!(link.len() < 32_000, "The link has {} letters.", link.len());
    let (_driver, receiver) = other(stage).await?;
    receiver.load_from(&link).await?;
    check_timeline(&receiver, &trace_id).await?;
    receiver.click("tab", "Conversation").await?;
    let said = receiver.text().await?;
    receiver.driver.refresh().await?;
    receiver.wait_until("return isIdle() && !!document.querySelector('.sheet .message')", "the conversation").await?;
    ensure!(said.contains("user"), "What was said: {said}");
    // What the receiver prefers is not the sender's to change.
    let kept = receiver.run("return Object.keys(localStorage).length").await?;
    ensure!(kept == 0, "The link wrote {kept} settings.");
    let errors = receiver.console_errors().await?;
    receiver.driver.clone().quit().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

async fn one_html_file_opens_from_disk_in_the_other_browser(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let file = saved(stage, "#share-page").await?;
    let size = std::fs::metadata(&file)?.len();
    ensure!(size < 2_400_000, "It has {size} bytes.");
    let before = stage.site.seen().len();
    let (_driver, receiver) = other(stage).await?;
    receiver.load_from(&format!("file://{}", file.display())).await?;
    check_timeline(&receiver, &trace_id).await?;
    for tab in ["Conversation", "Logs", "Statistics", "Flame graph"] {
        receiver.click("tab", tab).await?;
        let drawn = "return isIdle() && (document.querySelector('.sheet')?.innerText ?? '').length > 20";
        receiver.wait_until(drawn, tab).await?;
    }
    receiver.click("link", "Traces").await?;
    ensure!(receiver.trace_ids().await? == [trace_id], "The list holds that trace alone.");
    ensure!(stage.site.seen().len() == before, "The file asks no server.");
    let errors = receiver.console_errors().await?;
    receiver.driver.clone().quit().await?;
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
    page.click("button", "Structure and timing only").await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "the link").await?;
    let link = copied(page, "#share-link").await?;
    let spans = expected::timelines(&connection)?.remove(&trace_id).context("The trace.")?;
    ensure!(link.len() < 4_000, "{} spans take {} letters.", spans.len(), link.len());
    page.load_from(&format!("{}?other{}", stage.site.url(), &link[link.find('#').context("A fragment.")?..])).await?;
    page.wait_timeline().await?;
    let shown = page.timeline().await?;
    ensure!(shown.len() == spans.len(), "The same number of spans: {}", shown.len());
    ensure!(shown.iter().all(|(id, ..)| spans.iter().all(|(known, ..)| known != id)), "Ids are pseudonyms.");
    page.click("tab", "Conversation").await?;
    let text = page.text().await?;
    let said = "
        SELECT json_extract(json_extract(attributes, '$.output'), '$.content') FROM spans
        WHERE name = 'inference' AND length(json_extract(json_extract(attributes, '$.output'), '$.content')) > 20";
    for answer in fixtures::texts(&connection, said)? {
        ensure!(!text.contains(&answer), "It tells what was said: {answer}");
    }
    ensure!(!text.contains(&trace_id), "It tells the trace’s id.");
    Ok(())
}

async fn an_encrypted_link_asks_for_its_passphrase(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let page = &stage.page;
    let choose = |value: &'static str| async move {
        let script = format!(
            "const lock = document.querySelector('#share-lock'); lock.value = '{value}';
             lock.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        );
        page.run(&script).await?;
        page.wait_idle().await
    };
    choose("key").await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "the link").await?;
    let with_key = copied(page, "#share-link").await?;
    choose("passphrase").await?;
    page.driver.find(By::Css("#share-passphrase")).await?.send_keys("llama on the roof" + Key::Enter).await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "the link").await?;
    let locked = copied(page, "#share-link").await?;
    ensure!(with_key.contains("key=") && !locked.contains("key="), "The key goes along only where that was chosen.");

    page.load_from(&with_key.replacen('#', "?key#", 1)).await?;
    check_timeline(page, &trace_id).await?;
    page.load_from(&locked.replacen('#', "?locked#", 1)).await?;
    let unlock = |words: &'static str| async move {
        let field = page.driver.find(By::Css("#passphrase")).await?;
        field.clear().await?;
        field.send_keys(words).await?;
        page.click_on("form .primary").await?;
        page.wait_idle().await
    };
    unlock("llama on the root").await?;
    page.wait_until("return all('alert').some(shown)", "the refusal").await?;
    ensure!(page.alerts().await?.concat().contains("not the passphrase"), "What is wrong: {:?}", page.alerts().await?);
    unlock("llama on the roof").await?;
    check_timeline(page, &trace_id).await
}

async fn a_damaged_link_says_so(stage: &Stage) -> Result<()> {
    share(stage).await?;
    let page = &stage.page;
    let link = copied(page, "#share-link").await?;
    let (start, letters) = link.split_once("data=").context("The link carries data.")?;
    let altered = format!("{}{}{}", &letters[..200], if &letters[200..201] == "A" { "B" } else { "A" }, &letters[201..]);
    let damaged = [
        (letters[..letters.len() / 2].to_owned(), "cut off or changed"),
        (altered, "cut off or changed"),
        (format!("_w{}", &letters[2..]), "later Quipu"),
        ("%%%".to_owned(), "holds no trace"),
        (String::new(), "cut short"),
    ];
    for (number, (letters, sentence)) in damaged.into_iter().enumerate() {
        page.load_from(&format!("{}data={letters}", start.replacen('#', &format!("?{number}#"), 1))).await?;
        page.wait_idle().await?;
        let text = page.text().await?;
        ensure!(text.contains(sentence), "{number}: {text}");
        ensure!(page.run("return !!document.querySelector('input[type=file]')").await? == true, "A file can be opened.");
    }
    page.load_from(&link.replacen("#v2/", "?late#v9/", 1)).await?;
    ensure!(page.text().await?.contains("later Quipu"), "A later address: {}", page.text().await?);
    Ok(())
}

async fn a_saved_database_holds_the_trace_and_nothing_else(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let file = saved(stage, "#share-save-trimmed").await?;
    let (_scratch, connection) = AGENT.open()?;
    let copy = Connection::open(&file)?;
    let check: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(check == "ok", "{check}");
    let rows = format!(
        "SELECT span_id || coalesce(parent_span_id, '') || name || start_time || end_time FROM spans WHERE trace_id = '{trace_id}' ORDER BY 1"
    );
    ensure!(fixtures::texts(&copy, &rows)? == fixtures::texts(&connection, &rows)?, "The spans are the same.");
    ensure!(fixtures::texts(&copy, "SELECT DISTINCT trace_id FROM spans")? == [trace_id], "No other trace is in it.");
    let markdown = copied(&stage.page, "#share-copy-markdown").await?;
    ensure!(markdown.starts_with('#') && markdown.contains("tool_execution"), "{markdown}");
    Ok(())
}

async fn a_large_value_is_left_out_until_the_link_fits(stage: &Stage) -> Result<()> {
    let file = hostile::odd_values(&stage.scratch, 20_000_000)?;
    stage.site.run_first(KEEP);
    let page = &stage.page;
    page.load().await?;
    page.open_traces(&[file]).await?;
    page.open_trace(ADDED_TRACE).await?;
    page.click("button", "Share").await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-limit')", "the dialog").await?;
    page.run("const limit = document.querySelector('#share-limit'); limit.value = '4000'; limit.dispatchEvent(new Event('change', { bubbles: true }))")
        .await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "the link").await?;
    let dialog = page.text_of("document.querySelector('.share')").await?.unwrap_or_default();
    ensure!(dialog.contains("left out"), "It is said what was left out: {dialog}");
    let link = copied(page, "#share-link").await?;
    ensure!(link.len() <= 4_000, "{} letters", link.len());
    page.load_from(&link.replacen('#', "?large#", 1)).await?;
    page.select_span(ADDED_SPAN).await?;
    let panel = page.panel_text().await?;
    ensure!(panel.contains("[left out:"), "The span says so: {panel}");
    Ok(())
}

async fn what_is_taken_out_is_shown_before_it_leaves(stage: &Stage) -> Result<()> {
    share(stage).await?;
    let page = &stage.page;
    let dialog = || async { Ok::<_, anyhow::Error>(page.text_of("document.querySelector('.share')").await?.unwrap_or_default()) };
    ensure!(dialog().await?.contains("What is ticked is taken out"), "The preview: {}", dialog().await?);
    page.click_on("#share-prompts").await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "the link").await?;
    page.run("document.querySelector('#share-examples-prompts').open = true").await?;
    ensure!(dialog().await?.contains("[prompt taken out]"), "The examples are as they leave: {}", dialog().await?);
    let focused = page.run("return document.activeElement.id").await?;
    ensure!(focused == json!("share-prompts"), "The keyboard stays where it was: {focused}");
    let markdown = copied(page, "#share-copy-markdown").await?;
    ensure!(markdown.contains("[prompt taken out]"), "{markdown}");
    Ok(())
}

async fn other_formats_leave_without_what_is_private_and_open_again(stage: &Stage) -> Result<()> {
    let trace_id = share(stage).await?;
    let page = &stage.page;
    let (_scratch, connection) = AGENT.open()?;
    let spans = expected::timelines(&connection)?.remove(&trace_id).context("The trace is in the file.")?;
    let choose = |title: &'static str| async move {
        page.run("delete document.documentElement.dataset.saved").await?;
        let script = format!(
            "const field = document.querySelector('#share-format');
             field.value = [...field.options].find((option) => option.text.startsWith({})).value;
             field.dispatchEvent(new Event('change', {{ bubbles: true }}))",
            json!(title)
        );
        page.run(&script).await?;
        saved(stage, "#share-export").await
    };
    page.wait_until("return isIdle()", "everything to be made").await?;
    let file = choose("CSV").await?;
    let csv = std::fs::read_to_string(&file)?;
    ensure!(file.extension().is_some_and(|extension| extension == "csv") && csv.contains(&trace_id), "{csv}");
    let file = choose("Chrome trace").await?;
    let chrome: serde_json::Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let events = chrome["traceEvents"].as_array().map_or(0, Vec::len);
    ensure!(events >= spans.len(), "{events} events of {} spans", spans.len());
    // What is taken out is taken out of these as well.
    page.click_on("#share-prompts").await?;
    page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "the link").await?;
    let file = choose("OTLP protobuf").await?;
    let bytes = std::fs::read(&file)?;
    ensure!(String::from_utf8_lossy(&bytes).contains("[prompt taken out]"), "Prompts are taken out.");
    page.load().await?;
    page.open_traces(&[file]).await?;
    page.open_trace(&trace_id).await?;
    let shown = page.timeline().await?;
    ensure!(shown == spans, "The spans of the trace that came back: {shown:?}");
    Ok(())
}
