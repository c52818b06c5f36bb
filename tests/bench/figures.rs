//! What is measured, of whom, and the middle of several runs.

use std::collections::BTreeMap;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Quipu,
    SqlJs,
    SqliteWasm,
    /// Reading the file in the browser and nothing else.
    Raw,
    Core,
    Shell,
}

impl Subject {
    pub(crate) const ALL: [Subject; 6] = [Subject::Quipu, Subject::SqlJs, Subject::SqliteWasm, Subject::Raw, Subject::Core, Subject::Shell];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Quipu => "Quipu",
            Subject::SqlJs => "sql.js",
            Subject::SqliteWasm => "sqlite-wasm",
            Subject::Raw => "raw reading",
            Subject::Core => "Quipu's core",
            Subject::Shell => "sqlite3 shell",
        }
    }

    pub(crate) fn is_native(self) -> bool {
        matches!(self, Subject::Core | Subject::Shell)
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    /// Milliseconds.
    FirstRows,
    Indexed,
    Filter,
    Trace,
    Aggregate,
    /// The sum of all attributes' lengths.
    Sum,
    /// Bytes.
    WasmMemory,
    ProcessMemory,
    /// Megabytes a second.
    Rate,
}

/// What came out of all runs.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    values: BTreeMap<(Subject, Figure), Vec<f64>>,
    problems: BTreeMap<(Subject, Figure), String>,
}

impl Figures {
    /// Notes a value.
    pub(crate) fn add(&mut self, subject: Subject, figure: Figure, value: f64) {
        self.values.entry((subject, figure)).or_default().push(value);
    }

    /// Notes why there is no value.
    pub(crate) fn fail(&mut self, subject: Subject, figure: Figure, problem: &str) {
        self.problems.insert((subject, figure), problem.trim().to_owned());
    }

    /// The middle of the runs; `None` where nothing was measured, or where a run failed.
    pub(crate) fn median(&self, subject: Subject, figure: Figure) -> Option<f64> {
        if self.problems.contains_key(&(subject, figure)) {
            return None;
        }
        let mut values = self.values.get(&(subject, figure))?.clone();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = values.get(middle)?;
        Some(if values.len() % 2 == 0 { (values.get(middle - 1)? + upper) / 2.0 } else { *upper })
    }

    /// Why there is no value.
    pub(crate) fn problem(&self, subject: Subject, figure: Figure) -> Option<&str> {
        self.problems.get(&(subject, figure)).map(String::as_str)
    }
}
