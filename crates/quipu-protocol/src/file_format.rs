//! The file formats that Quipu writes: their names, extensions, media types and possible contents.
//!
//! To add a format, add a variant, a row here, and a writer: for whole traces in `transfer::export`, for spans in `query::export`, for SQL
//! results in `sql::format`. docs/formats.md lists what each format can't represent.

use super::{Failure, FailureKind};
use serde::{Deserialize, Serialize};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FileFormat {
    /// OTLP/JSON, one object per line and trace.
    OtlpJson,
    /// OTLP protobuf: one `TracesData` message.
    OtlpProtobuf,
    /// Jaeger JSON, as returned by its query service.
    Jaeger,
    /// Chrome trace events, for Perfetto and speedscope.
    Chrome,
    /// JSON lines. For whole traces, one object per span, with its events.
    JsonLines,
    /// RFC 4180 with a header row. A missing value is an empty field, an empty string is `""`.
    Csv,
    /// A JSON document. Shared traces are `{"trace": …, "span_trees": […]}`, one per line, as returned by `get_trace` and `get_span_tree`;
    /// SQL results are an array of objects, as in `quipu sql --json`.
    Json,
    /// Markdown: a report for shared traces, a table for SQL results.
    Markdown,
    /// A telemetry file: a SQLite database with Llama Stack's schema.
    Database,
}

/// What a file can contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Whole traces, for other programs.
    Traces,
    /// Spans with selected attributes, one per row.
    Spans,
    /// The result of an SQL query.
    SqlResult,
    /// Traces to share with people, offered by the page's Share dialog.
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
    /// All formats in display order.
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
                about: "OTLP/JSON, one trace per line",
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
                about: "Jaeger JSON",
                contents: &[Contents::Traces],
            },
            FileFormat::Chrome => Row {
                title: "Chrome trace (Perfetto, speedscope)",
                word: "chrome",
                extension: "chrome.json",
                media_type: "application/json",
                about: "Chrome trace events, for Perfetto and speedscope",
                contents: &[Contents::Traces],
            },
            FileFormat::JsonLines => Row {
                title: "JSON lines, one span each",
                word: "jsonl",
                extension: "jsonl",
                media_type: "application/x-ndjson",
                about: "One JSON object per line",
                contents: &[Contents::Traces, Contents::Spans],
            },
            FileFormat::Csv => Row {
                title: "CSV",
                word: "csv",
                extension: "csv",
                media_type: "text/csv",
                about: "With a header row",
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
                about: "For people and language models",
                contents: &[Contents::SqlResult, Contents::Share],
            },
            FileFormat::Database => Row {
                title: "Telemetry file",
                word: "db",
                extension: "db",
                media_type: "application/vnd.sqlite3",
                about: "A database with Llama Stack's schema",
                contents: &[Contents::Share],
            },
        }
    }

    /// The formats that can contain `contents`, in display order.
    pub fn of(contents: Contents) -> impl Iterator<Item = FileFormat> {
        FileFormat::ALL.into_iter().filter(move |format| format.holds(contents))
    }

    /// Whether the format can contain `contents`.
    pub fn holds(self, contents: Contents) -> bool {
        self.row().contents.contains(&contents)
    }

    /// The name for users: `OTLP protobuf`.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The name on the command line: `otlp-proto`.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The format with this [`word`](FileFormat::word).
    pub fn from_word(word: &str) -> Option<FileFormat> {
        FileFormat::ALL.into_iter().find(|format| format.word() == word)
    }

    /// The file name extension without the dot: `otlp.binpb`.
    pub fn extension(self) -> &'static str {
        self.row().extension
    }

    /// The media type for a `Content-Type` header.
    pub fn media_type(self) -> &'static str {
        self.row().media_type
    }

    /// The failure for a request for `contents` in this format. The message names the formats that can contain them.
    pub fn refusal(self, contents: Contents) -> Failure {
        let words: Vec<&str> = FileFormat::of(contents).map(FileFormat::word).collect();
        let message = format!("The format {} is not supported here; use {}.", self.word(), words.join(", "));
        Failure { kind: FailureKind::BadRequest, message }
    }

    /// A short description for command line help.
    pub fn about(self) -> &'static str {
        self.row().about
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_listed_and_has_a_name_of_its_own() {
        // Serde numbers the variants, so this finds variants missing in the list.
        let variants: Vec<FileFormat> = (0..=u8::MAX).filter_map(|number| postcard::from_bytes(&[number]).ok()).collect();
        assert_eq!(variants, FileFormat::ALL);
        for format in variants {
            assert_eq!(FileFormat::from_word(format.word()), Some(format));
            assert_eq!(FileFormat::ALL.iter().filter(|other| other.extension() == format.extension()).count(), 1, "{format:?}");
            assert!(!format.row().contents.is_empty(), "{format:?}");
        }
    }
}
