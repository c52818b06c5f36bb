//! Bodies that current programs sent, against what an independent reader found in them.

mod cases;
mod recordings;
pub(crate) mod support;
