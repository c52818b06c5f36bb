//! Questions in SQL: every example, what is wrong and where, ending a query, large results, what leaves, links, the address.

use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu::store::SQL_VIEWS;
use quipu_tests::failures::make_parts;
use quipu_tests::fixtures::{self, AGENT, EVENTS, Fixture, LIVE, METRICS, OLD_0_0_58, SMALL};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::json;
use std::path::PathBuf;
use thirtyfour::{By, Key};

pub(crate) const CASES: &[Case] = cases![
    every_example_answers_what_sqlite_does,
    what_is_wrong_is_said_with_its_place,
    what_writes_is_refused,
    an_endless_query_is_cancelled_and_the_next_one_answers,
    a_million_rows_are_scrolled_with_few_in_the_document,
    kinds_of_values_are_told_apart_and_long_ones_shown_whole,
    a_result_is_copied_in_three_forms,
    ids_in_a_result_lead_to_their_trace_and_span,
    the_address_brings_the_query_back,
    imported_files_and_journals_are_asked_as_they_are_shown,
    a_query_is_completed_and_names_are_put_in,
    a_plan_is_a_tree,
    one_file_from_disk_answers_too,
];

/// The result, whole, as it is drawn: every cell of every row in the document.
const CELLS: &str =
    "return [...document.querySelectorAll('#sql-result [data-cell]')].map((cell) => cell.querySelector('a, .sql-text').textContent)";
/// Whether the page has answered.
const ANSWERED: &str = "return isIdle() && !!document.querySelector('#sql-result [data-cell], #sql-result[aria-rowcount=\"1\"], .sql-error:not(:empty), .state.failed, .sql-plan')";

/// Opens a file at its questions.
async fn open_at_sql(page: &Page, files: &[PathBuf]) -> Result<()> {
    page.load().await?;
    page.open_traces(files).await?;
    page.click("link", "SQL").await?;
    page.wait_until(
        "return isIdle() && !!named('region', 'Schema')?.querySelector('button') || !!document.querySelector('.sql-side button')",
        "the schema",
    )
    .await
}

/// Runs a query, and waits for what becomes of it.
pub(super) async fn run(page: &Page, query: &str) -> Result<()> {
    type_query(page, query).await?;
    page.driver.action_chain().key_down(Key::Control).send_keys(char::from(Key::Enter).to_string()).key_up(Key::Control).perform().await?;
    page.wait_until(ANSWERED, "an answer").await
}

async fn type_query(page: &Page, query: &str) -> Result<()> {
    let area = page.driver.find(By::Css("textarea[aria-label='SQL query']")).await.context("There is no editor.")?;
    area.click().await?;
    let script =
        "const area = document.querySelector('#sql-query'); area.select(); document.execCommand('insertText', false, arguments[0])";
    page.driver.execute(script, vec![json!(query)]).await?;
    page.wait_until("return isIdle()", "the completions").await?;
    // What is suggested stands in the way of nothing.
    page.run("document.querySelector('#sql-query').click()").await?;
    Ok(())
}

pub(super) async fn cells(page: &Page) -> Result<Vec<String>> {
    Ok(serde_json::from_value(page.run(CELLS).await?)?)
}

async fn summary(page: &Page) -> Result<String> {
    Ok(page.text_of("document.querySelector('.sql-status')").await?.unwrap_or_default())
}

/// A fixture under SQLite itself, with views of the same statements.
fn plain(fixture: &Fixture) -> Result<(quipu_tests::Scratch, Connection)> {
    let (scratch, connection) = fixture.open()?;
    make_parts(&connection)?;
    for view in SQL_VIEWS {
        connection.execute_batch(&format!("CREATE TEMP VIEW {} AS {}", view.name, view.select))?;
    }
    Ok((scratch, connection))
}

/// The first rows of a query as their cells say them, as far as a cell goes, and how many there are.
fn expected(connection: &Connection, query: &str, most: usize) -> Result<(Vec<String>, usize)> {
    let mut statement = connection.prepare(query)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let (mut texts, mut count) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if count < most {
            for column in 0..columns {
                texts.push(match row.get_ref(column)? {
                    ValueRef::Null => "NULL".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) if number.fract() == 0.0 => format!("{number:.1}"),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    ValueRef::Blob(_) => "(blob)".to_owned(),
                });
            }
        }
        count += 1;
    }
    Ok((texts, count))
}

