//! The query API against the reference's recorded answers and against SQL that knows nothing of it.

mod conformance;
mod expected;
mod files;
mod metrics;
mod odd_files;
mod oracle;
mod sqlite_rules;
mod support;
