//! The panel of a span: decoded messages, the real error, values that are only text.

use crate::driver::Browser;
use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, SMALL};
use quipu_tests::hostile::{self, ADDED_SPAN, ADDED_TRACE, MARKUP};
use rusqlite::Connection;

pub(crate) const CASES: &[Case] = cases![
    an_inference_span_shows_its_chat,
    an_input_is_compared_with_the_one_before,
    a_text_is_found_in_the_span_alone,
    a_failed_trace_shows_its_error_before_its_timeline,
    markup_in_values_stays_text,
    ten_megabytes_of_text_do_not_freeze_the_page,
    keys_in_the_file_are_warned_of,
];

async fn an_inference_span_shows_its_chat(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let sql = "
        SELECT trace_id, span_id, json_extract(json_extract(attributes, '$.input'), '$[#-1].content'),
               json_extract(json_extract(attributes, '$.output'), '$.content')
        FROM spans WHERE name = 'inference' AND json_extract(json_extract(attributes, '$.input'), '$[#-1].role') = 'user'
          AND length(json_extract(json_extract(attributes, '$.output'), '$.content')) > 0
        ORDER BY rowid LIMIT 1";
    let (trace_id, span_id, question, answer): (String, String, String, String) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    page.open_trace(&trace_id).await?;
    page.select_span(&span_id).await?;
    let text = page.panel_text().await?;
    // The chat comes before the attributes, which hold the same texts once more.
    let head = text.split("Attributes").next().unwrap_or_default();
    for expected in ["user", "assistant", first_line(&question), first_line(&answer)] {
        ensure!(head.contains(expected), "The panel shows no {expected:?} before the attributes:\n{text}");
    }
    Ok(())
}

/// Two inferences of one trace, in order of time, with what the second was asked last.
async fn second_inference(page: &Page) -> Result<(String, String)> {
    let (_scratch, connection) = AGENT.open()?;
    let sql = "
        SELECT trace_id, span_id, json_extract(json_extract(attributes, '$.input'), '$[#-1].role') FROM spans AS later
        WHERE name = 'inference' AND json_extract(json_extract(attributes, '$.input'), '$[#-1].role') = 'tool'
          AND EXISTS (SELECT 1 FROM spans AS earlier WHERE earlier.trace_id = later.trace_id AND earlier.name = 'inference'
                      AND earlier.start_time < later.start_time)
        LIMIT 1";
    let (trace_id, later): (String, String) = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "SELECT span_id FROM spans WHERE name = 'inference' AND trace_id = ?1 AND span_id <> ?2";
    let earlier: String = connection.query_row(sql, [&trace_id, &later], |row| row.get(0))?;
    page.load_with(AGENT.path()).await?;
    page.open_trace(&trace_id).await?;
    page.select_span(&later).await?;
    Ok((earlier, later))
}

async fn an_input_is_compared_with_the_one_before(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (earlier, _) = second_inference(page).await?;
    let text = page.span_panel().compare_with_before().await?;
    ensure!(
        text.contains("lines added and 0 lines removed") && text.contains("role: tool"),
        "The comparison does not show what was added: {text}"
    );
    ensure!(text.contains("equal lines"), "What both inputs have is not folded: {text}");
    page.span_panel().open_compared().await?;
    ensure!(page.url().await?.contains(&earlier), "The link opens the earlier request.");
    let text = page.span_panel().compare_with_before().await?;
    ensure!(
        text.contains("lines added") || text.contains("first inference"),
        "The panel neither names an earlier request nor says that it is the first: {text}"
    );
    Ok(())
}

async fn a_text_is_found_in_the_span_alone(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    second_inference(page).await?;
    ensure!(page.span_panel().has_find().await?, "The panel has a box.");
    page.span_panel().find("tool").await?;
    ensure!(page.trace().marks().await? == 0, "Nothing is marked in the timeline.");
    ensure!(!page.url().await?.contains("find="), "The address keeps the search in the trace.");
    Ok(())
}

