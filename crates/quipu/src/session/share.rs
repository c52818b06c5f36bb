//! Sharing part of a file: reads, redacts and shortens it, and converts it to the chosen form; also opens shared links.
//!
//! The redacted rows are written to a database in memory, which is opened like any other file, so that Markdown and JSON are produced by
//! the same code. Not here: the forms themselves (`share`, `store`), compression, files.

use super::{Selection, Session, detail};
use quipu_model::{LogSeverity, Recording};
use quipu_protocol::{Failure, FailureKind, FileFormat, ShareForm, ShareOptions, ShareWhat, Shared, TraceScope};
use quipu_protocol::{LeftOut, RedactOptions, RedactReport};
use quipu_share::payload::{LinkError, leave_out, pack, unpack};
use quipu_share::{Leaving, MAX_MARKDOWN_FAILURES, MarkdownSource, leaving, shared_name, trace_markdown};
#[cfg(not(target_family = "wasm"))]
use quipu_store::Copied;
use quipu_store::{NamedSource, OpenOptions, Writer};
use quipu_ui::view::{LogQuery, failure_chains};
use std::borrow::Cow;
use std::rc::Rc;

/// Maximum bytes of text to redact, which is held in memory twice. In a browser, redaction blocks the worker, and one that does not respond
/// for a dozen seconds is considered dead.
const MAX_BYTES: usize = if cfg!(target_family = "wasm") { 24 << 20 } else { 128 << 20 };

/// Number of log events that Markdown selects from.
const MAX_LOGS: usize = 500;

/// The redacted selection, kept for requests of other forms of it.
pub(super) struct CachedShare {
    what: ShareWhat,
    redact: RedactOptions,
    leaving: Rc<Leaving>,
    /// Ids of the spans before redaction.
    span_ids: Rc<[String]>,
}

fn selection(what: &ShareWhat) -> Selection<'_> {
    match what {
        ShareWhat::All => Selection::All,
        ShareWhat::Traces(ids) => Selection::Traces(ids),
        ShareWhat::Spans { trace_id, span_ids } => Selection::Spans { trace_id, span_ids },
    }
}

impl Session {
    /// Opens the content of a link: the columns obtained by [`unseal`](quipu_share::payload::unseal) and decompression.
    ///
    /// # Errors
    /// The message of a [`LinkError`]; when memory is insufficient.
    pub fn open_shared(columns: &[u8], options: OpenOptions) -> Result<Session, Failure> {
        Session::of_recording("shared trace", &unpack(columns).map_err(link_failure)?, options)
    }

    /// Opens rows that are not from a file.
    ///
    /// # Errors
    /// When memory is insufficient.
    pub fn of_recording(name: &str, recording: &Recording, options: OpenOptions) -> Result<Session, Failure> {
        let mut writer = Writer::in_memory()?;
        writer.copy(recording)?;
        let mut session = Session::open(vec![NamedSource { name: name.to_owned(), source: Box::new(writer.into_source()?) }], options)?;
        session.in_memory = true;
        Ok(session)
    }

    /// Reports what redaction removes from a part of the file, by kind. Completes the index first if necessary.
    ///
    /// # Errors
    /// There is no such trace or span; it holds too much.
    pub(super) fn preview_share(&mut self, what: &ShareWhat, options: ShareOptions) -> Result<RedactReport, Failure> {
        Ok(self.leaving(what, options.redact, None)?.0.report.clone())
    }

    /// Converts a part of the file to the form in which it is shared. Completes the index first if necessary.
    ///
    /// # Errors
    /// There is no such trace or span; it holds too much.
    pub(super) fn make_share(
        &mut self,
        what: &ShareWhat,
        options: ShareOptions,
        form: ShareForm,
        span_id: Option<&str>,
    ) -> Result<Shared, Failure> {
        if form == ShareForm::File(FileFormat::Database) && options.keeps_all() {
            return self.copy_database(what, span_id.map(str::to_owned));
        }
        let (whole, span_id) = self.leaving(what, options.redact, span_id)?;
        let (trace_id, report) = (whole.trace_id.clone(), whole.report.clone());
        let mut left_out = LeftOut::default();
        let recording = match options.leave_out_over {
            None => Cow::Borrowed(&whole.recording),
            Some(limit) => {
                let mut shorter = whole.recording.clone();
                left_out = leave_out(&mut shorter, limit);
                Cow::Owned(shorter)
            }
        };
        let (bytes, extension) = match form {
            ShareForm::Columns => (pack(&recording), "quipu"),
            ShareForm::Markdown { tokens } => {
                (opened(&recording)?.all_markdown(tokens as usize)?.into_bytes(), FileFormat::Markdown.extension())
            }
            ShareForm::File(format) => (file_bytes(&recording, format)?, format.extension()),
        };
        Ok(Shared { bytes, file_name: shared_name(trace_id.as_deref(), extension), trace_id, span_id, report, left_out })
    }

