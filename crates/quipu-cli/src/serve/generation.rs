//! A generation of the served file: a session in a thread of its own, which indexes the file as of when it was opened and answers requests
//! between steps of long work.
//!
//! Questions of the query API and of PromQL, which can take long, are answered on threads of their own: two that read the file by
//! connections of their own, and those of the metrics engine. `live` decides when to create a new generation.

use super::places::{Client, Place};
use crate::open::served_options;
use anyhow::{Context, Result};
use quipu::metrics::Metrics;
use quipu::model::budget::{Allowance, Budget};
use quipu::protocol::{Answers, Failure, FailureKind, IndexProgress, Notification, Question, Request, Response, SearchState};
use quipu::query::QueryError;
use quipu::{IndexSnapshot, QueryReader, Session};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Duration of a step of long work, after which requests are answered.
const PIECE: Duration = Duration::from_millis(50);
/// Deadline of a question to the session. Other requests of the page wait for it.
const DEADLINE: Duration = Duration::from_secs(10);
/// Deadline of a question that is answered on a thread of its own.
const LONG_DEADLINE: Duration = Duration::from_secs(30);
/// Threads with connections of their own.
const READERS: usize = 2;
/// Deadline of an SQL query, which runs in a generation of its own.
const SQL_DEADLINE: Duration = Duration::from_secs(60);
/// Interval between progress events.
const NOTE: Duration = Duration::from_millis(250);

type Job = Box<dyn FnOnce(&mut Session) + Send>;
type ReaderJob = Box<dyn FnOnce(&QueryReader) + Send>;

/// When a job runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// As soon as possible.
    Now,
    /// After indexing has completed or failed.
    Indexed,
}

/// Indexing state of a generation.
#[derive(Clone, Debug, Default)]
pub(crate) enum IndexState {
    /// The file is being opened or indexed.
    #[default]
    Indexing,
    /// The index is complete.
    Indexed {
        /// Number of spans.
        spans: u64,
    },
    /// The file can't be opened or not be read completely.
    Failed(Failure),
}

/// Numbered events in ascending order; only the latest of each kind is kept.
pub(crate) type EventLog = Vec<(u64, Notification)>;

/// A running generation. Its thread ends when the last reference is dropped.
pub(crate) struct Generation {
    /// Unique across servers, so that a page notices a restarted server.
    pub(crate) number: u64,
    jobs: Sender<(When, Job)>,
    readers: Sender<ReaderJob>,
    state: watch::Receiver<IndexState>,
    log: watch::Receiver<EventLog>,
    used: Mutex<Instant>,
    /// The rows read so far, for the next generation.
    snapshot: SharedSnapshot,
}

/// What a file is opened for.
pub(crate) enum Purpose {
    /// All requests. Rows that the previous generation has read are not read again.
    Everything(Option<IndexSnapshot>),
    /// SQL only, which needs no index and can take long.
    Sql,
}

type SharedSnapshot = Arc<Mutex<Option<IndexSnapshot>>>;

/// State of the generation's thread.
struct Worker {
    jobs: Receiver<(When, Job)>,
    /// Jobs that wait for the index.
    waiting: Vec<Job>,
    state: watch::Sender<IndexState>,
    log: watch::Sender<EventLog>,
    number: u64,
    snapshot: SharedSnapshot,
}

impl Generation {
    /// Opens the file and starts indexing in a new thread. If it can't be opened, `state` reports that.
    pub(crate) fn begin(number: u64, path: &Path, purpose: Purpose) -> Result<Arc<Generation>> {
        let (sender, jobs) = mpsc::channel();
        let (state, state_reader) = watch::channel(IndexState::Indexing);
        let (log, log_reader) = watch::channel(Vec::new());
        let path = path.to_owned();
        let snapshot = SharedSnapshot::default();
        let worker = Worker { jobs, waiting: Vec::new(), state, log, number: 0, snapshot: snapshot.clone() };
        let thread = std::thread::Builder::new().name("quipu-generation".into());
        let (readers, reader_jobs) = mpsc::channel();
        if matches!(purpose, Purpose::Everything(_)) {
            start_readers(&path, reader_jobs)?;
        }
        thread.spawn(move || worker.run(&path, purpose)).context("The thread that reads the file can't be started")?;
        Ok(Arc::new(Generation {
            number,
            jobs: sender,
            readers,
            state: state_reader,
            log: log_reader,
            used: Mutex::new(Instant::now()),
            snapshot,
        }))
    }

