//! The worker that imports files, shares parts of them and runs SQL, and can do all that `quipu-worker` does.

#[cfg(target_arch = "wasm32")]
fn main() {
    quipu_worker::start_transfer();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("quipu-transfer runs in a browser: build the page with `cargo xtask build`.");
    std::process::exit(1);
}
