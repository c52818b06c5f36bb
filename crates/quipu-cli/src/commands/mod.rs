//! The subcommands, one module each.

pub(crate) mod export;
pub(crate) mod html;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod logs;
pub(crate) mod pin;
pub(crate) mod promql;
pub(crate) mod push;
pub(crate) mod query;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod share;
pub(crate) mod span;
pub(crate) mod sql;
pub(crate) mod tls;
pub(crate) mod trace;
pub(crate) mod traces;
pub(crate) mod up;

use crate::output::WrongCommandLine;
use anyhow::{Result, bail};
use quipu::filter::Filter;

/// Rejects an invalid filter before the file is read, with a caret under the error.
fn check_filter(filter: &str) -> Result<()> {
    match Filter::parse(filter) {
        Ok(_) => Ok(()),
        Err(error) => bail!(WrongCommandLine(format!("{}\n{error}", error.drawing(filter)))),
    }
}
