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
    /// The first hundred remarks: what was read, but not exactly as it is in the input, and what was left out on purpose.
    pub remarks: Vec<Problem>,
    /// Total number of remarks.
    pub remark_count: u64,
}

impl ImportReport {
    /// A sentence, if nothing at all was found in these inputs.
    pub fn nothing(&self, name: &str) -> Option<String> {
        if self.spans + self.repeated_spans + self.logs + self.points > 0 {
            return None;
        }
        Some(match self.problems.first().or(self.remarks.first()) {
            Some(first) => format!("Nothing could be imported. {first}"),
            None => format!("There is nothing in {name}: no span, no log record and no metric point."),
        })
    }

    /// Reports something that was read differently, or left out on purpose.
    pub(super) fn remark(&mut self, input: &str, place: &str, what: impl Into<String>) {
        self.remark_count += 1;
        if self.remarks.len() < MAX_REPORTED {
            self.remarks.push(Problem { input: input.to_owned(), place: place.to_owned(), what: what.into() });
        }
    }

    pub(super) fn note(&mut self, input: &str, place: &str, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < MAX_REPORTED {
            self.problems.push(Problem { input: input.to_owned(), place: place.to_owned(), what: what.into() });
        }
    }
}

/// Where bytes are no UTF-8, and the end of a sentence about them. `None` if all are.
pub(super) fn not_utf8(bytes: &[u8]) -> Option<(usize, String)> {
    let first = std::str::from_utf8(bytes).err()?.valid_up_to();
    let count = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    let what = match count {
        1 => "it is not UTF-8, and is shown as \u{fffd}".to_owned(),
        _ => format!("it is not UTF-8, and neither are {} other places after it; they are shown as \u{fffd}", count - 1),
    };
    Some((first, what))
}
