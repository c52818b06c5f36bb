//! The command line: subcommands, flags and their help.

use crate::collect::{Collect, Retention};
use crate::file_layout::FileLayout;
use crate::http::{Admission, TlsFiles};
use crate::output::Color;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use quipu::protocol::{Contents, FileFormat};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  quipu info trace_store.db                       summarise the file
  quipu traces trace_store.db --failed            list the newest failed traces
  quipu traces trace_store.db 'duration>2s model:llama'      filter traces (see `quipu help traces`)
  quipu trace trace_store.db TRACE_ID             show a trace as a tree with bars
  quipu search trace_store.db 'connection reset'  find spans by text, newest first
  quipu logs trace_store.db --severity warn       list warnings and errors, latest first
  quipu export trace_store.db --session ID        write a session's inputs and outputs as JSON lines
  quipu import traces.jsonl logs.jsonl --db run.db           convert files of other formats
  quipu collect --db telemetry.db                 receive OTLP on ports 4317 and 4318 of 127.0.0.1
  quipu push trace_store.db --endpoint http://localhost:4318 send to a collector or Jaeger
  quipu query trace_store.db query_traces '{\"limit\": 3, \"order_by\": [\"-start_time\"]}'
  quipu promql trace_store.db 'sum by (model_id) (llama_stack_tokens_total)'
  quipu sql trace_store.db 'SELECT * FROM requests ORDER BY duration_ms DESC LIMIT 5'
  quipu serve trace_store.db                      serve the page and HTTP APIs for a growing file

FILE can also be OTLP (protobuf, JSON or JSON lines), or JSON of Jaeger, Zipkin, Langfuse,
Phoenix, Chrome or a console exporter, compressed or in an archive. Such files are imported into
memory first.

Exit codes:
  0  success, also if the reader of the output closes the pipe early
  1  an error, or nothing found; the reason is on standard error
  2  invalid command line

FILE is only read, except by `pin` and `serve --accept-events`. `collect` and `up` write to --db.
A server may write to a file while it is being read. Output is coloured on a terminal unless
NO_COLOR is set.";

/// Receive, inspect, search, convert and serve telemetry of Llama Stack, OGX and OpenTelemetry.
#[derive(Parser)]
#[command(name = "quipu", version, after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print JSON instead of tables and trees
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Summarise a file: releases that may have written it, counts, time range, warnings
    Info {
        /// The telemetry file
        file: PathBuf,
    },
    /// List traces, newest first
    Traces(Traces),
    /// Show one trace as a tree with bars, failures and tokens
    Trace {
        /// The telemetry file
        file: PathBuf,
        /// Trace id (32 hex digits), or a unique prefix of it
        trace_id: String,
    },
    /// Show one span: times, failures, attributes, events
    Span {
        /// The telemetry file
        file: PathBuf,
        /// Span id (16 hex digits)
        span_id: String,
        /// Print long values in full
        #[arg(long)]
        full: bool,
    },
    /// Find text in span names, attributes, errors and log messages, newest spans first
    Search(Search),
    /// List log records and the events of spans, latest first
    Logs(Logs),
    /// Write spans or traces in another format: JSON lines, CSV, OTLP, Markdown, a link, …
    Export(Export),
    /// Convert files of OTLP, Jaeger, Zipkin, Langfuse and others into one telemetry file
    Import(Import),
    /// Receive OTLP over gRPC and HTTP and write it to a telemetry file
    Collect(Collect),
    /// Protect traces from removal by a collector with --max-size or --max-age
    Pin(Pin),
    /// Receive telemetry and show it: `collect` and `serve` in one, for this machine
    Up(Up),
    /// Make a certificate for receiving over TLS
    Tls(Tls),
    /// Send a file to an OpenTelemetry collector, Jaeger or any other OTLP/HTTP receiver
    Push(Push),
    /// Call a method of Llama Stack's telemetry API and print the JSON it returns
    Query(Query),
    /// Evaluate a PromQL query over tokens, requests, failures and durations
    Promql(Promql),
    /// Run a read-only SQL query
    Sql(Sql),
    /// Serve a growing file: the page, Llama Stack's routes, Prometheus's query API
    Serve(Serve),
    /// Print a shell completion script
    #[command(after_help = "Example:\n  quipu completions bash > ~/.local/share/bash-completion/completions/quipu")]
    Completions {
        /// The shell to generate the script for
        shell: clap_complete::Shell,
    },
}

