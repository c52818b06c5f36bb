//! The `quipu` command: opens a telemetry file and prints what the core answers.
//!
//! All SQL, decoding and arithmetic is in the `quipu` crate.

mod arguments;
mod collect;
mod commands;
mod file_layout;
mod http;
mod json;
mod open;
mod output;
mod serve;
mod table;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use output::Output;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        // Servers print from several threads, but an `Output` locks standard output.
        Command::Collect(collect) => collect::run(&collect).map(|()| ExitCode::SUCCESS),
        Command::Up(up) => commands::up::run(up).map(|()| ExitCode::SUCCESS),
        _ => {
            let mut output = Output::new(arguments.color);
            run(arguments, &mut output).and_then(|code| output.flush().map(|()| code))
        }
    };
    match outcome {
        Ok(code) => code,
        // The reader of the output has closed the pipe.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", output::clean(&format!("{error:#}")));
            ExitCode::from(if error.is::<output::WrongCommandLine>() { 2 } else { 1 })
        }
    }
}

fn run(arguments: Arguments, output: &mut Output) -> anyhow::Result<ExitCode> {
    let as_json = arguments.json;
    match arguments.command {
        Command::Query(query) => commands::query::run(&query, output),
        Command::Promql(promql) => {
            let answered = commands::promql::run(&promql, as_json, output)?;
            return Ok(ExitCode::from(u8::from(!answered)));
        }
        Command::Sql(sql) => commands::sql::run(&sql, as_json, output),
        Command::Info { file } => commands::info::run(&file, as_json, output),
        Command::Traces(traces) => commands::traces::run(&traces, as_json, output),
        Command::Trace { file, trace_id } => commands::trace::run(&file, &trace_id, as_json, output),
        Command::Span { file, span_id, full } => commands::span::run(&file, &span_id, full, as_json, output),
        Command::Export(export) => commands::export::run(&export, as_json, output),
        Command::Collect(collect) => collect::run(&collect),
        Command::Pin(pin) => commands::pin::run(&pin, output),
        Command::Up(up) => commands::up::run(up),
        Command::Import(import) => commands::import::run(&import, as_json, output),
        Command::Tls(tls) => commands::tls::run(&tls, output),
        Command::Serve(serve) => commands::serve::run(serve),
        Command::Push(push) => {
            let taken = commands::push::run(&push, as_json, output)?;
            return Ok(ExitCode::from(u8::from(!taken)));
        }
        Command::Search(search) => {
            // Like grep, for scripts: finding nothing is not a success.
            let found = commands::search::run(&search, as_json, output)?;
            return Ok(ExitCode::from(u8::from(!found)));
        }
        Command::Logs(logs) => {
            let found = commands::logs::run(&logs, as_json, output)?;
            return Ok(ExitCode::from(u8::from(!found)));
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "quipu", &mut script);
            output.text(&String::from_utf8_lossy(&script))
        }
    }?;
    Ok(ExitCode::SUCCESS)
}
