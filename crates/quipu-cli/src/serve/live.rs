//! Follows a served file and creates a new generation when it has changed.
//!
//! The newest generation answers requests. Pages that still show an older one keep using it. A new generation is indexed in the background
//! and replaces the newest one once it is complete, so that no request waits. If the file only grew, reading continues where the previous
//! generation ended. Indexing uses at most a fifth of a processor, however fast the file grows. `generation` is a single generation.

use super::generation::{Generation, Purpose};
use anyhow::Result;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};

/// Interval between checks of the file.
const LOOK: Duration = Duration::from_millis(250);
/// How long an unused generation is kept. Pages send a request at least every 30 seconds.
const KEEP: Duration = Duration::from_secs(90);
/// Maximum number of generations kept, each with its index in memory.
const MOST: usize = 4;
/// How long an unused SQL result is kept, and the maximum number of results.
const KEEP_RESULTS: Duration = Duration::from_secs(1_800);
const MOST_FOR_SQL: usize = 8;
/// After indexing, the thread rests for this many times the time that indexing took.
const REST: u32 = 4;
/// Minimum time that a failed attempt to index counts for.
const RETRY: Duration = Duration::from_millis(500);

/// The served file.
pub(crate) struct Live {
    path: PathBuf,
    /// The newest is last.
    generations: Mutex<Vec<Arc<Generation>>>,
    /// Generations for SQL queries, one per page that uses SQL.
    for_sql: Mutex<Vec<Arc<Generation>>>,
    newest: watch::Sender<Arc<Generation>>,
    next_number: AtomicU64,
    /// Notified when the file is known to have changed.
    changed: Notify,
}

/// Metadata and header bytes of a file. Every write changes some of them.
#[derive(Clone, PartialEq, Eq)]
struct FileState {
    parts: Vec<Option<(u64, Option<SystemTime>)>>,
    /// The beginning of the database header: change counters and page count.
    head: Vec<u8>,
}

/// The last generation started: the file at that time, how long indexing took, and the last error reported.
struct LastIndexed {
    state: FileState,
    took: Duration,
    reported: String,
}

impl FileState {
    fn at(path: &Path) -> FileState {
        let beside = |suffix: &str| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            let facts = std::fs::metadata(PathBuf::from(path)).ok()?;
            Some((facts.len(), facts.modified().ok()))
        };
        let mut head = Vec::new();
        if let Ok(file) = File::open(path) {
            // An unreadable file counts as empty; opening it reports why.
            let _ = file.take(100).read_to_end(&mut head);
        }
        FileState { parts: vec![beside(""), beside("-wal")], head }
    }

    /// Whether the file may be `earlier` with rows appended: its free list has not grown. Deleted rows that free no page are not detected.
    fn may_follow(&self, earlier: &FileState) -> bool {
        let free_pages = |state: &FileState| state.head.get(36..40).map(<[u8]>::to_vec);
        free_pages(self) <= free_pages(earlier)
    }

    fn is_there(&self) -> bool {
        self.parts.first().is_some_and(Option::is_some)
    }
}

impl Live {
    /// Opens the file. Returns once it is open; indexing continues in the background.
    ///
    /// # Errors
    /// If the file can't be opened.
    pub(crate) async fn open(path: &Path) -> Result<Arc<Live>> {
        let state = FileState::at(path);
        // The number starts at the current time, so that it differs from those of an earlier server.
        let first = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let generation = Generation::begin(first, path, Purpose::Everything(None))?;
        if let Err(failure) = super::generation::summary(&generation).await {
            return Err(failure.into());
        }
        let live = Arc::new(Live {
            path: path.to_owned(),
            generations: Mutex::new(vec![generation.clone()]),
            for_sql: Mutex::default(),
            newest: watch::Sender::new(generation.clone()),
            next_number: AtomicU64::new(first + 1),
            changed: Notify::new(),
        });
        let watching = Arc::downgrade(&live);
        tokio::spawn(async move {
            // Do not start another generation before the first is indexed.
            let _ = generation.indexed().await;
            drop(generation);
            let mut last = LastIndexed { state, took: Duration::ZERO, reported: String::new() };
            while let Some(live) = watching.upgrade() {
                live.refresh(&mut last).await;
                let _ = tokio::time::timeout(LOOK, live.changed.notified()).await;
            }
        });
        Ok(live)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn newest(&self) -> Arc<Generation> {
        self.newest.borrow().clone()
    }

    /// Notifies about new generations.
    pub(crate) fn generations(&self) -> watch::Receiver<Arc<Generation>> {
        self.newest.subscribe()
    }

    /// The generation with this number, if it is still kept.
    pub(crate) fn generation(&self, number: u64) -> Option<Arc<Generation>> {
        let find = |generations: &Mutex<Vec<Arc<Generation>>>| {
            let generations = generations.lock().unwrap_or_else(PoisonError::into_inner);
            generations.iter().find(|generation| generation.number == number).cloned()
        };
        find(&self.generations).or_else(|| find(&self.for_sql))
    }

    /// Opens the file for SQL queries.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn open_for_sql(&self) -> Result<Arc<Generation>> {
        let generation = Generation::begin(self.next_number.fetch_add(1, Ordering::Relaxed), &self.path, Purpose::Sql)?;
        self.for_sql.lock().unwrap_or_else(PoisonError::into_inner).push(generation.clone());
        self.forget_unused();
        Ok(generation)
    }

    /// Checks the file immediately, because it was just written.
    pub(crate) fn look_now(&self) {
        self.changed.notify_one();
    }

    /// Creates a new generation if the file has changed since the last one was started.
    async fn refresh(&self, last: &mut LastIndexed) {
        self.forget_unused();
        let state = FileState::at(&self.path);
        // A file that is being replaced may be missing for a moment.
        if state == last.state || !state.is_there() {
            return;
        }
        tokio::time::sleep(last.took * REST).await;
        let state = FileState::at(&self.path);
        let began = Instant::now();
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let earlier = self.newest().take_reading().filter(|_| state.may_follow(&last.state));
        let generation = match Generation::begin(number, &self.path, Purpose::Everything(earlier)) {
            Ok(generation) => generation.indexed().await.map(|_| generation).map_err(|failure| failure.message),
            Err(error) => Err(format!("{error:#}")),
        };
        last.took = began.elapsed();
        match generation {
            Ok(generation) => {
                last.state = state;
                last.reported.clear();
                self.generations.lock().unwrap_or_else(PoisonError::into_inner).push(generation.clone());
                self.newest.send_replace(generation);
            }
            // The previous generation stays in use, and the file is tried again.
            Err(words) => {
                last.took = last.took.max(RETRY);
                if last.reported != words {
                    super::say(&format!("The file has changed but can't be read; the previous version is still served. {words}"));
                    last.reported = words;
                }
            }
        }
    }

    fn forget_unused(&self) {
        let newest = self.newest().number;
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.retain(|generation| generation.number == newest || generation.unused_for() < KEEP);
        let surplus = generations.len().saturating_sub(MOST);
        generations.drain(..surplus);
        // A result may be viewed for longer than a page goes without requests.
        let mut for_sql = self.for_sql.lock().unwrap_or_else(PoisonError::into_inner);
        for_sql.retain(|generation| generation.unused_for() < KEEP_RESULTS);
        let surplus = for_sql.len().saturating_sub(MOST_FOR_SQL);
        for_sql.drain(..surplus);
    }
}