const FILTER_SIGNS: &str = "\
Conditions:
  name:chat    name=inference    name contains chat; name is exactly inference. * matches any text: name:chat*
  duration:1s..5s duration>2m    > >= < <= and ranges. Duration units: ns us ms s m h d; seconds if omitted
  key=value key:part key!=value key>5 key=* \"a key\":x attr.KEY=x        an attribute, as recorded
  root.error:true                the condition holds for the root span
  {kind:tool error:true}         all conditions hold for the same span
  chat                           name contains it, an attribute has this key, or an id starts with it
  \"free text\"                    a name, an attribute or an event contains it, ignoring case
Put a filter that starts with - after --, or use NOT instead. docs/filter.md has the full reference.

Examples:
  quipu traces trace_store.db --slowest --limit 5
  quipu traces trace_store.db --failed --json
  quipu traces trace_store.db 'error:true model:llama'
  quipu traces trace_store.db '{kind:inference duration>2s} -session:7a4e'
  quipu traces trace_store.db '\"connection refused\" OR root.duration>1m'";

/// The filter section of `quipu traces --help`. Fields come from the parser's own table.
fn filter_help() -> String {
    let mut help = "\
A trace matches if each term matches one of its spans, not necessarily the same one. Combine terms with OR, NOT (or a leading -) and \
parentheses.

Fields:
"
    .to_owned();
    for info in quipu::filter::fields() {
        help += &format!("  {:<23} {}\n", info.example, info.meaning);
    }
    help + &format!("Span kinds: {}.\n\n", quipu::model::SpanKind::ALL.map(|kind| kind.label()).join(", ")) + FILTER_SIGNS
}

#[derive(Args)]
#[command(after_help = filter_help())]
pub(crate) struct Traces {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Only list traces that match. Several words form one filter; quote it to protect it from the shell
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// Only list traces with a failed span
    #[arg(long)]
    pub(crate) failed: bool,
    /// Sort by duration, longest first
    #[arg(long)]
    pub(crate) slowest: bool,
    /// Maximum number of traces
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub(crate) limit: u32,
    /// Number of traces to skip
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) offset: u32,
}

const SEARCH_HELP: &str = "\
Case is ignored in all scripts. Escapes are decoded: café also finds text recorded as caf\\u00e9. \
Times are in UTC. Only the first match in each span is printed. --json prints one object per line.

Examples:
  quipu search trace_store.db 'connection reset'
  quipu search trace_store.db boston --trace 0af7651916cd --json";

#[derive(Args)]
#[command(after_help = SEARCH_HELP)]
pub(crate) struct Search {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// The text to find
    pub(crate) text: String,
    /// Only search traces that match this filter
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Only search this trace (an id or a unique prefix of it)
    #[arg(long, value_name = "TRACE_ID")]
    pub(crate) trace: Option<String>,
    /// Maximum number of spans (default: all)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) limit: Option<u32>,
}

const LOGS_HELP: &str = "\
Log records without a span, such as those sent by Claude Code, are listed together with the log records of spans and the events of \
spans; metric events are not. Words and \"quoted text\" are searched for in the name, the message, the attributes and the ids. name, start, \
service, scope, trace, span and attributes are those of the record; model, tool, session, turn and agent are those of the record or of its \
trace; all other fields are those of its trace.

Examples:
  quipu logs telemetry.db --severity warn
  quipu logs telemetry.db 'service:claude session.id=sess-1' --oldest
  quipu logs telemetry.db 'timeout start>2026-03-01T10:00' --json
  quipu logs telemetry.db 'name:tool_result -success=true'";

#[derive(Args)]
#[command(after_help = LOGS_HELP)]
pub(crate) struct Logs {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Only list records that match. Several words form one filter; quote it to protect it from the shell
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// Only list records of this severity or above
    #[arg(long, value_name = "SEVERITY", value_parser = severities())]
    pub(crate) severity: Option<String>,
    /// List the first record first
    #[arg(long)]
    pub(crate) oldest: bool,
    /// Maximum number of records
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    pub(crate) limit: u32,
    /// Number of records to skip
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) offset: u32,
}

