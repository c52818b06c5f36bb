//! chromedriver, and browsers with a fresh profile each. The end-to-end tests and the benchmarks share it.
//!
//! What is not here: what is done in a browser.

use anyhow::{Context, Result, bail};
use quipu_tests::Scratch;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

/// A running chromedriver; ended with its browsers on drop.
pub(crate) struct Driver {
    process: Child,
    port: u16,
    /// What browsers leave in the temporary folder goes with it.
    _scratch: Scratch,
}

impl Driver {
    /// Starts it on a free port, which it prints.
    pub(crate) fn start() -> Result<Driver> {
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let scratch = Scratch::new()?;
        let mut process = Command::new(&program)
            .arg("--port=0")
            .env("TMPDIR", scratch.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{program} could not be started. `cargo xtask doctor` installs it."))?;
        let output = process.stdout.take().context("chromedriver has no output.")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next().transpose()? {
            let port = line.rsplit_once("on port ").map(|(_, port)| port.trim_end_matches('.'));
            if let Some(port) = port.filter(|_| line.contains("started successfully")) {
                let port = port.parse().with_context(|| format!("chromedriver printed no port: {line}"))?;
                // It writes on; a full pipe would stop it.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Driver { process, port, _scratch: scratch });
            }
        }
        bail!("{program} ended before it was ready.")
    }

    /// A browser with a profile of its own, which keeps its console for us.
    pub(crate) async fn browser(&self) -> Result<WebDriver> {
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
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", self.port), wanted).await?;
        driver.set_script_timeout(Duration::from_secs(60)).await?;
        Ok(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
