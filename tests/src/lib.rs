//! Shared by several test targets: fixture databases with plain SQL, generators of hostile and large files, fuzz targets, a collector.
//!
//! The tests themselves are in `tests/`.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails at an index that is not there; its numbers are small, or random bytes of greater ones"
)]

pub mod collector;
pub mod failures;
pub mod fixtures;
pub mod fuzz;
pub mod grow;
pub mod hostile;
pub mod http;
pub mod load;
pub mod random;
pub mod redaction;
mod scratch;

pub use scratch::Scratch;
#[cfg(unix)]
pub use scratch::is_root;
