//! Command line of `cargo xtask`, parsed by hand because it is small.

use crate::bench::Bench;
use anyhow::{Context, Result, bail};

/// The output of `cargo xtask help`.
pub(crate) const HELP: &str = "\
cargo xtask COMMAND

  run [--port N]        build the page and serve it on http://127.0.0.1:8080/
  build                 build the page into dist/ (static files for any folder of any server), then the command that embeds it
  package [--crates]    build, and pack dist/ as page.zip; --crates packs the crates for publishing instead
  test                  run everything CI checks: format, lints, tests, the page, the tests in real browsers
  e2e [--build] [--browser chromium|firefox] [WORD]
                        run the end-to-end tests against dist/ (only those whose name contains WORD), in one browser or both; --build builds dist/ first
  fixtures SHAPE        generate a large file from a real one: --spans N, --size 1GB, --one-trace N or --deep N; see --help
  bench [--sizes 100MB,1.5GB,2.5GB] [--runs N] [--as-is]
                        benchmark Quipu against sql.js, sqlite-wasm and the sqlite3 shell, and write docs/benchmarks.md
  slow promql           record the answers of a real Prometheus, which tests compare with Quipu's (Debian's package prometheus)
  slow collect [--seconds N]
                        test quipu collect with OpenTelemetry's Python SDK, a real Prometheus and one-minute load tests
  slow serve            query quipu serve with the real llama-stack-client (PyPI, Python 3.12) and promtool (Debian's package prometheus)
  slow push             push the samples to a real Arize Phoenix (from PyPI) and compare what it stored with the files
  slow soak [--minutes N] [--requests N]
                        let quipu collect and quipu serve run beside a page for half an hour, and measure whether their memory grows
  floors [--suggest]    check the dependencies of modules and crates against xtask/floors.txt; --suggest prints floors that fit
  doctor                find or install what building and testing need

Every command first sets up what it needs: tools are installed into target/tools, and nothing you have installed is replaced.
";

/// A command with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Run(Arguments),
    Build,
    /// Whether to pack the crates instead of the page.
    Package(bool),
    Test,
    EndToEnd(Arguments),
    /// Arguments of the program that grows files.
    Fixtures(Vec<String>),
    Bench(Bench),
    /// The name of a slow task.
    Slow(Vec<String>),
    Doctor,
    /// Whether to also print floors that fit.
    Floors(bool),
}

/// Options of all commands; each command rejects those it does not take.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) port: Option<u16>,
    pub(crate) build: bool,
    pub(crate) browser: Option<String>,
    pub(crate) filter: Option<String>,
}

/// Parses the arguments.
pub(crate) fn parse(words: &[String]) -> Result<Command> {
    let Some((name, rest)) = words.split_first() else { return Ok(Command::Help) };
    if name == "fixtures" {
        return Ok(Command::Fixtures(rest.to_vec()));
    }
    if name == "slow" {
        return Ok(Command::Slow(rest.to_vec()));
    }
    if name == "bench" && !rest.iter().any(|word| word == "-h" || word == "--help") {
        return Bench::parse(rest).map(Command::Bench);
    }
    if name == "floors" && rest.iter().all(|word| word == "--suggest") {
        return Ok(Command::Floors(!rest.is_empty()));
    }
    if name == "package" && rest.iter().all(|word| word == "--crates") {
        return Ok(Command::Package(!rest.is_empty()));
    }
    let (takes_port, takes_build) = (name == "run", name == "e2e");
    let mut arguments = Arguments::default();
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "--port" if takes_port => {
                let port = rest.next().context("--port needs a number: cargo xtask run --port 8081")?;
                arguments.port = Some(port.parse().with_context(|| format!("{port} is not a port: it must be a number up to 65535."))?);
            }
            "--build" if takes_build => arguments.build = true,
            "--browser" if takes_build => match rest.next().map(String::as_str) {
                Some(browser @ ("chromium" | "firefox")) => arguments.browser = Some(browser.to_owned()),
                _ => bail!("--browser needs a browser: cargo xtask e2e --browser chromium, or firefox"),
            },
            other if takes_build && !other.starts_with('-') && arguments.filter.is_none() => arguments.filter = Some(other.to_owned()),
            other => bail!("cargo xtask {name} does not know {other}.\n\n{HELP}"),
        }
    }
    Ok(match name.as_str() {
        "help" | "-h" | "--help" => Command::Help,
        "run" => Command::Run(arguments),
        "build" => Command::Build,
        "test" => Command::Test,
        "e2e" => Command::EndToEnd(arguments),
        "doctor" => Command::Doctor,
        other => bail!("There is no command {other}.\n\n{HELP}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn every_command_of_the_help_is_understood() {
        for line in HELP.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
            let name = line.split_whitespace().next().unwrap_or_default();
            assert!(parsed(name).is_ok(), "{name}");
        }
        assert_eq!(parsed(""), Ok(Command::Help));
    }

    #[test]
    fn arguments_belong_to_their_command() {
        let run = |port| Command::Run(Arguments { port: Some(port), ..Arguments::default() });
        assert_eq!(parsed("run --port 9000"), Ok(run(9000)));
        let filter = Some("journal".to_owned());
        assert_eq!(parsed("e2e --build journal"), Ok(Command::EndToEnd(Arguments { build: true, filter, ..Arguments::default() })));
        let firefox = Arguments { browser: Some("firefox".to_owned()), ..Arguments::default() };
        assert_eq!(parsed("e2e --browser firefox"), Ok(Command::EndToEnd(firefox)));
        assert!(parsed("e2e --browser lynx").unwrap_err().contains("or firefox"));
        let words = vec!["--spans".to_owned(), "100".to_owned()];
        assert_eq!(parsed("fixtures --spans 100"), Ok(Command::Fixtures(words)));
        assert_eq!((parsed("package"), parsed("package --crates")), (Ok(Command::Package(false)), Ok(Command::Package(true))));
        assert_eq!((parsed("floors"), parsed("floors --suggest")), (Ok(Command::Floors(false)), Ok(Command::Floors(true))));
        assert!(parsed("package --all").unwrap_err().contains("does not know --all"));
        assert!(parsed("build --port 9000").unwrap_err().contains("does not know --port"));
        assert!(parsed("run --port").unwrap_err().contains("needs a number"));
        assert!(parsed("run --port 99999").unwrap_err().contains("99999 is not a port"));
        assert!(parsed("fly").unwrap_err().contains("no command fly"));
        assert!(parsed("test everything").unwrap_err().contains("does not know everything"));
    }
}
