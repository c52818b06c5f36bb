//! How the timeline of a trace is shown, and its words in a URL.

use super::percent::encode;
use crate::TraceScope;

/// What of the timeline a URL restores, besides what the trace's views share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineView {
    /// Which spans are shown.
    pub scope: TraceScope,
    /// Whether the critical path is marked.
    pub critical_path: bool,
    /// What is measured: from and to, in nanoseconds after the start of what is shown. The end is not before the start.
    pub measured: Option<(u64, u64)>,
}

impl TimelineView {
    /// The parts of the URL, as keys and encoded values; defaults are not among them.
    pub(super) fn parts(&self) -> Vec<(&'static str, String)> {
        let mut parts = Vec::new();
        if self.scope.folded {
            parts.push(("plumbing", "folded".into()));
        }
        if let Some(request) = &self.scope.request {
            parts.push(("request", encode(request)));
        }
        if self.critical_path {
            parts.push(("path", "critical".into()));
        }
        if let Some((from, to)) = self.measured {
            parts.push(("measure", format!("{from}-{to}")));
        }
        parts
    }

    /// Reads one part; `false` when it means nothing.
    pub(super) fn read(&mut self, key: &str, value: &str) -> bool {
        match (key, value) {
            ("plumbing", "folded" | "shown") => self.scope.folded = value == "folded",
            ("request", id) if !id.is_empty() => self.scope.request = Some(id.into()),
            ("path", "critical" | "none") => self.critical_path = value == "critical",
            ("measure", text) => {
                let times = text.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
                let Some((from, to)) = times.filter(|(from, to): &(u64, u64)| from <= to) else { return false };
                self.measured = Some((from, to));
            }
            _ => return false,
        }
        true
    }
}
