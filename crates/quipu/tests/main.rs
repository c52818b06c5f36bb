//! All integration tests of the core in one binary, because linking dominates the cost of a test binary.
//!
//! A new file of tests needs a `mod` line here, because cargo does not look for further binaries (`autotests = false`).

#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails at an index that is not there, and its numbers are small"
)]

mod address;
mod compared;
mod conversation;
mod dialects;
mod exemplars;
mod failure;
mod files;
mod filter;
mod growth;
mod hostile;
mod limits;
mod lists;
mod logs;
mod metrics;
mod promql;
mod query;
mod recorded;
mod scopes;
mod search;
mod share;
mod sheets;
mod sql;
mod support;
mod trace_views;
mod transfer;
mod writer;
