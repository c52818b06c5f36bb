//! The page's workers. Three programs are built from this crate: `quipu-worker` reads files, `quipu-transfer` does the same and also imports
//! and shares (it is larger, and loaded when that is needed), and `quipu-metrics` computes metrics without a file (`bin/metrics.rs`).
//!
//! They inherit the page's content security policy and make no network requests. Everything about telemetry is in the core.

#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod blob;
#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod driver;
#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod import;
#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod memory;
#[cfg(target_arch = "wasm32")]
pub mod messages;
#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod prewarm;
#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod program;
#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod read_ahead;
#[cfg(all(target_arch = "wasm32", feature = "file", test))]
mod tests;
#[cfg(all(target_arch = "wasm32", feature = "file"))]
mod wire;

/// Starts the program that reads files.
#[cfg(all(target_arch = "wasm32", feature = "file"))]
pub fn start_reading() {
    wire::start();
}

/// Starts the program that also imports, shares and runs SQL.
#[cfg(all(target_arch = "wasm32", feature = "file"))]
pub fn start_transfer() {
    program::be_transfer();
    wire::start();
}
