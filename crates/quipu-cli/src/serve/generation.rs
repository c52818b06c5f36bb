//! a generation of the served file: a session of its own in a thread of its own, which indexes the file as it was when it was opened, and
//! answers questions between the pieces of long work.
//!
//! What is not here: when there is a newer one (`live`), HTTP.

use anyhow::{Context, Result};
use quipu::protocol::{Event, Failure, FailureKind, FileSummary, IndexProgress, Request, Response, SearchState};
use quipu::{FileReading, Session};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// How long a piece of long work lasts before questions have their turn.
const PIECE: Duration = Duration::from_millis(50);
/// How long one question may take; others wait meanwhile.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long a question in SQL may take, for which no other waits.
const SQL_DEADLINE: Duration = Duration::from_secs(60);
/// How often the progress of long work is told.
const NOTE: Duration = Duration::from_millis(250);

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// When a question is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// At once, as far as that goes.
    Now,
    /// Once the index is complete, or won't be.
    Indexed,
}

/// How far a generation is.
#[derive(Clone, Debug, Default)]
pub(crate) enum Standing {
    /// The file is being opened, or indexed.
    #[default]
    Indexing,
    /// Everything can be asked.
    Indexed {
        /// Spans it holds.
        spans: u64,
    },
    /// It can't be opened, or not be read to its end.
    Failed(Failure),
}

/// Numbered events in ascending order; only the latest of each kind is kept.
pub(crate) type EventLog = Vec<(u64, Event)>;

/// A running generation. When the last owner goes its thread ends.
pub(crate) struct Generation {
    /// Unique among all generations of all servers, so that a page that outlives one is noticed.
    pub(crate) number: u64,
    jobs: Sender<(When, Job)>,
    standing: watch::Receiver<Standing>,
    log: watch::Receiver<EventLog>,
    used: Mutex<Instant>,
    /// What was read, for the next generation.
    reading: SharedReading,
}

/// What a file is opened for.
pub(crate) enum Purpose {
    /// For everything. What was read of it before is not read again.
    Everything(Option<FileReading>),
    /// For questions in SQL only, which need no index and may take long.
    Sql,
}

type SharedReading = Arc<Mutex<Option<FileReading>>>;

/// The generation's thread: what it works on, and whom it tells.
struct Worker {
    jobs: Receiver<(When, Job)>,
    /// Questions that wait for the index.
    waiting: Vec<Job>,
    standing: watch::Sender<Standing>,
    log: watch::Sender<EventLog>,
    number: u64,
    reading: SharedReading,
}

impl Generation {
    /// Opens the file and begins to index it. That it can't be opened its standing tells.
    pub(crate) fn begin(number: u64, path: &Path, purpose: Purpose) -> Result<Arc<Generation>> {
        let (sender, jobs) = mpsc::channel();
        let (standing, is_standing) = watch::channel(Standing::Indexing);
        let (log, log_reader) = watch::channel(Vec::new());
        let path = path.to_owned();
        let reading = SharedReading::default();
        let worker = Worker { jobs, waiting: Vec::new(), standing, log, number: 0, reading: reading.clone() };
        let thread = std::thread::Builder::new().name("quipu-generation".into());
        thread.spawn(move || worker.run(&path, purpose)).context("A thread that reads the file can't be started")?;
        Ok(Arc::new(Generation { number, jobs: sender, standing: is_standing, log: log_reader, used: Mutex::new(Instant::now()), reading }))
    }

