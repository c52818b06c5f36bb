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
    /// Starts it on a free port, which it prints. A port that looked free may be taken in the meantime, so it is tried three times.
    pub(crate) fn start(browser: Browser) -> Result<Driver> {
        Driver::try_start(browser).or_else(|_| Driver::try_start(browser)).or_else(|_| Driver::try_start(browser))
    }

    fn try_start(browser: Browser) -> Result<Driver> {
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
        let wanted = match self.browser {
            Browser::Chromium => chromium()?,
            Browser::Firefox => {
                let profile = self.profile();
                fs::create_dir_all(&profile)?;
                firefox(&profile)?
            }
        };
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", self.port), wanted).await?;
        driver.set_script_timeout(Duration::from_secs(60)).await?;
        Ok(driver)
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
