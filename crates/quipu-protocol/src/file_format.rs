//! The file formats that Quipu writes: one table of their names, extensions, media types and of what each can hold.
//!
//! A new format is a variant and a row here, and its writer: of whole traces in `transfer::export`, of spans in `query::export`, of a
//! result of SQL in `sql::format`. What is not here: the writers, and what each format cannot hold (docs/formats.md).

use super::{Failure, FailureKind};
use serde::{Deserialize, Serialize};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FileFormat {
    /// OTLP/JSON, one object a trace and line.
    OtlpJson,
    /// OTLP as protobuf: one `TracesData`.
    OtlpProtobuf,
    /// Jaeger's JSON, as its query service answers.
    Jaeger,
    /// Chrome's trace events, for Perfetto and speedscope.
    Chrome,
    /// One JSON object a line. Of whole traces one for each span, with its events.
    JsonLines,
    /// RFC 4180 with a heading. An absent value is an empty field, an empty text is `""`.
    Csv,
    /// One JSON document. Shared traces are `{"trace": …, "span_trees": […]}`, as `get_trace` and `get_span_tree` answer, one a line; a
    /// result of SQL is an array of objects, as `quipu sql --json` prints it.
    Json,
    /// Markdown: of shared traces a report, of a result of SQL a table.
    Markdown,
    /// A telemetry file: a SQLite database of Llama Stack's schema.
    Database,
}

/// What a file can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Whole traces, for other programs.
    Traces,
    /// Spans with chosen attributes, one a row.
    Spans,
    /// The result of a query in SQL.
    SqlResult,
    /// Traces to hand on to people: what the page's Share dialog offers by itself.
    Share,
}

struct Row {
    title: &'static str,
    word: &'static str,
    extension: &'static str,
    media_type: &'static str,
    about: &'static str,
    contents: &'static [Contents],
}

impl FileFormat {
    /// Every format, in the order they are offered.
    pub const ALL: [FileFormat; 9] = [
        FileFormat::OtlpJson,
        FileFormat::OtlpProtobuf,
        FileFormat::Jaeger,
        FileFormat::Chrome,
        FileFormat::JsonLines,
        FileFormat::Csv,
        FileFormat::Json,
        FileFormat::Markdown,
        FileFormat::Database,
    ];

    const fn row(self) -> Row {
        match self {
            FileFormat::OtlpJson => Row {
                title: "OTLP JSON lines",
                word: "otlp-json",
                extension: "otlp.jsonl",
                media_type: "application/x-ndjson",
                about: "OTLP/JSON, one trace a line",
                contents: &[Contents::Traces],
            },
            FileFormat::OtlpProtobuf => Row {
                title: "OTLP protobuf",
                word: "otlp-proto",
                extension: "otlp.binpb",
                media_type: "application/x-protobuf",
                about: "OTLP as protobuf",
                contents: &[Contents::Traces],
            },
            FileFormat::Jaeger => Row {
                title: "Jaeger JSON",
                word: "jaeger",
                extension: "jaeger.json",
                media_type: "application/json",
                about: "Jaeger's JSON",
                contents: &[Contents::Traces],
            },
            FileFormat::Chrome => Row {
                title: "Chrome trace (Perfetto, speedscope)",
                word: "chrome",
                extension: "chrome.json",
                media_type: "application/json",
                about: "Chrome's trace events, for Perfetto and speedscope",
                contents: &[Contents::Traces],
            },
            FileFormat::JsonLines => Row {
                title: "JSON lines, one span each",
                word: "jsonl",
                extension: "jsonl",
                media_type: "application/x-ndjson",
                about: "One JSON object a line",
                contents: &[Contents::Traces, Contents::Spans],
            },
            FileFormat::Csv => Row {
                title: "CSV",
                word: "csv",
                extension: "csv",
                media_type: "text/csv",
                about: "With a heading",
                contents: &[Contents::Traces, Contents::Spans, Contents::SqlResult],
            },
            FileFormat::Json => Row {
                title: "JSON",
                word: "json",
                extension: "json",
                media_type: "application/json",
                about: "One JSON document",
                contents: &[Contents::SqlResult, Contents::Share],
            },
            FileFormat::Markdown => Row {
                title: "Markdown",
                word: "markdown",
                extension: "md",
                media_type: "text/markdown",
                about: "To read, and for language models",
                contents: &[Contents::SqlResult, Contents::Share],
            },
            FileFormat::Database => Row {
                title: "Telemetry file",
                word: "db",
                extension: "db",
                media_type: "application/vnd.sqlite3",
                about: "A database of Llama Stack's schema",
                contents: &[Contents::Share],
            },
        }
    }

    /// The formats that can hold this, in the order they are offered.
    pub fn of(contents: Contents) -> impl Iterator<Item = FileFormat> {
        FileFormat::ALL.into_iter().filter(move |format| format.holds(contents))
    }

    /// Whether it can hold this.
    pub fn holds(self, contents: Contents) -> bool {
        self.row().contents.contains(&contents)
    }

    /// The name people read: `OTLP protobuf`.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The name on a command line: `otlp-proto`.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The format with this [`word`](FileFormat::word).
    pub fn from_word(word: &str) -> Option<FileFormat> {
        FileFormat::ALL.into_iter().find(|format| format.word() == word)
    }

    /// The end of its files' names, without the dot: `otlp.binpb`.
    pub fn extension(self) -> &'static str {
        self.row().extension
    }

    /// Its media type, as in a header `Content-Type`.
    pub fn media_type(self) -> &'static str {
        self.row().media_type
    }

    /// Why a request for `contents` in this format can't be answered: the words of the formats that can hold them.
    pub fn refusal(self, contents: Contents) -> Failure {
        let words: Vec<&str> = FileFormat::of(contents).map(FileFormat::word).collect();
        let message = format!("The format {} can't hold this; formats that can are {}.", self.word(), words.join(", "));
        Failure { kind: FailureKind::BadRequest, message }
    }

    /// A few words for the help of a command.
    pub fn about(self) -> &'static str {
        self.row().about
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_listed_and_has_a_name_of_its_own() {
        // Serde numbers the variants by itself, so that none can be missing in the list.
        let variants: Vec<FileFormat> = (0..=u8::MAX).filter_map(|number| postcard::from_bytes(&[number]).ok()).collect();
        assert_eq!(variants, FileFormat::ALL);
        for format in variants {
            assert_eq!(FileFormat::from_word(format.word()), Some(format));
            assert_eq!(FileFormat::ALL.iter().filter(|other| other.extension() == format.extension()).count(), 1, "{format:?}");
            assert!(!format.row().contents.is_empty(), "{format:?}");
        }
    }
}
