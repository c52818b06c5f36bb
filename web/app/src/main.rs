//! The page: screens and widgets that show the answers of a worker.
//!
//! Not here: SQL and arithmetic on data (the worker and the core), rows and geometry (`quipu_ui::view`), the format of addresses
//! (`quipu_protocol::address`), and the decisions about the open file (`quipu-web-actions`).
#![expect(unreachable_pub, reason = "the component macro makes the properties of every component public")]

mod actions;
mod app;
mod browser;
mod carried;
mod client;
mod dom;
mod idle;
mod keys;
mod packing;
mod pages;
mod prewarm;
mod reactive;
mod state;
mod widgets;

/// The build of this page, compared with that of the worker.
const BUILD: &str = match option_env!("QUIPU_BUILD") {
    Some(build) => build,
    None => "dev",
};

fn main() {
    console_error_panic_hook::set_once();
    browser::remove_boot_text();
    leptos::mount::mount_to_body(app::App);
}
