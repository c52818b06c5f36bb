//! Files that are no database: what was sent or written as OTLP, and Jaeger's, opens as the database of the same run does.

use crate::expected;
use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu::protocol::Failure;
use quipu::protocol::FileFormat;
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use quipu::{Selection, Session};
use quipu_tests::fixtures::{self, AGENT, Fixture, SMALL};
use std::io::Write;
use std::path::PathBuf;

pub(crate) const CASES: &[Case] = cases![
    bodies_of_a_run_that_are_dropped_together_show_the_database_of_that_run,
    json_lines_in_gzip_show_the_same,
    gzip_of_several_members_shows_the_same,
    jaegers_json_shows_the_same,
    a_bad_line_in_the_middle_is_told_and_passed_over,
    a_damaged_gzip_shows_what_came_before,
    an_import_that_is_cancelled_leads_back_to_what_was_open,
    another_file_ends_an_import,
    an_import_that_would_not_fit_into_memory_is_refused,
    what_can_be_opened_is_named,
    what_imports_and_shares_is_loaded_when_it_is_needed,
];

fn body(name: &str) -> PathBuf {
    fixtures::repository().join("tests/fixtures/otlp").join(name)
}

/// A fixture in another format.
fn exported(fixture: &Fixture, format: FileFormat) -> Result<Vec<u8>> {
    let file = NamedSource { name: fixture.file_name().into(), source: Box::new(MemorySource(std::fs::read(fixture.path())?)) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0))?;
    let mut bytes = Vec::new();
    session.export::<Failure>(Selection::All, format, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}

/// The list has the traces of the fixture, and each of `checked` of them the timeline that its file holds.
async fn check_traces(page: &Page, fixture: &Fixture, checked: usize) -> Result<()> {
    let (_scratch, connection) = fixture.open()?;
    page.wait_list().await?;
    let shown = page.trace_set().await?;
    let timelines = expected::timelines(&connection)?;
    ensure!(shown == timelines.keys().cloned().collect(), "The traces that are listed: {shown:?}");
    for (trace_id, timeline) in timelines.iter().rev().take(checked) {
        page.open_trace(trace_id).await?;
        let shown = page.timeline().await?;
        ensure!(shown == *timeline, "The timeline of {trace_id}: {shown:?}");
        page.go_to_list().await?;
    }
    Ok(())
}

async fn bodies_of_a_run_that_are_dropped_together_show_the_database_of_that_run(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.drop_files(&[body("small_0.2.15_traces.binpb"), body("small_0.2.15_metrics.binpb")]).await?;
    check_traces(page, &SMALL, 5).await?;
    let head = page.text().await?;
    ensure!(
        head.contains("small_0.2.15_traces.binpb and 1 more") && head.contains("76.9 KB"),
        "The head does not say what the file is: {head}"
    );
    let warnings = page.warnings().await?;
    ensure!(!warnings.contains("could not be read") && page.alerts().await?.is_empty(), "Something was not read: {warnings}");
    // A database after it is opened where it lies.
    page.open_traces(&[AGENT.path()]).await?;
    check_traces(page, &AGENT, 0).await?;
    // The address of the first leads back to it.
    page.back().await?;
    check_traces(page, &SMALL, 0).await
}

async fn json_lines_in_gzip_show_the_same(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    // Told by what it is, whatever it is called.
    let file = stage.scratch.write("telemetry.db", std::fs::read(body("small_0.2.15_traces.jsonl.gz"))?)?;
    page.open(&[file]).await?;
    check_traces(page, &SMALL, 3).await
}

async fn gzip_of_several_members_shows_the_same(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    // As logs are left that are compressed piece by piece.
    page.open(&[body("small_0.2.15_traces_members.jsonl.gz")]).await?;
    check_traces(page, &SMALL, 3).await?;
    let warnings = page.warnings().await?;
    ensure!(!warnings.contains("could not be read"), "Something was not read: {warnings}");
    Ok(())
}

async fn jaegers_json_shows_the_same(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    let file = stage.scratch.write("traces.json", exported(&SMALL, FileFormat::Jaeger)?)?;
    page.open(&[file]).await?;
    check_traces(page, &SMALL, 3).await
}

async fn a_bad_line_in_the_middle_is_told_and_passed_over(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    let text = String::from_utf8(exported(&SMALL, FileFormat::OtlpJson)?)?;
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(3, "{\"resourceSpans\": [{\"scopeSpans\": oops]}");
    let file = stage.scratch.write("traces.jsonl", lines.join("\n"))?;
    page.open(&[file]).await?;
    let warnings = page.warnings().await?;
    ensure!(warnings.contains("1 piece could not be read: traces.jsonl, line 4:"), "The warnings do not name the piece: {warnings:?}");
    check_traces(page, &SMALL, 3).await
}