    /// A database of a part of the file as it is, row by row, so that a file of any size can be shared.
    ///
    /// # Errors
    /// There is no such trace or span; memory is insufficient.
    pub(super) fn copy_database(&mut self, what: &ShareWhat, span_id: Option<String>) -> Result<Shared, Failure> {
        let bytes = self.database_bytes(selection(what))?;
        let trace_id = match what {
            ShareWhat::All => None,
            ShareWhat::Traces(ids) => ids.first().cloned(),
            ShareWhat::Spans { trace_id, .. } => Some(trace_id.clone()),
        };
        let file_name = shared_name(trace_id.as_deref(), FileFormat::Database.extension());
        let (report, left_out) = (RedactReport::default(), LeftOut::default());
        Ok(Shared { bytes, file_name, trace_id, span_id, report, left_out })
    }

    /// A part of the file as the columns of a link, nothing left out. Completes the index first if necessary.
    ///
    /// # Errors
    /// There is no such trace or span; it holds too much to be redacted.
    pub fn copy_part(&mut self, what: &ShareWhat) -> Result<Vec<u8>, Failure> {
        Ok(pack(&self.recording(selection(what), MAX_BYTES)?))
    }

    /// The redacted selection in full length, and the redacted id of `span_id`. Redaction takes longest, and the same selection is often
    /// requested in several forms: the result is kept until another selection is requested.
    fn leaving(
        &mut self,
        what: &ShareWhat,
        redact: RedactOptions,
        span_id: Option<&str>,
    ) -> Result<(Rc<Leaving>, Option<String>), Failure> {
        let is_same = |kept: &&CachedShare| (&kept.what, kept.redact) == (what, redact);
        let mut found = self.leaving.as_ref().filter(is_same).map(|kept| (kept.leaving.clone(), kept.span_ids.clone()));
        if found.is_none() {
            self.leaving = None;
            let chosen = self.recording(selection(what), MAX_BYTES)?;
            let left = Rc::new(leaving(&chosen, ShareOptions { redact, leave_out_over: None }, None));
            let span_ids: Rc<[String]> = chosen.spans.into_iter().map(|row| row.span_id).collect();
            self.leaving = Some(CachedShare { what: what.clone(), redact, leaving: left.clone(), span_ids: span_ids.clone() });
            found = Some((left, span_ids));
        }
        let (left, span_ids) = found.unwrap_or_default();
        // Redaction keeps the order of rows.
        let place = span_id.and_then(|id| span_ids.iter().position(|known| known == id));
        let span_id = place.and_then(|place| left.recording.spans.get(place)).map(|row| row.span_id.clone());
        Ok((left, span_id))
    }

    /// Writes a redacted selection to a database in a new file.
    ///
    /// # Errors
    /// When the file exists; when the selection is too large. No file is left behind then.
    #[cfg(not(target_family = "wasm"))]
    pub fn write_redacted(&mut self, selection: Selection<'_>, options: RedactOptions, path: &std::path::Path) -> Result<Copied, Failure> {
        let (recording, _) = quipu_share::redact(&self.recording(selection, usize::MAX)?, options);
        let mut writer = Writer::create(path)?;
        let copied = writer.copy(&recording)?;
        writer.finish()?;
        Ok(copied)
    }

    /// A trace as Markdown of roughly `tokens` tokens. For a complete index only.
    ///
    /// # Errors
    /// When the trace does not exist or can't be read.
    pub fn markdown(&self, trace_id: &str, tokens: usize) -> Result<String, Failure> {
        let trace = self.trace_number(trace_id)?;
        let columns = self.columns(trace, &TraceScope { folded: true, request: None })?;
        let mut failures = Vec::new();
        for chain in failure_chains(&columns, MAX_MARKDOWN_FAILURES) {
            let span_id = columns.span_id.get(chain.origin as usize).unwrap_or_default();
            let row = self.find_row(trace_id, &span_id)?;
            let text = self.database.bounded(|| detail::first_failure(&self.database, &self.index, row))?;
            failures.push((chain, text));
        }
        let said = self.conversation(trace_id, false)?;
        let logs = self.logs(trace_id, LogQuery { min_severity: Some(LogSeverity::Error), offset: 0, limit: MAX_LOGS })?;
        let source = MarkdownSource {
            columns: &columns,
            failures: &failures,
            conversation: &said.conversation,
            notes: &said.notes,
            errors: &logs.rows,
            events: logs.of_all,
        };
        Ok(trace_markdown(&source, tokens))
    }

