//! Fuzz targets: functions that take any bytes, and panic if a property of the core is violated.
//!
//! libFuzzer calls them (`fuzz/`), and `tests/tests/fuzz.rs` with seeded inputs on every change, in a process whose memory is limited.
//!
//! Modules in reading order: `targets`, `filter`, `import`, `promql` and `redaction` define the properties, `file` reads a database like the page, `mutate`
//! damages a real one, `inputs` generates inputs from a seed, `run` tries many and saves failures.

mod file;
mod filter;
mod import;
mod inputs;
mod mutate;
mod promql;
mod redaction;
mod run;
mod targets;

pub use run::run;

use crate::random::Random;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, here and in `fuzz/`.
    pub name: &'static str,
    /// Panics if a property is violated.
    pub check: fn(&[u8]),
    /// Generates an input that is likely to get far.
    make: fn(&mut Random) -> Vec<u8>,
    /// Number of inputs in a normal test run.
    rounds: usize,
}

/// Recorded values: attributes, JSON, Python's repr.
pub const RECORDED: Target = Target { name: "recorded", check: targets::recorded, make: inputs::recorded, rounds: 20_000 };
/// A database, damaged by a script of instructions.
pub const FILE: Target = Target { name: "file", check: targets::file, make: inputs::bytes, rounds: 1_200 };
/// The filter language.
pub const FILTER: Target = Target { name: "filter", check: filter::check, make: inputs::filter, rounds: 8_000 };
/// URL fragments.
pub const ADDRESS: Target = Target { name: "address", check: targets::address, make: inputs::address, rounds: 40_000 };
/// Messages between page and worker.
pub const MESSAGE: Target = Target { name: "message", check: targets::message, make: inputs::message, rounds: 20_000 };
/// The data of a link.
pub const LINK: Target = Target { name: "link", check: targets::link, make: inputs::link, rounds: 20_000 };

/// OTLP and Jaeger JSON.
pub const IMPORT: Target = Target { name: "import", check: import::check, make: inputs::import, rounds: 3_000 };

/// Bodies of requests in OTLP.
pub const OTLP: Target = Target { name: "otlp", check: import::is_received, make: inputs::otlp, rounds: 1_000 };
/// Queries in PromQL.
pub const PROMQL: Target = Target { name: "promql", check: promql::check, make: inputs::promql, rounds: 600 };
/// Attributes to be redacted.
pub const REDACTION: Target = Target { name: "redaction", check: redaction::check, make: inputs::recorded, rounds: 1_000 };

/// All targets.
pub const ALL: [Target; 10] = [RECORDED, FILE, FILTER, ADDRESS, MESSAGE, LINK, IMPORT, OTLP, PROMQL, REDACTION];
