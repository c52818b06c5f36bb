//! The writer thread: commits waiting requests in one transaction and then answers them.
//!
//! Commits are expensive, so under load many requests share one; a single request is committed immediately. If a transaction fails, it is
//! rolled back and its requests are asked to retry: a request is only acknowledged once it is in the file, and the file at its path. While
//! another program reads the file for a long time, requests are committed to a second file and moved later. If the file is damaged or cannot
//! be found again, the collector exits.

use super::console::Console;
use super::counters::Shared;
use super::forward::{Forward, ReceivedRequest};
use super::retention::{ALL, Due, Pruning, Retention};
use crate::http::{Encoding, Ending};
use crate::output::{WrongCommandLine, clean_line};
use anyhow::{Context, Result};
use quipu::store::{Layout, Refused, StoreError, Writer};
use quipu::transfer::{Recorded, Recorder, Rows};
use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A transaction accepts no more requests beyond this size or age, because clients have timeouts. Span ids are random, so in a large file
/// nearly every span changes another index page; spans in one transaction share those pages.
const MOST: usize = 32 << 20;
const LONGEST: Duration = Duration::from_secs(1);
/// Changed pages stay in memory until the commit, so that readers are only locked out during the commit.
const CACHE: u64 = 192 << 20;
/// How long a commit waits for programs that read the file. After that, requests are committed to the second file.
const READERS: Duration = Duration::from_millis(500);
/// How often, and for how long, it is tried to add them to the file; new readers are locked out meanwhile.
const AGAIN: Duration = Duration::from_millis(500);
const ATTEMPT: Duration = Duration::from_millis(200);
/// How long the end waits for readers.
const LAST: Duration = Duration::from_secs(5);
/// Number of log and metric bodies remembered to detect duplicates.
const REMEMBERED: usize = 10_000;

/// A request waiting to be written.
pub(crate) struct Job {
    pub(crate) rows: Rows,
    /// The request, which is kept until it is in the file, and then forwarded.
    pub(crate) request: Option<ReceivedRequest>,
    /// Size of the decompressed body.
    pub(crate) bytes: usize,
    /// Fingerprint of the body, if its entries have no ids.
    pub(crate) fingerprint: Option<u64>,
    /// Rows that the file did not take.
    pub(crate) refused: Refused,
    /// Receives the outcome of the commit.
    pub(crate) done: oneshot::Sender<Result<Kept, String>>,
}

/// A request that is in the file.
pub(crate) struct Kept {
    /// Rows that nobody else needs are sent back, so that freeing them does not block the writer.
    pub(crate) rows: Rows,
    /// Rows that the file did not take.
    pub(crate) refused: Refused,
}

/// Receivers of committed data.
pub(crate) struct After {
    pub(crate) console: Option<Console>,
    pub(crate) forward: Option<Forward>,
}

/// What the writer thread is sent.
enum Message {
    Job(Box<Job>),
    /// Nothing follows.
    End,
}

/// Sends requests to the writer thread.
#[derive(Clone)]
pub(crate) struct Jobs(Sender<Message>);

impl Jobs {
    /// Queues a request. `false` if the writer has ended.
    pub(crate) fn send(&self, job: Job) -> bool {
        self.0.send(Message::Job(Box::new(job))).is_ok()
    }

    /// Lets the writer end once everything that was queued before is written.
    pub(crate) fn end(&self) {
        // It may have ended by itself.
        let _ = self.0.send(Message::End);
    }
}

/// Opens the file and starts the thread. The thread runs until it is stopped; if the file can't be written any more, it stops the collector.
///
/// # Errors
/// If the file can't be written.
pub(crate) fn start(
    db: &Path,
    layout: Layout,
    retention: Retention,
    shared: Arc<Shared>,
    after: After,
    ending: Ending,
) -> Result<(JoinHandle<Result<()>>, Jobs)> {
    let (jobs, waiting) = channel();
    let (opened, is_open) = channel();
    let db: PathBuf = db.to_owned();
    let run = move || {
        let writer = match open(&db, layout).and_then(|writer| check_bounds(writer, retention)) {
            Ok(writer) => writer,
            Err(error) => {
                // The caller is waiting for it.
                let _ = opened.send(Err(error));
                return Ok(());
            }
        };
        let _ = opened.send(Ok(()));
        let recorder = Recorder::new(writer);
        let spooled = recorder.has_waiting().then(Instant::now);
        let pruning = Pruning::new(retention);
        Keeper { recorder, waiting, recent: Recent::default(), shared, after, ending, is_failing: false, ends: false, spooled, pruning }
            .run()
    };
    let thread = std::thread::Builder::new().name("quipu-keeper".into()).spawn(run).context("The thread that writes can't be started")?;
    is_open.recv().context("The thread that writes has ended")??;
    Ok((thread, Jobs(jobs)))
}

