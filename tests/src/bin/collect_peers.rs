//! Tests `quipu collect` with real peers: OpenTelemetry's Python SDK, a Prometheus, and one-minute load tests, one of them with a kill in
//! the middle. Prints measurements; fails if acknowledged data is missing.
//!
//! `collect_peers QUIPU [--seconds 60] [--connections 64] [--spans 512]`. Needs python3 with venv, network access for pip, and `prometheus`
//! on the PATH.

#![expect(clippy::indexing_slicing, reason = "a part that an answer lacks is null, and a row has the columns that were selected")]

use anyhow::{Context, Result, bail, ensure};
use quipu_tests::load::{Load, Protocol};
use quipu_tests::{Scratch, fixtures};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let quipu = PathBuf::from(words.next().context("Give the path of the command")?);
    let (mut seconds, mut connections, mut spans) = (60.0, 64, 512);
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--seconds" => seconds = value.parse()?,
            "--connections" => connections = value.parse()?,
            "--spans" => spans = value.parse()?,
            other => bail!("There is no option {other}."),
        }
    }
    python_and_prometheus(&quipu)?;
    for (protocol, is_killed) in [(Protocol::Http, false), (Protocol::Http, true), (Protocol::Grpc, false), (Protocol::Grpc, true)] {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        println!("{protocol:?}:");
        let load =
            Load { to: free, protocol, connections, spans, requests: None, time: Duration::from_secs_f64(seconds), rest: Duration::ZERO };
        under_load(&quipu, load, is_killed)?;
    }
    Ok(())
}

/// A process that is killed on drop.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn collect(quipu: &Path, db: &Path, listen: SocketAddr) -> Result<(Process, SocketAddr)> {
    let mut command = Command::new(quipu);
    command.arg("collect").arg("--db").arg(db).args(["--listen", &listen.to_string()]).stderr(Stdio::piped());
    let mut process = Process(command.spawn().with_context(|| format!("{} does not start", quipu.display()))?);
    let mut stderr = BufReader::new(process.0.stderr.take().context("piped")?);
    let mut line = String::new();
    stderr.read_line(&mut line)?;
    let address = line.strip_prefix("Collecting on http://").and_then(|rest| rest.split(' ').next()?.parse().ok());
    // Pass further output on to the user.
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| eprintln!("{line}")));
    Ok((process, address.with_context(|| format!("It said {line}"))?))
}

fn python_and_prometheus(quipu: &Path) -> Result<()> {
    let folder = Scratch::new()?;
    let db = folder.path().join("telemetry.db");
    let (_collecting, address) = collect(quipu, &db, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let python = sdk()?;
    let script = fixtures::repository().join("tests/peers/otel_export.py");
    for (protocol, packing) in [("http", "none"), ("http", "gzip"), ("grpc", "none"), ("grpc", "gzip")] {
        let name = format!("{protocol}-{packing}");
        let sent = folder.path().join(&name);
        let done = Command::new(&python).arg(&script).args([&format!("http://{address}"), protocol, packing]).arg(&sent).status()?;
        ensure!(done.success(), "The exporter failed.");
        let count = compare(&db, &std::fs::read_to_string(&sent)?, &name)?;
        println!("Python's SDK, {name}: {count} spans are in the file as the SDK tells them, with their logs.");
    }
    reflection(&python, address)?;
    prometheus(address, folder.path())
}

/// Asks for health, services and types, as grpcurl would.
fn reflection(python: &Path, address: SocketAddr) -> Result<()> {
    let script = fixtures::repository().join("tests/peers/grpc_questions.py");
    ensure!(Command::new(python).arg(script).arg(address.to_string()).status()?.success(), "gRPC's own questions are not answered.");
    println!("Python's grpcio finds the services by reflection, and they are healthy.");
    Ok(())
}

/// A Python interpreter with the SDK, installed below target/.
fn sdk() -> Result<PathBuf> {
    let folder = fixtures::target().join("peers");
    let python = folder.join("bin/python");
    if !python.exists() {
        ensure!(Command::new("python3").args(["-m", "venv"]).arg(&folder).status()?.success(), "python3 -m venv failed.");
    }
    let packages = [
        "opentelemetry-sdk==1.45.*",
        "opentelemetry-exporter-otlp==1.45.*",
        "grpcio-reflection",
        "grpcio-health-checking",
    ];
    let done = Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages).status()?;
    ensure!(done.success(), "pip did not install OpenTelemetry's SDK.");
    Ok(python)
}

