//! `quipu collect`: an OTLP receiver, by gRPC and HTTP, that writes a telemetry file while others read it.
//!
//! Requests come by HTTP (`routes`) or gRPC (`calls`, `reflection`). Any free thread decompresses and decodes their bodies (`receiver`) and
//! passes them to the single writer thread (`keeper`), which commits waiting requests together before they are answered. Committed data is
//! passed on to the counters of `/metrics` (`series`, `exposition`), the console (`console`) and another receiver (`forward`). Between
//! requests, the writer removes what is oldest from a file that has bounds (`retention`). OTLP and rows are in `quipu::transfer`, the schema in
//! `quipu::store`, access
//! control in `http`.

mod arguments;
mod calls;
mod console;
mod counters;
mod exposition;
mod forward;
mod keeper;
mod names;
mod receiver;
mod reflection;
mod retention;
mod routes;
mod series;
mod settings;

use crate::http::{Door, Ending, Listener, Protocols, Server, runtime};
use crate::output::clean_line;
use anyhow::Result;
pub(crate) use arguments::Collect;
use axum::Router;
use keeper::Jobs;
pub(crate) use retention::Retention;
pub(crate) use settings::Settings;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long requests may continue after the server has stopped.
const LEFT: Duration = Duration::from_secs(2);

/// Binds all addresses. Those that can't be are an error, or, of the default ones, returned as long as another can be.
async fn listen(doors: Vec<Door>, by_default: bool) -> Result<(Vec<Listener>, Vec<anyhow::Error>)> {
    let (mut listeners, mut taken) = (Vec::new(), Vec::new());
    for door in doors {
        match Listener::bind(door).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if by_default => taken.push(error),
            Err(error) => return Err(error),
        }
    }
    if listeners.is_empty() {
        let words: Vec<String> = taken.iter().map(|error| format!("{error:#}")).collect();
        anyhow::bail!("{}", words.join("\n"));
    }
    Ok((listeners, taken))
}

/// Receives until the process is asked to stop.
pub(crate) fn run(collect: &Collect) -> Result<()> {
    let settings = Settings::read(collect)?;
    let (runtime, ending) = (runtime()?, Ending::default());
    let collecting = Collecting::start(settings, &runtime, &ending)?;
    runtime.block_on(async { ending.listen() })?;
    collecting.says().iter().for_each(|line| eprintln!("{line}"));
    let (server, routes, rest) = collecting.parts();
    let served = runtime.block_on(server.serve(routes, &ending));
    rest.finish(runtime, served)
}

/// A receiver whose addresses are bound and whose file is open.
pub(crate) struct Collecting {
    server: Server,
    routes: Router,
    addresses: Vec<String>,
    /// Why some of the default addresses could not be bound.
    taken: Vec<anyhow::Error>,
    /// What is to be said about the certificate.
    note: Option<String>,
    db: PathBuf,
    rest: Rest,
}

/// What goes on after the last request.
pub(crate) struct Rest {
    keeper: JoinHandle<Result<()>>,
    jobs: Jobs,
}

impl Collecting {
    /// Binds the addresses and opens the file, or makes one.
    ///
    /// # Errors
    /// If one of both can't be done.
    pub(crate) fn start(settings: Settings, runtime: &Runtime, ending: &Ending) -> Result<Collecting> {
        // Before the file is created, because the address may be in use.
        let (listeners, taken) = runtime.block_on(listen(settings.doors, settings.by_default))?;
        let addresses = listeners.iter().map(Listener::url).collect::<Result<_>>()?;
        let shared = Arc::new(counters::Shared::default());
        let server = Server::new(listeners, Protocols::Both).counting(shared.unusable.clone());
        let console = settings.console.then(console::Console::start).transpose()?;
        let forward = settings.forward.map(|clients| forward::Forward::start(clients, shared.clone())).transpose()?;
        let after = keeper::After { console, forward };
        let (keeper, jobs) = keeper::start(&settings.db, settings.layout, settings.retention, shared.clone(), after, ending.clone())?;
        let routes = routes::routes(jobs.clone(), shared);
        Ok(Collecting { server, routes, addresses, taken, note: settings.tls_note, db: settings.db, rest: Rest { keeper, jobs } })
    }

    /// What to print: where it listens, and where it can't.
    pub(crate) fn says(&self) -> Vec<String> {
        let to = clean_line(&self.db.display().to_string());
        let mut lines = vec![format!("Collecting on {} to {to}.", self.addresses.join(" and "))];
        lines.extend(self.taken.iter().map(|error| format!("{error:#} Programs that send there are not heard here.")));
        lines.extend(self.note.as_deref().map(clean_line));
        lines
    }

    /// The server with its routes, and what to do after it has ended.
    pub(crate) fn parts(self) -> (Server, Router, Rest) {
        (self.server, self.routes, self.rest)
    }
}

impl Rest {
    /// Ends the runtime, and waits until everything is written.
    ///
    /// # Errors
    /// Why the server ended, or why something was not written.
    pub(crate) fn finish(self, runtime: Runtime, served: Result<()>) -> Result<()> {
        runtime.shutdown_timeout(LEFT);
        // The keeper writes what is queued and ends. It does not wait for requests that are still being decoded: nobody can be told of them.
        self.jobs.end();
        let kept = self.keeper.join().unwrap_or_else(|_| Err(anyhow::anyhow!("The thread that writes has ended by a panic.")));
        served.and(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Admission;

    #[test]
    fn one_of_the_default_addresses_may_be_taken() {
        let runtime = runtime().expect("a runtime");
        let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let taken = held.local_addr().expect("bound").to_string();
        let admission = Admission { allow_remote: false, token_file: None };
        let bind = |addresses: &[&str], by_default| {
            let doors = addresses.iter().map(|address| admission.door("--listen", address).expect("an address")).collect();
            let bound = runtime.block_on(listen(doors, by_default));
            bound.map(|(listeners, taken)| (listeners.len(), taken.len())).map_err(|error| error.to_string())
        };
        assert_eq!(bind(&["127.0.0.1:0", "127.0.0.1:0"], true), Ok((2, 0)));
        assert_eq!(bind(&["127.0.0.1:0", &taken], true), Ok((1, 1)));
        assert_eq!(bind(&[&taken, "127.0.0.1:0"], true), Ok((1, 1)));
        for (addresses, by_default) in [(vec![taken.as_str(), "127.0.0.1:0"], false), (vec![&taken, &taken], true)] {
            assert!(bind(&addresses, by_default).expect_err("taken").contains(&taken));
        }
    }
}
