//! The importer: consumes bytes in chunks, and writes their content into a database.
//!
//! Memory use is bounded for files of any length: one piece of the input, plus the database if it is in memory. Dropping the importer
//! cancels the import. Not here: reading files, and choosing the size of chunks.

use super::DIALECTS;
use super::content::DETECTION_BYTES;
use super::dialect::{self, Reader, Recognized};
use super::input::{Around, Input, MAX_PIECE, recognize};
use super::problems::{ImportReport, not_utf8};
use super::recorder::{Recorded, Recorder};
use super::split::Piece;
use super::unpack::{Inside, Kind};
use quipu_model::Value;
use quipu_model::recorded::{parse_json, repaired};
use quipu_otlp::direct::read_resource;
use quipu_otlp::otlp::is_list;
use quipu_otlp::parts::{PartError, Room, read_json};
use quipu_otlp::rows::Rows;
use quipu_otlp::wire::table_of;
use quipu_protocol::{Failure, FailureKind};
use quipu_store::{StoreError, Writer};

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are in no format that can be imported; the message is a full sentence.
    #[error("{0}")]
    NotUnderstood(String),
    /// The database in memory exceeds this many bytes.
    #[error("The import needs more than {limit} of memory, which is the limit here. Import a part of it, or use the command: quipu import IN --db OUT.db.", limit = quipu_model::format::bytes(*.0))]
    TooMuch(u64),
    /// The database can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        let kind = match &error {
            ImportError::NotUnderstood(_) => FailureKind::CannotOpen,
            ImportError::TooMuch(_) => FailureKind::OutOfMemory,
            ImportError::Store(_) => FailureKind::Internal,
        };
        Failure { kind, message: error.to_string() }
    }
}

/// Progress of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportProgress {
    /// Bytes consumed, over all inputs.
    pub bytes: u64,
    /// Spans written.
    pub spans: u64,
    /// Log records and metric points written.
    pub others: u64,
    /// Pieces that were malformed.
    pub problems: u64,
}

/// An import in progress: any number of inputs, in any order, become one database.
///
/// ```
/// use quipu::{Session, store::{NamedSource, OpenOptions, Writer}, transfer::Importer};
/// let line = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",
///     "name":"chat","startTimeUnixNano":"1764000000000000000","endTimeUnixNano":"1764000001000000000"}]}]}]}"#;
/// let mut importer = Importer::new(Writer::in_memory()?)?;
/// importer.begin("traces.jsonl");
/// importer.push(line.as_bytes())?;
/// importer.end()?;
/// let (writer, report) = importer.finish()?;
/// assert_eq!((report.spans, report.problem_count), (1, 0));
/// let file = NamedSource { name: "traces.jsonl".into(), source: Box::new(writer.into_source()?) };
/// let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Importer {
    recorder: Recorder,
    report: ImportReport,
    name: String,
    /// Name of the archive that the input is in.
    archive: String,
    input: Input,
    bytes: u64,
    limit: u64,
    /// Position of the current piece, such as `line 7`.
    place: String,
    /// Number of inputs before the current one.
    inputs: u64,
    /// Reads the items of each dialect that the input has had.
    readers: Vec<Option<Box<dyn Reader>>>,
}

