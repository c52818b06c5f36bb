//! The choice of the tables that a file is written with.

use clap::ValueEnum;
use quipu::store::Layout;

/// The tables of a file that is written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileLayout {
    /// Quipu's own, which keeps all that OTLP sends, with views named like Llama Stack's tables
    Quipu,
    /// Llama Stack's tables: a span id is unique, a trace has one service
    LlamaStack,
}

impl From<FileLayout> for Layout {
    fn from(layout: FileLayout) -> Layout {
        match layout {
            FileLayout::Quipu => Layout::Quipu,
            FileLayout::LlamaStack => Layout::Reference,
        }
    }
}
