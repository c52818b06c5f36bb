//! Shared by the page's workers: `quipu-worker` reads the file (`main.rs`), `quipu-metrics` computes metrics (`bin/metrics.rs`).

#[cfg(target_arch = "wasm32")]
pub mod messages;
