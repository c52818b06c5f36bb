//! The `cargo xtask` command. Everything it does is in the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match xtask::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Errors are sentences: what failed, then why, a line each.
            eprintln!();
            error.chain().for_each(|sentence| eprintln!("{sentence}"));
            ExitCode::FAILURE
        }
    }
}
