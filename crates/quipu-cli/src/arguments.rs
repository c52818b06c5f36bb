//! The command line: what can be asked, and the help that teaches it.

use crate::collect::Collect;
use crate::http::Admission;
use crate::output::Color;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use quipu::protocol::{Contents, FileFormat};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  quipu info trace_store.db                       what the file is and holds
  quipu traces trace_store.db --failed            the newest traces that hold a failure
  quipu traces trace_store.db 'duration>2s model:llama'   the newest traces that match; `quipu help traces` has the language
  quipu trace trace_store.db TRACE_ID             one trace as a tree with bars
  quipu search trace_store.db 'connection reset'  the spans that hold a text, newest first
  quipu export trace_store.db --session ID        a session's inputs and outputs, as JSON lines
  quipu import traces.jsonl logs.jsonl --db run.db        OTLP or Jaeger files as a telemetry file
  quipu collect --db telemetry.db                 receive OTLP on 127.0.0.1:4318 and write it into a telemetry file
  quipu push trace_store.db --endpoint http://localhost:4318      to a collector, or to Jaeger
  quipu query trace_store.db query_traces '{\"limit\": 3, \"order_by\": [\"-start_time\"]}'
  quipu promql trace_store.db 'sum by (model_id) (llama_stack_tokens_total)'
  quipu sql trace_store.db 'SELECT * FROM requests ORDER BY duration_ms DESC LIMIT 5'
  quipu serve trace_store.db                      the page and HTTP APIs, while the file grows

A FILE may also be OTLP (protobuf, JSON, JSON lines) or Jaeger's JSON, gzip or not: it is imported into memory first.

Exit codes:
  0  answered; also when whoever reads the output closes it early
  1  no answer, or nothing was found: one sentence on standard error says so
  2  the command line is wrong

A file is only read, never changed, but by `collect` and `serve --accept-events`; a server may go on writing it. Colours appear on a terminal only, and not where NO_COLOR is set.";

/// Reads the telemetry file of a Llama Stack server (telemetry.db, trace_store.db).
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
    /// Say what a file is: releases that could have written it, counts, time range, warnings
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
        /// 32 hex digits, as `quipu traces` prints them; the first few are enough where only one trace begins so
        trace_id: String,
    },
    /// Show one span: times, failures, attributes, events
    Span {
        /// The telemetry file
        file: PathBuf,
        /// 16 hex digits, as `quipu trace` prints them
        span_id: String,
        /// Print long values whole
        #[arg(long)]
        full: bool,
    },
    /// Search for a text in names, inputs, outputs, attributes, errors and log messages, newest spans first
    Search(Search),
    /// Write spans as JSON lines or CSV, or traces as OTLP, Jaeger's JSON, Chrome's trace events, Markdown, a link, a telemetry file
    Export(Export),
    /// Make a telemetry file of OTLP and Jaeger files: traces, logs and metrics of one run become one
    Import(Import),
    /// Receive OTLP over HTTP and write it into a telemetry file, while others read it
    Collect(Collect),
    /// Send a file to an OpenTelemetry collector, Jaeger, or whatever else takes OTLP over HTTP
    Push(Push),
    /// Call a method of Llama Stack's telemetry API, and print its JSON
    Query(Query),
    /// Ask for metrics in PromQL: tokens, requests, failures, durations
    Promql(Promql),
    /// Ask anything in SQL, read-only
    Sql(Sql),
    /// Serve a growing file: the page, Llama Stack's routes, Prometheus's API
    Serve(Serve),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  quipu completions bash > ~/.local/share/bash-completion/completions/quipu")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

const FILTER_SIGNS: &str = "\
How conditions are written:
  name:chat    name=inference    a name contains chat; is exactly inference.  * stands for any text: name:chat*
  duration:1s..5s duration>2m    numbers: > >= < <= and ranges. Durations take ns us ms s m h d; a number alone is seconds
  key=value key:part key!=value key>5 key=* \"a key\":x attr.KEY=x        an attribute as recorded
  root.error:true                the root span is so
  {kind:tool error:true}         one span is all of this
  chat                           a name contains it, or it is an attribute's key or the beginning of an id
  \"free text\"                    a name, an attribute or an event contains it; letter case does not count
