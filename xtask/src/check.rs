//! `cargo xtask test`: all checks in order with their times; and the end-to-end tests alone.

use crate::setup::{self, Tools};
use crate::shell::Run;
use crate::{floors, npm, page, paths};
use anyhow::{Context, Result, anyhow, bail};
use std::time::{Duration, Instant};

type Step = (&'static str, fn(&Tools) -> Result<()>);

const STEPS: [Step; 10] = [
    ("format", |_| Run::new("cargo fmt --all --check").show()),
    ("floors", |_| floors::check(false)),
    ("dependencies", check_dependencies),
    ("lints, native", |_| Run::new("cargo clippy --workspace --all-targets -- -D warnings").show()),
    ("lints, wasm32", lint_wasm),
    ("tests, native", test_native),
    ("documentation", check_documentation),
    ("tests, wasm32 in a browser", test_wasm),
    ("the page", page::build),
    ("end-to-end tests", |tools| end_to_end(tools, None, None)),
];

/// Runs all steps and stops at the first failure. Prints a table of times at the end.
pub(crate) fn run_all() -> Result<()> {
    let mut times: Vec<(&str, Duration, bool)> = Vec::new();
    let began = Instant::now();
    heading("set-up");
    let mut outcome = setup::prepare(setup::For::Tests).context("The step “set-up” failed.");
    times.push(("set-up", began.elapsed(), outcome.is_ok()));
    for (name, step) in STEPS {
        let Ok(tools) = &outcome else { break };
        heading(name);
        let began = Instant::now();
        let result = step(tools);
        times.push((name, began.elapsed(), result.is_ok()));
        println!("-- {name}: {}", minutes(began.elapsed()));
        if let Err(error) = result {
            outcome = Err(error.context(format!("The step “{name}” failed.")));
        }
    }
    heading("summary");
    for (name, time, good) in &times {
        println!("{:<32} {:>12}  {}", name, minutes(*time), if *good { "passed" } else { "FAILED" });
    }
    for (name, _) in STEPS.iter().skip(times.len() - 1) {
        println!("{name:<32} {:>12}  not run", "–");
    }
    println!("{:<32} {:>12}", "together", minutes(began.elapsed()));
    outcome.map(|_| ())
}

/// Runs the end-to-end tests whose name contains `filter`, in one browser or in all, against dist/.
pub(crate) fn run_end_to_end(build: bool, browser: Option<&str>, filter: Option<&str>) -> Result<()> {
    let tools = setup::prepare(setup::For::Tests)?;
    match page::is_current() {
        _ if build => page::build(&tools)?,
        None => page::build(&tools)?,
        Some(true) => {}
        Some(false) => println!("dist/ was built of other sources than these; `cargo xtask e2e --build` builds it anew."),
    }
    end_to_end(&tools, browser, filter)
}

/// Runs them in one browser, or in both.
fn end_to_end(tools: &Tools, browser: Option<&str>, filter: Option<&str>) -> Result<()> {
    let browsers = tools.browsers()?;
    // With --workspace like the native tests: otherwise features would differ and the core would be compiled again.
    let target = "--quiet --workspace --test e2e --features quipu-cli/page";
    let mut run = Run::new(&format!("cargo test {target} --"));
    if let Some(filter) = filter {
        run = run.word(filter);
    }
    // The tests open files written by the command that embeds dist/.
    Run::new(&format!("cargo build {target} --bin quipu")).show()?;
    let axe = npm::install("tests/axe", "axe")?.join("node_modules/axe-core/axe.min.js");
    run.env("QUIPU_E2E_DIST", paths::dist())
        .env("QUIPU_E2E_COMMAND", paths::target().join("debug/quipu"))
        .env("QUIPU_E2E_AXE", axe)
        .env("QUIPU_E2E_SCREENSHOTS", paths::target().join("e2e-screenshots"))
        .env("QUIPU_E2E_BROWSERS", browser.unwrap_or_default())
        .env("CHROMIUM", &browsers.chromium)
        .env("CHROMEDRIVER", &browsers.driver)
        .env("FIREFOX", &browsers.firefox)
        .with_tools(tools)
        .show()
}

fn lint_wasm(_: &Tools) -> Result<()> {
    let target = "--target wasm32-unknown-unknown";
    // One at a time: linted together, the page would get the worker's features.
    for package in [
        "quipu-web",
        "quipu-worker --all-targets",
        "quipu-worker --no-default-features --features metrics",
        "quipu --no-default-features",
        "quipu",
    ] {
        Run::new(&format!("cargo clippy {target} --package {package} -- -D warnings")).show()?;
    }
    Ok(())
}

/// Checks for unused, prohibited and misplaced dependencies.
fn check_dependencies(tools: &Tools) -> Result<()> {
    keep_sqlite_from_the_page()?;
    Run::new("cargo-machete --skip-target-dir").with_tools(tools).show()?;
    if Run::new("cargo deny --version").with_tools(tools).read().is_none() {
        println!("(cargo-deny is not installed, so licences and sources were not checked: cargo install cargo-deny. CI checks them.)");
        return Ok(());
    }
    // Advisories would need a database from the network.
    Run::new("cargo deny --log-level error check licenses bans sources").with_tools(tools).show()
}

/// The page must not query data itself: with SQLite among its dependencies, it could.
fn keep_sqlite_from_the_page() -> Result<()> {
    let tree = "cargo tree --package quipu-web --target wasm32-unknown-unknown --edges normal --prefix none";
    println!("$ {tree}");
    let packages = Run::new(tree).read().with_context(|| format!("`{tree}` failed."))?;
    if !packages.lines().any(|line| line.starts_with("quipu-protocol ")) {
        bail!("The page does not depend on the protocol, so this check checks nothing.");
    }
    let sqlite: Vec<&str> = packages.lines().filter(|line| line.contains("sqlite")).collect();
    if !sqlite.is_empty() {
        bail!("The page depends on SQLite: {}. Only the worker may.", sqlite.join(", "));
    }
    Ok(())
}

/// Checks links and examples of the documentation.
fn check_documentation(_: &Tools) -> Result<()> {
    Run::new("cargo doc --workspace --no-deps --quiet").env("RUSTDOCFLAGS", "-D warnings").show()?;
    Run::new("cargo test --workspace --doc --quiet").show()
}

fn test_native(_: &Tools) -> Result<()> {
    // The end-to-end tests need the built page and have their own step.
    if Run::new("cargo nextest --version").read().is_some() {
        return Run::new("cargo nextest run --workspace --no-fail-fast -E").word("not binary(e2e)").show();
    }
    println!("(cargo-nextest is not installed; plain cargo test does as well.)");
    Run::new("cargo test --workspace --lib --bins --tests --quiet --no-fail-fast").show()
}

fn test_wasm(tools: &Tools) -> Result<()> {
    let browsers = tools.browsers()?;
    let options = paths::target().join("webdriver.json");
    let flags = r#"["--headless=new","--no-sandbox","--disable-gpu","--disable-dev-shm-usage","--disable-quic","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"]"#;
    let binary = browsers.chromium.replace('\\', "\\\\").replace('"', "\\\"");
    std::fs::write(&options, format!(r#"{{"goog:chromeOptions":{{"binary":"{binary}","args":{flags}}}}}"#))
        .map_err(|error| anyhow!("{} cannot be written: {error}.", options.display()))?;
    Run::new("cargo test --target wasm32-unknown-unknown --package quipu-worker")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &options)
        .env("CHROMEDRIVER", &browsers.driver)
        .with_tools(tools)
        .show()
}

fn heading(name: &str) {
    println!("\n== {name} {}", "=".repeat(70usize.saturating_sub(name.len())));
}

fn minutes(time: Duration) -> String {
    format!("{:.1} min", time.as_secs_f64() / 60.0)
}
