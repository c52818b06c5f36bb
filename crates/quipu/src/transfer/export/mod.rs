//! Exports to formats that other programs read: OTLP, Jaeger JSON, Chrome trace events, JSON lines, CSV.
//!
//! A format is a [`TraceWriter`] in one of the modules below, and an entry in the table of formats (`protocol::FileFormat`); a new module
//! also needs an entry in [`WRITERS`]. One trace at a time is in memory. docs/formats.md lists what each format can't represent. Not here:
//! reading the file (`session`), and the destination of the bytes.

mod chrome;
mod jaeger;
mod otlp;
mod plain;

use quipu_otlp::values::FullTrace;
use quipu_protocol::{Contents, Failure, FileFormat};

/// Serializes traces in one format.
trait TraceWriter {
    /// Text before the first trace.
    fn head(&self) -> String {
        String::new()
    }

    /// The bytes of the next trace.
    fn trace(&mut self, trace: &FullTrace) -> Vec<u8>;

    /// Text after the last trace.
    fn tail(&self) -> &'static str {
        ""
    }
}

/// Creates the writer of a format, of raw cells if it is CSV; `None` if the module does not have it.
type PickWriter = fn(FileFormat, bool) -> Option<Box<dyn TraceWriter>>;

/// One function per module of writers.
const WRITERS: [PickWriter; 4] = [otlp::writer, jaeger::writer, chrome::writer, plain::writer];

/// Serializes traces one after the other.
pub(crate) struct Exporter {
    writer: Box<dyn TraceWriter>,
}

impl Exporter {
    /// `raw` cells of CSV may be formulas.
    ///
    /// # Errors
    /// When the format does not support [`Contents::Traces`](quipu_protocol::Contents::Traces).
    pub(crate) fn new(format: FileFormat, raw: bool) -> Result<Exporter, Failure> {
        let writer = WRITERS.iter().find_map(|writer| writer(format, raw)).ok_or_else(|| format.refusal(Contents::Traces))?;
        Ok(Exporter { writer })
    }

    /// Text before the first trace.
    pub(crate) fn head(&self) -> String {
        self.writer.head()
    }

    /// Text after the last trace.
    pub(crate) fn tail(&self) -> &'static str {
        self.writer.tail()
    }

    /// The bytes of the next trace.
    pub(crate) fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        self.writer.trace(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_for_traces_has_one_writer() {
        for format in FileFormat::ALL {
            let writers = WRITERS.iter().filter(|writer| writer(format, false).is_some()).count();
            assert_eq!(writers, usize::from(format.holds(Contents::Traces)), "{format:?}");
        }
    }
}
