//! Finds Chromium and a matching driver, and Firefox, whose driver cargo installs.

use crate::shell::{Run, is_on_path};
use anyhow::{Context, Result, bail};

/// The browsers used by the tests.
pub(crate) struct Browsers {
    /// Name or path of Chromium.
    pub(crate) chromium: String,
    /// Name or path of chromedriver.
    pub(crate) driver: String,
    /// Name or path of Firefox.
    pub(crate) firefox: String,
}

const FIREFOXES: [&str; 2] = ["firefox", "firefox-esr"];

/// Firefox: the variable `FIREFOX`, otherwise the PATH.
pub(crate) fn firefox() -> Option<String> {
    std::env::var("FIREFOX").ok().or_else(|| FIREFOXES.iter().find(|name| is_on_path(name)).map(|name| absolute(name)))
}

const CHROMIUMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Whether Chromium and its driver are installed.
pub(crate) fn is_here() -> bool {
    let (chromiums, driver) = candidates();
    !chromiums.is_empty() && driver.is_some()
}

/// All Chromium browsers and a driver: the variables `CHROMIUM` and `CHROMEDRIVER`, otherwise the PATH.
fn candidates() -> (Vec<String>, Option<String>) {
    let on_path = |names: &[&str]| names.iter().filter(|name| is_on_path(name)).map(|name| absolute(name)).collect::<Vec<_>>();
    let chromiums = std::env::var("CHROMIUM").map_or_else(|_| on_path(&CHROMIUMS), |path| vec![path]);
    let driver = std::env::var("CHROMEDRIVER").ok().or_else(|| on_path(&["chromedriver"]).pop());
    (chromiums, driver)
}

/// The absolute path of a program, which some callers need.
fn absolute(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file());
    found.map_or(program.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// A driver and a browser with the same major version, as drivers require.
pub(crate) fn find() -> Result<Browsers> {
    let firefox = firefox().context("Firefox is not on the PATH; the variable FIREFOX can name it.")?;
    let (chromiums, driver) = candidates();
    let driver = driver.context("chromedriver is not on the PATH; the variable CHROMEDRIVER can name it.")?;
    let wanted = version_of(&driver)?;
    let mut versions = Vec::new();
    for chromium in chromiums {
        let version = version_of(&chromium)?;
        if version == wanted {
            return Ok(Browsers { chromium, driver, firefox });
        }
        versions.push(format!("{chromium} is version {version}"));
    }
    if versions.is_empty() {
        bail!("Chromium is not on the PATH; the variable CHROMIUM can name it.");
    }
    bail!("{driver} is version {wanted} and drives only that, but {}. Install both from the same source.", versions.join(", "))
}

fn version_of(program: &str) -> Result<u32> {
    let answer = Run::program(program).word("--version").read().with_context(|| format!("`{program} --version` fails."))?;
    major_version(&answer).with_context(|| format!("`{program} --version` answers no version: {answer}"))
}

/// `Chromium 156.0.8078.79 built on …` -> `156`.
fn major_version(answer: &str) -> Option<u32> {
    let word = answer.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    word.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions_are_read_from_what_the_programs_print() {
        assert_eq!(major_version("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)"), Some(156));
        assert_eq!(major_version("ChromeDriver 156.0.8078.79 (a21ce95c24-refs/branch-heads/8078@{#1704})"), Some(156));
        assert_eq!(major_version("Google Chrome 139.0.7258.66 "), Some(139));
        assert_eq!(major_version("command not found"), None);
    }
}
