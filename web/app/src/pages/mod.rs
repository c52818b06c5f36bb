//! The screens.

mod find;
mod minimap;
mod open;
mod open_trace;
mod span;
mod timeline;
mod timeline_row;
mod trace;
mod trace_list;
mod traces;

pub(crate) use open::OpenPage;
pub(crate) use trace::TracePage;
pub(crate) use trace_list::TraceList;
pub(crate) use traces::TracesPage;