fn open(db: &Path, layout: Layout) -> Result<Writer> {
    if let Some(folder) = db.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("The folder {} can't be created", folder.display()))?;
    }
    let mut writer = Writer::append_with(db, layout)?;
    writer.set_cache(CACHE)?;
    Ok(writer)
}

/// Refuses bounds for a file of which nothing can be removed.
fn check_bounds(writer: Writer, retention: Retention) -> Result<Writer> {
    if Pruning::new(retention).is_bounded() && writer.layout() != Layout::Quipu {
        let words =
            "The file has Llama Stack's tables, of which nothing is removed: --max-size and --max-age need a file in Quipu's own layout.";
        return Err(WrongCommandLine(words.to_owned()).into());
    }
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
    waiting: Receiver<Message>,
    recent: Recent,
    shared: Arc<Shared>,
    after: After,
    /// Ends the collector.
    ending: Ending,
    /// Whether the last transaction failed, which has been reported.
    is_failing: bool,
    /// Whether it was told that nothing follows.
    ends: bool,
    /// When it was last tried to add what waits beside the file, if something does.
    spooled: Option<Instant>,
    pruning: Pruning,
}

impl Keeper {
    fn run(mut self) -> Result<()> {
        loop {
            let first = match self.next() {
                Ok(Some(first)) => first,
                Ok(None) => break,
                Err(error) => return Err(self.lost(Batch::default(), error)),
            };
            let mut batch = Batch::default();
            match self.write(first, &mut batch) {
                Ok(recorded) => {
                    self.kept(batch, recorded);
                    self.make_room();
                }
                Err(error @ StoreError::Lost(_)) => return Err(self.lost(batch, error)),
                Err(error) => self.failed(batch, &error),
            }
        }
        let settled = self.settle();
        if let Some(console) = self.after.console {
            console.finish();
        }
        if let Some(forward) = self.after.forward {
            forward.finish();
        }
        settled?;
        Ok(self.recorder.into_writer().finish()?)
    }

