//! OTLP over HTTP: where it goes ([`Settings`]), and how it is sent ([`Client`], [`Backoff`]).

mod backoff;
mod client;
mod settings;

pub use backoff::Backoff;
pub use client::{Client, Retry, SendError};
pub use settings::{DEFAULT_ENDPOINT, Settings, Signal};
