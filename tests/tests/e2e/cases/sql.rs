//! Questions in SQL: every example, what is wrong and where, ending a query, large results, what leaves, links, the address.

use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu::store::SQL_VIEWS;
use quipu_tests::failures::make_parts;
use quipu_tests::fixtures::{self, AGENT, EVENTS, Fixture, LIVE, METRICS, OLD_0_0_58, SMALL};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::PathBuf;
use thirtyfour::Key;

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

/// Opens a file at its questions.
async fn open_at_sql(page: &Page, files: &[PathBuf]) -> Result<()> {
    page.load().await?;
    page.open_traces(files).await?;
    page.sql().open().await?;
    page.sql().wait_schema().await
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
        let examples = page.sql().examples().await?;
        ensure!(examples >= 10, "There are {examples} examples.");
        for number in 0..examples {
            let title = page.sql().run_example(number).await?;
            let query = page.sql().query().await?;
            let (texts, count) = expected(&connection, &query, 5)?;
            let shown: Vec<String> = page.sql().cells().await?.into_iter().take(texts.len()).map(|text| beginning(&text)).collect();
            let texts: Vec<String> = texts.iter().map(|text| beginning(text)).collect();
            ensure!(shown == texts, "{}, {title}: {shown:?}, and SQLite {texts:?}", fixture.name);
            let announced = page.sql().announced().await?;
            ensure!(announced == count as u64 + 1, "{}, {title} announces {announced} rows of {count}.", fixture.name);
        }
    }
    Ok(())
}

async fn what_is_wrong_is_said_with_its_place(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql().run("SELECT name,\n  colour FROM spans").await?;
    let alerts = page.alerts().await?.join("\n");
    ensure!(alerts.contains("Line 2, column 3") && alerts.contains("no such column: colour"), "The message is {alerts}");
    let marked = page.sql().mistake_mark().await?;
    ensure!(marked == "colour", "The marked place is {marked}");
    ensure!(page.sql().invalid().await?.as_deref() == Some("true"), "The editor is marked as invalid.");
    page.sql().run("SELECT count(*) FROM spans").await?;
    ensure!(page.alerts().await?.is_empty(), "The message is gone.");
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
        page.sql().run(query).await?;
        let alerts = page.alerts().await?.join("\n");
        ensure!(
            alerts.contains("only read") || alerts.contains("not authorized") || alerts.contains("more than one statement"),
            "{query}: {alerts}"
        );
    }
    page.sql().run("SELECT count(*) FROM spans").await?;
    let (_scratch, connection) = AGENT.open()?;
    ensure!(
        page.sql().cells().await? == [fixtures::number(&connection, "SELECT count(*) FROM spans")?.to_string()],
        "All spans are there."
    );
    ensure!(std::fs::read(AGENT.path())? == before, "The file is as it was.");
    Ok(())
}

async fn an_endless_query_is_cancelled_and_the_next_one_answers(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql().start("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n").await?;
    ensure!(!page.is_idle().await?, "The query runs.");
    page.sql().cancel().await?;
    ensure!(page.alerts().await?.join("").contains("Cancelled after"), "The page says that the query was cancelled.");
    // Another one is asked while one runs: it takes its place.
    page.sql().start("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n").await?;
    page.sql().run_instead("SELECT 6 * 7").await?;
    ensure!(page.sql().cells().await? == ["42"], "The next one is answered.");
    // The file is still listed by the first worker.
    page.go_to_list().await?;
    ensure!(!page.trace_ids().await?.is_empty(), "The list is there.");
    Ok(())
}

async fn a_million_rows_are_scrolled_with_few_in_the_document(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql()
        .run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200000) SELECT i, 'row ' || i AS text FROM n")
        .await?;
    ensure!(page.sql().announced().await? == 1_000_001, "The limit is a million rows.");
    let told = page.sql().status().await?;
    ensure!(told.contains("1,000,000 rows") && told.contains("the first of more"), "The page does not name the limit: {told}");
    ensure!(page.sql().rows_in_document().await? < 120, "Few rows are in the document.");
    page.sql().scroll_to(1.0).await?;
    page.sql().wait_cell("row 1000000").await?;
    page.sql().scroll_to(0.5).await?;
    page.sql().wait_integers_between(490_000, 510_000).await?;
    ensure!(page.sql().rows_in_document().await? < 120, "Few rows are in the document.");
    Ok(())
}

async fn kinds_of_values_are_told_apart_and_long_ones_shown_whole(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    let (_scratch, connection) = AGENT.open()?;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql().run("SELECT NULL AS a, 'NULL' AS b, '' AS c, 7 AS d, 7.0 AS e, x'00ff' AS f, 'a\nb' AS g").await?;
    let kinds = page.sql().cells_with_kinds().await?;
    ensure!(kinds == ["null NULL", "text NULL", "text ", "integer 7", "real 7.0", "blob 00ff (2 bytes)", "text a↵b"], "{kinds:?}");
    for (kind, wanted) in [("integer", "right"), ("real", "right"), ("text", "start")] {
        let alignment = page.sql().alignment(kind).await?;
        ensure!(alignment == wanted, "Only numbers are aligned to the right: {kind} is aligned to the {alignment}");
    }
    let query = "SELECT attributes FROM spans WHERE name = 'inference' ORDER BY length(attributes) DESC LIMIT 1";
    page.sql().run(query).await?;
    page.sql().focus_result().await?;
    page.press(Key::Enter).await?;
    page.sql().wait_value().await?;
    page.press(Key::Escape).await?;
    // The pointer presses twice.
    page.sql().double_click_first_cell().await?;
    page.sql().wait_value().await?;
    let told = page.sql().value_text().await?;
    ensure!(told.contains("attributes, row 1") && told.contains("JSON") && told.contains("input"), "The value is not a tree: {told}");
    let whole: String = connection.query_row(query, [], |row| row.get(0))?;
    let raw = page.sql().raw_value().await?;
    ensure!(raw.len() > 500 && whole.starts_with(&raw[..500]), "The text is there as it was recorded.");
    page.press(Key::Escape).await?;
    ensure!(!page.sql().shows_value().await?, "It closes.");
    Ok(())
}