impl Importer {
    /// Starts an import into a new database. Everything happens in one transaction.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn new(mut writer: Writer) -> Result<Importer, ImportError> {
        writer.begin()?;
        Ok(Importer {
            recorder: Recorder::new(writer),
            report: ImportReport::default(),
            name: String::new(),
            archive: String::new(),
            input: Input::Given(()),
            bytes: 0,
            limit: u64::MAX,
            place: String::new(),
            inputs: 0,
            readers: DIALECTS.iter().map(|_| None).collect(),
        })
    }

    /// Limits a database in memory to `bytes`; the import fails when it grows beyond that.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Importer {
        self.limit = bytes;
        self
    }

    /// Starts an input: a file, or the body of one request. The name appears in reports only.
    pub fn begin(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        self.input = Input::Unknown(Vec::new(), Around::default());
    }

    /// Consumes the next bytes of the input.
    ///
    /// # Errors
    /// When the bytes are in no format that can be imported, the database can't be written, or exceeds the limit. Malformed pieces within
    /// an input are skipped and reported in [`ImportReport`] instead.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        self.bytes += bytes.len() as u64;
        let mut input = std::mem::replace(&mut self.input, Input::Given(()));
        let outcome = self.feed(&mut input, bytes, false);
        self.input = input;
        outcome?;
        self.check_room()
    }

    fn check_room(&self) -> Result<(), ImportError> {
        if self.recorder.writer().len_in_memory() > self.limit { Err(ImportError::TooMuch(self.limit)) } else { Ok(()) }
    }

    /// Ends the input. An incomplete piece is reported in [`ImportReport`].
    ///
    /// # Errors
    /// As for [`push`](Importer::push).
    pub fn end(&mut self) -> Result<(), ImportError> {
        let mut input = std::mem::replace(&mut self.input, Input::Given(()));
        self.feed(&mut input, &[], true)
    }

    /// The progress so far.
    pub fn progress(&self) -> ImportProgress {
        let ImportReport { spans, logs, points, problem_count, .. } = self.report;
        ImportProgress { bytes: self.bytes, spans, others: logs + points, problems: problem_count }
    }

    /// Ends the import: assigns log records to their spans, and commits.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn finish(mut self) -> Result<(Writer, ImportReport), ImportError> {
        self.report.logs_without_span = self.recorder.settle_logs()?;
        self.recorder.commit()?;
        Ok((self.recorder.into_writer(), self.report))
    }

    fn feed(&mut self, input: &mut Input, bytes: &[u8], last: bool) -> Result<(), ImportError> {
        if let Input::Unknown(head, around) = input {
            head.extend_from_slice(bytes);
            if head.len() < DETECTION_BYTES && !last {
                return Ok(());
            }
            let (head, around) = (std::mem::take(head), *around);
            *input = match recognize(&head, around) {
                Ok(input) => input,
                // Other files of an archive can be read.
                Err(what) if around.in_archive => {
                    self.report.note(&self.name, "all of it", format!("it is {what}"));
                    Input::Given(())
                }
                Err(what) => return Err(ImportError::NotUnderstood(format!("{} is {what}.", self.name))),
            };
            return self.feed(input, &head, last);
        }
        match input {
            Input::Json(splitter) => {
                let mut take = |piece: Piece<'_>| self.take_piece(piece);
                splitter.push(bytes, &mut take)?;
                if last {
                    splitter.finish(&mut take)?;
                    self.finish_readers()?;
                }
                Ok(())
            }
            Input::Protobuf(messages) => {
                let mut problem = messages.push(bytes, MAX_PIECE, &mut |message, number| self.take_message(message, number))?;
                if last && problem.is_none() && messages.left() > 0 {
                    problem = Some("it ends in the middle; it was cut off".into());
                }
                if let Some(what) = problem {
                    // Without a valid length the start of the next message is unknown.
                    self.report.note(&self.name, &format!("message {}", messages.count + 1), what);
                    *input = Input::Given(());
                }
                Ok(())
            }
            Input::Layer(layer, around, inner) => {
                let around = *around;
                let mut take = |inside: Inside<'_>| self.take_inside(inside, around, inner);
                let mut failed = layer.push(bytes, &mut take)?;
                if last && failed.is_none() {
                    failed = layer.finish(&mut take)?;
                }
                if let Some(what) = &failed {
                    if matches!(&**inner, Input::Unknown(head, _) if head.is_empty()) && around.last == Some(Kind::Compression) {
                        let name = &self.name;
                        let damaged = format!("{name} is compressed, and nothing of it can be unpacked: {what}.");
                        return Err(ImportError::NotUnderstood(damaged));
                    }
                    self.report.note(&self.name, "compressed data", what.as_str());
                }
                if last || failed.is_some() {
                    self.feed(inner, &[], true)?;
                    *input = Input::Given(());
                }
                Ok(())
            }
            Input::Unknown(..) | Input::Given(()) => Ok(()),
        }
    }

    /// Takes what a layer passes on. The limits also hold for what a small compressed input expands to.
    fn take_inside(&mut self, inside: Inside<'_>, around: Around, inner: &mut Input) -> Result<(), ImportError> {
        match inside {
            Inside::Bytes(bytes) => {
                self.feed(inner, bytes, false)?;
                self.check_room()
            }
            Inside::Begin(name) => {
                let inside = format!("{}/{name}", self.name);
                self.archive = std::mem::replace(&mut self.name, inside);
                *inner = Input::Unknown(Vec::new(), around);
                Ok(())
            }
            Inside::End => {
                let mut ended = std::mem::replace(inner, Input::Given(()));
                self.feed(&mut ended, &[], true)?;
                self.name = std::mem::take(&mut self.archive);
                Ok(())
            }
            Inside::Skipped(name, what) => {
                self.report.note(&format!("{}/{name}", self.name), "all of it", what);
                Ok(())
            }
        }
    }

    fn take_piece(&mut self, piece: Piece<'_>) -> Result<(), ImportError> {
        let (list, json, line, byte) = match piece {
            Piece::Bad { line, what } => {
                self.report.note(&self.name, &format!("line {line}"), what);
                return Ok(());
            }
            Piece::Item { list, json, line, byte } => (Some(list), json, line, byte),
            Piece::Document { json, line, byte } => (None, json, line, byte),
        };
        self.place = format!("line {line}");
        let of_list = list.and_then(|list| Some((dialect::of_list(list)?, list)));
        let (dialect, list, inner) = match of_list {
            Some((dialect, list)) => (dialect, list.to_owned(), json),
            None => match dialect::recognize(json) {
                Ok(Recognized { dialect, list, json }) => (dialect, list.to_owned(), json),
                Err(_) if list.is_none() && dialect::is_empty(json) => return Ok(()),
                Err(what) => {
                    self.problem(&what);
                    return Ok(());
                }
            },
        };
        if let Some((at, what)) = not_utf8(json) {
            let lines = json.get(..at).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
            let place = format!("line {}, byte {}", line + lines as u64, byte + at as u64);
            self.report.remark(&self.name, &place, what);
        }
        let text = repaired(inner);
        if is_list(&list) {
            let room = Room::of(text.len());
            let read = |rows: &mut Rows, filled: &mut dyn FnMut(&mut Rows)| {
                let mut take = |rows: &mut Rows, tree: &Value| {
                    rows.take(&list, tree);
                    filled(rows);
                };
                read_json(text.as_bytes(), room, rows, &mut take)
            };
            return self.take_parts(read, "it is not valid JSON");
        }
        match parse_json(&text) {
            Some(value) => self.take(dialect, &list, &value),
            None => {
                self.problem("it is not valid JSON");
                Ok(())
            }
        }
    }

    /// Writes what the readers of the input have kept back.
    fn finish_readers(&mut self) -> Result<(), ImportError> {
        for at in 0..self.readers.len() {
            let Some(mut reader) = self.readers.get_mut(at).and_then(Option::take) else { continue };
            let mut rows = Rows::default();
            for what in reader.finish(&mut rows) {
                self.report.remark(&self.name, "all of it", what);
            }
            self.write(&mut rows)?;
        }
        self.inputs += 1;
        Ok(())
    }

    fn take_message(&mut self, message: &[u8], number: u64) -> Result<(), ImportError> {
        self.place = format!("message {number}");
        let no_message = "it is not an OTLP message";
        match table_of(message) {
            // A resource without entries.
            Ok(None) => Ok(()),
            Ok(Some(table)) => {
                let room = Room::of(message.len());
                self.take_parts(|rows, filled| read_resource(message, table, room, rows, filled), no_message)
            }
            Err(_) => {
                self.problem(no_message);
                Ok(())
            }
        }
    }

    /// Writes a resource part by part, so that neither its tree nor its rows are in memory as a whole.
    fn take_parts(
        &mut self,
        read: impl FnOnce(&mut Rows, &mut dyn FnMut(&mut Rows)) -> Result<(), PartError>,
        malformed: &'static str,
    ) -> Result<(), ImportError> {
        let mut failed = None;
        let mut filled = |rows: &mut Rows| {
            let mut rows = std::mem::take(rows);
            if failed.is_none() {
                failed = self.write(&mut rows).err();
            }
        };
        let outcome = read(&mut Rows::default(), &mut filled);
        if let Some(error) = failed {
            return Err(error);
        }
        match outcome {
            Ok(()) => {}
            Err(PartError::TooMuch(bytes)) => {
                let what = format!("it takes more than {} of memory to be read", quipu_model::format::bytes(bytes));
                self.report.note(&self.name, &self.place, what);
            }
            Err(_) => self.problem(malformed),
        }
        Ok(())
    }

    fn take(&mut self, dialect: usize, list: &str, value: &Value) -> Result<(), ImportError> {
        let mut rows = Rows::default();
        let input = dialect::Input { number: self.inputs };
        if let (Some(reader), Some(dialect)) = (self.readers.get_mut(dialect), DIALECTS.get(dialect)) {
            reader.get_or_insert_with(|| (dialect.start)(input)).take(&mut rows, list, value);
        }
        self.write(&mut rows)
    }

    fn write(&mut self, rows: &mut Rows) -> Result<(), ImportError> {
        for (what, count) in rows.problems() {
            (0..*count).for_each(|_| self.report.note(&self.name, &self.place, *what));
        }
        let Recorded { spans, repeated_spans, events, logs, points } = self.recorder.write(rows)?;
        self.report.spans += spans;
        self.report.repeated_spans += repeated_spans;
        self.report.events += events;
        self.report.logs += logs;
        self.report.points += points;
        Ok(())
    }

    /// Reports that the current piece was skipped.
    fn problem(&mut self, what: &str) {
        self.report.note(&self.name, &self.place, what);
    }
}
