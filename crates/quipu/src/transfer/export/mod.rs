//! What a file holds in formats that other programs read: OTLP, Jaeger's JSON, Chrome's trace events, JSON lines, CSV.
//!
//! A writer is a [`TraceWriter`] in one of the files below, beside a row in the table of formats (`protocol::FileFormat`); a new file of
//! writers also has a line in [`WRITERS`]. One trace at a time is in memory. docs/formats.md lists what each format cannot hold. What is not here: reading the file (`session`), and
//! where the bytes go.

mod chrome;
mod jaeger;
mod otlp;
mod plain;

use quipu_otlp::values::FullTrace;
use quipu_protocol::{Contents, Failure, FileFormat};

/// Writes traces in one format.
trait TraceWriter {
    /// What comes before the first trace.
    fn head(&self) -> String {
        String::new()
    }

    /// The bytes of the next trace.
    fn trace(&mut self, trace: &FullTrace) -> Vec<u8>;

    /// What comes after the last trace.
    fn tail(&self) -> &'static str {
        ""
    }
}

/// Picks the writer of a format; `None` where it is in another file.
type PickWriter = fn(FileFormat) -> Option<Box<dyn TraceWriter>>;

/// One for each file of writers.
const WRITERS: [PickWriter; 4] = [otlp::writer, jaeger::writer, chrome::writer, plain::writer];

/// Writes traces one after the other.
pub(crate) struct Exporter {
    writer: Box<dyn TraceWriter>,
}

impl Exporter {
    /// # Errors
    /// The format is not one for [`Contents::Traces`](quipu_protocol::Contents::Traces).
    pub(crate) fn new(format: FileFormat) -> Result<Exporter, Failure> {
        let writer = WRITERS.iter().find_map(|writer| writer(format)).ok_or_else(|| format.refusal(Contents::Traces))?;
        Ok(Exporter { writer })
    }

    /// What comes before the first trace.
    pub(crate) fn head(&self) -> String {
        self.writer.head()
    }

    /// What comes after the last trace.
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
            let writers = WRITERS.iter().filter(|writer| writer(format).is_some()).count();
            assert_eq!(writers, usize::from(format.holds(Contents::Traces)), "{format:?}");
        }
    }
}