fn severities() -> PossibleValuesParser {
    PossibleValuesParser::new(quipu::model::LogSeverity::ALL.map(|severity| severity.label()))
}

const QUERY_HELP: &str = "\
Methods and their parameters (? marks optional ones):
  query_traces           attribute_filters?, limit? = 100, offset? = 0, order_by?
  get_trace              trace_id
  get_span               trace_id, span_id
  get_span_tree          span_id, attributes_to_return?, max_depth?
  query_spans            attribute_filters, attributes_to_return, max_depth?
  save_spans_to_dataset  attribute_filters, attributes_to_save, dataset_id, max_depth?
  query_metrics          metric_name, start_time, end_time?, granularity?, query_type?, label_matchers?
  list_span_events       span_id or trace_id, limit? = 1000, offset? = 0

A filter is {\"key\": …, \"op\": \"eq\" | \"ne\" | \"gt\" | \"lt\", \"value\": …}. All filters must match the same span.
order_by takes trace_id, service_name, root_span_id, start_time, end_time and created_at; a leading - sorts in descending order.

Examples:
  quipu query trace_store.db query_traces '{\"attribute_filters\": [{\"key\": \"session_id\", \"op\": \"eq\", \"value\": \"…\"}]}'
  quipu query trace_store.db get_span_tree '{\"span_id\": \"77d3615b3d4bfbc0\", \"attributes_to_return\": [\"input\", \"output\"]}'
  quipu query trace_store.db query_metrics '{\"metric_name\": \"total_tokens\", \"start_time\": 0, \"granularity\": \"1h\"}'
  echo '{\"limit\": 1}' | quipu query trace_store.db query_traces -";

#[derive(Args)]
#[command(after_help = QUERY_HELP)]
pub(crate) struct Query {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// The method to call
    pub(crate) method: String,
    /// Parameters as a JSON object; - reads them from standard input
    #[arg(default_value = "{}", value_name = "PARAMS-JSON", allow_hyphen_values = true)]
    pub(crate) params: String,
}

const PROMQL_HELP: &str = "\
Metrics:
  llama_stack_tokens_total, llama_stack_prompt_tokens_total, llama_stack_completion_tokens_total   {model_id, provider_id, source}
  quipu_requests_total {span_name, status}    quipu_inference_requests_total {model_id, status, tokens}
  quipu_errors_total {span_name}              quipu_span_duration_seconds_bucket, _sum, _count {span_name, status, le}
  and each metric.NAME event as NAME

Series are sampled as if the server had been scraped every 15 seconds. The default time is the end of the file. Times are RFC 3339 or \
Unix seconds; durations look like 30s, 5m or 1h30m, or are seconds. See docs/metrics.md.

Examples:
  quipu promql trace_store.db 'sum by (model_id) (llama_stack_tokens_total)'
  quipu promql trace_store.db 'rate(llama_stack_tokens_total[5m])' --step 1m
  quipu promql trace_store.db 'increase(llama_stack_tokens_total[1h])' --exact
  quipu promql trace_store.db 'histogram_quantile(0.95, sum by (le) (quipu_span_duration_seconds_bucket))'
  quipu promql --openmetrics series.txt 'rate(requests_total[5m])' --time 1700000000 --json";

#[derive(Args)]
#[command(after_help = PROMQL_HELP)]
pub(crate) struct Promql {
    /// The telemetry file and the query; only the query with --openmetrics
    #[arg(required = true, num_args = 1..=2, value_names = ["FILE", "QUERY"])]
    pub(crate) words: Vec<String>,
    /// Read series from this OpenMetrics file (with timestamps) instead of a telemetry file
    #[arg(long, value_name = "SERIES.txt")]
    pub(crate) openmetrics: Option<PathBuf>,
    /// Evaluate the query at this time (default: the end of the file)
    #[arg(long, value_name = "TIME", conflicts_with_all = ["start", "end", "step"], allow_hyphen_values = true)]
    pub(crate) time: Option<String>,
    /// Start of a range query
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,
    /// End of a range query
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) end: Option<String>,
    /// Step of a range query
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<String>,
    /// Print exemplars of the series that the query selects: single measurements with their trace and span, at most 1,000, latest first.
    /// Limited to --start and --end, or up to --time
    #[arg(long, conflicts_with_all = ["openmetrics", "step", "exact"])]
    pub(crate) exemplars: bool,
    /// Compute increase() and rate() exactly, without Prometheus's extrapolation
    #[arg(long)]
    pub(crate) exact: bool,
    /// Treat PROVIDER/MODEL and MODEL of that provider as one model
    #[arg(long)]
    pub(crate) merge_labels: bool,
    /// Simulated scrape interval
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub(crate) scrape: String,
}

