//! Pages that wait for news. Browsers keep six connections to a server for all tabs together, so only a few may wait: the one that has
//! waited longest is answered when another comes, and asks again a little later.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// Pages that wait at the same time; the other half of a browser's connections stays free.
const MOST: usize = 3;

/// The pages that wait, longest first.
#[derive(Default)]
pub(super) struct Polls(Mutex<VecDeque<oneshot::Sender<()>>>);

impl Polls {
    /// Adds a waiting page. The receiver gets a message, or is closed, when this page has to make room for another.
    pub(super) fn join(&self) -> oneshot::Receiver<()> {
        let (sender, turn) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|other| !other.is_closed());
        waiting.push_back(sender);
        // Dropping its sender tells who has to give way.
        let surplus = waiting.len().saturating_sub(MOST);
        waiting.drain(..surplus);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot::error::TryRecvError;

    #[test]
    fn who_has_waited_longest_gives_way_and_who_left_does_not_count() {
        let polls = Polls::default();
        let mut first = polls.join();
        let second = polls.join();
        let mut third = polls.join();
        assert_eq!(first.try_recv(), Err(TryRecvError::Empty));
        drop(second);
        let mut fourth = polls.join();
        assert_eq!(first.try_recv(), Err(TryRecvError::Empty));
        let mut fifth = polls.join();
        assert_eq!(first.try_recv(), Err(TryRecvError::Closed));
        for waiting in [&mut third, &mut fourth, &mut fifth] {
            assert_eq!(waiting.try_recv(), Err(TryRecvError::Empty));
        }
    }
}
