//! The outcome of an import: how much was imported, and what was skipped.

/// Maximum number of reported problems; further ones are only counted.
const MAX_REPORTED: usize = 100;

/// A piece of input that was malformed and skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the input.
    pub input: String,
    /// Position in the input: `line 7`, `message 3`.
    pub place: String,
    /// What is wrong, as the end of a sentence.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}: {}.", self.input, self.place, self.what)
    }
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Spans written, without repeated ones.
    pub spans: u64,
    /// Spans that occurred before, as when an exporter retries. The first one is kept.
    pub repeated_spans: u64,
    /// Span events, not counting log records.
    pub events: u64,
    /// Log records.
    pub logs: u64,
    /// Log records that belong to no span of the file.
    pub logs_without_span: u64,
    /// Metric points.
    pub points: u64,
    /// The first hundred problems.
    pub problems: Vec<Problem>,
    /// Total number of problems.
    pub problem_count: u64,
}

impl ImportReport {
    pub(super) fn note(&mut self, input: &str, place: &str, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < MAX_REPORTED {
            self.problems.push(Problem { input: input.to_owned(), place: place.to_owned(), what: what.into() });
        }
    }
}
