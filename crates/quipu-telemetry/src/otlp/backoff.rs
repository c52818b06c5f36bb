//! How long to wait before a request is tried again: longer each time, and never all at once.
//!
//! What is not here: the waiting itself, which whoever sends does in its own way.

use crate::random::random;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses between tries: half a second first, then twice as long each time up to 30 seconds, each shortened by up to a half at random, so
/// that many senders do not come back at once.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next pause; a longer one that the server asked for wins.
    pub fn next_pause(&mut self, asked: Option<Duration>) -> Duration {
        let whole = FIRST.saturating_mul(1_u32 << self.tries.min(16)).min(LONGEST);
        self.tries += 1;
        let pause = whole.mul_f64(1.0 - random() as f64 / u64::MAX as f64 / 2.0);
        asked.map_or(pause, |asked| asked.max(pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_the_server_may_ask_for_longer() {
        let mut backoff = Backoff::default();
        for whole in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let pause = backoff.next_pause(None).as_secs_f64();
            assert!((whole / 2.0..=whole).contains(&pause), "{pause} of {whole}");
        }
        let minute = Duration::from_secs(60);
        assert_eq!(Backoff::default().next_pause(Some(minute)), minute);
        assert!(Backoff::default().next_pause(Some(Duration::ZERO)) > Duration::ZERO);
    }
}
