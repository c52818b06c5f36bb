//! The share dialog.
//!
//! Not here: what is private and how it is encoded (`quipu-share`), and how the browser packs it (`packing`).

mod dialog;
mod forms;
mod making;

pub(crate) use dialog::ShareDialog;
