//! Runs the cases in every browser asked for, several at a time, each in a new tab and from an origin of its own, so that none sees what
//! another has stored. Cases follow one another in one browser: to start it takes longer than most of them. After a failure the next case
//! gets a new one.
//!
//! A case that fails shows what the page showed: its text, its console, a screenshot.

use crate::driver::{Browser, Driver};
use crate::page::Page;
use crate::site::Site;
use anyhow::{Result, anyhow, bail};
use quipu_tests::Scratch;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use thirtyfour::WebDriver;
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};

/// How long a case may take. The slowest opens a few hundred files.
const LIMIT: Duration = Duration::from_secs(300);
/// Cases at a time: two for each processor, since a case waits half of its time. No more than six, for the memory that as many browsers take.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, |processors| processors.get() * 2).clamp(2, 6)
}

/// A case on its way.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A test: a name that says what is so, and how to find out.
pub(crate) struct Case {
    /// `module::what_is_so`.
    pub(crate) name: &'static str,
    /// The test.
    pub(crate) run: for<'a> fn(&'a Stage) -> Running<'a>,
}

/// Makes [`Case`]s of async functions that take a `&Stage`.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        &[$($crate::harness::Case {
            name: concat!(module_path!(), "::", stringify!($name)),
            run: |stage| Box::pin($name(stage)),
        }),+]
    };
}
pub(crate) use cases;

/// What a case gets.
pub(crate) struct Stage {
    /// The page, not loaded yet.
    pub(crate) page: Page,
    /// The server it comes from.
    pub(crate) site: Site,
    /// The built page's files.
    pub(crate) dist: PathBuf,
    /// A folder for files.
    pub(crate) scratch: Scratch,
}

struct Failure {
    name: String,
    error: anyhow::Error,
    evidence: String,
}

impl Failure {
    /// Whether the browser or its driver gave up, and not the test: a session that ends, a command that is not answered. That is tried a
    /// second time, and said; what a test found is not.
    fn is_the_drivers(&self) -> bool {
        use WebDriverErrorInner::{HttpError, InvalidSessionId, NoSuchWindow, RequestFailed, SessionNotCreated, UnknownResponse};
        let gave_up = |error: &WebDriverError| {
            let inner = error.as_inner();
            matches!(
                inner,
                HttpError(_) | InvalidSessionId(_) | NoSuchWindow(_) | RequestFailed(_) | SessionNotCreated(_) | UnknownResponse(..)
            )
        };
        self.error.chain().any(|error| error.downcast_ref().is_some_and(gave_up))
    }

    fn sentences(&self) -> String {
        let sentences: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        sentences.join(" ")
    }
}

/// A case in a browser.
#[derive(Clone, Copy)]
struct Turn {
    case: &'static Case,
    browser: Browser,
}

impl Turn {
    fn name(self) -> String {
        format!("{:<8} {}", self.browser, short(self.case.name))
    }
}

/// Runs every case whose name contains `filter` in every one of `browsers`, and answers whether all passed.
pub(crate) fn run_all(dist: &Path, filter: &str, browsers: &[Browser]) -> Result<bool> {
    if !dist.join("index.html").is_file() {
        bail!("{} holds no built page: `cargo xtask build` makes one.", dist.display());
    }
    let cases: Vec<&Case> = crate::cases::all().into_iter().filter(|case| short(case.name).contains(filter)).collect();
    let turns: Vec<Turn> = browsers.iter().flat_map(|browser| cases.iter().map(|case| Turn { case, browser: *browser })).collect();
    if turns.is_empty() {
        bail!("No end-to-end test has a name that contains {filter:?}.");
    }
    let shared = browsers.contains(&Browser::Chromium).then(|| Driver::start(Browser::Chromium)).transpose()?.map(Arc::new);
    let (next, failures, began) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..workers() {
            scope.spawn(|| {
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => panic!("A thread that runs tests can’t be started: {error}"),
                };
                let mut worker = Worker { shared: shared.as_ref(), dist, started: None };
                while let Some(turn) = turns.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let mut failure = runtime.block_on(worker.run(*turn));
                    if let Some(first) = failure.take_if(|failure| failure.is_the_drivers()) {
                        println!("again            {}: {}", turn.name(), first.sentences());
                        failure = runtime.block_on(worker.run(*turn));
                    }
                    let outcome = if failure.is_some() { "FAILED" } else { "ok    " };
                    println!("{outcome} {:>6.1} s  {}", began.elapsed().as_secs_f64(), turn.name());
                    if let (Some(failure), Ok(mut failures)) = (failure, failures.lock()) {
                        failures.push(failure);
                    }
                }
                runtime.block_on(worker.end());
            });
        }
    });
    let failures = failures.into_inner().map_err(|_| anyhow!("A thread that ran tests has panicked."))?;
    for failure in &failures {
        println!("\n---- {} ----\n{}\n{}", failure.name, failure.sentences(), failure.evidence);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("\n{} end-to-end tests, {} failed, {seconds:.0} s", turns.len(), failures.len());
    for failure in &failures {
        // The reason once more: of a long output only the end may have been kept.
        println!("    {}: {}", failure.name, failure.sentences());
    }
    Ok(failures.is_empty())
}

