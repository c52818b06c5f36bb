//! PromQL: scripts whose results are known by reasoning, and answers that a real Prometheus gave.

mod hostile;
mod prometheus;
mod script;
mod scripts;
