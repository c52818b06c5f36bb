//! A file that grows while it is served: watches it, and starts a new generation when it has changed.
//!
//! The newest generation answers; the previous one continues to answer pages that still show it. A new one is indexed meanwhile and replaces
//! it when it is complete, so that nobody waits. Where the file only grew, it resumes where the one before ended. Indexing takes a fifth of
//! one processor at most, however fast the file grows. Not here: what a generation does (`generation`).

use super::generation::{Generation, Purpose};
use anyhow::Result;
use quipu::protocol::GetFile;
use quipu::store::{ByteSource, FileSource};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long a generation is kept that no page asks any more. Pages ask at least every half minute.
const KEEP: Duration = Duration::from_secs(90);
/// Generations that are kept at most, each with its index in memory.
const MOST: usize = 4;
/// How long the result of a question in SQL is kept that nobody looks at, and how many at most.
const KEEP_RESULTS: Duration = Duration::from_secs(1_800);
const MOST_FOR_SQL: usize = 8;
/// After indexing for so long, four times as long nothing is indexed.
const REST: u32 = 4;
/// As if indexing a file that can't be read had taken at least so long.
const RETRY: Duration = Duration::from_millis(500);

/// The served file.
pub(crate) struct Live {
    path: PathBuf,
    /// The newest last.
    generations: Mutex<Vec<Arc<Generation>>>,
    /// The same for questions in SQL, one for each page that asks some.
    for_sql: Mutex<Vec<Arc<Generation>>>,
    newest: watch::Sender<Arc<Generation>>,
    next_number: AtomicU64,
    /// Somebody knows that the file has changed.
    changed: Notify,
}

/// How a file looks from outside; a write changes some of it.
#[derive(Clone, PartialEq, Eq)]
struct Look {
    parts: Vec<Option<(u64, Option<SystemTime>)>>,
    /// The header's counters and page count, which every transaction changes.
    head: Vec<u8>,
}

/// The last generation that was begun: how the file looked, and how long indexing took; and what was last told of one that failed.
struct Last {
    look: Look,
    took: Duration,
    told: String,
}

impl Look {
    fn at(path: &Path) -> Look {
        let beside = |suffix: &str| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            let facts = std::fs::metadata(PathBuf::from(path)).ok()?;
            Some((facts.len(), facts.modified().ok()))
        };
        // What can't be read is as good as empty: opening says why.
        let head = read_head(path).unwrap_or_default();
        Look { parts: vec![beside(""), beside("-wal")], head }
    }

    /// Whether the file may be `earlier` with something added: nothing became free in it. Deleted rows that leave no page free are not seen.
    fn may_follow(&self, earlier: &Look) -> bool {
        let free_pages = |look: &Look| look.head.get(36..40).map(<[u8]>::to_vec);
        free_pages(self) <= free_pages(earlier)
    }

    fn is_there(&self) -> bool {
        self.parts.first().is_some_and(Option::is_some)
    }
}

/// The first bytes of a file. Through the descriptor that this process shares: closing one of its own would end the locks of its writer.
fn read_head(path: &Path) -> Option<Vec<u8>> {
    let source = FileSource::open(path).ok()?;
    let mut head = vec![0; usize::try_from(source.len().min(100)).ok()?];
    source.read_into(0, &mut [&mut head]).ok()?;
    Some(head)
}

impl Live {
    /// Opens the file, and waits until that is done; indexing goes on meanwhile.
    ///
    /// # Errors
    /// Why it can't be opened.
    pub(crate) async fn open(path: &Path) -> Result<Arc<Live>> {
        let look = Look::at(path);
        // Numbers of two servers one after the other differ.
        let first = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let generation = Generation::begin(first, path, Purpose::Everything(None))?;
        if let Err(failure) = generation.ask(GetFile).await {
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
            // The first generation is given its time.
            let _ = generation.indexed().await;
            drop(generation);
            let mut last = Last { look, took: Duration::ZERO, told: String::new() };
            while let Some(live) = watching.upgrade() {
                live.look_after(&mut last).await;
                let _ = tokio::time::timeout(LOOK, live.changed.notified()).await;
            }
        });
        Ok(live)
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The newest generation.
    pub(crate) fn newest(&self) -> Arc<Generation> {
        self.newest.borrow().clone()
    }

    /// Tells when there is a newer one.
    pub(crate) fn generations(&self) -> watch::Receiver<Arc<Generation>> {
        self.newest.subscribe()
    }

    /// The generation of this number, where it is still kept.
    pub(crate) fn generation(&self, number: u64) -> Option<Arc<Generation>> {
        let find = |generations: &Mutex<Vec<Arc<Generation>>>| {
            let generations = generations.lock().unwrap_or_else(PoisonError::into_inner);
            generations.iter().find(|generation| generation.number == number).cloned()
        };
        find(&self.generations).or_else(|| find(&self.for_sql))
    }

    /// Opens the file for questions in SQL.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn open_for_sql(&self) -> Result<Arc<Generation>> {
        let generation = Generation::begin(self.next_number.fetch_add(1, Ordering::Relaxed), &self.path, Purpose::Sql)?;
        self.for_sql.lock().unwrap_or_else(PoisonError::into_inner).push(generation.clone());
        self.forget_unused();
        Ok(generation)
    }

    /// The file was just written: it is looked at now.
    pub(crate) fn look_now(&self) {
        self.changed.notify_one();
    }

    /// Brings out a new generation where the file changed since the last one was begun.
    async fn look_after(&self, last: &mut Last) {
        self.forget_unused();
        let look = Look::at(&self.path);
        // A file that is being replaced is there again soon.
        if look == last.look || !look.is_there() {
            return;
        }
        tokio::time::sleep(last.took * REST).await;
        let look = Look::at(&self.path);
        let began = Instant::now();
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let earlier = self.newest().take_snapshot().filter(|_| look.may_follow(&last.look));
        let generation = match Generation::begin(number, &self.path, Purpose::Everything(earlier)) {
            Ok(generation) => generation.indexed().await.map(|_| generation).map_err(|failure| failure.message),
            Err(error) => Err(format!("{error:#}")),
        };
        last.took = began.elapsed();
        match generation {
            Ok(generation) => {
                last.look = look;
                last.told.clear();
                self.generations.lock().unwrap_or_else(PoisonError::into_inner).push(generation.clone());
                self.newest.send_replace(generation);
            }
            // What was there before goes on being served, and the file is tried again.
            Err(words) => {
                last.took = last.took.max(RETRY);
                if last.told != words {
                    super::say(&format!("The file has changed but can't be read; the previous version is still served. {words}"));
                    last.told = words;
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
        // A result is looked at longer than a page says nothing.
        let mut for_sql = self.for_sql.lock().unwrap_or_else(PoisonError::into_inner);
        for_sql.retain(|generation| generation.unused_for() < KEEP_RESULTS);
        let surplus = for_sql.len().saturating_sub(MOST_FOR_SQL);
        for_sql.drain(..surplus);
    }
}