const SQL_HELP: &str = "\
Tables: traces, spans, span_events. Temporary views (never written to the file):
  spans_with_duration   spans with duration_ms, error and failed
  requests              requests to servers: route, start_time, duration_ms, status, failed
  errors                failed spans and reports of failed requests: name, time, message, source
  token_usage           token counts: metric, value, model_id, provider_id, timestamp
  model_calls           all recorded model calls: model_id, total_tokens, time_to_first_token_ms

Examples:
  quipu sql trace_store.db 'SELECT name, count(*), avg(duration_ms) FROM spans_with_duration GROUP BY name ORDER BY 2 DESC'
  quipu sql trace_store.db 'SELECT model_id, metric, sum(value) FROM token_usage GROUP BY model_id, metric' --json
  quipu sql trace_store.db 'SELECT * FROM errors' --limit 20";

#[derive(Args)]
#[command(after_help = SQL_HELP)]
pub(crate) struct Sql {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// A single SELECT, WITH or EXPLAIN statement; - reads it from standard input
    pub(crate) query: String,
    /// Maximum number of rows
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER")]
    pub(crate) limit: u32,
    /// Cancel the query after this many seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) timeout: u32,
}

const SERVE_HELP: &str = "\
Endpoints:
  http://127.0.0.1:4242/       the page, with the file open; it follows the file as it grows
  /v1/telemetry/...            Llama Stack's telemetry routes, for llama-stack-client and similar clients
  /api/v1/...                  Prometheus's query API; in Grafana, add http://127.0.0.1:4242 as a Prometheus data source

By default only requests from this machine are answered. docs/serving.md covers Grafana, remote access and the routes.

Examples:
  quipu serve ~/.llama/distributions/ollama/trace_store.db
  quipu serve new.db --accept-events              accept client.telemetry.log_event(...)
  QUIPU_TOKEN=$(openssl rand -hex 32) quipu serve trace_store.db --listen 0.0.0.0:4242 --allow-remote";

#[derive(Args)]
#[command(after_help = SERVE_HELP)]
pub(crate) struct Serve {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4242")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) admission: Admission,
    /// Accept POST /v1/telemetry/events and write the events to the file, creating it if necessary
    #[arg(long)]
    pub(crate) accept_events: bool,
    /// Simulated scrape interval, for Prometheus's API
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub(crate) scrape: String,
    /// Treat PROVIDER/MODEL and MODEL of that provider as one model, for Prometheus's API
    #[arg(long)]
    pub(crate) merge_labels: bool,
}

const UP_HELP: &str = "\
Receives OTLP over gRPC and HTTP on http://127.0.0.1:4318 and http://127.0.0.1:4317, writes it to a file, and serves the page, which shows \
new data as it arrives. Exporters work with their default endpoint. `quipu collect` and `quipu serve` do one part each and have more options.

Examples:
  quipu up                                        telemetry.db in your data folder
  quipu up --db run.db --no-open
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 opentelemetry-instrument python app.py";

#[derive(Args)]
#[command(after_help = UP_HELP)]
pub(crate) struct Up {
    /// The telemetry file to create or append to, instead of telemetry.db in your data folder
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// Address and port to receive on, instead of 127.0.0.1:4318 and 127.0.0.1:4317; port 0 picks a free one. Can be repeated
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Vec<String>,
    #[command(flatten)]
    pub(crate) tls: TlsFiles,
    /// Address and port of the page, which is served without TLS
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4242")]
    pub(crate) page: String,
    /// Let web pages of this origin send, such as http://localhost:3000. Can be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    #[command(flatten)]
    pub(crate) retention: Retention,
    /// Do not open the page in the browser
    #[arg(long)]
    pub(crate) no_open: bool,
}

