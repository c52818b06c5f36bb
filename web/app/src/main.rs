//! The page: screens and widgets over the state that the worker answers.
//!
//! What is not here: SQL and arithmetic on data, which the worker and the core do; rows and geometry, which are the core's `view`;
//! the form of addresses, which is the core's `share`.
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
mod state;
mod widgets;

/// The build this page belongs to. A worker of another build is noticed by it.
const BUILD: &str = match option_env!("QUIPU_BUILD") {
    Some(build) => build,
    None => "dev",
};

fn main() {
    console_error_panic_hook::set_once();
    browser::remove_boot_text();
    leptos::mount::mount_to_body(app::App);
}
