//! Every integration test of this crate, in one binary: linking is most of what a test binary costs.
//!
//! A new file of tests needs a `mod` line here, because cargo does not look for further binaries (`autotests = false`).

mod agent;
mod config;
mod layer;
mod otlp_client;
mod otlp_sinks;
mod replay;
mod support;
mod telemetry;
mod traced_agent;