/// A case's name without the path of this program.
fn short(name: &str) -> &str {
    name.split_once("cases::").map_or(name, |(_, name)| name)
}

/// Runs cases one after the other.
struct Worker<'a> {
    shared: Option<&'a Arc<Driver>>,
    dist: &'a Path,
    /// The browser of the case before, unless that failed.
    started: Option<Started>,
}

impl Worker<'_> {
    async fn run(&mut self, turn: Turn) -> Option<Failure> {
        let fail = |error| Some(Failure { name: turn.name(), error, evidence: String::new() });
        let (started, stage) = match self.stage(turn.browser).await {
            Ok(ready) => ready,
            Err(error) => return fail(error.context("The browser could not be started.")),
        };
        let outcome = match tokio::time::timeout(LIMIT, (turn.case.run)(&stage)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow!("It did not end within {} s.", LIMIT.as_secs())),
        };
        // What a case has not taken from the console itself, it did not expect.
        let console = stage.page.console_errors().await.unwrap_or_default();
        let outcome = match outcome {
            Ok(()) if !console.is_empty() => Err(anyhow!("The console shows errors.")),
            other => other,
        };
        match outcome {
            Ok(()) => {
                self.started = Some(started);
                None
            }
            Err(error) => {
                let evidence = evidence(turn, &stage.page, &console).await;
                started.end().await;
                Some(Failure { name: turn.name(), error, evidence })
            }
        }
    }

    /// What the next case gets, and the browser it is in.
    async fn stage(&mut self, browser: Browser) -> Result<(Started, Stage)> {
        let started = match self.started.take() {
            Some(started) if started.kind == browser => started,
            other => {
                if let Some(other) = other {
                    other.end().await;
                }
                Started::start(browser, self.shared).await?
            }
        };
        started.empty().await?;
        let site = Site::start(self.dist, "/")?;
        let page = Page::new(started.browser.clone(), browser, started.driver.console(), site.url());
        page.console_errors().await?;
        let stage = Stage { page, site, dist: self.dist.to_owned(), scratch: Scratch::new()? };
        Ok((started, stage))
    }

    async fn end(self) {
        if let Some(started) = self.started {
            started.end().await;
        }
    }
}

/// A running browser.
struct Started {
    kind: Browser,
    driver: Arc<Driver>,
    browser: WebDriver,
    /// The window's width and height at the start.
    size: (u32, u32),
}

impl Started {
    async fn start(kind: Browser, shared: Option<&Arc<Driver>>) -> Result<Started> {
        let driver = match shared {
            Some(shared) if kind.shares_a_driver() => Arc::clone(shared),
            _ => Arc::new(Driver::start(kind)?),
        };
        let browser = driver.browser().await?;
        let window = browser.get_window_rect().await?;
        Ok(Started { kind, driver, browser, size: (u32::try_from(window.width)?, u32::try_from(window.height)?) })
    }

    /// Leaves one empty tab, of the window's first size. What a case has emulated ends with its tab.
    async fn empty(&self) -> Result<()> {
        let old = self.browser.windows().await?;
        let tab = self.browser.new_tab().await?;
        for window in old {
            self.browser.switch_to_window(window).await?;
            self.browser.close_window().await?;
        }
        self.browser.switch_to_window(tab).await?;
        let window = self.browser.get_window_rect().await?;
        let (width, height) = self.size;
        if (i64::from(width), i64::from(height)) != (window.width, window.height) {
            self.browser.set_window_rect(0, 0, width, height).await?;
        }
        Ok(())
    }

    /// Ends it. One that does not answer is ended with its driver.
    async fn end(self) {
        let _ = self.browser.quit().await;
    }
}

async fn evidence(turn: Turn, page: &Page, console: &[String]) -> String {
    let text = page.text().await.unwrap_or_else(|error| format!("(the page's text cannot be read: {error:#})"));
    let excerpt: String = text.lines().take(60).flat_map(|line| ["    | ", line, "\n"]).collect::<String>().chars().take(4000).collect();
    let url = page.url().await.unwrap_or_default();
    let shot = page.screenshot(&format!("failed_{}_{}", turn.browser, short(turn.case.name).replace("::", "_"))).await;
    let shot = shot.map_or_else(|error| format!("(none: {error:#})"), |path| path.display().to_string());
    let console = if console.is_empty() { "    (empty)".to_owned() } else { format!("    {}", console.join("\n    ")) };
    format!("  address: {url}\n  screenshot: {shot}\n  console errors:\n{console}\n  page text:\n{excerpt}")
}
