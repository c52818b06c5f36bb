//! PromQL: scripts with results known by reasoning, and answers recorded from a real Prometheus.

mod bounds;
mod hostile;
mod prometheus;
mod script;
mod scripts;
