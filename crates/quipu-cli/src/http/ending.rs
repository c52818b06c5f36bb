//! When a server is to end: asked by SIGINT or SIGTERM, or for a reason of its own.

use anyhow::Result;
use std::sync::Arc;
use tokio::sync::watch;

/// Whether the server is to end. Copies share one answer.
#[derive(Clone, Default)]
pub(crate) struct Ending(Arc<watch::Sender<bool>>);

impl Ending {
    /// Asks for the end.
    pub(crate) fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Waits until the end is asked for.
    pub(crate) async fn asked(&self) {
        // The sender lives as long as `self`, so this only returns once the value is there.
        let _ = self.0.subscribe().wait_for(|is_asked| *is_asked).await;
    }

    /// Asks for the end with the first SIGINT or SIGTERM from now on. A second one ends the process at once, in the signal handler itself:
    /// no thread has to be free for it. Call it within the runtime.
    ///
    /// # Errors
    /// If no signal handler can be installed.
    #[cfg(unix)]
    pub(crate) fn listen(&self) -> Result<()> {
        use anyhow::Context;
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::flag::{register, register_conditional_shutdown};
        use std::sync::atomic::AtomicBool;
        use tokio::signal::unix::{SignalKind, signal};

        // Before the flags, so that no signal is counted that nobody hears of.
        let mut interrupt = signal(SignalKind::interrupt()).context("Can't handle SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("Can't handle SIGTERM")?;
        let is_asked = Arc::new(AtomicBool::new(false));
        for (number, code) in [(SIGINT, 130), (SIGTERM, 143)] {
            // Handlers run in this order: the flag of the first signal is set after it was looked at.
            register_conditional_shutdown(number, code, is_asked.clone()).context("Can't handle signals")?;
            register(number, is_asked.clone()).context("Can't handle signals")?;
        }
        let ending = self.clone();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            };
            eprintln!("{name}: finishing pending requests; send the signal again to exit immediately.");
            ending.ask();
        });
        Ok(())
    }

    /// Asks for the end with the first Ctrl+C from now on. A second one ends the process.
    #[cfg(not(unix))]
    pub(crate) fn listen(&self) -> Result<()> {
        let ending = self.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                ending.ask();
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
        Ok(())
    }
}
