//! The command line of `quipu collect`.

use super::retention::Retention;
use crate::file_layout::FileLayout;
use crate::http::{Admission, TlsFiles};
use clap::Args;
use std::path::PathBuf;

const COLLECT_HELP: &str = "\
Receives traces, metrics and logs over OTLP, by gRPC and by HTTP (protobuf or JSON), on http://127.0.0.1:4318 and http://127.0.0.1:4317; each
port takes both. Llama Stack 0.3.0 and later sends it, as it no longer writes a telemetry file. A request is acknowledged once it is
committed. Llama Stack's queries run on the file; an existing one is appended to, and others can read it at any time. Prometheus can scrape
/metrics. Zipkin's clients can send spans (version 2, JSON) to /api/v2/spans.

By default only requests from this machine are answered, and none from web pages. To accept others, use --listen, --allow-remote and a
token, and --allow-origin for pages. With --tls-cert and --tls-key everything is received over TLS, and nothing without. SIGINT and SIGTERM shut down after pending requests are written. See docs/collecting.md.

Examples:
  quipu collect --db telemetry.db
  quipu collect --db telemetry.db --console --forward http://127.0.0.1:14318
  quipu collect --config run.yaml
  quipu collect --db telemetry.db --max-size 2GB --max-age 7d
  quipu tls init && quipu collect --db telemetry.db --tls-cert quipu-cert.pem --tls-key quipu-key.pem
  QUIPU_TOKEN=$(openssl rand -hex 32) quipu collect --db telemetry.db --listen 0.0.0.0:4318 --allow-remote
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 llama stack run run.yaml";

#[derive(Args)]
#[command(after_help = COLLECT_HELP)]
pub(crate) struct Collect {
    /// The telemetry file to create or append to
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// The tables of a new file; one that exists keeps its own
    #[arg(long, value_name = "LAYOUT", default_value = "quipu")]
    pub(crate) layout: FileLayout,
    /// Address and port to listen on, instead of 127.0.0.1:4318 and 127.0.0.1:4317; port 0 picks a free one. Can be repeated
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Vec<String>,
    #[command(flatten)]
    pub(crate) admission: Admission,
    #[command(flatten)]
    pub(crate) tls: TlsFiles,
    /// Let web pages of this origin send, such as http://localhost:3000. Can be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Forward accepted requests to another OTLP/HTTP receiver (a base URL, without /v1/traces)
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    #[command(flatten)]
    pub(crate) retention: Retention,
    /// Print what is received, one line per entry
    #[arg(long)]
    pub(crate) console: bool,
    /// Read the file, console and forwarding settings from the telemetry provider of a Llama Stack configuration (run.yaml)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
