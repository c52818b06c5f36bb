//! Parts that screens are made of.

mod built;
mod commands;
mod copy;
mod folded_text;
mod growth;
mod head;
mod help;
mod icon;
mod marking;
mod modal;
mod nodes;
mod notices;
mod progress;
mod segmented;
mod text_block;
mod value_node;
mod viewport;
mod warnings;

pub(crate) use built::{Build, Built, NEXT_PORTION, portions};
pub(crate) use commands::Commands;
pub(crate) use copy::{CopyButton, copy, copy_button};
pub(crate) use folded_text::folded_text;
pub(crate) use growth::Growth;
pub(crate) use head::Head;
pub(crate) use help::Help;
pub(crate) use icon::{Icon, IconName, icon};
pub(crate) use marking::Marking;
pub(crate) use modal::follow as follow_dialog;
pub(crate) use nodes::Nodes;
pub(crate) use notices::Notices;
pub(crate) use progress::{ImportBar, IndexBar, NotIndexedYet, SearchBar};
pub(crate) use segmented::{Choice, Segmented};
pub(crate) use text_block::{more, text_block};
pub(crate) use value_node::value_tree;
pub(crate) use viewport::{ROW_PX, Viewport};
pub(crate) use warnings::Warnings;
