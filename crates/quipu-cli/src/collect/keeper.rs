//! The one thread that writes: what waits becomes one transaction, and is answered when it is in the file.
//!
//! Under load many requests share a commit, which is what costs; alone each is committed at once. A transaction that fails is rolled back
//! and its requests are told to come again: nothing is ever answered that is not in the file.

use super::console::Console;
use super::counters::Shared;
use super::forward::{Forward, Passed};
use anyhow::{Context, Result};
use quipu::store::{StoreError, Writer};
use quipu::transfer::{Recorded, Recorder, Rows};
use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A transaction takes no more bodies when it has so many bytes of them, or is so old: those who wait for it have their own limits. The
/// ids of spans lie anywhere in the index, so in a large file nearly every span changes a page of it, and spans that share a
/// transaction share such pages.
const MOST: usize = 32 << 20;
const LONGEST: Duration = Duration::from_secs(1);
/// The pages a transaction changes stay in memory until its end, so that readers are kept out for its end only.
const CACHE: u64 = 192 << 20;
/// Bodies of logs and metrics that are known again when they are sent twice.
const REMEMBERED: usize = 10_000;

/// A request that waits to be written.
pub(crate) struct Job {
    pub(crate) rows: Rows,
    /// The request, where it is to be passed on.
    pub(crate) passed: Option<Passed>,
    /// Bytes of the unpacked body.
    pub(crate) bytes: usize,
    /// The body as a number, where its entries have no ids.
    pub(crate) fingerprint: Option<u64>,
    /// Told when it is in the file, or why it is not. The rows go back where nobody else wants them: many small pieces of memory are freed
    /// by whoever has time for it.
    pub(crate) done: oneshot::Sender<Result<Rows, String>>,
}

/// Where what was committed goes.
pub(crate) struct After {
    pub(crate) console: Option<Console>,
    pub(crate) forward: Option<Forward>,
}

pub(crate) type Jobs = Sender<Job>;

/// Opens the file and starts the thread, which ends when all senders are gone.
///
/// # Errors
/// A sentence where the file can't be written.
pub(crate) fn start(db: &Path, shared: Arc<Shared>, after: After) -> Result<(JoinHandle<Result<()>>, Jobs)> {
    let (jobs, waiting) = channel();
    let (opened, is_open) = channel();
    let db: PathBuf = db.to_owned();
    let run = move || {
        let writer = match open(&db) {
            Ok(writer) => writer,
            Err(error) => {
                // Whoever starts waits for it.
                let _ = opened.send(Err(error));
                return Ok(());
            }
        };
        let _ = opened.send(Ok(()));
        Keeper { recorder: Recorder::new(writer), waiting, recent: Recent::default(), shared, after, is_failing: false }.run()
    };
    let thread = std::thread::Builder::new().name("quipu-keeper".into()).spawn(run).context("The thread that writes can't be started")?;
    is_open.recv().context("The thread that writes has ended")??;
    Ok((thread, jobs))
}

fn open(db: &Path) -> Result<Writer> {
    if let Some(folder) = db.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("The folder {} can't be made", folder.display()))?;
    }
    let mut writer = Writer::append_to(db)?;
    writer.set_cache(CACHE)?;
    Ok(writer)
}

/// The requests of one transaction.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    /// Fingerprints of bodies that were not seen before.
    fresh: Vec<u64>,
}

struct Keeper {
    recorder: Recorder,
    waiting: Receiver<Job>,
    recent: Recent,
    shared: Arc<Shared>,
    after: After,
    /// The last transaction failed, which was told.
    is_failing: bool,
}

impl Keeper {
    fn run(mut self) -> Result<()> {
        while let Ok(first) = self.waiting.recv() {
            let mut batch = Batch::default();
            match self.write(first, &mut batch) {
                Ok(recorded) => self.kept(batch, recorded),
                Err(error) => self.failed(batch, &error),
            }
        }
        self.recorder.begin()?;
        self.recorder.settle_logs()?;
        self.recorder.commit()?;
        self.recorder.into_writer().finish()?;
        if let Some(console) = self.after.console {
            console.finish();
        }
        if let Some(forward) = self.after.forward {
            forward.finish();
        }
        Ok(())
    }

    /// One transaction, of the first request and those that come while it is written.
    fn write(&mut self, first: Job, batch: &mut Batch) -> Result<Recorded, StoreError> {
        let begun = self.recorder.begin();
        let (mut recorded, mut bytes, start) = (Recorded::default(), 0, Instant::now());
        let mut next = Some(first);
        while let Some(job) = next {
            bytes += job.bytes;
            batch.jobs.push(job);
            if let (Ok(()), Some(job)) = (&begun, batch.jobs.last_mut()) {
                match job.fingerprint {
                    Some(known) if !self.recent.is_new(known) => {
                        (job.rows, job.passed) = (Rows::default(), None);
                        self.shared.repeated_requests.add(1);
                    }
                    fresh => {
                        batch.fresh.extend(fresh);
                        recorded += self.recorder.write(&mut job.rows)?;
                    }
                }
            }
            next = if bytes < MOST && start.elapsed() < LONGEST { self.waiting.try_recv().ok() } else { None };
        }
        begun?;
        self.recorder.commit()?;
        Ok(recorded)
    }

    fn kept(&mut self, batch: Batch, recorded: Recorded) {
        self.shared.committed(recorded);
        if std::mem::take(&mut self.is_failing) {
            eprintln!("The file is written again.");
        }
        {
            let mut series = self.shared.series();
            batch.jobs.iter().for_each(|job| series.take(&job.rows));
        }
        let mut printed = Vec::new();
        for mut job in batch.jobs {
            if self.after.console.is_some() {
                printed.push(std::mem::take(&mut job.rows));
            }
            // Whoever asked may be gone; the rows are in the file all the same.
            let _ = job.done.send(Ok(job.rows));
            if let (Some(forward), Some(passed)) = (&self.after.forward, job.passed) {
                forward.pass(passed, &self.shared);
            }
        }
        if let Some(console) = &self.after.console {
            self.shared.console_dropped.add(console.print(printed));
        }
    }

    fn failed(&mut self, batch: Batch, error: &StoreError) {
        // Where no transaction was begun this fails too; the first error is the one to tell.
        let _ = self.recorder.roll_back();
        self.shared.failed_commits.add(1);
        self.recent.forget(&batch.fresh);
        if !std::mem::replace(&mut self.is_failing, true) {
            eprintln!("{error} Exporters are told to send again.");
        }
        for job in batch.jobs {
            let _ = job.done.send(Err(format!("{error} Nothing of this request was kept; send it again.")));
        }
    }
}

/// The last bodies whose entries have no ids: an exporter that got no answer sends the same bytes again.
#[derive(Default)]
struct Recent {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    /// Whether a body was not seen, which it is from now on.
    fn is_new(&mut self, fingerprint: u64) -> bool {
        if !self.known.insert(fingerprint) {
            return false;
        }
        self.order.push_back(fingerprint);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    fn forget(&mut self, fingerprints: &[u64]) {
        for fingerprint in fingerprints {
            self.known.remove(fingerprint);
        }
        self.order.retain(|known| self.known.contains(known));
    }
}
