//! What the programs that hold a file differ in. The linker drops what a program does not reach.

use crate::import;
use quipu::Session;
use quipu::protocol::{Failure, Request, Response};
use std::cell::Cell;
use std::pin::Pin;
use web_sys::File;

/// Imports files, given their names and first bytes.
pub(crate) type Import = fn(Vec<String>, Vec<File>, Vec<Vec<u8>>) -> Pin<Box<dyn Future<Output = Result<Session, Failure>>>>;

/// What a program can do.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    /// Answers a question.
    pub(crate) answer: fn(&mut Session, Request) -> Result<Response, Failure>,
    /// Imports files; `None` if the program can't.
    pub(crate) import: Option<Import>,
}

/// The program that reads files.
const READING: Program = Program { answer: Session::handle_reading, import: None };

thread_local! {
    static PROGRAM: Cell<Program> = const { Cell::new(READING) };
}

/// The program that runs.
pub(crate) fn program() -> Program {
    PROGRAM.get()
}

/// From now on, the program also imports, shares and runs SQL.
pub(crate) fn be_transfer() {
    PROGRAM.set(Program { answer: Session::handle, import: Some(|names, files, heads| Box::pin(import::import(names, files, heads))) });
}