/// What a cell shows of a text: its beginning, with signs for line ends.
fn beginning(text: &str) -> String {
    text.chars().take(200).map(|letter| if letter.is_control() || "↵␍⇥␣".contains(letter) { '?' } else { letter }).collect()
}

async fn every_example_answers_what_sqlite_does(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    for fixture in [AGENT, METRICS, OLD_0_0_58, EVENTS, SMALL] {
        let (_scratch, connection) = plain(&fixture)?;
        open_at_sql(page, &[fixture.path()]).await?;
        let examples = page.run("return document.querySelectorAll('#sql-examples button').length").await?;
        let examples = examples.as_u64().unwrap_or(0);
        ensure!(examples >= 10, "There are {examples} examples.");
        for number in 0..examples {
            page.run("document.querySelector('[popovertarget=sql-examples]').click()").await?;
            let title = page
                .run(&format!("const b = document.querySelectorAll('#sql-examples button')[{number}]; b.click(); return b.textContent"))
                .await?;
            page.wait_until(ANSWERED, "an answer").await?;
            let query = page.run("return document.querySelector('#sql-query').value").await?;
            let (texts, count) = expected(&connection, query.as_str().unwrap_or_default(), 5)?;
            let shown: Vec<String> = cells(page).await?.into_iter().take(texts.len()).map(|text| beginning(&text)).collect();
            let texts: Vec<String> = texts.iter().map(|text| beginning(text)).collect();
            ensure!(shown == texts, "{}, {title}: {shown:?}, and SQLite {texts:?}", fixture.name);
            let announced = page.run("return Number(named('grid', 'Result').getAttribute('aria-rowcount'))").await?;
            ensure!(announced == count as u64 + 1, "{}, {title} announces {announced} rows of {count}.", fixture.name);
        }
    }
    Ok(())
}

async fn what_is_wrong_is_said_with_its_place(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    run(page, "SELECT name,\n  colour FROM spans").await?;
    let alerts = page.alerts().await?.join("\n");
    ensure!(alerts.contains("Line 2, column 3") && alerts.contains("no such column: colour"), "What is wrong: {alerts}");
    let marked = page.run("return document.querySelector('.sql-echo u').textContent").await?;
    ensure!(marked == "colour", "The place that is marked: {marked}");
    ensure!(page.run("return document.querySelector('#sql-query').getAttribute('aria-invalid')").await? == "true", "The editor says so.");
    run(page, "SELECT count(*) FROM spans").await?;
    ensure!(page.alerts().await?.is_empty(), "Nothing is wrong any more.");
    Ok(())
}

async fn what_writes_is_refused(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let before = std::fs::read(AGENT.path())?;
    open_at_sql(page, &[AGENT.path()]).await?;
    for query in [
        "DELETE FROM spans",
        "ATTACH 'x' AS y",
        "PRAGMA writable_schema=ON",
        "CREATE TEMP TABLE t (a)",
        "SELECT 1; DELETE FROM spans",
    ] {
        run(page, query).await?;
        let alerts = page.alerts().await?.join("\n");
        ensure!(
            alerts.contains("only read") || alerts.contains("not authorized") || alerts.contains("several statements"),
            "{query}: {alerts}"
        );
    }
    run(page, "SELECT count(*) FROM spans").await?;
    let (_scratch, connection) = AGENT.open()?;
    ensure!(cells(page).await? == [fixtures::number(&connection, "SELECT count(*) FROM spans")?.to_string()], "All spans are there.");
    ensure!(std::fs::read(AGENT.path())? == before, "The file is as it was.");
    Ok(())
}

