//! Scripts in the format of Prometheus's own tests.

#![cfg(feature = "grammar")]
#![expect(clippy::disallowed_methods, reason = "tests read scripts")]
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails at an index that is not there, and its numbers are small"
)]

mod scripts;
