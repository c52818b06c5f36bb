//! Sharing part of a file: reads, redacts and shortens it, and converts it to the chosen form; also opens shared links.
//!
//! The redacted rows are written to a database in memory, which is opened like any other file, so that Markdown and JSON are produced by
//! the same code. Not here: the forms themselves (`share`, `store`), compression, files.

use super::tables::{link_failure, packed, unpacked};
use super::{Selection, Session, detail, whole};
use quipu_model::{LogSeverity, Recording, WholeRows};
use quipu_protocol::{Failure, FileFormat, ShareForm, ShareOptions, ShareWhat, Shared, TraceScope};
use quipu_protocol::{LeftOut, RedactOptions, RedactReport};
use quipu_share::payload::{are_tables, leave_out, pack, unpack};
use quipu_share::{MAX_MARKDOWN_FAILURES, MarkdownSource, Redactor, shared_name, trace_markdown};
use quipu_store::{ByteSource, Copied, Layout, MemorySource, NamedSource, OpenOptions, Writer};
use quipu_ui::view::{LogQuery, failure_chains};
use std::borrow::Cow;
use std::rc::Rc;

/// Maximum bytes of text to redact, which is held in memory twice. In a browser, redaction blocks the worker, and one that does not respond
/// for a dozen seconds is considered dead.
const MAX_BYTES: usize = if cfg!(target_family = "wasm") { 24 << 20 } else { 128 << 20 };

/// Maximum bytes of a database with text to redact: pages are not full, and rows have ids and times.
const MAX_COPY_BYTES: usize = MAX_BYTES * 2;

/// Number of log events that Markdown selects from.
const MAX_LOGS: usize = 500;

/// The redacted selection, kept for requests of other forms of it.
pub(super) struct CachedShare {
    what: ShareWhat,
    redact: RedactOptions,
    leaving: Rc<Leaving>,
}

/// The rows of a selection as they leave.
struct Leaving {
    /// Beyond the recording only for files in Quipu's own layout.
    rows: WholeRows,
    layout: Layout,
    report: RedactReport,
    /// Ids of the spans before redaction, in the same order.
    span_ids: Vec<String>,
}

impl Leaving {
    fn trace_id(&self) -> Option<String> {
        let Recording { traces, spans, .. } = &self.rows.recording;
        traces.first().map(|row| row.trace_id.clone()).or_else(|| spans.first()?.trace_id.clone())
    }

    /// The id after redaction of a span.
    fn span_id(&self, before: &str) -> Option<String> {
        let place = self.span_ids.iter().position(|known| known == before)?;
        self.rows.recording.spans.get(place).map(|row| row.span_id.clone())
    }
}

fn selection(what: &ShareWhat) -> Selection<'_> {
    match what {
        ShareWhat::All => Selection::All,
        ShareWhat::Traces(ids) => Selection::Traces(ids),
        ShareWhat::Spans { trace_id, span_ids } => Selection::Spans { trace_id, span_ids },
    }
}

impl Session {
    /// Opens the content of a link, that is the columns obtained by [`unseal`](quipu_share::payload::unseal) and decompression, or the
    /// database of [`copy_part`](Session::copy_part).
    ///
    /// # Errors
    /// A message about the link; when memory is insufficient.
    pub fn open_shared(bytes: Vec<u8>, options: OpenOptions) -> Result<Session, Failure> {
        if bytes.starts_with(b"SQLite format 3\0") {
            return Session::of_source(SHARED, Box::new(MemorySource(bytes)), options);
        }
        let writer = if are_tables(&bytes) { unpacked(&bytes)? } else { written(&unpack(&bytes).map_err(link_failure)?)? };
        Session::of_writer(SHARED, writer, options)
    }

    /// Opens rows that are not from a file.
    ///
    /// # Errors
    /// When memory is insufficient.
    pub fn of_recording(name: &str, recording: &Recording, options: OpenOptions) -> Result<Session, Failure> {
        Session::of_writer(name, written(recording)?, options)
    }

    fn of_writer(name: &str, writer: Writer, options: OpenOptions) -> Result<Session, Failure> {
        Session::of_source(name, Box::new(writer.into_source()?), options)
    }

    fn of_source(name: &str, source: Box<dyn ByteSource>, options: OpenOptions) -> Result<Session, Failure> {
        let mut session = Session::open(vec![NamedSource { name: name.to_owned(), source }], options)?;
        session.in_memory = true;
        Ok(session)
    }

