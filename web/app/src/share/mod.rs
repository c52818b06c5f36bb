//! Sharing: the dialog that hands a trace on, and what opens an address that carries one.
//!
//! What is not here: what is private, and how it is packed, which are the core's `share`.

mod dialog;
mod forms;
mod making;
mod opening;
mod packing;

pub(crate) use dialog::ShareDialog;
pub(crate) use opening::open_link;
