//! Drivers, and browsers with a fresh profile each. The end-to-end tests and the benchmarks share it.
//!
//! Not here: what is done in a browser.

use anyhow::{Context, Result, bail};
use quipu_tests::Scratch;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::{Capabilities, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

/// A browser the page is tested in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Browser {
    /// Chromium, driven by chromedriver.
    Chromium,
    /// Firefox, driven by geckodriver.
    Firefox,
}

impl Browser {
    /// Whether one driver serves several browsers at a time. geckodriver serves one.
    pub(crate) fn shares_a_driver(self) -> bool {
        self == Browser::Chromium
    }

    /// The variable that names the driver's program, and what it is called otherwise.
    fn driver(self) -> (&'static str, &'static str) {
        match self {
            Browser::Chromium => ("CHROMEDRIVER", "chromedriver"),
            Browser::Firefox => ("GECKODRIVER", "geckodriver"),
        }
    }

    /// Free ports, which the driver prints.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Browser::Chromium => &["--port=0"],
            Browser::Firefox => &["--port=0", "--websocket-port=0"],
        }
    }

    /// The port in the line by which the driver says that it is ready.
    fn port_in(self, line: &str) -> Option<&str> {
        match self {
            Browser::Chromium if line.contains("started successfully") => {
                line.rsplit_once("on port ").map(|(_, port)| port.trim_end_matches('.'))
            }
            Browser::Firefox if line.contains("Listening on ") => line.rsplit_once(':').map(|(_, port)| port),
            _ => None,
        }
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A running driver; ended with its browsers on drop.
pub(crate) struct Driver {
    browser: Browser,
    process: Child,
    port: u16,
    printed: Arc<Mutex<Vec<String>>>,
    /// What browsers leave in the temporary folder goes with it.
    scratch: Scratch,
}

/// Firefox's compiled scripts, which it writes into its profile when it is quit. It compiles them anew in every empty profile; a new profile
/// that is given them starts in two thirds of the time. There is nothing of a page in them.
#[derive(Default)]
pub(crate) struct StartupCache(Mutex<Option<Scratch>>);

impl StartupCache {
    /// The cache in a profile, and the description of the Firefox it belongs to: without it, or of another Firefox, it is not used.
    const PARTS: [&str; 2] = ["startupCache", "compatibility.ini"];

    /// Puts the cache into a profile, once there is one.
    fn give(&self, profile: &Path) -> Result<()> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map_or(Ok(()), |kept| copy(&Self::PARTS, kept.path(), profile))
    }

    /// Keeps the cache of a profile whose browser has been quit, unless there is one.
    fn keep(&self, profile: &Path) -> Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() && Self::PARTS.iter().all(|part| profile.join(part).exists()) {
            let scratch = Scratch::new()?;
            copy(&Self::PARTS, profile, scratch.path())?;
            *kept = Some(scratch);
        }
        Ok(())
    }
}

/// Copies files, and folders of files, from one folder into another.
fn copy(names: &[&str], from: &Path, to: &Path) -> Result<()> {
    for (from, to) in names.iter().map(|name| (from.join(name), to.join(name))) {
        if !from.is_dir() {
            fs::copy(&from, &to).with_context(|| format!("{} cannot be copied.", from.display()))?;
            continue;
        }
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(&from)? {
            let name = entry?.file_name();
            fs::copy(from.join(&name), to.join(&name)).with_context(|| format!("{} cannot be copied.", from.join(&name).display()))?;
        }
    }
    Ok(())
}

/// Where a browser's console errors are found.
pub(crate) enum Console {
    /// chromedriver is asked for them.
    Asked,
    /// Firefox prints them, through geckodriver: the errors not taken yet.
    Printed(Arc<Mutex<Vec<String>>>),
}

impl Console {
    /// The errors since the last call.
    pub(crate) async fn take_errors(&self, driver: &WebDriver) -> Result<Vec<String>> {
        match self {
            Console::Asked => {
                let log = driver.browser_log().await?;
                Ok(log.into_iter().filter(|entry| entry.level == "SEVERE").map(|entry| entry.message).collect())
            }
            Console::Printed(lines) => Ok(std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner))),
        }
    }
}