A filter that begins with - comes after --, or is written with NOT. docs/filter.md describes the whole language.

Examples:
  quipu traces trace_store.db --slowest --limit 5
  quipu traces trace_store.db --failed --json
  quipu traces trace_store.db 'error:true model:llama'
  quipu traces trace_store.db '{kind:inference duration>2s} -session:7a4e'
  quipu traces trace_store.db '\"connection refused\" OR root.duration>1m'";

/// What `quipu traces --help` says of the filter language; the fields are those of the language's own table.
fn filter_help() -> String {
    let mut help = "\
A filter's terms must all hold; any span of a trace may match each of them. OR, NOT or - in front, and parentheses combine them.

Fields:
"
    .to_owned();
    for info in quipu::filter::fields() {
        help += &format!("  {:<23} {}\n", info.example, info.meaning);
    }
    help + &format!("Kinds are {}.\n\n", quipu::model::SpanKind::ALL.map(|kind| kind.label()).join(", ")) + FILTER_SIGNS
}

#[derive(Args)]
#[command(after_help = filter_help())]
pub(crate) struct Traces {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Only traces that match; several words are one filter. Put it in single quotes, so that the shell leaves it as it is
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// Only traces that hold a failed span
    #[arg(long)]
    pub(crate) failed: bool,
    /// By duration, longest first
    #[arg(long)]
    pub(crate) slowest: bool,
    /// How many at most
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    pub(crate) limit: u32,
    /// How many to skip
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) offset: u32,
}

const SEARCH_HELP: &str = "\
Letter case does not count, in any script. Escapes are seen through: what is recorded as caf\\u00e9 is found as café.
Times are UTC. Printed is the first place in each span; with --json one object a line.

Examples:
  quipu search trace_store.db 'connection reset'
  quipu search trace_store.db boston --trace 0af7651916cd --json";

#[derive(Args)]
#[command(after_help = SEARCH_HELP)]
pub(crate) struct Search {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// What to search for
    pub(crate) text: String,
    /// Only in traces this filter matches
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Only in this trace; the first few digits are enough where only one trace begins so
    #[arg(long, value_name = "TRACE_ID")]
    pub(crate) trace: Option<String>,
    /// How many spans at most; all where it is left out
    #[arg(long, value_name = "NUMBER")]
    pub(crate) limit: Option<u32>,
}

const QUERY_HELP: &str = "\
Methods and their parameters (? may be left out):
  query_traces           attribute_filters?, limit? = 100, offset? = 0, order_by?
  get_trace              trace_id
  get_span               trace_id, span_id
  get_span_tree          span_id, attributes_to_return?, max_depth?
  query_spans            attribute_filters, attributes_to_return, max_depth?
  save_spans_to_dataset  attribute_filters, attributes_to_save, dataset_id, max_depth?
  query_metrics          metric_name, start_time, end_time?, granularity?, query_type?, label_matchers?
  list_span_events       span_id or trace_id, limit? = 1000, offset? = 0

A filter is {\"key\": …, \"op\": \"eq\" | \"ne\" | \"gt\" | \"lt\", \"value\": …}; all filters must hold on one span.
Columns of order_by: trace_id, service_name, root_span_id, start_time, end_time, created_at; - in front is descending.

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
    /// The method
    pub(crate) method: String,
    /// Its parameters as a JSON object; - reads them from standard input
    #[arg(default_value = "{}", value_name = "PARAMS-JSON", allow_hyphen_values = true)]
    pub(crate) params: String,
}

const PROMQL_HELP: &str = "\
Metrics:
  llama_stack_tokens_total, llama_stack_prompt_tokens_total, llama_stack_completion_tokens_total   {model_id, provider_id, source}
  quipu_requests_total {span_name, status}    quipu_inference_requests_total {model_id, status, tokens}
  quipu_errors_total {span_name}              quipu_span_duration_seconds_bucket, _sum, _count {span_name, status, le}
  and every metric.NAME event under NAME