    /// Asks the generation's session. The answer may say that the file is not indexed yet.
    pub(crate) async fn ask<Q>(&self, question: Q) -> Result<Q::Answer, Failure>
    where
        Q: Question<Answer: Send + 'static> + Send + 'static,
        Session: Answers<Q>,
    {
        self.run(When::Now, |session| session.ask(question)).await?
    }

    /// [`Generation::ask`] for a question that came over the wire.
    pub(crate) async fn handle(&self, request: Request) -> Result<Response, Failure> {
        self.run(When::Now, |session| session.handle(request)).await?
    }

    /// Runs `work` once the file is indexed.
    ///
    /// # Errors
    /// If the file can't be read.
    pub(crate) async fn when_indexed<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.run(When::Indexed, work).await
    }

    async fn run<T: Send + 'static>(&self, when: When, work: impl FnOnce(&mut Session) -> T + Send + 'static) -> Result<T, Failure> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let (sender, answer) = oneshot::channel();
        // Dropped with this future, when the client leaves.
        let client = Client::default();
        let ticket = client.ticket();
        let job: Job = Box::new(move |session| {
            if let Some(answer) = ticket.run(session.budget(), || work(session)) {
                drop(sender.send(answer));
            }
        });
        let is_sent = self.jobs.send((when, job)).is_ok();
        match answer.await {
            Ok(answer) if is_sent => Ok(answer),
            _ => Err(self.failure()),
        }
    }

    /// Answers a call of the query API on a thread of its own.
    ///
    /// # Errors
    /// If the file can't be read; the inner error is the call's own.
    pub(crate) async fn query(
        &self,
        method: &'static str,
        params: String,
        now_seconds: Option<i64>,
        place: Place,
    ) -> Result<Result<String, QueryError>, Failure> {
        let index = self.when_indexed(|session| session.shared_index()).await?;
        let Some(index) = index else {
            // What is in memory only the session reaches.
            let answer = self.when_indexed(move |session| session.try_query(method, &params, now_seconds)).await;
            drop(place);
            return answer;
        };
        let (sender, answer) = oneshot::channel();
        let client = Client::default();
        let ticket = client.ticket();
        let job: ReaderJob = Box::new(move |reader| {
            let answer = ticket.run(reader.budget(), || reader.try_query(&index, method, &params, now_seconds));
            // Taken until the work has ended, also if the client has left.
            drop(place);
            if let Some(answer) = answer {
                drop(sender.send(answer));
            }
        });
        let is_sent = self.readers.send(job).is_ok();
        match answer.await {
            Ok(answer) if is_sent => Ok(answer),
            _ => Err(self.failure()),
        }
    }

    /// Asks the metrics engine on a thread of its own.
    ///
    /// # Errors
    /// If the file can't be read.
    pub(crate) async fn metrics<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&Metrics, &Budget) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let engine = self.when_indexed(|session| session.metrics()).await??;
        let options = served_options(LONG_DEADLINE);
        let budget = Budget::new(options.clock, Allowance { millis: options.deadline_ms, ..Allowance::DEFAULT });
        let client = Client::default();
        let ticket = client.ticket();
        let answer = tokio::task::spawn_blocking(move || {
            let answer = ticket.run(budget.clone(), || work(&engine, &budget));
            drop(place);
            answer
        });
        answer.await.ok().flatten().ok_or_else(|| self.failure())
    }

    /// The failure for requests that can't be answered any more.
    fn failure(&self) -> Failure {
        match &*self.state.borrow() {
            IndexState::Failed(failure) => failure.clone(),
            _ => Failure {
                kind: FailureKind::Internal,
                message: "The thread that reads the file has ended. Start quipu serve again.".into(),
            },
        }
    }

    /// The events of this generation.
    pub(crate) fn events(&self) -> watch::Receiver<EventLog> {
        self.log.clone()
    }

    /// Waits until the file is indexed. Returns the number of spans.
    ///
    /// # Errors
    /// If indexing fails.
    pub(crate) async fn indexed(&self) -> Result<u64, Failure> {
        let mut state = self.state.clone();
        match state.wait_for(|state| !matches!(state, IndexState::Indexing)).await.as_deref() {
            Ok(IndexState::Indexed { spans }) => Ok(*spans),
            _ => Err(self.failure()),
        }
    }

    /// The rows that were read, once the file is indexed. Can be taken once.
    pub(crate) fn take_snapshot(&self) -> Option<IndexSnapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Time since the last request.
    pub(crate) fn unused_for(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Marks the generation as used.
    pub(crate) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Worker {
    fn run(mut self, path: &Path, purpose: Purpose) {
        let is_indexed = matches!(purpose, Purpose::Everything(_));
        let mut session = match open(path, purpose) {
            Ok(session) => session,
            Err(failure) => return drop(self.state.send(IndexState::Failed(failure))),
        };
        if is_indexed && !self.index(&mut session) {
            return;
        }
        for job in std::mem::take(&mut self.waiting) {
            job(&mut session);
        }
        loop {
            if session.has_search() {
                self.search(&mut session);
            }
            match self.jobs.recv() {
                // Dropping the job answers it with the failure.
                Ok((When::Indexed, job)) if matches!(*self.state.borrow(), IndexState::Failed(_)) => drop(job),
                Ok((_, job)) => job(&mut session),
                Err(_) => return,
            }
        }
    }

    /// Runs pending jobs; `false` if the generation is no longer used.
    fn answer(&mut self, session: &mut Session) -> bool {
        loop {
            match self.jobs.try_recv() {
                Ok((When::Now, job)) => job(session),
                Ok((When::Indexed, job)) => self.waiting.push(job),
                Err(mpsc::TryRecvError::Empty) => return true,
                Err(mpsc::TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Runs the index to its end; `false` if the generation is no longer used.
    fn index(&mut self, session: &mut Session) -> bool {
        let (began, mut noted) = (Instant::now(), Instant::now());
        while self.answer(session) {
            let until = Instant::now() + PIECE;
            match session.step(&mut || Instant::now() >= until) {
                Ok(progress) => {
                    if progress.done || noted.elapsed() >= NOTE {
                        noted = Instant::now();
                        self.publish(Notification::Progress(IndexProgress { elapsed_ms: began.elapsed().as_secs_f64() * 1e3, ..progress }));
                    }
                    if progress.done {
                        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = session.take_snapshot();
                        drop(self.state.send(IndexState::Indexed { spans: progress.spans }));
                        return true;
                    }
                }
                Err(failure) => {
                    // Requests for what was indexed so far can still be answered.
                    self.publish(Notification::IndexStopped(failure.clone()));
                    drop(self.state.send(IndexState::Failed(failure)));
                    self.waiting.clear();
                    return true;
                }
            }
        }
        false
    }

    /// Runs the search to its end, answering requests in between.
    fn search(&mut self, session: &mut Session) {
        let (began, mut noted) = (Instant::now(), Instant::now());
        while session.has_search() {
            let until = Instant::now() + PIECE;
            let Some(mut progress) = session.search_step(&mut || Instant::now() >= until) else { return };
            progress.elapsed_ms = began.elapsed().as_secs_f64() * 1e3;
            if progress.state != SearchState::Running || !session.has_search() || noted.elapsed() >= NOTE {
                noted = Instant::now();
                self.publish(Notification::Searching(progress));
            }
            while let Ok((_, job)) = self.jobs.try_recv() {
                job(session);
            }
        }
    }

    /// Adds an event and removes earlier ones of the same kind.
    fn publish(&mut self, event: Notification) {
        self.number += 1;
        let number = self.number;
        self.log.send_modify(|log| {
            log.retain(|(_, known)| !is_same_kind(known, &event));
            log.push((number, event));
        });
    }
}

/// Starts threads that answer with connections of their own, until the generation is dropped.
fn start_readers(path: &Path, jobs: Receiver<ReaderJob>) -> Result<()> {
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..READERS {
        let (path, jobs) = (path.to_owned(), jobs.clone());
        let read = move || {
            // The session reports why a file can't be opened; what is imported has no file that could be.
            let Ok(reader) = QueryReader::open_path(&path, served_options(LONG_DEADLINE)) else { return };
            loop {
                let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = next else { return };
                job(&reader);
            }
        };
        std::thread::Builder::new().name("quipu-reader".into()).spawn(read).context("A thread that reads the file can't be started")?;
    }
    Ok(())
}

/// Opens the file, and reuses the rows read before if the file still contains them.
fn open(path: &Path, purpose: Purpose) -> Result<Session, Failure> {
    let to_failure = |error: anyhow::Error| Failure { kind: FailureKind::CannotOpen, message: format!("{error:#}") };
    let open = |deadline| crate::open::open_served(path, deadline).map_err(|error| error.downcast::<Failure>().unwrap_or_else(to_failure));
    let Purpose::Everything(earlier) = purpose else { return open(SQL_DEADLINE) };
    let mut session = open(DEADLINE)?;
    if let Some(earlier) = earlier {
        session.resume_from(&earlier)?;
    }
    session.keep_snapshot();
    Ok(session)
}

fn is_same_kind(one: &Notification, other: &Notification) -> bool {
    match (one, other) {
        (Notification::Searching(one), Notification::Searching(other)) => one.trace_id == other.trace_id && one.filter == other.filter,
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}