    /// Waits for a request; `None` when nothing follows. Meanwhile tries to add what waits beside the file, and removes what is too much.
    fn next(&mut self) -> Result<Option<Job>, StoreError> {
        while !self.ends {
            if self.spooled.is_some_and(|tried| tried.elapsed() >= AGAIN) {
                self.add_waiting(ATTEMPT)?;
            }
            let is_idle = self.spooled.is_some() || !self.prune();
            let message = match (is_idle, self.spooled.map(|_| AGAIN).or_else(|| self.pruning.pause())) {
                (false, _) => self.waiting.recv_timeout(Duration::ZERO),
                (true, Some(pause)) => self.waiting.recv_timeout(pause),
                (true, None) => self.waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Job(job)) => return Ok(Some(*job)),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(None)
    }

    /// Adds what waits beside the file, if nobody reads it.
    ///
    /// # Errors
    /// [`StoreError::Lost`]. After other errors it waits on.
    fn add_waiting(&mut self, wait: Duration) -> Result<(), StoreError> {
        loop {
            match self.recorder.add_waiting(wait) {
                Ok(Some(false)) => {}
                Ok(Some(true)) => {
                    self.spooled = None;
                    return Ok(());
                }
                Err(error @ StoreError::Lost(_)) => return Err(error),
                Ok(None) | Err(_) => {
                    self.spooled = Some(Instant::now());
                    return Ok(());
                }
            }
        }
    }

    /// Removes what is too much for as long as nothing more may be written.
    fn make_room(&mut self) {
        while self.spooled.is_none() && matches!(self.due(), Due::RemoveFirst(_)) && self.prune() {}
    }

    fn due(&mut self) -> Due {
        if !self.pruning.is_bounded() {
            return Due::Nothing;
        }
        self.recorder.writer().file_size().map_or(Due::Nothing, |size| self.pruning.due(size))
    }

    /// Does a step of what is due. Returns whether something more may be due.
    fn prune(&mut self) -> bool {
        let due = self.due();
        let (before, share) = match due {
            Due::Nothing => return false,
            Due::Return => {
                let returned = self.recorder.return_space();
                self.pruning.note_returned(matches!(returned, Ok(true)));
                return matches!(returned, Ok(true));
            }
            Due::Remove(share) | Due::RemoveFirst(share) => (None, share),
            Due::RemoveBefore(before) => (Some(before), ALL),
        };
        match self.recorder.remove_oldest(before, share, READERS) {
            Ok(Some(removed)) => {
                self.shared.removed(removed);
                let size = self.recorder.writer().file_size().unwrap_or_default();
                if let Some(words) = self.pruning.note(removed, due, size) {
                    eprintln!("{words}");
                }
                // Where nothing is too old any more, space may be given back.
                !removed.is_empty() || matches!(due, Due::RemoveBefore(_))
            }
            // While others read the file, nothing is removed. What fails here fails again with the next request, which says why.
            Ok(None) | Err(_) => false,
        }
    }

    /// Commits the requests of a batch beside the file.
    fn put_waiting(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let requests = batch.jobs.iter().filter_map(|job| job.request.as_ref());
        self.recorder.put_waiting(requests.map(|request| (request.signal, request.encoding == Encoding::Json, request.body.as_slice())))?;
        self.spooled.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// A request that is there already.
    fn more(&mut self) -> Option<Job> {
        match self.waiting.try_recv().ok()? {
            Message::Job(job) => Some(*job),
            Message::End => {
                self.ends = true;
                None
            }
        }
    }

    /// Joins what can still be joined, at the end.
    fn settle(&mut self) -> Result<(), StoreError> {
        let begin = Instant::now();
        while self.spooled.is_some() && begin.elapsed() < LAST {
            self.add_waiting(ATTEMPT)?;
        }
        if self.spooled.is_some() {
            eprintln!(
                "Another program is reading the file, so some requests are still in the file with the ending -waiting. The next start moves them."
            );
            return Ok(());
        }
        self.recorder.begin()?;
        self.recorder.settle_logs()?;
        self.recorder.commit()
    }

    /// Writes one transaction: the first request and those that arrive meanwhile. If the file is moved before it is complete, all of it is
    /// written again, into the file that is at the path then.
    fn write(&mut self, first: Job, batch: &mut Batch) -> Result<Recorded, StoreError> {
        match self.write_here(Some(first), batch) {
            Err(StoreError::Moved(_)) => {
                // This fails if the transaction is complete, in the file that is gone.
                let _ = self.recorder.roll_back();
                self.write_here(None, batch)
            }
            outcome => outcome,
        }
    }

    fn write_here(&mut self, first: Option<Job>, batch: &mut Batch) -> Result<Recorded, StoreError> {
        // What waits comes first; as long as it can't be added, the file is not asked.
        let begun = if self.spooled.is_some() { Ok(()) } else { self.recorder.begin() };
        let is_open = begun.is_ok() && self.spooled.is_none();
        self.recorder.take_reopened().iter().for_each(|words| eprintln!("{}", clean_line(words)));
        let (mut recorded, mut bytes, start) = (Recorded::default(), 0, Instant::now());
        if is_open {
            for job in &mut batch.jobs {
                recorded += Keeper::write_job(&mut self.recorder, job)?;
            }
        }
        let mut next = first;
        while let Some(mut job) = next {
            bytes += job.bytes;
            match job.fingerprint {
                Some(known) if !self.recent.is_new(known) => {
                    (job.rows, job.request) = (Rows::default(), None);
                    self.shared.repeated_requests.add(1);
                }
                fresh => batch.fresh.extend(fresh),
            }
            let written = if is_open { Keeper::write_job(&mut self.recorder, &mut job) } else { Ok(Recorded::default()) };
            batch.jobs.push(job);
            recorded += written?;
            next = if bytes < MOST && start.elapsed() < LONGEST { self.more() } else { None };
        }
        begun?;
        if !is_open || !self.recorder.commit_unless_read(READERS)? {
            self.put_waiting(batch)?;
        }
        Ok(recorded)
    }

    fn write_job(recorder: &mut Recorder, job: &mut Job) -> Result<Recorded, StoreError> {
        let recorded = recorder.write(&mut job.rows);
        job.refused = recorder.take_refused();
        recorded
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
            let _ = job.done.send(Ok(Kept { rows: job.rows, refused: job.refused }));
            if let (Some(forward), Some(forwarded)) = (&self.after.forward, job.request) {
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
            eprintln!("{}", clean_line(&format!("{error} Exporters are asked to retry.")));
        }
        for job in batch.jobs {
            let _ = job.done.send(Err(format!("{error} Nothing of this request was kept; send it again.")));
        }
    }

    /// Nothing can be written any more: answers everybody who waits, and asks for the end of the collector.
    fn lost(mut self, batch: Batch, error: StoreError) -> anyhow::Error {
        self.shared.failed_commits.add(1);
        let mut jobs = batch.jobs;
        while let Some(job) = self.more() {
            jobs.push(job);
        }
        for job in jobs {
            let _ = job.done.send(Err("The collector's file is damaged or gone; nothing of this request was kept.".into()));
        }
        self.ending.ask();
        error.into()
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
