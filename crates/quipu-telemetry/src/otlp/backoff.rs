//! Exponential backoff with jitter for retries.
//!
//! Callers do the waiting.

use crate::random::random;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Delays between retries: 0.5 s, doubled each time up to 30 s, each reduced by a random amount of up to half, so that many clients do not
/// retry at the same time.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next delay; at least `asked`, the delay the server asked for.
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