    /// Reports what redaction removes from a part of the file, by kind. Completes the index first if necessary.
    ///
    /// # Errors
    /// There is no such trace or span; it holds too much.
    pub(super) fn preview_share(&mut self, what: &ShareWhat, options: ShareOptions) -> Result<RedactReport, Failure> {
        Ok(self.leaving(what, options.redact)?.report.clone())
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
        let whole = self.leaving(what, options.redact)?;
        let (trace_id, report) = (whole.trace_id(), whole.report.clone());
        let span_id = span_id.and_then(|id| whole.span_id(id));
        let mut left_out = LeftOut::default();
        let rows = match options.leave_out_over {
            None => Cow::Borrowed(&whole.rows),
            Some(limit) => {
                let mut shorter = whole.rows.clone();
                left_out = leave_out(&mut shorter, limit);
                Cow::Owned(shorter)
            }
        };
        let (bytes, extension) = match form {
            ShareForm::Columns => (columns(&rows, whole.layout)?, "quipu"),
            ShareForm::Markdown { tokens } => {
                (opened(&rows, whole.layout)?.all_markdown(tokens as usize)?.into_bytes(), FileFormat::Markdown.extension())
            }
            ShareForm::File(format) => (file_bytes(&rows, whole.layout, format)?, format.extension()),
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

    /// A part of the file as the bytes of a database, nothing left out, which [`open_shared`](Session::open_shared) opens in another worker.
    /// Completes the index first if necessary.
    ///
    /// # Errors
    /// There is no such trace or span; it holds too much to be redacted.
    pub fn copy_part(&mut self, what: &ShareWhat) -> Result<Vec<u8>, Failure> {
        Ok(self.database_in_memory(selection(what), Some(MAX_COPY_BYTES))?.into_bytes()?)
    }

    /// The redacted selection in full length. Redaction takes longest, and the same selection is often requested in several forms: the
    /// result is kept until another selection is requested.
    fn leaving(&mut self, what: &ShareWhat, redact: RedactOptions) -> Result<Rc<Leaving>, Failure> {
        let is_same = |kept: &&CachedShare| (&kept.what, kept.redact) == (what, redact);
        if let Some(kept) = self.leaving.as_ref().filter(is_same) {
            return Ok(kept.leaving.clone());
        }
        self.leaving = None;
        let leaving = Rc::new(self.redacted(selection(what), redact, MAX_BYTES)?);
        self.leaving = Some(CachedShare { what: what.clone(), redact, leaving: leaving.clone() });
        Ok(leaving)
    }

    /// A selection, redacted.
    fn redacted(&mut self, selection: Selection<'_>, redact: RedactOptions, max_bytes: usize) -> Result<Leaving, Failure> {
        let layout = self.database.schema().layout;
        let chosen = match layout {
            Layout::Quipu => self.whole_rows(selection, max_bytes)?,
            _ => WholeRows { recording: self.recording(selection, max_bytes)?, ..WholeRows::default() },
        };
        let mut redactor = Redactor::new(redact, None);
        // Redaction keeps the order of rows.
        let rows = redactor.whole(&chosen);
        let span_ids = chosen.recording.spans.into_iter().map(|row| row.span_id).collect();
        Ok(Leaving { rows, layout, report: redactor.report(), span_ids })
    }

    /// Writes a redacted selection to a database in a new file.
    ///
    /// # Errors
    /// When the file exists; when the selection is too large. No file is left behind then.
    #[cfg(not(target_family = "wasm"))]
    pub fn write_redacted(&mut self, selection: Selection<'_>, options: RedactOptions, path: &std::path::Path) -> Result<Copied, Failure> {
        let left = self.redacted(selection, options, usize::MAX)?;
        let mut writer = Writer::create_with(path, left.layout)?;
        let copied = write(&left.rows, &mut writer)?;
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

/// The name of what comes without a file.
const SHARED: &str = "shared trace";

/// Writes rows in the layout of the writer.
fn write(rows: &WholeRows, writer: &mut Writer) -> Result<Copied, Failure> {
    match writer.layout() {
        Layout::Quipu => whole::write(rows, writer),
        _ => Ok(writer.copy(&rows.recording)?),
    }
}

/// Rows in a new database in memory.
fn in_memory(rows: &WholeRows, layout: Layout) -> Result<Writer, Failure> {
    let mut writer = Writer::in_memory_with(layout)?;
    write(rows, &mut writer)?;
    Ok(writer)
}

fn written(recording: &Recording) -> Result<Writer, Failure> {
    let mut writer = Writer::in_memory()?;
    writer.copy(recording)?;
    Ok(writer)
}

/// Rows as a link carries them.
fn columns(rows: &WholeRows, layout: Layout) -> Result<Vec<u8>, Failure> {
    match layout {
        Layout::Quipu => packed(&in_memory(rows, layout)?),
        _ => Ok(pack(&rows.recording)),
    }
}

/// All rows as a file.
fn file_bytes(rows: &WholeRows, layout: Layout, format: FileFormat) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        FileFormat::Database => in_memory(rows, layout)?.into_bytes()?,
        FileFormat::Markdown => opened(rows, layout)?.all_markdown(u32::MAX as usize)?.into_bytes(),
        FileFormat::Json => opened(rows, layout)?.all_json()?.into_bytes(),
        format => {
            let mut bytes = Vec::new();
            opened(rows, layout)?.export::<Failure>(Selection::All, format, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            bytes
        }
    })
}

fn opened(rows: &WholeRows, layout: Layout) -> Result<Session, Failure> {
    // The database is small and in memory, so no deadline is needed.
    let mut session = Session::of_writer(SHARED, in_memory(rows, layout)?, OpenOptions::with_clock(|| 0))?;
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
