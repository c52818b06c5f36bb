//! Files that lie in two parts: a database with its rollback journal, or with its write-ahead log.

use super::traces::check_file;
use crate::harness::{Case, Stage, cases};
use anyhow::{Context, Result, ensure};
use quipu_tests::Scratch;
use quipu_tests::fixtures::{self, LIVE, open_as_it_lies};
use quipu_tests::hostile::{self, ADDED_TRACE};
use rusqlite::Connection;

pub(crate) const CASES: &[Case] = cases![
    a_hot_journal_given_beside_the_file_is_rolled_back,
    without_its_journal_the_file_is_shown_as_it_lies_with_a_warning,
    a_wal_given_beside_the_file_is_read,
    without_its_wal_the_file_is_shown_as_it_lies,
];

async fn a_hot_journal_given_beside_the_file_is_rolled_back(stage: &Stage) -> Result<()> {
    // SQLite's own rollback, on a copy.
    let (_scratch, rolled_back) = LIVE.open()?;
    ensure!(fixtures::number(&rolled_back, "SELECT count(*) FROM spans")? == 293, "The fixture is not the one this test knows.");
    let journal = LIVE.journal().context("The live fixture has a journal.")?;
    check_file(stage, &[LIVE.path(), journal], &rolled_back).await?;
    stage.page.load().await?;
    stage.page.open_traces(&[LIVE.path(), LIVE.journal().context("as above")?]).await?;
    let facts = stage.page.file_facts().await?;
    ensure!(facts.contains("Spans\n293\n"), "The page does not say that the file holds 293 spans:\n{facts}");
    Ok(())
}

async fn without_its_journal_the_file_is_shown_as_it_lies_with_a_warning(stage: &Stage) -> Result<()> {
    let scratch = Scratch::new()?;
    let raw = open_as_it_lies(&LIVE.copy(&scratch, false)?)?;
    stage.page.load().await?;
    stage.page.open_traces(&[LIVE.path()]).await?;
    let facts = stage.page.file_facts().await?;
    ensure!(facts.contains("Spans\n294\n"), "The page does not say that the file holds 294 spans:\n{facts}");
    let warnings = stage.page.warnings().await?;
    ensure!(warnings.contains("journal"), "No warning names the journal: {warnings}");
    check_file(stage, &[LIVE.path()], &raw).await
}

async fn a_wal_given_beside_the_file_is_read(stage: &Stage) -> Result<()> {
    let (database, wal) = hostile::in_wal_mode(&stage.scratch)?;
    // SQLite changes a WAL it opens: expected values come from a copy.
    let copies = Scratch::new()?;
    std::fs::copy(&wal, copies.path().join("wal.db-wal"))?;
    std::fs::copy(&database, copies.path().join("wal.db"))?;
    let expected = Connection::open(copies.path().join("wal.db"))?;
    ensure!(fixtures::trace_ids(&expected)?.iter().any(|id| id == ADDED_TRACE), "The WAL holds a trace of its own.");
    check_file(stage, &[database, wal], &expected).await
}

async fn without_its_wal_the_file_is_shown_as_it_lies(stage: &Stage) -> Result<()> {
    let (database, _wal) = hostile::in_wal_mode(&stage.scratch)?;
    let expected = open_as_it_lies(&database)?;
    check_file(stage, &[database], &expected).await
}
