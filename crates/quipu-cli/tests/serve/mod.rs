//! `quipu serve` as a process, over plain sockets. Expected values are recorded answers of Llama Stack, plain SQL, and Prometheus'
//! documentation.

mod bounds;
mod doors;
mod live;
mod page;
mod prometheus;
mod support;
mod telemetry;
