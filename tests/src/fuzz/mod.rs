//! Fuzz targets: each takes bytes, whatever they are, and panics where the core breaks a promise.
//!
//! The same functions are called by libFuzzer (`fuzz/`) and, with seeded inputs, by `tests/tests/fuzz.rs` on every change.
//! Reading order: `targets` says what must hold, `filter` the same of filters, `import` of imports, `file` reads a database as a page does, `mutate` breaks a real one where it hurts,
//! `inputs` makes inputs from a seed, `run` goes through many and keeps what fails.

mod file;
mod filter;
mod import;
mod inputs;
mod mutate;
mod run;
mod targets;

pub use run::run;

use crate::random::Random;

/// Something that takes bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, here and in `fuzz/`.
    pub name: &'static str,
    /// Panics where a promise is broken.
    pub check: fn(&[u8]),
    /// An input likely to get far.
    make: fn(&mut Random) -> Vec<u8>,
    /// Inputs of a plain test run.
    rounds: usize,
}

/// Recorded texts: attributes, JSON, Python's repr.
pub const RECORDED: Target = Target { name: "recorded", check: targets::recorded, make: inputs::recorded, rounds: 20_000 };
/// A database, broken by the input's instructions.
pub const FILE: Target = Target { name: "file", check: targets::file, make: inputs::bytes, rounds: 1_200 };
/// The filter language.
pub const FILTER: Target = Target { name: "filter", check: filter::check, make: inputs::filter, rounds: 8_000 };
/// Addresses.
pub const ADDRESS: Target = Target { name: "address", check: targets::address, make: inputs::address, rounds: 40_000 };
/// Messages between page and worker.
pub const MESSAGE: Target = Target { name: "message", check: targets::message, make: inputs::message, rounds: 20_000 };
/// What a link carries.
pub const LINK: Target = Target { name: "link", check: targets::link, make: inputs::link, rounds: 20_000 };

/// OTLP and Jaeger's JSON.
pub const IMPORT: Target = Target { name: "import", check: import::check, make: inputs::import, rounds: 3_000 };

/// Every target.
pub const ALL: [Target; 7] = [RECORDED, FILE, FILTER, ADDRESS, MESSAGE, LINK, IMPORT];