async fn an_endless_query_is_cancelled_and_the_next_one_answers(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    type_query(page, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n").await?;
    page.click_on("#sql-run").await?;
    page.wait_until("return !!named('button', 'Cancel')", "the button that cancels").await?;
    ensure!(page.run("return isIdle()").await? == false, "It runs.");
    page.driver.find(By::XPath("//button[text()='Cancel']")).await?.click().await?;
    page.wait_until("return isIdle() && !named('button', 'Cancel')", "its end").await?;
    ensure!(page.alerts().await?.join("").contains("cancelled"), "It is said.");
    // Another one is asked while one runs: it takes its place.
    type_query(page, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n").await?;
    page.click_on("#sql-run").await?;
    page.wait_until("return !!named('button', 'Cancel')", "the button that cancels").await?;
    let script = "const area = document.querySelector('#sql-query'); area.value = 'SELECT 6 * 7'; area.dispatchEvent(new Event('input')); document.querySelector('#sql-run').click()";
    page.run(script).await?;
    page.wait_until(ANSWERED, "an answer").await?;
    ensure!(cells(page).await? == ["42"], "The next one is answered.");
    // The file is still listed by the first worker.
    page.click("link", "Traces").await?;
    ensure!(!page.trace_ids().await?.is_empty(), "The list is there.");
    Ok(())
}

async fn a_million_rows_are_scrolled_with_few_in_the_document(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    run(page, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200000) SELECT i, 'row ' || i AS text FROM n")
        .await?;
    ensure!(page.run("return named('grid', 'Result').getAttribute('aria-rowcount')").await? == "1000001", "The limit is a million rows.");
    let told = summary(page).await?;
    ensure!(told.contains("1,000,000 rows") && told.contains("the first of more"), "The limit that cut it is told: {told}");
    let rows = "return document.querySelectorAll('#sql-result [role=row]').length";
    ensure!(page.run(rows).await?.as_u64().is_some_and(|rows| rows < 120), "Few rows are in the document.");
    page.run("const grid = named('grid', 'Result'); grid.scrollTop = grid.scrollHeight").await?;
    let there =
        "return isIdle() && [...document.querySelectorAll('#sql-result [data-cell]')].some((cell) => cell.textContent === 'row 1000000')";
    page.wait_until(there, "the last row").await?;
    page.run("const grid = named('grid', 'Result'); grid.scrollTop = grid.scrollHeight / 2").await?;
    let middle = "const cells = [...document.querySelectorAll('#sql-result .is-integer')].map((cell) => Number(cell.textContent));
        return isIdle() && cells.length > 10 && cells.every((value) => value > 490000 && value < 510000)";
    page.wait_until(middle, "the rows in the middle").await?;
    ensure!(page.run(rows).await?.as_u64().is_some_and(|rows| rows < 120), "Few rows are in the document.");
    Ok(())
}

async fn kinds_of_values_are_told_apart_and_long_ones_shown_whole(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (_scratch, connection) = AGENT.open()?;
    open_at_sql(page, &[AGENT.path()]).await?;
    run(page, "SELECT NULL AS a, 'NULL' AS b, '' AS c, 7 AS d, 7.0 AS e, x'00ff' AS f, 'a\nb' AS g").await?;
    let kinds = page.run("return [...document.querySelectorAll('#sql-result [data-cell]')].map((cell) => `${cell.className.split('is-')[1]} ${cell.querySelector('.sql-text').textContent}`)").await?;
    ensure!(kinds == json!(["null NULL", "text NULL", "text ", "integer 7", "real 7.0", "blob 00ff (2 bytes)", "text a↵b"]), "{kinds}");
    let align = page
        .run("return ['integer', 'real', 'text'].map((kind) => getComputedStyle(document.querySelector(`.is-${kind}`)).textAlign)")
        .await?;
    ensure!(align == json!(["right", "right", "start"]), "Numbers stand at the right: {align}");
    let query = "SELECT attributes FROM spans WHERE name = 'inference' ORDER BY length(attributes) DESC LIMIT 1";
    run(page, query).await?;
    page.run("document.querySelector('#sql-result').focus()").await?;
    page.press(Key::Enter).await?;
    page.wait_until("return isIdle() && !!named('dialog', 'Value')", "the value").await?;
    page.press(Key::Escape).await?;
    // The pointer presses twice.
    let cell = page.driver.find(By::Css("[data-cell='0 0']")).await?;
    page.driver.action_chain().double_click_element(&cell).perform().await?;
    page.wait_until("return isIdle() && !!named('dialog', 'Value')", "the value").await?;
    let told = page.text_of("named('dialog', 'Value')").await?.unwrap_or_default();
    ensure!(told.contains("attributes, row 1") && told.contains("JSON") && told.contains("input"), "The value is a tree: {told}");
    page.click("button", "raw").await?;
    let whole: String = connection.query_row(query, [], |row| row.get(0))?;
    let raw = page.run("return document.querySelector('dialog[open] .text-block').textContent").await?;
    ensure!(raw.as_str().is_some_and(|raw| raw.len() > 500 && whole.starts_with(&raw[..500])), "The text is there as it was recorded.");
    page.press(Key::Escape).await?;
    ensure!(page.run("return named('dialog', 'Value') === null").await? == true, "It closes.");
    Ok(())
}

async fn a_result_is_copied_in_three_forms(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    run(page, "SELECT 1 AS a, NULL AS b, 'x,\"y\"' AS c UNION ALL SELECT 2.5, '', '|'").await?;
    // What the page gives to the clipboard, whatever the browser then allows.
    page.run("window.copied = []; Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { copied.push(text); } }, configurable: true })").await?;
    for (form, wanted) in [
        ("CSV", "a,b,c\r\n1,,\"x,\"\"y\"\"\"\r\n2.5,\"\",|\r\n"),
        ("JSON", "[\n{\"a\": 1, \"b\": null, \"c\": \"x,\\\"y\\\"\"},\n{\"a\": 2.5, \"b\": \"\", \"c\": \"|\"}\n]"),
        ("Markdown", "| a | b | c |\n| ---: | --- | --- |\n| 1 |  | x,\"y\" |\n| 2.5 |  | \\| |\n"),
    ] {
        page.run("document.querySelector('[popovertarget=sql-export]').click(); window.copied.length = 0").await?;
        page.run(&format!("[...document.querySelectorAll('#sql-export button')].find((b) => b.textContent === 'Copy as {form}').click()"))
            .await?;
        page.wait_until("return isIdle() && window.copied.length === 1", "the copy").await?;
        let copied = page.run("return window.copied[0]").await?;
        ensure!(copied == wanted, "{form}: {copied}");
    }
    Ok(())
}

async fn ids_in_a_result_lead_to_their_trace_and_span(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (_scratch, connection) = AGENT.open()?;
    let query = "SELECT trace_id, span_id, 'ffffffffffffffff' AS other FROM spans WHERE name = 'inference' ORDER BY start_time LIMIT 1";
    let (trace_id, span_id): (String, String) = connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    open_at_sql(page, &[AGENT.path()]).await?;
    run(page, query).await?;
    page.wait_until("return isIdle() && document.querySelectorAll('#sql-result a').length === 2", "two links").await?;
    page.click("link", &span_id).await?;
    page.wait_timeline().await?;
    let url = page.url().await?;
    ensure!(url.contains(&format!("trace/{trace_id}")) && url.contains(&format!("span={span_id}")), "The span is open: {url}");
    page.driver.back().await?;
    page.wait_until("return isIdle() && document.querySelectorAll('#sql-result a').length === 2", "the result as it was").await?;
    // The keyboard goes the same way.
    page.run("document.querySelector('#sql-result').focus()").await?;
    page.press(Key::Enter).await?;
    page.wait_timeline().await?;
    ensure!(page.url().await?.contains(&format!("trace/{trace_id}")), "The trace is open.");
    Ok(())
}

async fn the_address_brings_the_query_back(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    run(page, "SELECT 'one' AS a -- 100 % & more").await?;
    run(page, "SELECT 'two' AS a").await?;
    page.driver.back().await?;
    page.wait_until("return isIdle() && document.querySelector('#sql-result [data-cell]')?.textContent === 'one'", "the query before")
        .await?;
    let address = page.url().await?;
    ensure!(address.contains("sql?query=SELECT%20%27one%27"), "The query stands in the address: {address}");
    // A link that was handed on waits for the file, and is answered then.
    page.driver.goto("about:blank").await?;
    page.load_from(&address).await?;
    let asked = page.text().await?;
    ensure!(asked.contains("agent_0.2.15.db") && asked.contains("a question in SQL"), "The page asks for the file: {asked}");
    page.open(&[AGENT.path()]).await?;
    page.wait_until("return isIdle() && document.querySelector('#sql-result [data-cell]')?.textContent === 'one'", "the answer").await?;
    let query = page.run("return document.querySelector('#sql-query').value").await?;
    ensure!(query == "SELECT 'one' AS a -- 100 % & more", "The query is in the editor: {query}");
    Ok(())
}

async fn imported_files_and_journals_are_asked_as_they_are_shown(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let count = "SELECT count(*) FROM spans";
    let (_scratch, small) = SMALL.open()?;
    page.load().await?;
    page.drop_files(
        &["small_0.2.15_traces.binpb", "small_0.2.15_metrics.binpb"]
            .map(|name| fixtures::repository().join("tests/fixtures/otlp").join(name)),
    )
    .await?;
    page.click("link", "SQL").await?;
    run(page, count).await?;
    ensure!(cells(page).await? == [fixtures::number(&small, count)?.to_string()], "What was imported is asked.");
    // With its journal the file has one span less.
    let (_scratch, live) = LIVE.open()?;
    open_at_sql(page, &[LIVE.path(), LIVE.journal().context("The live fixture has a journal.")?]).await?;
    run(page, count).await?;
    ensure!(cells(page).await? == [fixtures::number(&live, count)?.to_string()], "The journal is applied.");
    Ok(())
}

async fn a_query_is_completed_and_names_are_put_in(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    let area = page.driver.find(By::Id("sql-query")).await?;
    area.send_keys("SELECT route FROM req").await?;
    page.wait_until("return isIdle() && all('option').filter(shown).length > 0", "completions").await?;
    let first = page.suggestions().await?;
    ensure!(first.first().is_some_and(|first| first.starts_with("requests")), "What is suggested: {first:?}");
    page.driver.action_chain().send_keys(char::from(Key::Tab).to_string()).perform().await?;
    page.wait_until("return document.querySelector('#sql-query').value === 'SELECT route FROM requests'", "the table's name").await?;
    let colours = page.run("return [...document.querySelectorAll('.sql-echo .sql-keyword')].map((word) => word.textContent)").await?;
    ensure!(colours == json!(["SELECT", "FROM"]), "Words of the language are coloured: {colours}");
    area.send_keys(" WHERE ").await?;
    page.run("[...document.querySelectorAll('.sql-side summary')][1].click()").await?;
    page.run("[...document.querySelectorAll('.sql-side button')].find((b) => shown(b) && b.textContent === 'duration_ms').click()").await?;
    page.wait_until(
        "return document.querySelector('#sql-query').value === 'SELECT route FROM requests WHERE duration_ms'",
        "the column's name",
    )
    .await?;
    ensure!(page.run("return document.activeElement.id").await? == "sql-query", "The editor has the keyboard.");
    Ok(())
}

async fn a_plan_is_a_tree(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    type_query(page, "SELECT * FROM errors ORDER BY time").await?;
    page.click("button", "Plan").await?;
    page.wait_until("return isIdle() && !!named('region', 'Plan')", "the plan").await?;
    let plan = page.text_of("named('region', 'Plan')").await?.unwrap_or_default();
    ensure!(plan.contains("SCAN ") && plan.contains("TEMP B-TREE"), "{plan}");
    ensure!(page.run("return document.querySelectorAll('.sql-plan ul ul li').length > 1").await? == true, "Steps stand within steps.");
    Ok(())
}

async fn one_file_from_disk_answers_too(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_from(&format!("file://{}", stage.dist.join("viewer.html").display())).await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.click("link", "SQL").await?;
    run(page, "SELECT 6 * 7").await?;
    ensure!(cells(page).await? == ["42"], "The second worker starts from what the file carries.");
    Ok(())
}
