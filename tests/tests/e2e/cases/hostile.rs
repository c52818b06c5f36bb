//! Files that are wrong, broken or made to do harm: each gets a sentence, or is shown in part with warnings, and the next file opens.

use crate::harness::{Case, Stage, cases};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{AGENT, SMALL};
use quipu_tests::{Scratch, hostile};
use std::path::PathBuf;

pub(crate) const CASES: &[Case] = cases![
    two_hundred_files_with_flipped_bytes_are_refused_or_shown,
    other_formats_are_refused_with_a_sentence,
    files_cut_off_are_refused_or_shown_in_part_with_a_warning,
    a_journal_alone_is_refused_with_a_sentence,
];

/// What became of a file.
#[derive(Debug)]
struct Outcome {
    alerts: Vec<String>,
    traces_shown: bool,
    warnings: String,
}

async fn open(stage: &Stage, file: PathBuf) -> Result<Outcome> {
    let page = &stage.page;
    page.open(&[file]).await?;
    page.wait_list_or_alert().await?;
    let traces_shown = page.shows_list().await?;
    Ok(Outcome { alerts: page.alerts().await?, traces_shown, warnings: page.warnings().await? })
}

/// A sound file opens, whatever came before.
async fn check_the_next_file_opens(stage: &Stage) -> Result<()> {
    stage.page.open_traces(&[SMALL.path()]).await?;
    let shown = stage.page.trace_ids().await?.len();
    ensure!(shown == 43, "A sound file opened afterwards shows {shown} of 43 traces.");
    let alerts = stage.page.alerts().await?;
    ensure!(alerts.is_empty(), "A sound file opened afterwards still shows {alerts:?}.");
    Ok(())
}

async fn check_refused(stage: &Stage, file: PathBuf) -> Result<()> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).context("Files have names.")?;
    let outcome = open(stage, file).await.with_context(|| name.clone())?;
    ensure!(!outcome.traces_shown, "{name} is shown as if it held traces.");
    let sentence = outcome.alerts.first().with_context(|| format!("{name} gets no sentence."))?;
    ensure!(sentence.contains(' ') && sentence.contains('.'), "{name} gets no whole sentence: {sentence}");
    check_the_next_file_opens(stage).await.with_context(|| format!("After {name}."))
}

async fn other_formats_are_refused_with_a_sentence(stage: &Stage) -> Result<()> {
    stage.page.load().await?;
    check_refused(stage, hostile::empty(&stage.scratch)?).await?;
    for file in hostile::other_formats(&stage.scratch)? {
        check_refused(stage, file).await?;
    }
    check_refused(stage, hostile::encrypted(&stage.scratch)?).await?;
    check_refused(stage, hostile::other_schema(&stage.scratch)?).await
}

async fn files_cut_off_are_refused_or_shown_in_part_with_a_warning(stage: &Stage) -> Result<()> {
    stage.page.load().await?;
    for fixture in [SMALL, AGENT] {
        for file in hostile::truncated(&stage.scratch, fixture)? {
            let name = file.display().to_string();
            let outcome = open(stage, file).await.with_context(|| name.clone())?;
            ensure!(
                !outcome.alerts.is_empty() || !outcome.warnings.is_empty(),
                "{name} is shown without a word about its state: {outcome:?}"
            );
            check_the_next_file_opens(stage).await.with_context(|| format!("After {name}."))?;
        }
    }
    Ok(())
}

async fn a_journal_alone_is_refused_with_a_sentence(stage: &Stage) -> Result<()> {
    stage.page.load().await?;
    let journal = quipu_tests::fixtures::LIVE.journal().context("The live fixture has a journal.")?;
    check_refused(stage, journal).await
}

async fn two_hundred_files_with_flipped_bytes_are_refused_or_shown(stage: &Stage) -> Result<()> {
    stage.page.load().await?;
    let mut shown = 0;
    for seed in 0..200 {
        // A folder each: a file that changes while it is open is another matter.
        let scratch = Scratch::new()?;
        let fixture = if seed % 4 == 0 { AGENT } else { SMALL };
        let file = hostile::flipped(&scratch, fixture, seed, 1 + (seed as usize % 40))?;
        let outcome = open(stage, file).await.with_context(|| format!("Seed {seed}."))?;
        ensure!(outcome.traces_shown || !outcome.alerts.is_empty(), "Seed {seed}: neither traces nor a sentence.");
        let console = stage.page.console_errors().await?;
        ensure!(console.is_empty(), "Seed {seed}: the console shows {console:?}.");
        shown += usize::from(outcome.traces_shown);
    }
    // Most flips fall on values: a page that refuses every odd file would pass otherwise.
    ensure!(shown > 100, "Only {shown} of 200 files are shown.");
    check_the_next_file_opens(stage).await
}
