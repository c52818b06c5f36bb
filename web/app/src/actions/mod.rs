//! What the page does: opens files, follows addresses, asks the workers, runs queries. The verbs of the state.
//!
//! The decisions about the open file and its worker are in the crate `quipu-web-actions`, which has no browser and is tested natively.
//! Not here: elements (`widgets`, `pages`).

mod file;
mod lists;
mod metrics;
pub(crate) mod opening;
pub(crate) mod router;
pub(crate) mod served_file;
mod shared_link;
mod sql;

pub(crate) use shared_link::open_link;
