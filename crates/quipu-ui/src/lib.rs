//! View models without a browser: rows, geometry and sentences ([`view`]), tabs and tables as trees of elements ([`render`]), completion and
//! history for the SQL editor ([`sql`]).
//!
//! Pure functions: no files, clocks or DOM. Not here: drawing on a canvas and handling of events, which are the page's.

pub mod render;
pub mod sql;
pub mod view;

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
