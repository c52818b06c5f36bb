//! The writer thread: commits waiting requests in one transaction and then answers them.
//!
//! Commits are expensive, so under load many requests share one; a single request is committed immediately. If a transaction fails, it is
//! rolled back and its requests are asked to retry: a request is only acknowledged once it is in the file.

use super::console::Console;
use super::counters::Shared;
use super::forward::{Forward, ForwardedRequest};
use anyhow::{Context, Result};
use quipu::store::{Layout, StoreError, Writer};
use quipu::transfer::{Recorded, Recorder, Rows};
use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A transaction accepts no more requests beyond this size or age, because clients have timeouts. Span ids are random, so in a large file
/// nearly every span changes another index page; spans in one transaction share those pages.
const MOST: usize = 32 << 20;
const LONGEST: Duration = Duration::from_secs(1);
/// Changed pages stay in memory until the commit, so that readers are only locked out during the commit.
const CACHE: u64 = 192 << 20;
/// Number of log and metric bodies remembered to detect duplicates.
const REMEMBERED: usize = 10_000;

/// A request waiting to be written.
pub(crate) struct Job {
    pub(crate) rows: Rows,
    /// The request, if it is to be forwarded.
    pub(crate) forwarded: Option<ForwardedRequest>,
    /// Size of the decompressed body.
    pub(crate) bytes: usize,
    /// Fingerprint of the body, if its entries have no ids.
    pub(crate) fingerprint: Option<u64>,
    /// Receives the outcome of the commit. Rows that nobody else needs are sent back, so that freeing them does not block the writer.
    pub(crate) done: oneshot::Sender<Result<Rows, String>>,
}

/// Receivers of committed data.
pub(crate) struct After {
    pub(crate) console: Option<Console>,
    pub(crate) forward: Option<Forward>,
}

pub(crate) type Jobs = Sender<Job>;

/// Opens the file and starts the thread, which ends when all senders are dropped.
///
/// # Errors
/// If the file can't be written.
pub(crate) fn start(db: &Path, layout: Layout, shared: Arc<Shared>, after: After) -> Result<(JoinHandle<Result<()>>, Jobs)> {
    let (jobs, waiting) = channel();
    let (opened, is_open) = channel();
    let db: PathBuf = db.to_owned();
    let run = move || {
        let writer = match open(&db, layout) {
            Ok(writer) => writer,
            Err(error) => {
                // The caller is waiting for it.
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

fn open(db: &Path, layout: Layout) -> Result<Writer> {
    if let Some(folder) = db.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("The folder {} can't be created", folder.display()))?;
    }
    let mut writer = Writer::append_with(db, layout)?;
    writer.set_cache(CACHE)?;
    Ok(writer)
}

/// The requests of one transaction.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    /// Fingerprints of bodies not seen before.
    fresh: Vec<u64>,
}

struct Keeper {
    recorder: Recorder,
    waiting: Receiver<Job>,
    recent: Recent,
    shared: Arc<Shared>,
    after: After,
    /// Whether the last transaction failed, which has been reported.
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

    /// Writes one transaction: the first request and those that arrive meanwhile.
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
                        (job.rows, job.forwarded) = (Rows::default(), None);
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
            // The client may have disconnected; the rows are in the file anyway.
            let _ = job.done.send(Ok(job.rows));
            if let (Some(forward), Some(forwarded)) = (&self.after.forward, job.forwarded) {
                forward.push(forwarded, &self.shared);
            }
        }
        if let Some(console) = &self.after.console {
            self.shared.console_dropped.add(console.print(printed));
        }
    }

    fn failed(&mut self, batch: Batch, error: &StoreError) {
        // This also fails if no transaction was begun; only the first error is reported.
        let _ = self.recorder.roll_back();
        self.shared.failed_commits.add(1);
        self.recent.forget(&batch.fresh);
        if !std::mem::replace(&mut self.is_failing, true) {
            eprintln!("{error} Exporters are asked to retry.");
        }
        for job in batch.jobs {
            let _ = job.done.send(Err(format!("{error} Nothing of this request was kept; send it again.")));
        }
    }
}

/// The fingerprints of the latest bodies. An exporter that got no answer sends the same bytes again.
#[derive(Default)]
struct Recent {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    /// Whether the body has not been seen before. Remembers it.
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
