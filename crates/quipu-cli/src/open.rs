//! Opens a file or the data in a link, and builds its index with progress on a terminal. Files of other formats are imported into memory.

use anyhow::{Context, Result};
use quipu::Session;
use quipu::share::payload::{Form, LinkError, inflated, link_data, unseal};
use quipu::store::{ByteSource, FileSource, Layout, OpenOptions, Writer};
use quipu::transfer::{DETECTION_BYTES, Importer, are_imported};
use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Maximum size of a file that contains a link.
const MAX_LINK_FILE: u64 = 16 << 20;

/// Opens a file or the data in a link, without a deadline.
pub(crate) fn open(file: &Path) -> Result<Session> {
    open_within(file, OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) })
}

/// Opens a file for a server: each query has a deadline, so that it does not block others.
pub(crate) fn open_served(file: &Path, deadline: Duration) -> Result<Session> {
    open_within(file, served_options(deadline))
}

/// The options for questions with a deadline.
pub(crate) fn served_options(deadline: Duration) -> OpenOptions {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    fn millis(time: Duration) -> u64 {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }
    OpenOptions { deadline_ms: millis(deadline), ..OpenOptions::with_clock(|| millis(BEGIN.elapsed())) }
}

/// Opens a file with the given clock and limits.
pub(crate) fn open_within(file: &Path, options: OpenOptions) -> Result<Session> {
    if is_imported(file) {
        return open_imported(file, options);
    }
    match link_of(file) {
        Some(link) => open_link(&link, options),
        None => Ok(Session::open_path(file, options)?),
    }
}

/// The link given instead of a file, or the link in a short text file.
fn link_of(file: &Path) -> Option<String> {
    let said = file.to_str().filter(|said| link_data(said).is_some() && !file.exists());
    said.map(str::to_owned).or_else(|| {
        let is_short = std::fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.len() <= MAX_LINK_FILE);
        let text = is_short.then(|| head_of(file, MAX_LINK_FILE)).flatten().filter(|bytes| !bytes.starts_with(b"SQLite format 3"))?;
        String::from_utf8(text).ok().filter(|text| link_data(text).is_some())
    })
}

fn open_link(link: &str, options: OpenOptions) -> Result<Session> {
    let (form, body) = unseal(link_data(link).unwrap_or_default())?;
    if form == Form::Encrypted {
        return Err(LinkError::Encrypted.into());
    }
    Ok(Session::open_shared(inflated(&body)?, options)?)
}

fn open_imported(file: &Path, options: OpenOptions) -> Result<Session> {
    let mut importer = Importer::new(Writer::in_memory_with(Layout::Quipu)?)?;
    import_into(&mut importer, file)?;
    let name = file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
    let (mut session, _) = Session::open_imported(importer, &name, options)?;
    session.set_size(std::fs::metadata(file).map(|facts| facts.len())?);
    Ok(session)
}

/// Whether the file looks like one that is imported. Problems are reported when it is opened.
fn is_imported(file: &Path) -> bool {
    head_of(file, DETECTION_BYTES as u64).is_some_and(|head| are_imported([head.as_slice()]))
}

/// The first bytes of a file, at most so many.
///
/// Through the descriptor that this process shares, since it may read or write the file by SQLite on another thread: POSIX ends the locks of
/// a process on a file when it closes any descriptor of it.
fn head_of(file: &Path, most: u64) -> Option<Vec<u8>> {
    let source = FileSource::open(file).ok()?;
    let mut head = vec![0; usize::try_from(source.len().min(most)).ok()?];
    source.read_into(0, &mut [&mut head]).ok()?;
    Some(head)
}

/// Bytes read at a time during an import.
const CHUNK: usize = 1 << 20;

/// Imports a file.
pub(crate) fn import_into(importer: &mut Importer, path: &Path) -> Result<()> {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let mut file = File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
    let whole = file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    let mut shown = Shown::new();
    let (mut chunk, mut done) = (vec![0; CHUNK], 0);
    importer.begin(&name);
    loop {
        let got = file.read(&mut chunk).with_context(|| format!("{} can't be read", path.display()))?;
        if got == 0 {
            break;
        }
        importer.push(chunk.get(..got).unwrap_or(&chunk))?;
        done += got as u64;
        shown.show(|| format!("Importing {name}: {} of {}", quipu::format::bytes(done), quipu::format::bytes(whole)));
    }
    importer.end()?;
    Ok(())
}

/// Opens the file and builds its index.
pub(crate) fn open_indexed(file: &Path) -> Result<Session> {
    let mut session = open(file)?;
    index(&mut session)?;
    Ok(session)
}

fn index(session: &mut Session) -> Result<()> {
    let start = Instant::now();
    let mut shown = Shown::new();
    loop {
        let until = Instant::now() + Duration::from_millis(250);
        let mut progress = session.step(&mut || Instant::now() >= until)?;
        progress.elapsed_ms = start.elapsed().as_secs_f64() * 1e3;
        if progress.done {
            return Ok(());
        }
        shown.show(|| format!("Reading: {}", quipu::view::index_text(&progress)));
    }
}

/// A progress line on a terminal, shown after one second and removed when the work is done.
pub(crate) struct Shown {
    start: Instant,
    visible: bool,
    shown: Option<Instant>,
}

impl Shown {
    pub(crate) fn new() -> Shown {
        Shown { start: Instant::now(), visible: std::io::stderr().is_terminal(), shown: None }
    }

    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        let recent = |at: &Instant| at.elapsed() < Duration::from_millis(200);
        if self.start.elapsed() > Duration::from_secs(1) && !self.shown.as_ref().is_some_and(recent) {
            self.now(text);
        }
    }

    /// Shows the line immediately, even in the first second.
    pub(crate) fn now(&mut self, text: impl FnOnce() -> String) {
        if self.visible {
            self.shown = Some(Instant::now());
            eprint!("\r\u{1b}[K{}", crate::output::clean_line(&text()));
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if self.shown.is_some() {
            eprint!("\r\u{1b}[K");
        }
    }
}

/// Creates a file; fails if it exists, because it might be the telemetry file.
pub(crate) fn new_file(path: &Path) -> Result<File> {
    let file = File::options().write(true).create_new(true).open(path);
    file.with_context(|| format!("{} can't be created", path.display()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn looking_at_a_file_leaves_the_locks_of_this_process_on_it() {
        let path = std::env::temp_dir().join(format!("quipu-look-{}.db", std::process::id()));
        let mut writer = Writer::append_with(&path, Layout::Quipu).expect("a file");
        writer.begin().expect("a lock");
        let inode = format!(":{} ", std::fs::metadata(&path).expect("a file").ino());
        let locks = || std::fs::read_to_string("/proc/locks").expect("Linux").lines().filter(|line| line.contains(&inode)).count();
        let before = locks();
        assert!(!is_imported(&path) && link_of(&path).is_none());
        assert!(open_within(&path, OpenOptions::with_clock(|| 0)).is_ok());
        assert_eq!(locks(), before);
        assert!(before > 0, "the lock is seen");
        drop(writer);
        // It is in the system's folder for such files.
        let _ = std::fs::remove_file(&path);
    }
}