impl Driver {
    /// Starts it on a free port, which it prints.
    pub(crate) fn start(browser: Browser) -> Result<Driver> {
        let (variable, name) = browser.driver();
        let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
        let scratch = Scratch::new()?;
        let mut process = Command::new(&program)
            .args(browser.arguments())
            .env("TMPDIR", scratch.path())
            // Firefox's window; Chromium's is an argument.
            .env("MOZ_HEADLESS_WIDTH", "1280")
            .env("MOZ_HEADLESS_HEIGHT", "800")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{program} could not be started. `cargo xtask doctor` installs it."))?;
        let output = process.stdout.take().with_context(|| format!("{name} has no output."))?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some(port) = browser.port_in(&line) {
                let port = port.trim().parse().with_context(|| format!("{name} printed no port: {line}"))?;
                let printed = Arc::new(Mutex::new(Vec::new()));
                let errors = Arc::clone(&printed);
                // It writes on; a full pipe would stop it.
                std::thread::spawn(move || {
                    for line in lines.map_while(Result::ok).filter(|line| is_console_error(line)) {
                        errors.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    }
                });
                return Ok(Driver { browser, process, port, printed, scratch });
            }
        }
        bail!("{program} ended before it was ready.")
    }

    /// A browser with a profile of its own, which keeps its console for us.
    pub(crate) async fn browser(&self) -> Result<WebDriver> {
        self.start_browser(None).await
    }

    /// The same, started faster with what an earlier one has left in the cache. The first one fills it, by [`Driver::keep_cache`].
    pub(crate) async fn browser_with(&self, cache: &StartupCache) -> Result<WebDriver> {
        self.start_browser(Some(cache)).await
    }

    async fn start_browser(&self, cache: Option<&StartupCache>) -> Result<WebDriver> {
        let wanted = match self.browser {
            Browser::Chromium => chromium()?,
            Browser::Firefox => {
                let profile = self.profile();
                fs::create_dir_all(&profile)?;
                cache.map_or(Ok(()), |cache| cache.give(&profile))?;
                firefox(&profile)?
            }
        };
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", self.port), wanted).await?;
        driver.set_script_timeout(Duration::from_secs(60)).await?;
        Ok(driver)
    }

    /// Keeps the startup cache of its browser, which has been quit.
    pub(crate) fn keep_cache(&self, cache: &StartupCache) -> Result<()> {
        match self.browser {
            Browser::Chromium => Ok(()),
            Browser::Firefox => cache.keep(&self.profile()),
        }
    }

    /// The profile of its Firefox: a driver serves one.
    fn profile(&self) -> PathBuf {
        self.scratch.path().join("profile")
    }

    /// Where the console errors of its browsers are found.
    pub(crate) fn console(&self) -> Console {
        match self.browser {
            Browser::Chromium => Console::Asked,
            Browser::Firefox => Console::Printed(Arc::clone(&self.printed)),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn chromium() -> Result<Capabilities> {
    let mut wanted = DesiredCapabilities::chrome();
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,800",
    ] {
        wanted.add_arg(argument)?;
    }
    if let Ok(chromium) = std::env::var("CHROMIUM") {
        wanted.set_binary(&chromium)?;
    }
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
    Ok(wanted.into())
}

fn firefox(profile: &Path) -> Result<Capabilities> {
    let mut wanted = DesiredCapabilities::firefox();
    wanted.add_arg("-headless")?;
    wanted.add_arg("-profile")?;
    wanted.add_arg(&profile.display().to_string())?;
    if let Ok(firefox) = std::env::var("FIREFOX") {
        wanted.set_firefox_binary(&firefox)?;
    }
    let mut preferences = FirefoxPreferences::new();
    // What a page says in its console comes out of geckodriver.
    preferences.set("devtools.console.stdout.content", true)?;
    preferences.set("devtools.console.stdout.chrome", false)?;
    preferences.set("browser.dom.window.dump.enabled", true)?;
    // A page may read the clipboard's events as a person's browser lets it, and nothing is asked of the network.
    preferences.set("datareporting.policy.dataSubmissionEnabled", false)?;
    preferences.set("network.captive-portal-service.enabled", false)?;
    wanted.set_preferences(preferences)?;
    Ok(wanted.into())
}

/// Whether a line of Firefox's output is an error of a page: `console.error: "…"`, or `JavaScript error: http://…`. Firefox's own scripts
/// have errors too, which are none of ours.
fn is_console_error(line: &str) -> bool {
    line.starts_with("console.error: \"")
        || (line.starts_with("JavaScript error: ") && !line.contains("resource://") && !line.contains("chrome://"))
}
