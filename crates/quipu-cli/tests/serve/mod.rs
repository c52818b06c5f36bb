//! `quipu serve` as programs meet it: a process, and HTTP over plain sockets. Expected values are the reference's recorded answers, plain SQL, and
//! what Prometheus's documentation says of its documents.

mod doors;
mod live;
mod page;
mod prometheus;
mod support;
mod telemetry;
