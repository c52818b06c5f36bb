//! PromQL: limits, hostile queries, and answers recorded from a real Prometheus. Scripts with results known by reasoning are in
//! `quipu-promql`.

mod bounds;
mod hostile;
mod prometheus;
