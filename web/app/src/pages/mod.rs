//! The screens.

mod open;
mod span;
mod timeline;
mod trace;
mod trace_list;
mod traces;

pub(crate) use open::OpenPage;
pub(crate) use trace::TracePage;
pub(crate) use trace_list::TraceList;
pub(crate) use traces::TracesPage;
