//! Progress of a push, stored in the user's state directory or in the file given with `--resume`. Nothing is written next to the
//! telemetry file.

use anyhow::{Context, Result};
use quipu_telemetry::otlp::Signal;
use serde_json::{Value as Json, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The position up to which a file was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    /// Rowid of the last row.
    pub(super) rowid: i64,
    /// Of the last row: its span id, or a hash of its contents if it has none.
    pub(super) fingerprint: String,
    /// Number of rows delivered by all runs.
    pub(super) entries: u64,
}

/// The stored progress; `None` if there is none or the push restarts.
pub(super) fn delivered(file: Option<&ResumeFile>, begins_anew: bool) -> Result<Option<Delivered>> {
    match file {
        Some(file) if !begins_anew => file.read(),
        _ => Ok(None),
    }
}

/// The file that stores the progress.
pub(super) struct ResumeFile {
    path: PathBuf,
    /// Given with `--resume`: kept after everything is delivered, so that a later push sends only what is new.
    named: bool,
    /// The telemetry file, the endpoint and the chosen traces.
    what: String,
}

impl ResumeFile {
    /// Chooses the file; `None` if none is given and there is no state directory. For metrics and logs, the signal is appended to a given
    /// name.
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

    /// Reads the stored progress; `None` if there is none.
    pub(super) fn read(&self) -> Result<Option<Delivered>> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("{} can't be read", self.path.display())),
        };
        let wrong = || format!("{} was not written by quipu push; choose another file, or add --restart.", self.path.display());
        let kept: Json = serde_json::from_str(&text).with_context(wrong)?;
        let read = || {
            let (rowid, fingerprint) = (kept.get("rowid")?.as_i64()?, kept.get("fingerprint")?.as_str()?.to_owned());
            Some((Delivered { rowid, fingerprint, entries: kept.get("entries")?.as_u64()? }, kept.get("what")?.as_str()?))
        };
        let (delivered, what) = read().with_context(wrong)?;
        anyhow::ensure!(
            what == self.what,
            "{} belongs to another push ({}); choose another file, or add --restart.",
            self.path.display(),
            crate::output::clean_line(what)
        );
        Ok(Some(delivered))
    }

    /// Stores the progress atomically.
    pub(super) fn write(&self, delivered: &Delivered) -> Result<()> {
        let fail = || format!("{} can't be written, so this push could not be resumed", self.path.display());
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).with_context(fail)?;
        }
        let Delivered { rowid, fingerprint, entries } = delivered;
        let text = json!({ "what": self.what, "rowid": rowid, "fingerprint": fingerprint, "entries": entries }).to_string();
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &self.path)).with_context(fail)
    }

    /// Removes the file after everything is delivered, unless the user named it.
    pub(super) fn done(&self) {
        if !self.named {
            // It does not exist if nothing was written.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
