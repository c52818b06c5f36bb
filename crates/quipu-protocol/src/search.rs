//! Searching the texts of spans.

use crate::Failure;
use quipu_model::{SpanFlags, SpanKind, Timestamp};
use serde::{Deserialize, Serialize};

/// Asks for a page of the spans that contain the texts of a filter, newest first, and starts or resumes the search for them. Needs the
/// complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListHits(pub HitQuery);

/// Asks where one span contains a text. Answer: at most 200 matches, in the order the span shows them. Needs the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindInSpan {
    /// The trace the span belongs to.
    pub trace_id: String,
    /// The span.
    pub span_id: String,
    /// The text, compared without regard to case.
    pub text: String,
}

/// Stops (`false`) or resumes (`true`) the search through the file. Answer: its progress; `None` if there is no search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSearching(pub bool);

/// Which hits of a filter's texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitQuery {
    /// A filter with at least one text in quotes; only traces it matches have hits.
    pub filter: String,
    /// Only spans of this trace, as recorded; `None`: of all traces.
    pub trace_id: Option<String>,
    /// Hits to skip.
    pub offset: u32,
    /// Hits at most.
    pub limit: u32,
}

/// A page of [`SearchHit`]s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitPage {
    /// The query it answers.
    pub query: HitQuery,
    /// How many hits there are in all, known once the search is complete.
    pub total: Option<u32>,
    /// How many were found so far.
    pub so_far: u32,
    /// The hits.
    pub hits: Vec<SearchHit>,
}

/// A span that holds the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The trace of the span.
    pub trace_id: String,
    /// The span.
    pub span_id: String,
    /// The span's name.
    pub name: String,
    /// What it is.
    pub kind: SpanKind,
    /// Marks.
    pub flags: SpanFlags,
    /// When it started.
    pub start: Option<Timestamp>,
    /// The first match in it.
    pub first: SpanMatch,
    /// Further places in the span that hold the text.
    pub more: u32,
}

/// A match in a span, with some of the text around it. Line breaks and other control characters are replaced by spaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanMatch {
    /// The name, attribute or event that contains it.
    pub place: MatchPlace,
    /// The text before it; if longer than about 60 characters, an ellipsis and the end of it.
    pub before: String,
    /// The matched text as recorded, decoded.
    pub matched: String,
    /// The text after it; if longer than about 120 characters, the beginning of it and an ellipsis.
    pub after: String,
}

/// Where in a span a text was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchPlace {
    /// In its name.
    Name,
    /// In the attribute with this key, or the key itself.
    Attribute(String),
    /// In an event's name, or in one of its attributes.
    Event {
        /// `span_events.id`.
        id: i64,
        /// The attribute's key; `None`: the event's name.
        key: Option<String>,
    },
}

/// How far a search through the file is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchProgress {
    /// The filter of the list it fills, as that was asked for: word of a search may come when the list has another one already. Empty for a
    /// search in a trace.
    pub filter: String,
    /// What is searched for.
    pub texts: Vec<String>,
    /// The one trace that is searched; `None`: the file.
    pub trace_id: Option<String>,
    /// Spans looked at.
    pub spans: u64,
    /// Spans to look at.
    pub spans_expected: u64,
    /// Bytes of texts looked at.
    pub bytes: u64,
    /// Spans that hold a text.
    pub hits: u64,
    /// Milliseconds of searching, by the driver's clock.
    pub elapsed_ms: f64,
    /// Whether it goes on.
    pub state: SearchState,
}

/// Whether a search goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchState {
    /// It does.
    Running,
    /// It was stopped, and can go on.
    Stopped,
    /// Everything was looked at.
    Done,
    /// The file can't be read any more.
    Failed(Failure),
}