The file is read as if the server had been scraped every 15 seconds. Without a time, queries look at the end of the file. Times are in
RFC 3339 or in seconds since 1970; durations are such as 30s, 5m, 1h30m, or seconds. docs/metrics.md tells all of it.

Examples:
  quipu promql trace_store.db 'sum by (model_id) (llama_stack_tokens_total)'
  quipu promql trace_store.db 'rate(llama_stack_tokens_total[5m])' --step 1m
  quipu promql trace_store.db 'increase(llama_stack_tokens_total[1h])' --exact
  quipu promql trace_store.db 'histogram_quantile(0.95, sum by (le) (quipu_span_duration_seconds_bucket))'
  quipu promql --openmetrics series.txt 'rate(requests_total[5m])' --time 1700000000 --json";

#[derive(Args)]
#[command(after_help = PROMQL_HELP)]
pub(crate) struct Promql {
    /// The telemetry file and the query; with --openmetrics the query alone
    #[arg(required = true, num_args = 1..=2, value_names = ["FILE", "QUERY"])]
    pub(crate) words: Vec<String>,
    /// Read series from this OpenMetrics text with timestamps, as they are
    #[arg(long, value_name = "SERIES.txt")]
    pub(crate) openmetrics: Option<PathBuf>,
    /// When to look; the end of the file where it is left out
    #[arg(long, value_name = "TIME", conflicts_with_all = ["start", "end", "step"], allow_hyphen_values = true)]
    pub(crate) time: Option<String>,
    /// The first step of a query over time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start: Option<String>,
    /// The last step
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) end: Option<String>,
    /// Time between steps
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<String>,
    /// Increases and rates as plain sums over the window, without Prometheus's extrapolation
    #[arg(long)]
    pub(crate) exact: bool,
    /// Take PROVIDER/MODEL and MODEL of that provider for one model
    #[arg(long)]
    pub(crate) merge_labels: bool,
    /// Time between two scrapes
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub(crate) scrape: String,
}

const SQL_HELP: &str = "\
Tables as the server wrote them: traces, spans, span_events. Views for this session, nothing of which is written to the file:
  spans_with_duration   spans, with duration_ms and error
  requests              the server's requests: route, start_time, duration_ms, spans, errors
  errors                error attributes and logged errors
  token_usage           recorded metric events: metric, value, model_id, provider_id, timestamp

Examples:
  quipu sql trace_store.db 'SELECT name, count(*), avg(duration_ms) FROM spans_with_duration GROUP BY name ORDER BY 2 DESC'
  quipu sql trace_store.db 'SELECT model_id, sum(value) FROM token_usage WHERE metric = \"total_tokens\" GROUP BY model_id' --json
  quipu sql trace_store.db 'SELECT * FROM errors' --limit 20";

#[derive(Args)]
#[command(after_help = SQL_HELP)]
pub(crate) struct Sql {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// One SELECT, WITH or EXPLAIN; - reads it from standard input
    pub(crate) query: String,
    /// How many rows at most
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER")]
    pub(crate) limit: u32,
    /// Stop after so many seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) timeout: u32,
}

const SERVE_HELP: &str = "\
  http://127.0.0.1:4242/       the page, with the file open; what is written to the file appears by itself
  /v1/telemetry/...            Llama Stack's telemetry routes, for llama-stack-client and its like
  /api/v1/...                  Prometheus's query API: give http://127.0.0.1:4242 to Grafana as a Prometheus data source

Only this machine is answered. docs/serving.md tells of Grafana, of other machines, and of what the routes answer.

Examples:
  quipu serve ~/.llama/distributions/ollama/trace_store.db
  quipu serve new.db --accept-events              programs log into it: client.telemetry.log_event(...)
  QUIPU_TOKEN=$(openssl rand -hex 32) quipu serve trace_store.db --listen 0.0.0.0:4242 --allow-remote";

