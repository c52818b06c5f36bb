//! What several test targets share: the fixture databases with plain SQL over them, makers of hostile files and of big ones, fuzz targets,
//! a collector.
//!
//! What is not here: tests. They stand in `tests/`.

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
