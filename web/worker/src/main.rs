//! The dedicated worker: passes messages to `Session` and sends its answers. Files are read in place.
//!
//! It inherits the page's content security policy and makes no network requests. Everything about telemetry is in the core.

#[cfg(target_arch = "wasm32")]
mod blob;
#[cfg(target_arch = "wasm32")]
mod driver;
#[cfg(target_arch = "wasm32")]
mod import;
#[cfg(target_arch = "wasm32")]
mod memory;
#[cfg(target_arch = "wasm32")]
mod prewarm;
#[cfg(target_arch = "wasm32")]
mod read_ahead;
#[cfg(target_arch = "wasm32")]
mod wire;

#[cfg(target_arch = "wasm32")]
fn main() {
    wire::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("quipu-worker runs in a browser: build the page with `cargo xtask build`.");
    std::process::exit(1);
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests;
