//! Finds Chromium and its driver, and checks that they belong together.

use crate::shell::{Run, is_on_path};
use anyhow::{Context, Result, bail};

/// A browser and the driver of the same version.
pub(crate) struct Browser {
    /// Name or path of the browser.
    pub(crate) chromium: String,
    /// Name or path of its driver.
    pub(crate) driver: String,
}

const CHROMIUMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Whether both are there.
pub(crate) fn is_here() -> bool {
    named().is_some()
}

/// The environment's `CHROMIUM` and `CHROMEDRIVER` come first, then the PATH.
fn named() -> Option<Browser> {
    let named = |variable: &str, names: &[&str]| match std::env::var(variable) {
        Ok(path) => Some(path),
        Err(_) => names.iter().find(|name| is_on_path(name)).map(|name| absolute(name)),
    };
    Some(Browser { chromium: named("CHROMIUM", &CHROMIUMS)?, driver: named("CHROMEDRIVER", &["chromedriver"])? })
}

/// The program's path: some who start it want one.
fn absolute(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file());
    found.map_or(program.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// Both, of the same major version.
pub(crate) fn find() -> Result<Browser> {
    let browser =
        named().context("Chromium and chromedriver are not on the PATH; the variables CHROMIUM and CHROMEDRIVER can name them.")?;
    let major = |program: &str| {
        let answer = Run::program(program).word("--version").read().with_context(|| format!("`{program} --version` fails."))?;
        major_version(&answer).with_context(|| format!("`{program} --version` answers no version: {answer}"))
    };
    let (chromium, driver) = (major(&browser.chromium)?, major(&browser.driver)?);
    if chromium != driver {
        bail!(
            "{} is version {chromium} and {} is version {driver}: a driver drives only its own version. Install both from the same source.",
            browser.chromium,
            browser.driver
        );
    }
    Ok(browser)
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