const EXPORT_HELP: &str = "\
By default, the command exports all spans. JSON lines contain everything recorded about a span; CSV contains its row without events.

Spans: --filter, --session and --attribute export the spans of each trace in which one span matches all filters. Spans that lack one of the \
requested attributes are skipped. Columns: trace_id, span_id, parent_span_id, name, start_time, end_time, then one per attribute.

Whole traces: --trace, and formats other than JSON lines and CSV, export complete spans with their events. docs/formats.md lists what each \
format cannot represent. --db writes a new telemetry file that contains only the chosen traces. --html writes the traces and the page to \
one file that opens in any browser, offline. --markdown writes a trace for an issue or a language model. --link prints a link that contains \
the trace, so that whoever opens it needs no file. All commands accept such a link, or a file containing one, in place of FILE.

Redaction: --html, --markdown and --link remove keys and passwords. Other formats are complete, and a warning says how many values look \
like keys. --redact selects what to remove from any format: prompts, outputs, tools, logs, errors, ids, services, paths, emails, secrets, \
names, others (comma-separated), structure for all of them, or none. Traces are redacted one by one; the same id gets the same pseudonym in \
all of them.

CSV: a cell that a spreadsheet would run as a formula (it begins with =, +, -, @, a tab or a carriage return, and is not a number) gets a \
leading apostrophe. --raw writes cells as they are, for programs.

Examples:
  quipu export trace_store.db --session 7a4e0c32-2bdc-46ab-aabb-dbbc225ce760 > turns.jsonl
  quipu export trace_store.db --filter __class__=InferenceRouter --attribute __method__ --attribute output --format csv
  quipu export trace_store.db --filter 'chunk_count>0' --output streams.jsonl
  quipu export trace_store.db --trace 0af7651916cd --db one.db
  quipu export trace_store.db --trace 0af7651916cd --html one.html
  quipu export trace_store.db --trace 0af7651916cd --markdown --tokens 4000
  quipu export trace_store.db --trace 0af7651916cd --link --redact structure --base https://quipu.example/
  quipu trace 'https://quipu.example/#v2/trace/…&data=…' 0
  quipu export trace_store.db --trace 0af7651916cd --format chrome --output one.json
  quipu export trace_store.db --format otlp-json --output traces.jsonl
  quipu export trace_store.db --format otlp-json --redact secrets --output traces.jsonl";

