//! What one question may use: time, bytes that are held at once, and rows that are looked at.
//!
//! A [`Budget`] is handed down to whatever answers, and asked in every loop that grows with the input. It reads no clock of its own: the
//! caller passes one. Clones share what is used, so another thread can stop a question.

use crate::format;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Rows between two looks at the clock.
const LOOK: u64 = 4_096;

/// What a question may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Milliseconds; [`u64::MAX`] for as long as it takes.
    pub millis: u64,
    /// Bytes held at the same time.
    pub bytes: u64,
    /// Rows, samples or values that are looked at.
    pub rows: u64,
}

impl Allowance {
    /// 500 MB, sixty million rows, and as long as it takes.
    pub const DEFAULT: Allowance = Allowance { millis: u64::MAX, bytes: 500_000_000, rows: 60_000_000 };
}

/// The limit that a question went over. Displays as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    /// [`Allowance::millis`].
    #[error("This took longer than {} and was stopped. Ask for less.", seconds(*.0))]
    Time(u64),
    /// [`Budget::stop`] was called.
    #[error("The question was stopped.")]
    Stopped,
    /// [`Allowance::bytes`].
    #[error("The answer would take more than {} of memory. Ask for less.", format::bytes(*.0))]
    Bytes(u64),
    /// [`Allowance::rows`].
    #[error("More than {} rows would be read for the answer. Ask for less.", format::count(*.0))]
    Rows(u64),
}

fn seconds(millis: u64) -> String {
    if millis.is_multiple_of(1_000) { format!("{} s", millis / 1_000) } else { format!("{millis} ms") }
}

/// What a question may use, and has used.
#[derive(Clone, Debug)]
pub struct Budget(Arc<State>);

#[derive(Debug)]
struct State {
    clock: fn() -> u64,
    allowed: Allowance,
    /// Time of the clock at which the question ends.
    until: AtomicU64,
    is_stopped: AtomicBool,
    held: AtomicU64,
    rows: AtomicU64,
}

impl Default for Budget {
    /// [`Allowance::DEFAULT`], which has no use for a clock.
    fn default() -> Budget {
        Budget::new(|| 0, Allowance::DEFAULT)
    }
}

impl Budget {
    /// A budget that begins now. `clock` is monotonic and in milliseconds.
    pub fn new(clock: fn() -> u64, allowed: Allowance) -> Budget {
        let until = AtomicU64::new(clock().saturating_add(allowed.millis));
        Budget(Arc::new(State {
            clock,
            allowed,
            until,
            is_stopped: AtomicBool::new(false),
            held: AtomicU64::new(0),
            rows: AtomicU64::new(0),
        }))
    }

    /// Begins anew with nothing used. One that was stopped stays so.
    pub fn begin(&self) {
        self.0.until.store((self.0.clock)().saturating_add(self.0.allowed.millis), Ordering::Relaxed);
        self.0.held.store(0, Ordering::Relaxed);
        self.0.rows.store(0, Ordering::Relaxed);
    }

    /// The question is answered: time does not count until the next one begins.
    pub fn end(&self) {
        self.0.until.store(u64::MAX, Ordering::Relaxed);
    }

    /// The next question is not stopped by what stopped the last one.
    pub fn resume(&self) {
        self.0.is_stopped.store(false, Ordering::Relaxed);
    }

    /// What it allows.
    pub fn allowed(&self) -> Allowance {
        self.0.allowed
    }

    /// Ends the question at its next look, from any thread.
    pub fn stop(&self) {
        self.0.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Looks at the clock, and whether the question was stopped.
    ///
    /// # Errors
    /// [`OverBudget::Time`] or [`OverBudget::Stopped`].
    pub fn look(&self) -> Result<(), OverBudget> {
        if self.0.is_stopped.load(Ordering::Relaxed) {
            return Err(OverBudget::Stopped);
        }
        let until = self.0.until.load(Ordering::Relaxed);
        if until != u64::MAX && (self.0.clock)() > until { Err(OverBudget::Time(self.0.allowed.millis)) } else { Ok(()) }
    }

    /// Counts rows that are looked at, and looks at the clock every few thousand.
    ///
    /// # Errors
    /// Any but [`OverBudget::Bytes`].
    pub fn read(&self, rows: u64) -> Result<(), OverBudget> {
        let before = self.0.rows.fetch_add(rows, Ordering::Relaxed);
        let after = before.saturating_add(rows);
        if after > self.0.allowed.rows {
            return Err(OverBudget::Rows(self.0.allowed.rows));
        }
        if before / LOOK == after / LOOK { Ok(()) } else { self.look() }
    }

    /// Counts bytes before they are taken.
    ///
    /// # Errors
    /// [`OverBudget::Bytes`] if they would be too many; then none are counted.
    pub fn hold(&self, bytes: u64) -> Result<(), OverBudget> {
        let held = self.0.held.load(Ordering::Relaxed).saturating_add(bytes);
        if held > self.0.allowed.bytes {
            return Err(OverBudget::Bytes(self.0.allowed.bytes));
        }
        self.0.held.store(held, Ordering::Relaxed);
        Ok(())
    }

    /// Bytes held now.
    pub fn held(&self) -> u64 {
        self.0.held.load(Ordering::Relaxed)
    }

    /// What was held since `held` was the [`Budget::held`] is free again.
    pub fn release_to(&self, held: u64) {
        self.0.held.fetch_min(held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn each_limit_is_told_as_itself() {
        let small = Budget::new(|| 0, Allowance { millis: 10, bytes: 1 << 20, rows: 10_000 });
        assert_eq!((small.hold(1 << 20), small.read(10_000), small.look()), (Ok(()), Ok(()), Ok(())));
        assert_eq!(small.hold(1), Err(OverBudget::Bytes(1 << 20)));
        small.release_to(5);
        assert_eq!((small.held(), small.hold(1)), (5, Ok(())));
        assert_eq!(small.read(1), Err(OverBudget::Rows(10_000)));
        let other = small.clone();
        std::thread::spawn(move || other.stop()).join().expect("it ends");
        assert_eq!(small.look(), Err(OverBudget::Stopped));
        let texts = [
            OverBudget::Time(30_000),
            OverBudget::Time(1_500),
            OverBudget::Bytes(1 << 20),
            OverBudget::Rows(10_000),
        ];
        insta::assert_snapshot!(texts.map(|limit| limit.to_string()).join("\n"), @r"
        This took longer than 30 s and was stopped. Ask for less.
        This took longer than 1500 ms and was stopped. Ask for less.
        The answer would take more than 1.05 MB of memory. Ask for less.
        More than 10,000 rows would be read for the answer. Ask for less.
        ");
    }

    #[test]
    fn time_is_looked_at_while_rows_are_read() {
        static NOW: AtomicU64 = AtomicU64::new(0);
        let budget = Budget::new(|| NOW.load(Ordering::Relaxed), Allowance { millis: 10, ..Allowance::DEFAULT });
        let reads = (0..1_000_000_u64).take_while(|_| {
            NOW.fetch_add(1, Ordering::Relaxed);
            budget.read(1).is_ok()
        });
        assert!((reads.count() as u64) < 2 * LOOK);
        assert_eq!(budget.look(), Err(OverBudget::Time(10)));
    }
}
