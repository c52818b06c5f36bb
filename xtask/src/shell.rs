//! Runs other programs: prints the command, and reports failures with its name.

use crate::{paths, setup::Tools};
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// A program with its arguments, run in the repository with the tools on its PATH.
pub(crate) struct Run(Command, String);

impl Run {
    /// `line` is split at blanks; use [`Run::word`] for arguments that contain blanks.
    pub(crate) fn new(line: &str) -> Run {
        let mut words = line.split_whitespace();
        let mut run = Run::program(words.next().unwrap_or_default());
        run.0.args(words);
        Run(run.0, line.to_owned())
    }

    /// A program without arguments; its path can contain blanks.
    pub(crate) fn program(program: &str) -> Run {
        let mut command = Command::new(program);
        command.current_dir(paths::root());
        Run(command, program.to_owned())
    }

    pub(crate) fn with_tools(self, tools: &Tools) -> Run {
        let path = tools.path();
        self.env("PATH", path)
    }

    pub(crate) fn word(mut self, word: impl AsRef<OsStr>) -> Run {
        self.1 = format!("{} {}", self.1, word.as_ref().to_string_lossy());
        self.0.arg(word);
        self
    }

    pub(crate) fn words(self, words: &[impl AsRef<OsStr>]) -> Run {
        words.iter().fold(self, Run::word)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Run {
        self.0.env(name, value);
        self
    }

    /// Runs it with its output on the terminal.
    pub(crate) fn show(mut self) -> Result<()> {
        println!("$ {}", self.1);
        let status = self.0.stdin(Stdio::null()).status().with_context(|| format!("`{}` could not be started.", self.1))?;
        if !status.success() {
            bail!("`{}` failed ({status}); what it printed above says why.", self.1);
        }
        Ok(())
    }

    /// Runs it silently and returns its standard output; `None` if it is missing or fails.
    pub(crate) fn read(mut self) -> Option<String> {
        let output = self.0.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Whether a program with this name is on the PATH.
pub(crate) fn is_on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|dir| dir.join(program).with_extension(std::env::consts::EXE_EXTENSION).is_file())
    })
}