async fn a_failed_trace_shows_its_error_before_its_timeline(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = SMALL.open()?;
    let sql =
        "SELECT trace_id, span_id, json_extract(attributes, '$.error') AS error FROM spans WHERE error IS NOT NULL ORDER BY rowid LIMIT 1";
    let (trace_id, span_id, error): (String, String, String) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let page = &stage.page;
    page.load_with(SMALL.path()).await?;
    page.open_trace(&trace_id).await?;
    let text = page.text().await?;
    let at = text.find(first_line(&error)).with_context(|| format!("The page of the trace does not show {error:?}."))?;
    let timeline = page.trace().text().await?.context("There is no timeline.")?;
    let first_row = timeline.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let timeline_at = text.find(&timeline).or_else(|| text.find(first_row)).context("The timeline has no text.")?;
    ensure!(at < timeline_at, "The error is below the timeline.");
    page.select_span(&span_id).await?;
    let panel = page.panel_text().await?;
    let at = panel.find(first_line(&error)).with_context(|| format!("The span's panel does not show {error:?}."))?;
    ensure!(panel.find("Attributes").is_none_or(|attributes| at < attributes), "The error is below the attributes.");
    Ok(())
}

async fn markup_in_values_stays_text(stage: &Stage) -> Result<()> {
    let file = hostile::odd_values(&stage.scratch, 1000)?;
    let page = &stage.page;
    page.load_with(file).await?;
    page.open_trace(ADDED_TRACE).await?;
    page.select_span(ADDED_SPAN).await?;
    let panel = page.panel_text().await?;
    ensure!(panel.matches(MARKUP).count() >= 2, "The panel does not show the markup as text:\n{panel}");
    ensure!(panel.contains("שלום עולם"), "The right-to-left text is missing.");
    ensure!(!page.has_id("injected").await?, "Markup of the file became part of the page.");
    let injected = page.evaluate("return window.quipuInjected ?? null").await?;
    ensure!(injected.is_null(), "A script of the file ran in the page: {injected}");
    Ok(())
}

async fn ten_megabytes_of_text_do_not_freeze_the_page(stage: &Stage) -> Result<()> {
    let file = hostile::odd_values(&stage.scratch, 10_000_000)?;
    let page = &stage.page;
    page.load().await?;
    let watch = "
        window.quipuLongest = 0;
        new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.quipuLongest = Math.max(window.quipuLongest, entry.duration); })
            .observe({ type: 'longtask' });";
    page.evaluate(watch).await?;
    page.open_traces(&[file]).await?;
    page.open_trace(ADDED_TRACE).await?;
    page.select_span(ADDED_SPAN).await?;
    let longest = page.evaluate("return window.quipuLongest").await?.as_f64().context("There is no measurement.")?;
    // Several times what is asked of the page, since machines that run tests are busy. Firefox measures no tasks.
    ensure!(page.browser == Browser::Firefox || longest < 500.0, "A task held the page for {longest:.0} ms.");
    let length = page.panel_text().await?.encode_utf16().count();
    ensure!(length < 1_000_000, "The whole text was drawn at once: {length} characters.");
    Ok(())
}

async fn keys_in_the_file_are_warned_of(stage: &Stage) -> Result<()> {
    let file = hostile::with_secrets(&stage.scratch)?;
    let count: i64 = fixtures::number(&Connection::open(&file)?, "SELECT count(*) FROM spans WHERE attributes LIKE '%sk-%'")?;
    ensure!(count > 0, "The file holds no key.");
    let page = &stage.page;
    page.load_with(SMALL.path()).await?;
    let before = page.warnings().await?;
    ensure!(!before.contains("key"), "A file without keys has a warning: {before}");
    page.open_traces(&[file]).await?;
    let warnings = page.warnings().await?;
    ensure!(warnings.contains("key"), "No warning names the keys: {warnings}");
    Ok(())
}

/// The first line of a text, cut where a page would not break it.
fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default().trim();
    line.get(..60).unwrap_or(line)
}
