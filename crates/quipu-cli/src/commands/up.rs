//! `quipu up`: receives and shows in one process. The receiver is `crate::collect`, the page's server `crate::serve`.

use crate::arguments::Up;
use crate::collect::{Collect, Collecting, Settings};
use crate::file_layout::FileLayout;
use crate::http::{Admission, Ending, runtime};
use crate::output::clean_line;
use crate::serve::{Options, Serving, has_page};
use anyhow::{Context, Result};
use etcetera::{BaseStrategy, choose_base_strategy};
use quipu::metrics::MetricOptions;
use std::path::PathBuf;

pub(crate) fn run(up: Up) -> Result<()> {
    let Up { db, listen, page, tls, allow_origin, retention, no_open } = up;
    let file = db.map_or_else(usual_file, Ok)?;
    let admission = || Admission { allow_remote: false, token_file: None };
    let collect = Collect {
        db: Some(file.clone()),
        layout: FileLayout::Quipu,
        listen,
        admission: admission(),
        tls,
        allow_origin,
        retention,
        forward: None,
        console: false,
        config: None,
    };
    let settings = Settings::read(&collect)?;
    let metrics = MetricOptions { scrape_millis: 15_000, merge_labels: false, exact: false };
    let options = Options { file, listen: page, flag: "--page", admission: admission(), accept_events: false, metrics };
    let (runtime, ending) = (runtime()?, Ending::default());
    // The file is there once it is written to.
    let collecting = Collecting::start(settings, &runtime, &ending)?;
    let says = collecting.says();
    let (server, routes, rest) = collecting.parts();
    let served = runtime.block_on(async {
        let serving = Serving::start(&options, &ending).await?;
        ending.listen()?;
        says.iter().for_each(|line| eprintln!("{line}"));
        let is = if has_page() { "The page is on" } else { "This build has no page; Llama Stack's and Prometheus's APIs are on" };
        eprintln!("{is} {}", clean_line(&serving.address));
        if has_page() && !no_open {
            open(&serving.address);
        }
        let (received, shown) = tokio::join!(server.serve(routes, &ending), serving.run(&ending));
        received.and(shown)
    });
    rest.finish(runtime, served)
}

/// `telemetry.db` in the user's folder for data.
fn usual_file() -> Result<PathBuf> {
    let folders = choose_base_strategy().context("No home folder was found; choose the file with --db FILE")?;
    Ok(folders.data_dir().join("quipu").join("telemetry.db"))
}

/// Opens the page, where there is a desktop to open it on.
fn open(address: &str) {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_desktop = cfg!(any(windows, target_os = "macos")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    if has_desktop && let Err(error) = open::that_detached(address) {
        eprintln!("{}", clean_line(&format!("The browser can't be opened ({error}); open the address yourself.")));
    }
}
