//! End-to-end tests: the built page in a real browser, over real files. `cargo xtask e2e [WORD]` runs them; without the environment it
//! sets, this program says so and does nothing, so that a plain `cargo test` needs no browser.
//!
//! Reading order: `driver` starts browsers, `harness` runs the cases, `site` serves the page to them, `page` is the page object, `script` is
//! what runs inside it, `expected` asks the files by SQL, `cases` are the tests.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails at an index that is not there, and its numbers are small"
)]

mod cases;
mod driver;
mod expected;
mod harness;
mod page;
mod script;
mod site;

use driver::Browser;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Test runners ask for a list before anything else; for them this target has no tests of its own.
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let Some(dist) = std::env::var_os("QUIPU_E2E_DIST").map(PathBuf::from) else {
        println!("The end-to-end tests need the built page and a browser, so nothing was tested here: `cargo xtask e2e` runs them.");
        return ExitCode::SUCCESS;
    };
    let filter = words.into_iter().find(|word| !word.starts_with('-')).unwrap_or_default();
    let wanted = std::env::var("QUIPU_E2E_BROWSERS").unwrap_or_default();
    let browsers: Vec<Browser> = [Browser::Chromium, Browser::Firefox]
        .into_iter()
        .filter(|browser| wanted.is_empty() || wanted.split(' ').any(|word| word.eq_ignore_ascii_case(&browser.to_string())))
        .collect();
    match harness::run_all(&dist, &filter, &browsers) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
