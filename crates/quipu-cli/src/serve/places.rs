//! Places for long work: a few questions are answered at once, some wait in the order they came, and more are refused. A question whose
//! client has left ends.
//!
//! Not here: what is answered (`generation`).

use crate::http::Refusal;
use axum::http::StatusCode;
use quipu::model::budget::Budget;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Seconds after which a client that was refused may ask again.
const RETRY: u16 = 2;

/// Places for one kind of work.
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// A place that is taken until this is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// All places are taken, and enough questions wait for one.
#[derive(Debug)]
pub(super) struct Busy;

impl Busy {
    /// The response, which says when to ask again.
    pub(super) fn refusal(&self) -> Refusal {
        let words = "The server is answering other questions. Ask again in a few seconds.";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words).retry_after(RETRY)
    }
}

impl Places {
    /// `running` questions at once, and `waiting` more in a queue.
    pub(super) fn new(running: usize, waiting: usize) -> Places {
        Places { free: Arc::new(Semaphore::new(running)), waiting: AtomicUsize::new(0), most_waiting: waiting }
    }

    /// Waits for a place, first come, first served.
    ///
    /// # Errors
    /// If too many wait already.
    pub(super) async fn enter(&self) -> Result<Place, Busy> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Ok(Place { _permit: permit });
        }
        let waiting = Waiting::new(&self.waiting);
        if waiting.before >= self.most_waiting {
            return Err(Busy);
        }
        // The semaphore is never closed.
        let permit = self.free.clone().acquire_owned().await.map_err(|_| Busy)?;
        Ok(Place { _permit: permit })
    }
}

/// Counts one that waits, until it is dropped.
struct Waiting<'p> {
    count: &'p AtomicUsize,
    before: usize,
}

impl Waiting<'_> {
    fn new(count: &AtomicUsize) -> Waiting<'_> {
        Waiting { before: count.fetch_add(1, Ordering::Relaxed), count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How far the work of a question is.
#[derive(Default)]
enum Stage {
    #[default]
    Waiting,
    Running(Budget),
    Left,
}

/// The client's side of a question. Dropping it stops the work, or keeps it from being begun.
#[derive(Default)]
pub(super) struct Client(Arc<Mutex<Stage>>);

/// The worker's side.
pub(super) struct Ticket(Arc<Mutex<Stage>>);

impl Client {
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.0.clone())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Stage::Running(budget) = &*stage {
            budget.stop();
        }
        *stage = Stage::Left;
    }
}

impl Ticket {
    /// Runs `work`, which stops when `budget` does, unless the client has left.
    pub(super) fn run<T>(self, budget: Budget, work: impl FnOnce() -> T) -> Option<T> {
        {
            let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*stage, Stage::Left) {
                return None;
            }
            budget.resume();
            *stage = Stage::Running(budget);
        }
        let outcome = work();
        // From now on, a client that leaves stops nothing: the budget may be the next question's.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Stage::Left;
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_run_some_wait_and_more_are_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let places = Arc::new(Places::new(1, 1));
            let first = places.enter().await.expect("a place");
            let second = tokio::spawn({
                let places = places.clone();
                async move { places.enter().await.is_ok() }
            });
            tokio::task::yield_now().await;
            assert!(places.enter().await.is_err());
            drop(first);
            assert!(second.await.expect("it ends"));
            assert!(places.enter().await.is_ok());
        });
    }

    #[test]
    fn who_leaves_stops_only_what_was_asked() {
        let budget = Budget::default();
        let client = Client::default();
        let ticket = client.ticket();
        let outcome = ticket.run(budget.clone(), || {
            drop(client);
            budget.look().is_err()
        });
        assert_eq!(outcome, Some(true));
        let client = Client::default();
        assert_eq!(client.ticket().run(budget.clone(), || budget.look().is_ok()), Some(true));
        drop(client);
        assert!(budget.look().is_ok(), "what has been answered is not stopped");
        let client = Client::default();
        let ticket = client.ticket();
        drop(client);
        assert_eq!(ticket.run(budget, || ()), None);
    }
}