/// Compares what the SDK reports with the rows, using plain SQL.
fn compare(db: &Path, sent: &str, name: &str) -> Result<usize> {
    let connection = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sent: Vec<Value> = serde_json::from_str(sent)?;
    for span in &sent {
        let id = span["span_id"].as_str().unwrap_or_default();
        let sql = "SELECT trace_id, parent_span_id, name, status, kind, attributes, start_time, end_time FROM spans WHERE span_id = ?1";
        let texts: Vec<Option<String>> = connection
            .query_row(sql, [id], |row| (0..8).map(|at| row.get(at)).collect())
            .with_context(|| format!("The span {id} is not in the file"))?;
        for (at, key) in ["trace_id", "parent_span_id", "name", "status", "kind"].into_iter().enumerate() {
            ensure!(texts[at].as_deref() == span[key].as_str(), "{key} of {id} is {:?}, not {}", texts[at], span[key]);
        }
        let attributes: Value = serde_json::from_str(texts[5].as_deref().unwrap_or_default())?;
        ensure!(attributes == span["attributes"], "The attributes of {id} are {attributes}");
        for (text, key, column) in [(&texts[6], "start", "start_unix_nano"), (&texts[7], "end", "end_unix_nano")] {
            let nanos: Option<i64> =
                connection.query_row(&format!("SELECT {column} FROM quipu_span_extra WHERE span_id = ?1"), [id], |row| row.get(0))?;
            let recorded = quipu::model::RecordedTime::parse(text.as_deref().unwrap_or_default())?.at.0;
            let expected = span[key].as_i64().context("a time")?;
            ensure!(nanos.unwrap_or(recorded) == expected, "The {key} of {id} is {nanos:?}, not {expected}");
        }
        let events = |filter: &str| -> Result<usize> {
            let sql = format!("SELECT count(*) FROM span_events WHERE span_id = ?1 AND name {filter}");
            let count: i64 = connection.query_row(&sql, [id], |row| row.get(0))?;
            Ok(usize::try_from(count)?)
        };
        ensure!(events("= 'token'")? == span["events"].as_array().map_or(0, Vec::len), "The events of {id} are others.");
        ensure!(events("= 'unstructured_log'")? == usize::from(span["name"] == "request"), "The log line of {id} is missing.");
    }
    let service = format!("peer-{name}");
    let traces: i64 = connection.query_row("SELECT count(*) FROM traces WHERE service_name = ?1", [service], |row| row.get(0))?;
    ensure!(usize::try_from(traces)? == sent.len() / 2, "There are {traces} traces.");
    Ok(sent.len())
}

/// Lets a Prometheus scrape the collector, and runs the documented queries.
fn prometheus(scraped: SocketAddr, folder: &Path) -> Result<()> {
    let settings = folder.join("prometheus.yml");
    let text =
        format!("global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: quipu, static_configs: [{{targets: ['{scraped}']}}]}}]\n");
    std::fs::write(&settings, text)?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let _server = Process(
        Command::new("prometheus")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("prometheus does not start: apt-get install prometheus")?,
    );
    // Four runs of 300 requests with 5, 3 and 2 tokens; every other request uses the same model.
    for (query, expected) in [
        ("sum(llama_stack_tokens_total)", vec![("", 6_000.0)]),
        ("sum by (model_id) (llama_stack_tokens_total)", vec![("m0", 3_000.0), ("m1", 3_000.0)]),
        ("sum by (model_id) (llama_stack_prompt_tokens_total)", vec![("m0", 1_800.0), ("m1", 1_800.0)]),
        ("sum by (provider_id) (llama_stack_completion_tokens_total)", vec![("fake", 2_400.0)]),
        ("sum by (model_id) (rate(llama_stack_tokens_total[5m]))", vec![("m0", 0.0), ("m1", 0.0)]),
        ("sum(gen_ai_client_operation_duration_seconds_count)", vec![("", 1_200.0)]),
    ] {
        let expected: BTreeMap<String, f64> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let start = Instant::now();
        loop {
            let found = ask(port, query).unwrap_or_default();
            if found == expected {
                println!("Prometheus answers {query}: {found:?}");
                break;
            }
            ensure!(start.elapsed() < Duration::from_secs(60), "Prometheus answers {query} with {found:?} instead of {expected:?}.");
            std::thread::sleep(Duration::from_millis(300));
        }
    }
    Ok(())
}

/// The values of a query by the first label.
fn ask(port: u16, query: &str) -> Result<BTreeMap<String, f64>> {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    write!(stream, "GET /api/v1/query?query={encoded} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
    let answer: Value = serde_json::from_str(body)?;
    let results = answer["data"]["result"].as_array().context("no result")?;
    let one = |result: &Value| {
        let label = result["metric"].as_object().and_then(|labels| labels.values().next()?.as_str()).unwrap_or_default().to_owned();
        Some((label, result["value"][1].as_str()?.parse().ok()?))
    };
    Ok(results.iter().filter_map(one).collect())
}

fn under_load(quipu: &Path, mut load: Load, is_killed: bool) -> Result<()> {
    let folder = Scratch::new()?;
    let db = folder.path().join("telemetry.db");
    let (mut collecting, address) = collect(quipu, &db, load.to)?;
    load.to = address;
    let give_up = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        let sending = scope.spawn(|| load.send(&give_up));
        if is_killed {
            std::thread::sleep(load.time / 2);
            // SIGKILL, which can't be handled.
            collecting.0.kill()?;
            collecting.0.wait()?;
            collecting = collect(quipu, &db, address)?.0;
        }
        sending.join().unwrap_or_else(|_| bail!("The load panicked."))
    })?;
    let spans = outcome.acknowledged.len() * load.spans;
    let rate = spans as f64 / outcome.elapsed.as_secs_f64();
    let killed = if is_killed { ", killed in the middle" } else { "" };
    println!(
        "Load{killed}: {spans} spans in {:.1} s, {rate:.0} a second; {} requests came again.",
        outcome.elapsed.as_secs_f64(),
        outcome.retries
    );
    load.check(&db, &outcome)?;
    println!(
        "Every acknowledged span is in the file once, and the file is whole ({}).",
        quipu::format::bytes(std::fs::metadata(&db)?.len())
    );
    Ok(())
}
