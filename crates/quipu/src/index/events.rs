//! Which events belong to which span. Their texts stay in the file.

use super::ids::SpanKey;
use crate::tokens::TokenKind;

/// One token metric among the events.
#[derive(Clone, Copy)]
pub(super) struct Metric {
    pub(super) span: u32,
    pub(super) id: i64,
    pub(super) kind: TokenKind,
    pub(super) value: f64,
}

/// An event whose span was not read yet when it came.
pub(super) struct Waiting {
    pub(super) span: SpanKey,
    pub(super) facts: EventFacts,
}

/// What the index keeps of an event.
#[derive(Clone, Copy)]
pub(super) struct EventFacts {
    pub(super) id: i64,
    pub(super) at: i64,
    pub(super) metric: Option<(TokenKind, f64)>,
    /// Severity error or critical.
    pub(super) is_error: bool,
    /// The server's own words for a request or stream that failed.
    pub(super) is_failure: bool,
}

/// Whether an error message is the server's own for a request or a stream that failed.
pub(crate) fn is_server_failure(message: &[u8]) -> bool {
    message.starts_with(b"Error executing endpoint") || message.starts_with(b"Error in sse_generator")
}

/// Events by span.
#[derive(Default)]
pub(super) struct Events {
    /// Row of the span and id of the event; sorted once the pass is complete.
    list: Vec<(u32, i64)>,
    pub(super) metrics: Vec<Metric>,
    pub(super) waiting: Vec<Waiting>,
    /// Events in all, those without a span among them.
    pub(super) count: u64,
}

impl Events {
    pub(super) fn push(&mut self, row: u32, id: i64) {
        self.list.push((row, id));
    }

    pub(super) fn sort(&mut self) {
        self.list.sort_unstable();
        self.list.shrink_to_fit();
        self.metrics.sort_by_key(|metric| (metric.span, metric.id));
    }

    pub(super) fn of(&self, row: u32) -> &[(u32, i64)] {
        let start = self.list.partition_point(|(of, _)| *of < row);
        let len = self.list[start..].partition_point(|(of, _)| *of == row);
        &self.list[start..start + len]
    }
}
