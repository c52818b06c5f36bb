//! `cargo xtask`: sets up, builds, packs, serves and tests Quipu. A library, so that the end-to-end tests can use its web server.

mod arguments;
mod bench;
mod browser;
mod build_id;
mod check;
mod crates;
mod fixtures;
mod floors;
mod imports;
mod npm;
mod page;
mod paths;
mod peers;
pub mod serve;
mod setup;
mod shell;
mod sizes;
mod viewer;
mod zip;

use anyhow::{Context, Result};
use arguments::{Arguments, Command};

/// Runs a command, given the arguments after `cargo xtask`.
///
/// # Errors
/// A message for the user: what failed, and what to do.
pub fn run(words: &[String]) -> Result<()> {
    match arguments::parse(words)? {
        Command::Help => {
            print!("{}", arguments::HELP);
            Ok(())
        }
        Command::Doctor => setup::prepare(setup::For::Tests).map(|_| println!("\nEverything needed to build and test is here.")),
        Command::Build => {
            let tools = setup::prepare(setup::For::Build)?;
            page::build(&tools)?;
            page::build_command()
        }
        Command::Package(crates) => {
            page::build(&setup::prepare(setup::For::Build)?)?;
            if crates { crates::package() } else { page::package() }
        }
        Command::Run(Arguments { port, .. }) => run_page(port.unwrap_or(8080)),
        Command::Floors(suggest) => floors::check(suggest),
        Command::Test => check::run_all(),
        Command::Bench(bench) => bench::run(&bench),
        Command::Slow(words) => fixtures::make_slowly(&words),
        Command::Fixtures(words) => fixtures::grow(&words),
        Command::EndToEnd(Arguments { build, browser, filter, .. }) => check::run_end_to_end(build, browser.as_deref(), filter.as_deref()),
    }
}

/// Builds the page and serves it until the process ends.
fn run_page(port: u16) -> Result<()> {
    // Bind the port first, so that nobody waits for a build to learn that it is in use.
    let listener = serve::listen(port)?;
    let address = listener.local_addr().context("The server has no address.")?;
    page::build(&setup::prepare(setup::For::Build)?)?;
    println!("\nQuipu is at http://{address}/\nPress Ctrl+C to stop it.");
    serve::serve(&listener, &serve::static_files(paths::dist(), "/"));
    Ok(())
}
