//! The page.
//!
//! What is not here: SQL and arithmetic on data, which the worker and the core do.

use leptos::prelude::*;

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(|| view! { <p>"Quipu"</p> });
}