#[derive(Args)]
#[command(after_help = SERVE_HELP)]
pub(crate) struct Serve {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Where to listen: an address of this machine, and a port; 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4242")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) admission: Admission,
    /// Write what POST /v1/telemetry/events brings to the file, which is made where there is none
    #[arg(long)]
    pub(crate) accept_events: bool,
    /// Time between two scrapes, for Prometheus's API
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub(crate) scrape: String,
    /// Take PROVIDER/MODEL and MODEL of that provider for one model, for Prometheus's API
    #[arg(long)]
    pub(crate) merge_labels: bool,
}

const EXPORT_HELP: &str = "\
Exported are the spans of every trace in which one span meets all filters, as far as they have all the attributes asked for.
Columns: trace_id, span_id, parent_span_id, name, start_time, end_time, then one for each attribute.
With --trace, and in the formats of other programs, whole traces are written: each span with all it has, its events among them.
docs/formats.md lists what each format cannot hold.
With --db a fresh telemetry file is written that holds the chosen traces whole, and nothing else of the file, deleted rows neither.
--html writes them with the page into one file that opens in any browser from disk, without a network.
--markdown writes a trace to be pasted into an issue or given to a language model, --link a link that carries it; whoever opens the link
needs no file. Keys and passwords are taken out of these three; --redact says what else is: prompts, outputs, tools, logs, errors, ids, services,
paths, emails, secrets, names, others with commas between, structure for all of them, none for nothing. Wherever FILE stands, a link, or a
file that holds one, may stand too.

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
  quipu export trace_store.db --format otlp-json --output traces.jsonl";

#[derive(Args)]
#[command(after_help = EXPORT_HELP)]
pub(crate) struct Export {
    /// The telemetry file
    pub(crate) file: PathBuf,
    /// Only traces of this agent session; with no --attribute, its inputs and outputs
    #[arg(long, value_name = "SESSION_ID")]
    pub(crate) session: Option<String>,
    /// KEY=VALUE, KEY!=VALUE, KEY>VALUE or KEY<VALUE; a value is a number, true, false, or a text (in double quotes where it looks like one of those)
    #[arg(long = "filter", value_name = "CONDITION")]
    pub(crate) filters: Vec<String>,
    /// An attribute to write; all of them where none is named
    #[arg(long = "attribute", value_name = "KEY")]
    pub(crate) attributes: Vec<String>,
    /// How deep below each root to go; 1 is the root alone
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_depth: Option<i64>,
    /// This trace, whole; may be given several times. The first few digits are enough where only one trace begins so
    #[arg(long = "trace", value_name = "TRACE_ID", conflicts_with_all = ["session", "filters", "attributes", "max_depth"])]
    pub(crate) traces: Vec<String>,
    /// Write a telemetry file of the traces given with --trace, or of all, to this new file
    #[arg(long, group = "form", value_name = "FILE", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format", "output"])]
    pub(crate) db: Option<PathBuf>,
    /// Write the traces given with --trace, or all, with the page into this new file, which opens in a browser from disk
    #[arg(long, group = "form", value_name = "FILE", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format", "output"])]
    pub(crate) html: Option<PathBuf>,
    /// Write the trace given with --trace as Markdown
    #[arg(long, group = "form", requires = "traces", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format"])]
    pub(crate) markdown: bool,
    /// About how many tokens of Markdown, of four bytes each
    #[arg(long, default_value_t = 16_000, value_name = "NUMBER", requires = "markdown")]
    pub(crate) tokens: u32,
    /// Write a link that carries the traces given with --trace
    #[arg(long, group = "form", requires = "traces", conflicts_with_all = ["session", "filters", "attributes", "max_depth", "format"])]
    pub(crate) link: bool,
    /// The address of a Quipu page that the link is to open; without it the link begins with #
    #[arg(long, value_name = "URL", requires = "link")]
    pub(crate) base: Option<String>,
    /// Leave out large values until the link has at most so many letters; what was left out is said
    #[arg(long, value_name = "LETTERS", requires = "link")]
    pub(crate) limit: Option<usize>,
    /// What to take out before it leaves: kinds with commas between, structure, or none. Without it --html, --link and --markdown take out
    /// keys and passwords, --db nothing
    #[arg(long, value_name = "KINDS", requires = "form")]
    pub(crate) redact: Option<String>,
    /// Let times begin at 1970-01-01T00:00:00
    #[arg(long, requires = "form")]
    pub(crate) relative_times: bool,
    /// How to write
    #[arg(long, value_parser = formats(), default_value = FileFormat::JsonLines.word())]
    pub(crate) format: FileFormat,
    /// Write to this new file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

const IMPORT_HELP: &str = "\
Read are OTLP as protobuf, JSON and JSON lines, as exporters send it and as the collector's file exporter writes it, and the JSON of Jaeger;
each also compressed by gzip. What a file is tells its content, not its name. Log records become events of their spans.
What can't be read is passed over and listed with its line or message. The other commands open such files too, in memory.

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
    /// The telemetry file to write; there must be none of that name
    #[arg(long, value_name = "FILE")]
    pub(crate) db: PathBuf,
}

