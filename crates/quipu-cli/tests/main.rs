//! Every integration test of the command, in one binary: linking is most of what a test binary costs.
//!
//! A new file of tests needs a `mod` line here, because cargo does not look for further binaries (`autotests = false`).

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails at an index that is not there, and its numbers are small"
)]

#[cfg(unix)]
mod collect;
mod command;
mod formats;
#[cfg(unix)]
mod grpc;
#[cfg(unix)]
mod ports;
mod push;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod retention;
mod serve;
#[cfg(unix)]
mod support;
#[cfg(unix)]
mod surroundings;
#[cfg(unix)]
mod tls;
#[cfg(unix)]
mod up;
