//! The `cargo xtask` command, a wrapper of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match xtask::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line per cause: what failed, then why.
            eprintln!();
            error.chain().for_each(|sentence| eprintln!("{sentence}"));
            ExitCode::FAILURE
        }
    }
}