const PUSH_HELP: &str = "\
Spans are sent whole, with their events, under the ids and times they have, in the order of the file. What is recorded in them is sent too:
prompts, outputs, and whatever keys stand in them.
A collector that is busy or away is tried again after growing pauses. Where a push is interrupted, the same command goes on: what was sent
is kept in the folder quipu/push below XDG_STATE_HOME (~/.local/state) until all of it is, or in the file that --resume names. That one stays,
so that the same command later sends only what is new; of metrics and logs it stands beside it, as STATE.metrics and STATE.logs. The last
request may arrive twice then, which collectors notice of spans by their ids.
Metrics are points that were imported or collected, and the metric.… events of a file, as cumulative counters with a point for each event.
Logs are records of no span. Jaeger and Phoenix take neither.
The variables OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT, _COMPRESSION, _CERTIFICATE and their like for one signal are followed.
Exit code 1 also says that the collector refused some, or that some can't be sent.

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
    /// The collector's base address, to which /v1/traces, /v1/metrics and /v1/logs are added; without it OTEL_EXPORTER_OTLP_ENDPOINT, else
    /// http://localhost:4318
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Send this header with every request; may be given several times
    #[arg(long = "header", value_name = "NAME=VALUE")]
    pub(crate) headers: Vec<String>,
    /// What to send, with commas between
    #[arg(long = "signal", value_enum, value_delimiter = ',', default_value = "traces", value_name = "SIGNALS")]
    pub(crate) signals: Vec<PushSignal>,
    /// Only this trace; may be given several times; the first few digits are enough where only one trace begins so
    #[arg(long = "trace", value_name = "TRACE_ID")]
    pub(crate) traces: Vec<String>,
    /// Pack requests with gzip
    #[arg(long)]
    pub(crate) gzip: bool,
    /// Spans, points or records in one request at most; large ones are fewer
    #[arg(long, default_value_t = 512, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: u32,
    /// Keep in this file what was sent, and go on from there
    #[arg(long, value_name = "STATE")]
    pub(crate) resume: Option<PathBuf>,
    /// Begin anew, whatever was sent before
    #[arg(long)]
    pub(crate) restart: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PushSignal {
    /// Spans with their events
    Traces,
    /// Recorded metric events as counters, and imported points as they are
    Metrics,
    /// Log records of no span; those of spans go with them
    Logs,
}

/// Reads the word of a format; those that can hold spans with chosen attributes come first.
fn formats() -> impl TypedValueParser<Value = FileFormat> {
    let (rows, others): (Vec<FileFormat>, Vec<FileFormat>) =
        FileFormat::of(Contents::Traces).partition(|format| format.holds(Contents::Spans));
    let value = |format: FileFormat| PossibleValue::new(format.word()).help(format.about());
    PossibleValuesParser::new(rows.into_iter().chain(others).map(value)).try_map(|word| FileFormat::from_word(&word).ok_or("is no format"))
}
