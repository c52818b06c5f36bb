//! One module a command.

pub(crate) mod export;
pub(crate) mod info;
pub(crate) mod query;
pub(crate) mod search;
pub(crate) mod span;
pub(crate) mod trace;
pub(crate) mod traces;

use anyhow::{Result, bail};
use quipu::Session;
use quipu::protocol::{FileSummary, Request, Response};

/// An answer of another kind than the request's would be a mistake of this program.
fn unexpected<T>(response: Response) -> Result<T> {
    bail!("The file gave an answer of another kind than was asked for: {response:?}.")
}

fn file(session: &mut Session) -> Result<FileSummary> {
    match session.handle(Request::GetFile)? {
        Response::File(file) => Ok(*file),
        other => unexpected(other),
    }
}