async fn a_damaged_gzip_shows_what_came_before(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    let whole = std::fs::read(body("small_0.2.15_traces.jsonl.gz"))?;
    let file = stage.scratch.write("cut.jsonl.gz", &whole[..whole.len() / 2])?;
    page.open_traces(&[file]).await?;
    let warnings = page.warnings().await?;
    ensure!(
        warnings.contains("cut.jsonl.gz, compressed data: it ends in the middle; it was cut off."),
        "The warnings do not name the piece: {warnings:?}"
    );
    let shown = page.trace_ids().await?;
    let (_scratch, connection) = SMALL.open()?;
    let all = fixtures::trace_ids(&connection)?;
    ensure!(!shown.is_empty() && shown.len() < all.len() && shown.iter().all(|id| all.contains(id)), "A part is shown: {shown:?}");
    Ok(())
}

/// Begins to import what takes a while.
async fn begin_long_import(stage: &Stage) -> Result<()> {
    let line = std::fs::read_to_string(body("direct_0.2.23_traces.json"))?.replace('\n', " ") + "\n";
    let path = stage.scratch.write("long.jsonl", "")?;
    let mut file = std::fs::File::options().append(true).open(&path)?;
    // The same spans again and again: they are read, and left out.
    let many = line.repeat(400);
    for _ in 0..15 {
        file.write_all(many.as_bytes())?;
    }
    stage.page.choose(&[path]).await?;
    stage.page.wait_import_progress().await
}

async fn an_import_that_is_cancelled_leads_back_to_what_was_open(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    begin_long_import(stage).await?;
    page.cancel_import().await?;
    page.wait_invitation().await?;
    page.open_traces(&[SMALL.path()]).await?;
    let place = page.url().await?;
    begin_long_import(stage).await?;
    page.cancel_import().await?;
    check_traces(page, &SMALL, 1).await?;
    ensure!(page.url().await? == place, "The address is {}", page.url().await?);
    ensure!(page.alerts().await?.is_empty(), "{:?}", page.alerts().await?);
    Ok(())
}

async fn another_file_ends_an_import(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    begin_long_import(stage).await?;
    page.open_traces(&[SMALL.path()]).await?;
    check_traces(page, &SMALL, 0).await
}

async fn an_import_that_would_not_fit_into_memory_is_refused(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    super::faults::load_with_memory(stage, 64 << 20).await?;
    page.open(&[body("agent_0.2.15_traces.binpb.gz")]).await?;
    let alerts = page.alerts().await?.concat();
    ensure!(alerts.contains("quipu import IN --db OUT.db"), "The alert is {alerts}");
    Ok(())
}

async fn what_can_be_opened_is_named(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    let invitation = page.text().await?;
    ensure!(invitation.contains("telemetry.db") && invitation.contains("OTLP") && invitation.contains("Jaeger"), "{invitation}");
    let letter = stage.scratch.write("letter.txt", "Dear reader")?;
    let other = stage.scratch.write("other.json", "{\"answer\": 42}")?;
    let mut packed = std::fs::read(body("small_0.2.15_traces.jsonl.gz"))?;
    packed[15] ^= 0xff;
    let packed = stage.scratch.write("broken.gz", &packed[..20])?;
    let database = SMALL.path();
    for (files, sentence) in [
        (vec![letter.clone()], "letter.txt is a text file, such as a log; traces are read as JSON or protobuf. Quipu opens"),
        (vec![other], "Nothing could be imported. other.json, line 1: it holds none of these: resourceSpans"),
        (vec![packed], "broken.gz is compressed, and nothing of it can be unpacked"),
        (vec![letter, body("small_0.2.15_traces.binpb")], "letter.txt is a text file, such as a log"),
        (vec![database, body("small_0.2.15_traces.binpb")], "can’t be opened together"),
    ] {
        page.open(&files).await?;
        let alerts = page.alerts().await?.concat();
        ensure!(alerts.contains(sentence), "The alert about {files:?} is {alerts}");
    }
    page.screenshot("what-can-be-opened").await?;
    Ok(())
}

/// Whether the page has asked its server for the program that imports and shares.
fn has_loaded_transfer(stage: &Stage) -> bool {
    stage.site.seen().iter().any(|request| request.contains("quipu-transfer_bg.wasm"))
}

async fn what_imports_and_shares_is_loaded_when_it_is_needed(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load().await?;
    page.open(&[SMALL.path()]).await?;
    check_traces(page, &SMALL, 1).await?;
    ensure!(stage.site.seen().iter().any(|request| request.contains("quipu-worker_bg.wasm")), "Nothing was loaded that reads.");
    ensure!(!has_loaded_transfer(stage), "A database was read, and the program that imports was loaded.");
    let trace_id = page.trace_set().await?.into_iter().next().context("A trace is listed.")?;
    page.open_trace(&trace_id).await?;
    page.share().open().await?;
    ensure!(has_loaded_transfer(stage), "A trace is shared without the program that shares.");
    // Opening another file does not need the sharing worker.
    page.load().await?;
    page.open(&[SMALL.path()]).await?;
    page.open(&[body("small_0.2.15_traces.jsonl.gz")]).await?;
    check_traces(page, &SMALL, 1).await
}
