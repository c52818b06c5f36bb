//! What was imported, and what could not be.

/// Problems that are told of; more are only counted.
const TOLD: usize = 100;

/// A piece that could not be read and was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The input it stands in.
    pub input: String,
    /// Where: `line 7`, `message 3`.
    pub place: String,
    /// What is wrong with it, as half a sentence.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}: {}.", self.input, self.place, self.what)
    }
}

/// What an import has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Spans that were written.
    pub spans: u64,
    /// Spans that came again, as they do when an exporter tries twice; the first was kept.
    pub repeated_spans: u64,
    /// Events of spans, log records not among them.
    pub events: u64,
    /// Log records.
    pub logs: u64,
    /// Log records that name no span of the file.
    pub logs_without_span: u64,
    /// Points of metrics.
    pub points: u64,
    /// What was passed over: the first hundred.
    pub problems: Vec<Problem>,
    /// How often something was passed over.
    pub problem_count: u64,
}

impl ImportReport {
    pub(super) fn note(&mut self, input: &str, place: &str, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < TOLD {
            self.problems.push(Problem { input: input.to_owned(), place: place.to_owned(), what: what.into() });
        }
    }
}