#[derive(Args)]
#[command(after_help = EXPORT_HELP)]
pub(crate) struct Export {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Only export traces of this agent session; without --attribute, exports input and output
    #[arg(long, value_name = "SESSION_ID")]
    pub(crate) session: Option<String>,
    /// KEY=VALUE, KEY!=VALUE, KEY>VALUE or KEY<VALUE. A value is a number, true, false or a string (in double quotes if ambiguous)
    #[arg(long = "filter", value_name = "CONDITION")]
    pub(crate) filters: Vec<String>,
    /// Attribute to export; can be repeated (default: all)
    #[arg(long = "attribute", value_name = "KEY")]
    pub(crate) attributes: Vec<String>,
    /// Maximum depth below each root; 1 is only the root
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_depth: Option<i64>,
    /// Export this trace in full (an id or a unique prefix of it); can be repeated
    #[arg(long = "trace", value_name = "TRACE_ID", conflicts_with_all = ["session", "filters", "attributes", "max_depth"])]
    pub(crate) traces: Vec<String>,
    /// Write all traces, or those given with --trace, to a new telemetry file
    #[arg(long, group = "form", value_name = "FILE", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format", "output"])]
    pub(crate) db: Option<PathBuf>,
    /// Write all traces, or those given with --trace, and the page to a new HTML file
    #[arg(long, group = "form", value_name = "FILE", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format", "output"])]
    pub(crate) html: Option<PathBuf>,
    /// Write the trace given with --trace as Markdown
    #[arg(long, group = "form", requires = "traces", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format"])]
    pub(crate) markdown: bool,
    /// Approximate size limit of the Markdown, in tokens of four bytes
    #[arg(long, default_value_t = 16_000, value_name = "NUMBER", requires = "markdown")]
    pub(crate) tokens: u32,
    /// Write a link that contains the traces given with --trace
    #[arg(long, group = "form", requires = "traces", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format"])]
    pub(crate) link: bool,
    /// URL of the Quipu page that the link opens; without it, the link starts with #
    #[arg(long, value_name = "URL", requires = "link")]
    pub(crate) base: Option<String>,
    /// Omit large values until the link has at most this many characters; omissions are reported
    #[arg(long, value_name = "CHARACTERS", requires = "link")]
    pub(crate) limit: Option<usize>,
    /// What to remove: kinds separated by commas, structure, or none (default: keys and passwords for --html, --link and --markdown;
    /// nothing otherwise)
    #[arg(long, value_name = "KINDS")]
    pub(crate) redact: Option<String>,
    /// Write cells of CSV as they are, even if a spreadsheet would run them as formulas
    #[arg(long, conflicts_with = "form")]
    pub(crate) raw: bool,
    /// Shift times to start at 1970-01-01T00:00:00
    #[arg(long, requires = "form")]
    pub(crate) relative_times: bool,
    /// Output format
    #[arg(long, value_parser = formats(), default_value = FileFormat::JsonLines.word())]
    pub(crate) format: FileFormat,
    /// Write to a new file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

const IMPORT_HELP: &str = "\
Reads OTLP (protobuf, JSON and JSON lines, as sent by exporters or written by the collector's file exporter), and JSON of Jaeger, Zipkin, \
Langfuse, Phoenix, Chrome (trace events) and the console exporters of Python and JavaScript; compressed by gzip or zstd, or in zip and tar \
archives. The format is detected from the content, not from the name. Log records become events of their spans. Entries that can't be read \
are skipped and reported with their line or message. An empty input is an error. Other commands can open such files \
directly, in memory.

Examples:
  quipu import traces.jsonl logs.jsonl metrics.jsonl --db run.db
  quipu import jaeger-trace.json --db trace.db
  quipu traces traces.jsonl.gz";

#[derive(Args)]
#[command(after_help = IMPORT_HELP)]
pub(crate) struct Import {
    /// The files to import
    #[arg(required = true, value_name = "IN")]
    pub(crate) files: Vec<PathBuf>,
    /// The telemetry file to write; must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,
    /// The tables to write
    #[arg(long, value_name = "LAYOUT", default_value = "quipu")]
    pub(crate) layout: FileLayout,
}

const PIN_HELP: &str = "\
A collector that was started with --max-size or --max-age removes the oldest traces; pinned ones stay. The file may be in use.

Examples:
  quipu pin telemetry.db 0af7651916cd43dd8448eb211c80319c
  quipu pin telemetry.db 0af7651916cd43dd8448eb211c80319c --undo";

#[derive(Args)]
#[command(after_help = PIN_HELP)]
pub(crate) struct Pin {
    /// The telemetry file, which a collector may be writing
    pub(crate) file: PathBuf,
    /// Trace ids (32 hex digits)
    #[arg(required = true, value_name = "TRACE_ID")]
    pub(crate) traces: Vec<String>,
    /// Unpin the traces, so that they can be removed again
    #[arg(long)]
    pub(crate) undo: bool,
}

/// The command `quipu tls`.
#[derive(Args)]
pub(crate) struct Tls {
    #[command(subcommand)]
    pub(crate) action: TlsAction,
}

#[derive(Subcommand)]
pub(crate) enum TlsAction {
    /// Write a private key and a certificate that signs itself
    Init(TlsInit),
}

const TLS_INIT_HELP: &str = "\
Writes quipu-cert.pem and quipu-key.pem, for `quipu collect` and `quipu up`. The certificate is valid for localhost, 127.0.0.1 and ::1, for
the names given with --name, and for two years. No authority has signed it, so senders have to be told to trust it; the command prints how.
The key can only be read by you. A sender can also use such a pair to show who it is (--tls-client-ca).

Examples:
  quipu tls init
  quipu tls init ~/quipu-tls --name collector.example.org --name 192.168.0.7
  quipu collect --db telemetry.db --tls-cert quipu-cert.pem --tls-key quipu-key.pem";

#[derive(Args)]
#[command(after_help = TLS_INIT_HELP)]
pub(crate) struct TlsInit {
    /// The folder to write to; it is created if needed
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// A further name or IP address of the machine; can be repeated
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

const PUSH_HELP: &str = "\
Spans are sent in file order with their events, ids and times. By default nothing is redacted: prompts, outputs and any keys in them are \
sent, and a warning says how many values look like keys. --redact removes kinds of values from each request, as in `quipu export`. A push \
that removes ids can't be resumed, because pseudonyms are numbered anew.

If the collector is busy or unreachable, requests are retried with increasing delays. To continue an interrupted push, run the same command \
again: progress is stored in quipu/push below XDG_STATE_HOME (~/.local/state) until everything is sent. With --resume it is stored in the \
given file and kept, so that later runs send only what is new; metrics and logs use STATE.metrics and STATE.logs. After an interruption, \
the last request may be sent twice; collectors recognise duplicate spans by their ids.

Metrics are imported or collected points, and the metric.… events of the file as cumulative counters with one point per event. Logs are \
log records without a span. Jaeger and Phoenix accept neither.

OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT, _COMPRESSION, _CERTIFICATE and their per-signal variants are respected. The exit code is \
also 1 if the collector rejected entries or if some could not be sent.

Examples:
  quipu push trace_store.db --endpoint http://localhost:4318
  quipu push trace_store.db --endpoint http://localhost:6006        Arize Phoenix
  quipu push trace_store.db --endpoint https://otlp.example --header 'authorization=Bearer …' --gzip
  quipu push trace_store.db --endpoint http://localhost:4318 --signal traces,metrics,logs --resume pushed.json";

#[derive(Args)]
#[command(after_help = PUSH_HELP)]
pub(crate) struct Push {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Base URL of the collector, without /v1/traces (default: OTEL_EXPORTER_OTLP_ENDPOINT, or http://localhost:4318)
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Header to send with each request; can be repeated
    #[arg(long = "header", value_name = "NAME=VALUE")]
    pub(crate) headers: Vec<String>,
    /// Signals to send, separated by commas
    #[arg(long = "signal", value_enum, value_delimiter = ',', default_value = "traces", value_name = "SIGNALS")]
    pub(crate) signals: Vec<PushSignal>,
    /// Only send this trace (an id or a unique prefix of it); can be repeated
    #[arg(long = "trace", value_name = "TRACE_ID")]
    pub(crate) traces: Vec<String>,
    /// What to remove: kinds separated by commas, structure, or none (default: nothing); see `quipu help export`
    #[arg(long, value_name = "KINDS")]
    pub(crate) redact: Option<String>,
    /// Compress requests with gzip
    #[arg(long)]
    pub(crate) gzip: bool,
    /// Maximum number of spans, points or records per request; fewer if they are large
    #[arg(long, default_value_t = 512, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: u32,
    /// Store progress in this file and continue from it
    #[arg(long, value_name = "STATE")]
    pub(crate) resume: Option<PathBuf>,
    /// Ignore stored progress and send everything again
    #[arg(long)]
    pub(crate) restart: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PushSignal {
    /// Spans with their events
    Traces,
    /// Metric events as counters, and imported points
    Metrics,
    /// Log records without a span (the others are sent as span events)
    Logs,
}

/// Parses the name of a format. Formats that support selected attributes are listed first.
fn formats() -> impl TypedValueParser<Value = FileFormat> {
    let (rows, others): (Vec<FileFormat>, Vec<FileFormat>) =
        FileFormat::of(Contents::Traces).partition(|format| format.holds(Contents::Spans));
    let value = |format: FileFormat| PossibleValue::new(format.word()).help(format.about());
    PossibleValuesParser::new(rows.into_iter().chain(others).map(value))
        .try_map(|word| FileFormat::from_word(&word).ok_or("unknown format"))
}