    fn all_markdown(&self, tokens: usize) -> Result<String, Failure> {
        let ids = self.trace_ids();
        let each = tokens / ids.len().max(1);
        let pages = ids.iter().map(|id| self.markdown(id, each)).collect::<Result<Vec<_>, _>>()?;
        Ok(pages.join("\n"))
    }

    fn all_json(&mut self) -> Result<String, Failure> {
        let mut lines = String::new();
        for trace_id in self.trace_ids() {
            let roots: Vec<String> = {
                let columns = self.columns(self.trace_number(&trace_id)?, &TraceScope::default())?;
                let is_root = |row: &usize| columns.depth.get(*row) == Some(&0);
                (0..columns.len()).filter(is_root).filter_map(|row| columns.span_id.get(row)).collect()
            };
            lines += "{\"trace\": ";
            // A trace may have spans without having a row of its own.
            let of_trace = self.query("get_trace", &params("trace_id", &trace_id), None);
            lines += of_trace.as_deref().unwrap_or("null");
            lines += ", \"span_trees\": [";
            for (place, root) in roots.iter().enumerate() {
                lines += if place == 0 { "" } else { ", " };
                lines += &self.query("get_span_tree", &params("span_id", root), None)?;
            }
            lines += "]}\n";
        }
        Ok(lines)
    }

    fn trace_ids(&self) -> Vec<String> {
        (0..self.index.trace_count()).map(|trace| self.index.trace_id(trace)).collect()
    }
}

/// The error for a link that can't be opened.
pub(crate) fn link_failure(error: LinkError) -> Failure {
    Failure { kind: FailureKind::CannotOpen, message: error.to_string() }
}

/// The whole recording as a file.
fn file_bytes(recording: &Recording, format: FileFormat) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        FileFormat::Database => {
            let mut writer = Writer::in_memory()?;
            writer.copy(recording)?;
            writer.into_bytes()?
        }
        FileFormat::Markdown => opened(recording)?.all_markdown(u32::MAX as usize)?.into_bytes(),
        FileFormat::Json => opened(recording)?.all_json()?.into_bytes(),
        format => {
            let mut bytes = Vec::new();
            opened(recording)?.export::<Failure>(Selection::All, format, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            bytes
        }
    })
}

fn opened(recording: &Recording) -> Result<Session, Failure> {
    // The database is small and in memory, so no deadline is needed.
    let mut session = Session::of_recording("shared trace", recording, OpenOptions::with_clock(|| 0))?;
    session.complete_index()?;
    Ok(session)
}

fn params(key: &str, id: &str) -> String {
    let mut params = format!("{{\"{key}\": ");
    quipu_model::recorded::write_json_string(id, &mut params);
    params + "}"
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use quipu_tests::redaction::{planted, texts_in};

    #[test]
    fn no_secret_planted_in_any_field_is_in_any_form() {
        let key = |number: usize| format!("sk-proj-{number:03}abcdEFGH5678");
        let word = |number: usize| format!("hush{}quiet", char::from(b'a' + (number % 26) as u8).to_string().repeat(number / 26 + 1));
        let all: [(RedactOptions, &dyn Fn(usize) -> String); 2] = [(RedactOptions::default(), &key), (RedactOptions::STRUCTURE, &word)];
        for (redact, secret) in all {
            let (recording, count) = planted(secret);
            let mut session = Session::of_recording("planted.db", &recording, OpenOptions::with_clock(|| 0)).expect("a session");
            session.complete_index().expect("an index");
            let forms = [ShareForm::Columns, ShareForm::Markdown { tokens: 100_000 }];
            for form in forms.into_iter().chain(FileFormat::ALL.map(ShareForm::File)) {
                let mut made = |redact| {
                    let options = ShareOptions { redact, leave_out_over: None };
                    let shared = session.make_share(&ShareWhat::All, options, form, None).expect("a share");
                    texts_in(format!("{:?} {}", shared.report, String::from_utf8_lossy(&shared.bytes)))
                };
                let texts = made(redact);
                let left: Vec<String> = (1..=count).map(secret).filter(|secret| texts.contains(secret.as_str())).collect();
                assert!(left.is_empty(), "{form:?} holds {left:?}");
                // The search finds the values where they are.
                let whole = made(RedactOptions::NOTHING);
                assert!((1..=count).map(secret).any(|secret| whole.contains(secret.as_str())), "{form:?}");
            }
        }
    }
}
