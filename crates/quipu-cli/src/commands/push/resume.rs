//! Where an interrupted push goes on: a small file of the user's state folder, or one that the user names. Nothing stands beside the
//! telemetry file.

use anyhow::{Context, Result};
use quipu_telemetry::otlp::Signal;
use serde_json::{Value as Json, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// What was delivered of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    /// The number of the last row.
    pub(super) rowid: i64,
    /// By what it is known again: the id of the span in it, or the mark of what has none.
    pub(super) mark: String,
    /// How many rows, of all runs.
    pub(super) entries: u64,
}

/// What was delivered before, unless all is to begin anew.
pub(super) fn delivered(file: Option<&ResumeFile>, begins_anew: bool) -> Result<Option<Delivered>> {
    match file {
        Some(file) if !begins_anew => file.read(),
        _ => Ok(None),
    }
}

/// The file that keeps it.
pub(super) struct ResumeFile {
    path: PathBuf,
    /// The user named it: it stays when all is delivered, so that a later push sends only what is new.
    named: bool,
    /// The telemetry file and where it goes.
    what: String,
}

impl ResumeFile {
    /// `None` where there is neither a name nor a folder for it. What is kept of log records and points stands beside a named file, with the
    /// signal behind its name.
    pub(super) fn choose(named: Option<&Path>, signal: Signal, file: &Path, url: &str, traces: &[String]) -> Option<ResumeFile> {
        let whole = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let signal = if signal == Signal::Traces { String::new() } else { format!(".{}", signal.label()) };
        let what = format!("{}{signal} to {url} {}", whole.display(), traces.join(" ")).trim_end().to_owned();
        if let Some(path) = named {
            let mut path = path.as_os_str().to_owned();
            path.push(signal);
            return Some(ResumeFile { path: path.into(), named: true, what });
        }
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = folder("XDG_STATE_HOME").or_else(|| folder("LOCALAPPDATA")).or_else(|| Some(folder("HOME")?.join(".local/state")))?;
        let path = state.join("quipu/push").join(format!("{:016x}.json", hasher.finish()));
        Some(ResumeFile { path, named: false, what })
    }

    /// What was delivered before; `None` where nothing was.
    pub(super) fn read(&self) -> Result<Option<Delivered>> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("{} can't be read", self.path.display())),
        };
        let wrong = || format!("{} is no file that a push left; name another, or add --restart.", self.path.display());
        let kept: Json = serde_json::from_str(&text).with_context(wrong)?;
        let read = || {
            let (rowid, mark) = (kept.get("rowid")?.as_i64()?, kept.get("mark")?.as_str()?.to_owned());
            Some((Delivered { rowid, mark, entries: kept.get("entries")?.as_u64()? }, kept.get("what")?.as_str()?))
        };
        let (delivered, what) = read().with_context(wrong)?;
        anyhow::ensure!(
            what == self.what,
            "{} belongs to another push ({}); name another file, or add --restart.",
            self.path.display(),
            crate::output::clean_line(what)
        );
        Ok(Some(delivered))
    }

    /// Keeps what is delivered now.
    pub(super) fn write(&self, delivered: &Delivered) -> Result<()> {
        let fail = || format!("{} can't be written, so this push could not be resumed", self.path.display());
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).with_context(fail)?;
        }
        let Delivered { rowid, mark, entries } = delivered;
        let text = json!({ "what": self.what, "rowid": rowid, "mark": mark, "entries": entries }).to_string();
        // Whole or not at all.
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &self.path)).with_context(fail)
    }

    /// All is delivered.
    pub(super) fn done(&self) {
        if !self.named {
            // One that was never written is not there.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
