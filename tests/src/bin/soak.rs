//! Lets `quipu collect` write, and `quipu serve` serve, one file at a steady rate, beside a client that asks what a page asks. Samples the
//! memory of both processes and fails if it grows faster than the file explains. Linux only: memory is read from /proc.
//!
//! `soak QUIPU [--minutes 30] [--requests 5]`, with requests of 20 spans a second.

use anyhow::{Context, Result, bail, ensure};
use quipu::protocol::{FileSummary, GetFile, ListTraces, News, Notification, Opened, Request, Response, SERVED_TYPE, TraceQuery};
use quipu_tests::Scratch;
use quipu_tests::load::{Load, Protocol};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Spans in a request.
const SPANS: usize = 20;
/// Time between two samples of memory.
const SAMPLE: Duration = Duration::from_secs(1);
/// How much faster than the file the memory of a process may grow, in KB a minute. `collect` keeps the pages of the file that it changes, up
/// to 192 MB, and `serve` an index of 70 bytes a span for each generation that it keeps.
const MOST: f64 = 1_024.0;
/// Shorter runs are not judged, in minutes: the caches of the generations that `serve` keeps, and the pools of the allocator, fill first.
const SHORTEST: f64 = 8.0;

/// A process that is killed on drop.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let quipu = PathBuf::from(words.next().context("Give the path of the command")?);
    let (mut minutes, mut requests) = (30.0, 5.0);
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--minutes" => minutes = value.parse()?,
            "--requests" => requests = value.parse()?,
            other => bail!("There is no option {other}."),
        }
    }
    let folder = Scratch::new()?;
    let db = folder.path().join("telemetry.db");
    let (collect, to) = start(Command::new(&quipu).arg("collect").arg("--db").arg(&db))?;
    let (serve, from) = start(Command::new(&quipu).arg("serve").arg(&db))?;
    let time = Duration::from_secs_f64(minutes * 60.0);
    let load = Load {
        to,
        protocol: Protocol::Http,
        connections: 1,
        spans: SPANS,
        requests: None,
        time,
        rest: Duration::from_secs_f64(1.0 / requests),
    };
    let (is_over, switches) = (AtomicBool::new(false), AtomicU64::new(0));
    let (samples, sent) = std::thread::scope(|scope| {
        let page = scope.spawn(|| page(from, &is_over, &switches));
        let sending = scope.spawn(|| load.send(&AtomicBool::new(false)));
        let samples = sample(&[("collect", &collect.0), ("serve", &serve.0)], &db, time);
        is_over.store(true, Ordering::Relaxed);
        let panicked = |_| anyhow::anyhow!("A thread panicked.");
        let sent = sending.join().map_err(panicked).flatten();
        page.join().map_err(panicked).flatten()?;
        anyhow::Ok((samples?, sent?))
    })?;
    load.check(&db, &sent)?;
    println!(
        "{minutes} min: {} requests of {SPANS} spans were acknowledged and are in the file; {} generations were opened by the page.",
        sent.acknowledged.len(),
        switches.load(Ordering::Relaxed)
    );
    report(&samples, minutes)
}

/// Starts a server on a free port. Returns its address.
fn start(command: &mut Command) -> Result<(Process, SocketAddr)> {
    let mut process = Process(command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().context("It does not start")?);
    let mut stderr = BufReader::new(process.0.stderr.take().context("piped")?);
    let mut line = String::new();
    stderr.read_line(&mut line)?;
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(['/', ' ']).next()?.trim().parse().ok());
    // Pass further output on to the user.
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| eprintln!("{line}")));
    Ok((process, address.with_context(|| format!("It said {line}"))?))
}

/// What was measured of one process, or of the file: its name, and kilobytes by minutes.
type Samples = Vec<(String, Vec<(f64, f64)>)>;

