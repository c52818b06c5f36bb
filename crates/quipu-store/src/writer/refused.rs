//! Rows that a file does not take, because its tables have rules of their own: they are left out and counted, and the others are kept.

use super::super::error::StoreError;

/// Counts of such rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Spans, log records and points.
    pub entries: u64,
    /// Rows that belong to a kept span: its events, its trace, what its columns can't hold.
    pub parts: u64,
    /// Why the first of them was refused, without a subject and a full stop.
    pub why: Option<String>,
}

impl Refused {
    /// Whether every row was taken.
    pub fn is_empty(&self) -> bool {
        self.entries == 0 && self.parts == 0
    }

    /// Adds other counts.
    pub fn add(&mut self, more: Refused) {
        self.entries += more.entries;
        self.parts += more.parts;
        self.why = self.why.take().or(more.why);
    }

    pub(super) fn entry(&mut self, why: &str) {
        self.entries += 1;
        self.note(why);
    }

    /// Counts the error of a single row instead of passing it on.
    pub(super) fn entry_of(&mut self, outcome: Result<bool, StoreError>) -> Result<bool, StoreError> {
        match outcome {
            Err(StoreError::Refused(why)) => {
                self.entry(&why);
                Ok(false)
            }
            other => other,
        }
    }

    pub(super) fn part_of(&mut self, outcome: Result<bool, StoreError>) -> Result<bool, StoreError> {
        match outcome {
            Err(StoreError::Refused(why)) => {
                self.parts += 1;
                self.note(&why);
                Ok(false)
            }
            other => other,
        }
    }

    fn note(&mut self, why: &str) {
        self.why.get_or_insert_with(|| why.to_owned());
    }
}