async fn a_result_is_copied_in_three_forms(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql().run("SELECT 1 AS a, NULL AS b, 'x,\"y\"' AS c UNION ALL SELECT 2.5, '', '|'").await?;
    page.sql().keep_copies().await?;
    for (form, wanted) in [
        ("CSV", "a,b,c\r\n1,,\"x,\"\"y\"\"\"\r\n2.5,\"\",|\r\n"),
        ("JSON", "[\n{\"a\": 1, \"b\": null, \"c\": \"x,\\\"y\\\"\"},\n{\"a\": 2.5, \"b\": \"\", \"c\": \"|\"}\n]"),
        ("Markdown", "| a | b | c |\n| ---: | --- | --- |\n| 1 |  | x,\"y\" |\n| 2.5 |  | \\| |\n"),
    ] {
        let copied = page.sql().copy_as(form).await?;
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
    page.sql().run(query).await?;
    page.sql().wait_links(2).await?;
    page.sql().open_link(&span_id).await?;
    let url = page.url().await?;
    ensure!(url.contains(&format!("trace/{trace_id}")) && url.contains(&format!("span={span_id}")), "The span is open: {url}");
    page.back().await?;
    page.sql().wait_links(2).await?;
    // The keyboard goes the same way.
    page.sql().focus_result().await?;
    page.press(Key::Enter).await?;
    page.wait_timeline().await?;
    ensure!(page.url().await?.contains(&format!("trace/{trace_id}")), "The trace is open.");
    Ok(())
}

async fn the_address_brings_the_query_back(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql().run("SELECT 'one' AS a -- 100 % & more").await?;
    page.sql().run("SELECT 'two' AS a").await?;
    page.back().await?;
    page.sql().wait_first_cell("one").await?;
    let address = page.url().await?;
    ensure!(address.contains("sql?query=SELECT%20%27one%27"), "The query is not in the address: {address}");
    // A link that was handed on waits for the file, and is answered then.
    page.leave().await?;
    page.load_from(&address).await?;
    let asked = page.text().await?;
    ensure!(asked.contains("agent_0.2.15.db") && asked.contains("a question in SQL"), "The page asks for the file: {asked}");
    page.open(&[AGENT.path()]).await?;
    page.sql().wait_first_cell("one").await?;
    let query = page.sql().query().await?;
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
    page.sql().open().await?;
    page.sql().run(count).await?;
    ensure!(page.sql().cells().await? == [fixtures::number(&small, count)?.to_string()], "The query reads what was imported.");
    // With its journal the file has one span less.
    let (_scratch, live) = LIVE.open()?;
    open_at_sql(page, &[LIVE.path(), LIVE.journal().context("The live fixture has a journal.")?]).await?;
    page.sql().run(count).await?;
    ensure!(page.sql().cells().await? == [fixtures::number(&live, count)?.to_string()], "The journal is applied.");
    Ok(())
}

async fn a_query_is_completed_and_names_are_put_in(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql().type_after("SELECT route FROM req").await?;
    page.wait_settled().await?;
    page.wait_suggestions().await?;
    let first = page.suggestions().await?;
    ensure!(first.first().is_some_and(|first| first.starts_with("requests")), "The first suggestion is {first:?}");
    page.press(Key::Tab).await?;
    page.sql().wait_query("SELECT route FROM requests").await?;
    let colours = page.sql().keywords().await?;
    ensure!(colours == ["SELECT", "FROM"], "Keywords are not coloured: {colours:?}");
    page.sql().type_after(" WHERE ").await?;
    page.sql().unfold_table(1).await?;
    page.sql().insert_name("duration_ms").await?;
    page.sql().wait_query("SELECT route FROM requests WHERE duration_ms").await?;
    ensure!(page.sql().editor_has_focus().await?, "The editor has the keyboard.");
    Ok(())
}

async fn a_plan_is_a_tree(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    open_at_sql(page, &[AGENT.path()]).await?;
    page.sql().type_query("SELECT * FROM errors ORDER BY time").await?;
    let plan = page.sql().show_plan().await?;
    ensure!(plan.contains("SCAN ") && plan.contains("TEMP B-TREE"), "{plan}");
    ensure!(page.sql().nested_steps().await? > 1, "No step is nested in another.");
    Ok(())
}

async fn one_file_from_disk_answers_too(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.load_from(&format!("file://{}", stage.dist.join("viewer.html").display())).await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.sql().open().await?;
    page.sql().run("SELECT 6 * 7").await?;
    ensure!(page.sql().cells().await? == ["42"], "The second worker starts from the program in the page.");
    Ok(())
}
