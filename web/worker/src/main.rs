//! The dedicated worker: messages in, `Session`, messages out. The dropped file stays where it is and is read in place.
//!
//! What is not here: anything that knows telemetry. No network: the worker inherits the page's policy, and asks for nothing.

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
