//! PromQL: scripts with results known by reasoning, and answers recorded from a real Prometheus.

mod hostile;
mod prometheus;
mod script;
mod scripts;
