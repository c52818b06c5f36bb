//! What the page's workers share. The workers themselves are the programs: `quipu-worker` reads the file (`main.rs`), `quipu-metrics` counts
//! what it read (`bin/metrics.rs`).

#[cfg(target_arch = "wasm32")]
pub mod messages;
