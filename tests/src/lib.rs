//! What several test targets share: the fixture databases with plain SQL over them, and makers of hostile files.
//!
//! What is not here: tests. They stand in `tests/`.

pub mod fixtures;
pub mod hostile;
pub mod random;
mod scratch;

pub use scratch::Scratch;
