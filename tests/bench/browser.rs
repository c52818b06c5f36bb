//! One measurement in a browser with a fresh profile: choose the file, wait for rows, wait for the index, filter, open a trace.

use crate::driver::Driver;
use crate::figures::{Figure, Figures, Subject};
use crate::queries::{Asked, FILTER};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use thirtyfour::{By, WebDriver};
use xtask::serve;

/// How long a loaded page stands before a file is chosen, each subject's alike.
const REACH: Duration = Duration::from_secs(1);
/// Longer than this nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(150);

/// Put into every page.
const WATCH: &str = include_str!("page/watch.js");
/// Put before the program of a worker.
const MEMORY: &str = include_str!("page/memory.js");

/// The pages that are measured, each on a port of its own.
pub(crate) struct Sites {
    quipu: String,
    peers: String,
}

impl Sites {
    pub(crate) fn start(dist: &Path, peers: &Path) -> Result<Sites> {
        let start = |dir: &Path| -> Result<String> { Ok(format!("http://{}/", serve::spawn(serve::static_files(dir.to_owned(), "/"))?)) };
        Ok(Sites { quipu: start(dist)?, peers: start(peers)? })
    }

    fn address(&self, subject: Subject, asked: &Asked) -> String {
        let peer = match subject {
            Subject::SqlJs => "sqljs",
            Subject::SqliteWasm => "sqlite-wasm",
            _ => "raw",
        };
        match subject {
            Subject::Quipu => self.quipu.clone(),
            _ => format!("{}?peer={peer}&sql={}", self.peers, percent_encoded(&asked.sql())),
        }
    }
}

#[derive(Deserialize)]
struct Marks {
    rows: Option<f64>,
    indexed: Option<f64>,
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Measured {
    ms: f64,
    problem: Option<String>,
}

/// Measures one subject once. What a peer cannot do is a figure too; only a browser that cannot be had is an error.
pub(crate) async fn measure(
    subject: Subject,
    driver: &Driver,
    sites: &Sites,
    file: &Path,
    asked: &Asked,
    figures: &mut Figures,
) -> Result<()> {
    let browser = driver.browser().await?;
    browser.set_script_timeout(PATIENCE).await?;
    let outcome = measure_in(&browser, subject, sites, file, asked, figures).await;
    if let Some(bytes) = crate::memory::renderer_peak() {
        figures.add(subject, Figure::ProcessMemory, bytes);
    }
    // One that does not end is ended with its driver.
    let _ = browser.quit().await;
    outcome
}

async fn measure_in(browser: &WebDriver, subject: Subject, sites: &Sites, file: &Path, asked: &Asked, figures: &mut Figures) -> Result<()> {
    let script = format!("window.benchMemory = {};\n{WATCH}", json!(MEMORY));
    browser.cdp().page().add_script_to_evaluate_on_new_document(script).await?;
    browser.goto(sites.address(subject, asked)).await?;
    until(browser, "return document.documentElement.dataset.quipuIdle === 'true' && !!document.querySelector('input[type=file]')").await?;
    // Nobody chooses a file in the moment the page stands; a browser that has just started is busy with itself.
    tokio::time::sleep(REACH).await;
    browser.find(By::Css("input[type=file]")).await?.send_keys(file.display().to_string()).await?;
    let first = if subject == Subject::Raw { Figure::Rate } else { Figure::FirstRows };
    let marks = match wait_for(browser, |marks| marks.rows.is_some()).await {
        Ok(marks) => marks,
        Err(error) => {
            figures.fail(subject, first, &format!("{error:#}"));
            return Ok(());
        }
    };
    if subject == Subject::Raw {
        let rate = browser.execute("return document.querySelector('[data-trace-id]').dataset.traceId", Vec::new()).await?;
        figures.add(subject, Figure::Rate, rate.json().as_str().unwrap_or_default().parse().context("No rate was measured.")?);
        return Ok(());
    }
    figures.add(subject, Figure::FirstRows, marks.rows.unwrap_or_default());
    let (filter, trace) = match subject {
        Subject::Quipu => {
            match wait_for(browser, |marks| marks.indexed.is_some()).await {
                Ok(marks) => figures.add(subject, Figure::Indexed, marks.indexed.unwrap_or_default()),
                Err(error) => figures.fail(subject, Figure::Indexed, &format!("{error:#}")),
            }
            let filter = format!("filter={}", percent_encoded(FILTER));
            (format!("benchGo('traces', ['{filter}'])"), format!("benchGo('trace/{}', [])", asked.trace_id))
        }
        _ => ("peer.filter()".to_owned(), "peer.trace()".to_owned()),
    };
    act(browser, subject, Figure::Filter, &filter, figures).await;
    if subject == Subject::Quipu {
        let shown = "const grid = document.querySelector('[role=grid][aria-label=Traces]'); return Number(grid?.getAttribute('aria-rowcount') ?? 0) - 1";
        let shown = browser.execute(shown, Vec::new()).await?;
        if shown.json().as_i64() != Some(asked.matching) {
            let told = format!("the filter shows {} traces, SQL finds {}", shown.json(), asked.matching);
            figures.fail(subject, Figure::Filter, &told);
        }
    }
    act(browser, subject, Figure::Trace, &trace, figures).await;
    if subject != Subject::Quipu {
        act(browser, subject, Figure::Aggregate, "peer.aggregate()", figures).await;
    }
    let bytes = browser.execute_async("benchWasmBytes().then(arguments[0])", Vec::new()).await;
    if let Some(bytes) = bytes.ok().and_then(|answer| answer.json().as_f64()) {
        figures.add(subject, Figure::WasmMemory, bytes);
    }
    Ok(())
}

/// Does something in the page and notes how long its drawing took.
async fn act(browser: &WebDriver, subject: Subject, figure: Figure, script: &str, figures: &mut Figures) {
    let script = format!("benchMeasure(() => {script}).then(arguments[0])");
    let outcome = match browser.execute_async(script, Vec::new()).await {
        Ok(answer) => answer.convert::<Measured>().map_err(anyhow::Error::from),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(Measured { problem: Some(problem), .. }) => figures.fail(subject, figure, &problem),
        Ok(Measured { ms, .. }) => figures.add(subject, figure, ms),
        Err(error) => figures.fail(subject, figure, &format!("{error:#}")),
    }
}

async fn wait_for(browser: &WebDriver, ready: impl Fn(&Marks) -> bool) -> Result<Marks> {
    let began = Instant::now();
    loop {
        let marks: Marks = browser.execute("return benchMarks()", Vec::new()).await.context("the page is gone")?.convert()?;
        if let Some(problem) = marks.problem {
            bail!("{problem}");
        }
        if ready(&marks) {
            return Ok(marks);
        }
        if began.elapsed() > PATIENCE {
            bail!("not within {} s", PATIENCE.as_secs());
        }
        // The page measures; this only asks whether it has.
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

async fn until(browser: &WebDriver, condition: &str) -> Result<()> {
    let began = Instant::now();
    while browser.execute(condition, Vec::new()).await?.json() != &json!(true) {
        if began.elapsed() > PATIENCE {
            bail!("The page did not start within {} s.", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
