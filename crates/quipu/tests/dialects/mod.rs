//! Bodies that current programs sent, against what an independent reader found in them.

mod cases;
mod recordings;
mod support;
