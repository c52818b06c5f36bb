//! The worker that reads files: passes messages to `Session` and sends its answers.

#[cfg(target_arch = "wasm32")]
fn main() {
    quipu_worker::start_reading();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("quipu-worker runs in a browser: build the page with `cargo xtask build`.");
    std::process::exit(1);
}
