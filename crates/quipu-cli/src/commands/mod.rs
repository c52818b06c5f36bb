//! The subcommands, one module each.

pub(crate) mod export;
pub(crate) mod html;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod promql;
pub(crate) mod push;
pub(crate) mod query;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod share;
pub(crate) mod span;
pub(crate) mod sql;
pub(crate) mod trace;
pub(crate) mod traces;

use crate::output::WrongCommandLine;
use anyhow::{Result, bail};
use quipu::Session;
use quipu::filter::Filter;
use quipu::protocol::{FileSummary, Request, Response};

/// Reports a response of the wrong variant, which would be a bug.
fn unexpected<T>(response: Response) -> Result<T> {
    bail!("Internal error: unexpected response {response:?}.")
}

/// Rejects an invalid filter before the file is read, with a caret under the error.
fn check_filter(filter: &str) -> Result<()> {
    match Filter::parse(filter) {
        Ok(_) => Ok(()),
        Err(error) => bail!(WrongCommandLine(format!("{}\n{error}", error.drawing(filter)))),
    }
}

fn file(session: &mut Session) -> Result<FileSummary> {
    match session.handle(Request::GetFile)? {
        Response::File(file) => Ok(*file),
        other => unexpected(other),
    }
}