fn sample(processes: &[(&str, &Child)], db: &Path, time: Duration) -> Result<Samples> {
    let mut samples: Samples = processes.iter().map(|(name, _)| ((*name).to_owned(), Vec::new())).collect();
    samples.push(("the file".to_owned(), Vec::new()));
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::thread::sleep(SAMPLE);
        let now = begin.elapsed().as_secs_f64() / 60.0;
        for ((name, process), (_, list)) in processes.iter().zip(&mut samples) {
            let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).with_context(|| format!("{name} has ended"))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).with_context(|| format!("{name} has ended"))?;
            list.push((now, line.trim().trim_end_matches(" kB").parse()?));
        }
        if let Some((_, list)) = samples.last_mut() {
            list.push((now, std::fs::metadata(db)?.len() as f64 / 1024.0));
        }
    }
    Ok(samples)
}

/// The slope of the second half, by least squares.
fn slope(list: &[(f64, f64)]) -> f64 {
    let half = list.get(list.len() / 2..).unwrap_or_default();
    let count = half.len() as f64;
    let (x, y) = half.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let (over, under) =
        half.iter().fold((0.0, 0.0), |(over, under), point| (over + (point.0 - x) * (point.1 - y), under + (point.0 - x) * (point.0 - x)));
    over / under
}

fn report(samples: &Samples, minutes: f64) -> Result<()> {
    let growth = samples.last().map_or(0.0, |(_, list)| slope(list));
    for (name, list) in samples {
        let (first, last) = (list.first().map_or(0.0, |point| point.1), list.last().map_or(0.0, |point| point.1));
        println!("{name}: from {first:.0} KB to {last:.0} KB, {:.0} KB a minute in the second half", slope(list));
    }
    if minutes < SHORTEST {
        println!("A run of less than {SHORTEST} minutes is not judged.");
        return Ok(());
    }
    for (name, list) in samples.iter().take(samples.len() - 1) {
        ensure!(slope(list) <= growth + MOST, "The memory of {name} grows by more than the file and {MOST:.0} KB a minute.");
    }
    Ok(())
}

/// Asks as a page does: opens the newest generation, lists its traces, waits for news, and opens the next one.
fn page(server: SocketAddr, is_over: &AtomicBool, switches: &AtomicU64) -> Result<()> {
    let html = ask(server, "GET", "/", &[])?;
    let html = String::from_utf8_lossy(&html);
    // A command without the page has no build, and asks for none.
    let build = html.split_once("boot.js?v=").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(build, _)| build).to_owned();
    for asset in ["boot.js", "index.css"] {
        let _ = ask(server, "GET", &format!("/{asset}?v={build}"), &[]);
    }
    while !is_over.load(Ordering::Relaxed) {
        let opened: Opened = postcard::from_bytes(&ask(server, "POST", &format!("/quipu/open?build={build}"), &[])?)?;
        let _summary: FileSummary = opened.answer.map_err(|failure| anyhow::anyhow!(failure.message))?;
        let generation = opened.generation;
        switches.fetch_add(1, Ordering::Relaxed);
        let mut number = 0;
        'generation: while !is_over.load(Ordering::Relaxed) {
            let query = TraceQuery { limit: 50, ..TraceQuery::default() };
            for question in [Request::from(GetFile), Request::from(ListTraces(query))] {
                let path = format!("/quipu/ask?build={build}&generation={generation}");
                let answer = ask(server, "POST", &path, &postcard::to_allocvec(&question)?)?;
                let _: Result<Response, quipu::protocol::Failure> = postcard::from_bytes(&answer)?;
            }
            let path = format!("/quipu/news?build={build}&generation={generation}&after={number}&known={generation}");
            let news: News = postcard::from_bytes(&ask(server, "POST", &path, &[])?)?;
            number = news.number;
            if news.events.iter().any(|event| matches!(event, Notification::Grown(_))) {
                break 'generation;
            }
        }
    }
    Ok(())
}

fn ask(server: SocketAddr, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: {SERVED_TYPE}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("An answer without a head.")?;
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    Ok(answer.split_off(end + 4))
}
