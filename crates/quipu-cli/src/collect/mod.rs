//! `quipu collect`: an OTLP/HTTP receiver that writes a telemetry file while others read it.
//!
//! Any free thread reads, decompresses and decodes a request (`routes`) and passes it to the single writer thread (`keeper`), which commits
//! waiting requests together before they are answered. Committed data is passed on to the counters of `/metrics` (`series`, `exposition`),
//! the console (`console`) and another receiver (`forward`). Between requests, the writer removes what is oldest from a file that has bounds
//! (`retention`). OTLP and rows are in `quipu::transfer`, the schema in `quipu::store`, access
//! control in `http`.

mod arguments;
mod console;
mod counters;
mod exposition;
mod forward;
mod keeper;
mod names;
mod retention;
mod routes;
mod series;
mod settings;

use crate::http::{Ending, Server, runtime};
use crate::output::clean_line;
use anyhow::Result;
pub(crate) use arguments::Collect;
use settings::Settings;
use std::sync::Arc;
use std::time::Duration;

/// How long requests may continue after the server has stopped.
const LEFT: Duration = Duration::from_secs(2);

pub(crate) fn run(collect: &Collect) -> Result<()> {
    let settings = Settings::read(collect)?;
    let runtime = runtime()?;
    // Before the file is created, because the address may be in use.
    let server = runtime.block_on(Server::bind(settings.door))?;
    let shared = Arc::new(counters::Shared::default());
    let console = settings.console.then(console::Console::start).transpose()?;
    let forward = settings.forward.map(|clients| forward::Forward::start(clients, shared.clone())).transpose()?;
    let ending = Ending::default();
    let after = keeper::After { console, forward };
    let (keeper, jobs) = keeper::start(&settings.db, settings.layout, settings.retention, shared.clone(), after, ending.clone())?;
    runtime.block_on(async { ending.listen() })?;
    eprintln!("Collecting on http://{} to {}.", server.address()?, clean_line(&settings.db.display().to_string()));
    let served = runtime.block_on(server.serve(routes::routes(jobs.clone(), shared), &ending));
    runtime.shutdown_timeout(LEFT);
    // The keeper writes what is queued and ends. It does not wait for requests that are still being decoded: nobody can be told of them.
    jobs.end();
    let kept = keeper.join().unwrap_or_else(|_| Err(anyhow::anyhow!("The thread that writes has ended by a panic.")));
    served.and(kept)
}
