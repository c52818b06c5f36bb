//! Opens the result of an import: a database in memory, with the problems of the import as warnings.
//!
//! Not here: importing (`transfer`).

use super::Session;
use crate::transfer::{ImportReport, Importer};
use quipu_model::format::counted;
use quipu_protocol::{Failure, FailureKind, Warning, WarningKind};
use quipu_store::{Database, NamedSource, OpenOptions};

impl Session {
    /// Finishes an import into memory, and opens its database under `name` like any file. Problems of the import become warnings of the
    /// session.
    ///
    /// # Errors
    /// When nothing was imported; when the database can't be written or opened.
    pub fn open_imported(importer: Importer, name: &str, options: OpenOptions) -> Result<(Session, ImportReport), Failure> {
        let (writer, report) = importer.finish()?;
        if let Some(message) = report.nothing(name) {
            return Err(Failure { kind: FailureKind::CannotOpen, message });
        }
        let file = NamedSource { name: name.to_owned(), source: Box::new(writer.into_source()?) };
        let mut database = Database::open(vec![file], options)?;
        for warning in warnings(&report) {
            database.warn(warning);
        }
        Ok((Session { in_memory: true, ..Session::new(database) }, report))
    }

    /// Sets the file size to report: that of the imported files, not of the database made from them.
    pub fn set_size(&mut self, bytes: u64) {
        self.imported = Some(bytes);
    }
}

fn warnings(report: &ImportReport) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(first) = report.problems.first() {
        warnings.push(Warning {
            kind: WarningKind::Corrupt,
            text: format!("{} could not be read: {first}", counted(Some(report.problem_count), "piece", "pieces")),
            meaning: "Everything else was imported. `quipu import` lists the pieces with their places.".into(),
        });
    }
    if let Some(first) = report.remarks.first() {
        let more = match report.remark_count {
            1 => String::new(),
            count => format!(" ({} more)", count - 1),
        };
        warnings.push(Warning {
            kind: WarningKind::OddValues,
            text: format!("{first}{more}"),
            meaning: "Everything else was imported as it is.".into(),
        });
    }
    warnings
}