    /// Asks as a page asks its worker.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, Failure> {
        self.run(When::Now, |session| session.handle(request)).await?
    }

    /// Runs `work` once the file is indexed.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) async fn when_indexed<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.run(When::Indexed, work).await
    }

    async fn run<T: Send + 'static>(&self, when: When, work: impl FnOnce(&mut Session) -> T + Send + 'static) -> Result<T, Failure> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |session| drop(sender.send(work(session))));
        let is_sent = self.jobs.send((when, job)).is_ok();
        match answer.await {
            Ok(answer) if is_sent => Ok(answer),
            _ => Err(self.failure()),
        }
    }

    /// Why nothing is answered any more.
    fn failure(&self) -> Failure {
        match &*self.standing.borrow() {
            Standing::Failed(failure) => failure.clone(),
            _ => Failure {
                kind: FailureKind::Internal,
                message: "The thread that reads the file has ended. Start quipu serve again.".into(),
            },
        }
    }

    /// What happens in it.
    pub(crate) fn events(&self) -> watch::Receiver<EventLog> {
        self.log.clone()
    }

    /// Waits until it is indexed; the number of its spans.
    ///
    /// # Errors
    /// Why it won't be.
    pub(crate) async fn indexed(&self) -> Result<u64, Failure> {
        let mut standing = self.standing.clone();
        match standing.wait_for(|standing| !matches!(standing, Standing::Indexing)).await.as_deref() {
            Ok(Standing::Indexed { spans }) => Ok(*spans),
            _ => Err(self.failure()),
        }
    }

    /// What was read of the file, once it is indexed; given out once.
    pub(crate) fn take_reading(&self) -> Option<FileReading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How long nobody has asked it anything.
    pub(crate) fn unused_for(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Somebody still looks at it.
    pub(crate) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Worker {
    fn run(mut self, path: &Path, purpose: Purpose) {
        let is_indexed = matches!(purpose, Purpose::Everything(_));
        let mut session = match open(path, purpose) {
            Ok(session) => session,
            Err(failure) => return drop(self.standing.send(Standing::Failed(failure))),
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
                // Whoever waits is told why there is no answer when the question goes.
                Ok((When::Indexed, job)) if matches!(*self.standing.borrow(), Standing::Failed(_)) => drop(job),
                Ok((_, job)) => job(&mut session),
                Err(_) => return,
            }
        }
    }

    /// Answers what is asked now; `false` when nobody can ask any more.
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

    /// `false` when nobody waits for it any more.
    fn index(&mut self, session: &mut Session) -> bool {
        let (began, mut noted) = (Instant::now(), Instant::now());
        while self.answer(session) {
            let until = Instant::now() + PIECE;
            match session.step(&mut || Instant::now() >= until) {
                Ok(progress) => {
                    if progress.done || noted.elapsed() >= NOTE {
                        noted = Instant::now();
                        self.tell(Event::Progress(IndexProgress { elapsed_ms: began.elapsed().as_secs_f64() * 1e3, ..progress }));
                    }
                    if progress.done {
                        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = session.take_reading();
                        drop(self.standing.send(Standing::Indexed { spans: progress.spans }));
                        return true;
                    }
                }
                Err(failure) => {
                    // What was indexed can still be looked at.
                    self.tell(Event::IndexStopped(failure.clone()));
                    drop(self.standing.send(Standing::Failed(failure)));
                    self.waiting.clear();
                    return true;
                }
            }
        }
        false
    }

    /// Searches to the end, answering meanwhile.
    fn search(&mut self, session: &mut Session) {
        let (began, mut noted) = (Instant::now(), Instant::now());
        while session.has_search() {
            let until = Instant::now() + PIECE;
            let Some(mut progress) = session.search_step(&mut || Instant::now() >= until) else { return };
            progress.elapsed_ms = began.elapsed().as_secs_f64() * 1e3;
            if progress.state != SearchState::Running || !session.has_search() || noted.elapsed() >= NOTE {
                noted = Instant::now();
                self.tell(Event::Searching(progress));
            }
            while let Ok((_, job)) = self.jobs.try_recv() {
                job(session);
            }
        }
    }

    /// Only the last word on each matter is of interest.
    fn tell(&mut self, event: Event) {
        self.number += 1;
        let number = self.number;
        self.log.send_modify(|log| {
            log.retain(|(_, known)| !is_same_matter(known, &event));
            log.push((number, event));
        });
    }
}

/// Opens the file, and goes on from what was read of it before, as far as it still holds that.
fn open(path: &Path, purpose: Purpose) -> Result<Session, Failure> {
    let in_words = |error: anyhow::Error| Failure { kind: FailureKind::CannotOpen, message: format!("{error:#}") };
    let open = |deadline| crate::open::open_served(path, deadline).map_err(|error| error.downcast::<Failure>().unwrap_or_else(in_words));
    let Purpose::Everything(earlier) = purpose else { return open(SQL_DEADLINE) };
    let mut session = open(DEADLINE)?;
    if let Some(earlier) = earlier {
        session.go_on_from(&earlier)?;
    }
    session.keep_reading();
    Ok(session)
}

fn is_same_matter(one: &Event, other: &Event) -> bool {
    match (one, other) {
        (Event::Searching(one), Event::Searching(other)) => one.trace_id == other.trace_id && one.filter == other.filter,
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// The summary of a generation's file.
pub(crate) async fn summary(generation: &Generation) -> Result<FileSummary, Failure> {
    match generation.ask(Request::GetFile).await? {
        Response::File(file) => Ok(*file),
        _ => Err(Failure { kind: FailureKind::Internal, message: "The file answered something else than its summary.".into() }),
    }
}
