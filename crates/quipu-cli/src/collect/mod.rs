//! `quipu collect`: an OTLP/HTTP receiver that writes a telemetry file while others read it.
//!
//! A request is read, unpacked and decoded by whichever thread is free (`routes`), and handed to the one thread that writes (`keeper`),
//! which commits what waits together and only then lets the requests be answered. What was committed goes on from there: to the counters
//! of `/metrics` (`series`, `exposition`), to the console (`console`), to another receiver (`forward`).
//! What is not here: OTLP itself and the rows (`quipu::transfer`), the schema (`quipu::store`), who may come in (`http`).

mod arguments;
mod console;
mod counters;
mod exposition;
mod forward;
mod keeper;
mod names;
mod routes;
mod series;
mod settings;

use crate::http::{Server, runtime};
use crate::output::clean_line;
use anyhow::Result;
pub(crate) use arguments::Collect;
use settings::Settings;
use std::sync::Arc;
use std::time::Duration;

/// Requests that are still open after the server has ended are given up.
const LEFT: Duration = Duration::from_secs(2);

pub(crate) fn run(collect: &Collect) -> Result<()> {
    let settings = Settings::read(collect)?;
    let runtime = runtime()?;
    // Before the file is made, because another program may have the address.
    let server = runtime.block_on(Server::bind(settings.door))?;
    let shared = Arc::new(counters::Shared::default());
    let console = settings.console.then(console::Console::start).transpose()?;
    let forward = settings.forward.map(|clients| forward::Forward::start(clients, shared.clone())).transpose()?;
    let passes_on = forward.is_some();
    let (keeper, jobs) = keeper::start(&settings.db, shared.clone(), keeper::After { console, forward })?;
    eprintln!("Collecting on http://{} into {}.", server.address()?, clean_line(&settings.db.display().to_string()));
    let served = runtime.block_on(server.serve(routes::routes(jobs, shared, passes_on)));
    // With the last connection the last sender of jobs goes, and the keeper ends when it has written what it was given.
    runtime.shutdown_timeout(LEFT);
    let kept = keeper.join().unwrap_or_else(|_| Err(anyhow::anyhow!("The thread that writes has ended by a panic.")));
    served.and(kept)
}
