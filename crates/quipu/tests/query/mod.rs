//! The query API against recorded answers of the reference implementation, and against plain SQL.

mod bounds;
mod conformance;
mod expected;
mod files;
mod metrics;
mod odd_files;
mod oracle;
mod sqlite_rules;
mod support;
