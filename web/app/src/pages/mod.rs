//! The screens.

mod filter_bar;
mod find;
mod hits;
mod minimap;
mod open;
mod open_trace;
mod paged_list;
mod span;
mod timeline;
mod timeline_row;
mod trace;
mod traces;

pub(crate) use open::OpenPage;
pub(crate) use paged_list::{Listed, PagedList};
pub(crate) use trace::TracePage;
pub(crate) use traces::TracesPage;
