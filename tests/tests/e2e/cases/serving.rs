//! The page from odd places: a folder deep down, the disk, a server with files of two builds.

use crate::harness::{Case, Stage, cases};
use crate::site::Site;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::SMALL;
use std::fs;
use std::path::Path;

pub(crate) const CASES: &[Case] = cases![
    the_page_works_from_any_folder,
    from_disk_the_page_says_why_it_cannot_start,
    a_worker_of_another_build_is_noticed
];

async fn the_page_works_from_any_folder(stage: &Stage) -> Result<()> {
    let site = Site::start(&stage.dist, "/some/deep/path/")?;
    let page = &stage.page;
    page.load_from(&site.url()).await?;
    page.open_traces(&[SMALL.path()]).await?;
    ensure!(page.trace_ids().await?.len() == 43, "All traces are shown.");
    page.press_open_file().await.ok();
    let outside: Vec<String> = site.seen().into_iter().filter(|request| !request.starts_with("GET /some/deep/path/")).collect();
    ensure!(outside.is_empty(), "Addresses outside the folder were asked for: {outside:?}");
    Ok(())
}

async fn from_disk_the_page_says_why_it_cannot_start(stage: &Stage) -> Result<()> {
    let page = &stage.page;
    page.visit(&format!("file://{}", stage.dist.join("index.html").display())).await?;
    page.wait_settled().await?;
    let text = page.text().await?;
    ensure!(text.contains("file://") && text.contains("start"), "The page does not say why it cannot start:\n{text}");
    // The browser itself reports what it does not load from disk.
    page.console_errors().await?;
    Ok(())
}

async fn a_worker_of_another_build_is_noticed(stage: &Stage) -> Result<()> {
    let stale = stage.scratch.path().join("dist");
    copy_dir(&stage.dist, &stale)?;
    let index = fs::read_to_string(stale.join("index.html"))?;
    let id = index.split("boot.js?v=").nth(1).and_then(|rest| rest.split('"').next()).context("index.html names no build id.")?;
    let other: String = id
        .chars()
        .map(|c| {
            if c == '0' {
                '1'
            } else if c.is_ascii_hexdigit() {
                '0'
            } else {
                c
            }
        })
        .collect();
    let path = stale.join("quipu-worker_bg.wasm");
    let replaced = replace(&mut fs::read(&path)?, id.as_bytes(), other.as_bytes());
    let (bytes, count) = replaced;
    ensure!(count > 0, "The worker does not carry the build id {id}.");
    fs::write(&path, bytes)?;

    let site = Site::start(&stale, "/")?;
    let page = &stage.page;
    page.load_from(&site.url()).await?;
    // The worker may start with the first file.
    page.open(&[SMALL.path()]).await?;
    page.wait_any_alert().await?;
    let alerts = page.alerts().await?;
    ensure!(alerts.iter().any(|alert| alert.to_lowercase().contains("build") || alert.contains("version")), "{alerts:?}");
    ensure!(page.offers_reload().await?, "There is no button to reload the page.");
    Ok(())
}

/// `bytes` with every `from` replaced by `to`, which has the same length, and how many there were.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> (Vec<u8>, usize) {
    let mut count = 0;
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(from.len()).position(|window| window == from)) {
        let start = at + found;
        bytes[start..start + from.len()].copy_from_slice(to);
        (count, at) = (count + 1, start + from.len());
    }
    (bytes.to_vec(), count)
}

fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
