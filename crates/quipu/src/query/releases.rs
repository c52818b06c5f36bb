//! Guesses which releases of Llama Stack could have written a file, from differences in what they record. No release records its version.

use super::error::QueryError;
use super::matching::Source;
use crate::index::Index;
use quipu_model::recorded::entries;
use quipu_store::{Layout, scan_attributes, scan_sources};
use serde::Serialize;
use std::ops::ControlFlow;

/// The releases that could have written a file, with the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseGuess {
    /// A range of releases, such as `0.2.13 to 0.2.24`; `OTLP` if the file has nothing of Llama Stack's own telemetry.
    pub releases: String,
    /// The property of the file that the guess is based on.
    pub because: String,
}

/// What stands for releases if Llama Stack's own telemetry did not write the file.
const OTHER: &str = "OTLP";

impl ReleaseGuess {
    /// Whether Llama Stack's own telemetry wrote the file.
    pub fn is_llama_stack(&self) -> bool {
        self.releases != OTHER
    }
}

/// Number of spans examined.
const SAMPLE: usize = 20_000;

/// Properties of the examined spans.
#[derive(Default)]
struct Seen {
    spans: usize,
    root: bool,
    root_span_text: bool,
    root_span_true: bool,
    local_root: bool,
    autotraced: bool,
    raw_path: bool,
    error: bool,
    /// Some attribute is one that only Llama Stack's own telemetry writes.
    own: bool,
}

impl Seen {
    fn take(&mut self, attributes: &[u8]) {
        let (mut root, mut root_span, mut local_root, mut from_client) = (false, false, false, false);
        for (key, value) in entries(attributes).flatten() {
            match key.as_ref() {
                "__root__" => root = true,
                "__root_span__" if value.is_string() => self.root_span_text = true,
                "__root_span__" => root_span = true,
                "__local_root_span__" => local_root = true,
                "__autotraced__" => self.autotraced = true,
                "raw_path" => self.raw_path = true,
                "error" => self.error = true,
                "traceparent" => from_client = true,
                key if key.starts_with("__") => self.own = true,
                _ => {}
            }
        }
        self.own |= root || root_span || local_root;
        // With a traceparent header, the flags may be the client's and not the server's.
        if root && !from_client {
            self.root = true;
            self.root_span_true |= root_span;
            self.local_root |= local_root;
        }
    }
}

pub(crate) fn guess_releases(source: Source<'_>) -> Result<ReleaseGuess, QueryError> {
    let index = source.indexed()?;
    let mut seen = Seen::default();
    scan_attributes(source.database.connection(), source.database.schema(), |_, _, attributes| {
        seen.spans += 1;
        seen.take(attributes);
        if seen.spans < SAMPLE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut is_imported = source.database.schema().layout == Layout::Quipu;
    scan_sources(source.database.connection(), source.database.schema(), &mut |_, _, _| is_imported = true)?;
    if is_imported && !seen.own && !seen.autotraced {
        let because = "it was imported or received over OTLP, and has none of the marks of Llama Stack's own telemetry".to_owned();
        return Ok(ReleaseGuess { releases: OTHER.to_owned(), because });
    }
    Ok(guess(&seen, index))
}

fn guess(seen: &Seen, index: &Index) -> ReleaseGuess {
    let facts = index.release_facts();
    let of = |releases: &str, because: &str| ReleaseGuess { releases: releases.to_owned(), because: because.to_owned() };
    if seen.spans == 0 {
        return of("0.0.58 to 0.2.24", "the file has no spans");
    }
    if facts.local_times {
        return match (seen.error, seen.autotraced) {
            (true, _) => of("0.1.5 to 0.1.6", "times have no zone, and failed methods record an error"),
            (false, true) => of("0.0.61 to 0.1.6", "times have no zone, and methods are traced"),
            (false, false) => of("0.0.58 to 0.1.6", "times have no zone"),
        };
    }
    if seen.local_root && !seen.root_span_text {
        return if facts.token_metrics {
            of("0.2.18 to 0.2.24", "roots are marked __local_root_span__, and metrics are recorded as events")
        } else {
            of("0.2.13 to 0.2.24", "roots are marked __local_root_span__; no metric is recorded, which 0.2.18 and later do")
        };
    }
    if seen.root_span_text {
        return if facts.most_roots_orphaned {
            of("0.1.8", "__root_span__ is the text \"true\", and roots name a parent that is not in the file")
        } else if facts.events {
            of("0.2.0 to 0.2.5", "__root_span__ is the text \"true\", and events are recorded")
        } else {
            of("0.2.0 to 0.2.7", "__root_span__ is the text \"true\"; no event is recorded, which is what 0.2.6 and 0.2.7 lose")
        };
    }
    if seen.root_span_true {
        return of("0.2.8 to 0.2.12", "__root_span__ is true, and no root is marked __local_root_span__");
    }
    if seen.root {
        return if seen.raw_path {
            of("0.1.9", "requests have a raw_path, but no __root_span__")
        } else {
            of("0.1.7", "times have a zone, and requests have no raw_path yet")
        };
    }
    of("0.1.7 to 0.2.24", "times have a zone, and no request has a mark that differs between releases")
}
