//! The command line of `quipu collect`.

use crate::http::Admission;
use clap::Args;
use std::path::PathBuf;

const COLLECT_HELP: &str = "\
Servers that write no telemetry file (Llama Stack since 0.3.0) and anything else that exports OTLP over HTTP (protobuf or JSON, gzip or not)
send to http://127.0.0.1:4318: traces, metrics and logs. A request is answered when it is in the file. The file is one a Llama Stack server
could have written; it may be one, and goes on from there. Others may read it at any time. /metrics is for a Prometheus to scrape.

Only this machine is answered, and no page of a browser. For others give --listen, --allow-remote and a token.
SIGINT or SIGTERM ends it when what was begun is written. docs/collecting.md tells all of it.

Examples:
  quipu collect --db telemetry.db
  quipu collect --db telemetry.db --console --forward http://127.0.0.1:14318
  quipu collect --config run.yaml
  QUIPU_TOKEN=$(openssl rand -hex 32) quipu collect --db telemetry.db --listen 0.0.0.0:4318 --allow-remote
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 llama stack run run.yaml";

#[derive(Args)]
#[command(after_help = COLLECT_HELP)]
pub(crate) struct Collect {
    /// The telemetry file to write: a new one, or one that is there
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4318")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) admission: Admission,
    /// Pass what was written on to another OTLP/HTTP receiver; /v1/traces and its like are put behind the address
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// Print what was written as lines
    #[arg(long)]
    pub(crate) console: bool,
    /// Take the file, the console and where to forward from the telemetry provider of a Llama Stack configuration (run.yaml)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
