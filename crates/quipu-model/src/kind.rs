//! Kinds and flags of spans.

use serde::{Deserialize, Serialize};

/// What a span is, derived from its name and attributes; decides its colour.
///
/// Exhaustive on purpose: every kind needs a colour, a legend entry and a word in filters, and the compiler finds the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum SpanKind {
    /// An HTTP or client request: a span with the attribute `__root__`, named after a route, or of the kind `SERVER`.
    Request,
    /// An agent's turn.
    Turn,
    /// A model inference, including embeddings.
    Inference,
    /// A tool call.
    Tool,
    /// Shields and moderation.
    Safety,
    /// Vector search and RAG.
    Retrieval,
    /// Routing tables and lookups.
    Routing,
    /// Files, datasets, registrations.
    Storage,
    /// Anything else.
    Other,
}

impl SpanKind {
    /// All kinds, in the order of the legend.
    pub const ALL: [SpanKind; 9] = [
        SpanKind::Request,
        SpanKind::Turn,
        SpanKind::Inference,
        SpanKind::Tool,
        SpanKind::Safety,
        SpanKind::Retrieval,
        SpanKind::Routing,
        SpanKind::Storage,
        SpanKind::Other,
    ];

    /// Display name and CSS class: `request`, `turn`, …
    pub fn label(self) -> &'static str {
        match self {
            SpanKind::Request => "request",
            SpanKind::Turn => "turn",
            SpanKind::Inference => "inference",
            SpanKind::Tool => "tool",
            SpanKind::Safety => "safety",
            SpanKind::Retrieval => "retrieval",
            SpanKind::Routing => "routing",
            SpanKind::Storage => "storage",
            SpanKind::Other => "other",
        }
    }
}

/// Flags of a span, one bit each. Some are recorded, others derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpanFlags(pub u16);

impl SpanFlags {
    /// Has no recorded parent, or its parent is not in the file (derived).
    pub const ROOT: SpanFlags = SpanFlags(1);
    /// A request boundary: recorded as `__root__`, or a span of kind `SERVER` of a service that has none of the former (derived).
    pub const REQUEST: SpanFlags = SpanFlags(1 << 1);
    /// Failed according to [`crate::failure`] (derived).
    pub const FAILED: SpanFlags = SpanFlags(1 << 2);
    /// Has an event of severity `error` or `critical` that does not fail the span.
    pub const LOGGED_ERROR: SpanFlags = SpanFlags(1 << 3);
    /// Recorded as `__autotraced__`: a method that was traced automatically.
    pub const AUTOTRACED: SpanFlags = SpanFlags(1 << 4);
    /// Its recorded parent is not in the file.
    pub const ORPHAN: SpanFlags = SpanFlags(1 << 5);
    /// Part of a parent cycle; shown as a root.
    pub const CYCLE: SpanFlags = SpanFlags(1 << 6);
    /// An inference request. Counted once; the provider's span below it does not have this flag.
    pub const INFERENCE_REQUEST: SpanFlags = SpanFlags(1 << 7);
    /// Has an event with a time before the span's start.
    pub const EARLY_EVENT: SpanFlags = SpanFlags(1 << 8);
    /// Named by `traces.root_span_id`.
    pub const RECORDED_ROOT: SpanFlags = SpanFlags(1 << 9);
    /// Where its request failed (derived): the last step, without output, of a request that an event reported as failed. The span itself
    /// does not count as failed.
    pub const FAILURE_ORIGIN: SpanFlags = SpanFlags(1 << 10);
    /// Recorded with the kind `SERVER`: a program answered a request in it.
    pub const SERVER: SpanFlags = SpanFlags(1 << 11);
    /// Its attributes have token counts, although it is not a model call: sums of an agent's calls.
    pub const SUMS: SpanFlags = SpanFlags(1 << 12);

    /// Whether all flags in `other` are set.
    pub fn has(self, other: SpanFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the flags in `other`.
    pub fn add(&mut self, other: SpanFlags) {
        self.0 |= other.0;
    }

    /// Clears the flags in `other`.
    pub fn remove(&mut self, other: SpanFlags) {
        self.0 &= !other.0;
    }
}
