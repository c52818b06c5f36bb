//! An OTLP load generator: sends spans over several connections, retries each request until it is acknowledged, and checks that the file
//! contains every acknowledged span.
//!
//! Bodies are generated once and only get new ids, so that the load itself is cheap.

use crate::random::Random;
use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BufMut, Bytes};
use rusqlite::{Connection, OpenFlags};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tonic::Code;

/// Spans per trace.
const TRACE: usize = 10;

/// How bodies are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /v1/traces` over HTTP/1.1.
    Http,
    /// `TraceService/Export`.
    Grpc,
}

/// Parameters of a load test.
#[derive(Clone, Debug)]
pub struct Load {
    /// Address of the receiver.
    pub to: SocketAddr,
    /// How bodies are sent.
    pub protocol: Protocol,
    /// Number of connections, each with a thread.
    pub connections: usize,
    /// Spans per request.
    pub spans: usize,
    /// Number of requests; `None` to stop after `time`.
    pub requests: Option<u64>,
    /// How long new requests are started. Pending ones continue until acknowledged.
    pub time: Duration,
    /// How long each connection rests after a request.
    pub rest: Duration,
}

/// Result of a load test.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Numbers of the acknowledged requests.
    pub acknowledged: Vec<u64>,
    /// Number of retries.
    pub retries: u64,
    /// Time from the first request to the last acknowledgement.
    pub elapsed: Duration,
}

impl Load {
    /// Runs the load test. `give_up` ends it even if requests are not acknowledged.
    ///
    /// # Errors
    /// If an answer is neither a success nor a request to retry.
    pub fn send(&self, give_up: &AtomicBool) -> Result<Outcome> {
        let (next, start) = (AtomicU64::new(0), Instant::now());
        let parts: Vec<Result<Outcome>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections).map(|_| scope.spawn(|| self.one(&next, start, give_up))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("A sender panicked."))).collect()
        });
        let mut outcome = Outcome::default();
        for part in parts {
            let part = part?;
            outcome.acknowledged.extend(part.acknowledged);
            outcome.retries += part.retries;
        }
        outcome.elapsed = start.elapsed();
        Ok(outcome)
    }

    fn one(&self, next: &AtomicU64, start: Instant, give_up: &AtomicBool) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut body = Body::new(self.spans);
        let mut sender = match self.protocol {
            Protocol::Http => Sender::Http(None),
            Protocol::Grpc => Sender::Grpc(Box::new(Caller::new(self.to)?)),
        };
        while start.elapsed() < self.time {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if self.requests.is_some_and(|most| number >= most) {
                break;
            }
            body.number(number);
            std::thread::sleep(self.rest);
            loop {
                if give_up.load(Ordering::Relaxed) {
                    return Ok(outcome);
                }
                if sender.send(self.to, &body.bytes)? {
                    break outcome.acknowledged.push(number);
                }
                outcome.retries += 1;
                // Wait before retrying, like exporters do.
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(outcome)
    }

    /// Checks that the file is intact and contains every acknowledged span exactly once.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, file: &Path, outcome: &Outcome) -> Result<()> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        ensure!(whole == "ok", "The file is damaged: {whole}");
        let mut statement = connection.prepare("SELECT span_id FROM spans")?;
        let mut found = HashSet::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get_ref(0)?.as_str()?;
            ensure!(found.insert(u64::from_str_radix(id, 16).with_context(|| format!("an id {id}"))?), "The span {id} is there twice.");
        }
        for number in &outcome.acknowledged {
            for at in 0..self.spans {
                ensure!(found.contains(&span_id(*number, at)), "A span of request {number} was acknowledged and is not in the file.");
            }
        }
        Ok(())
    }
}

/// One connection.
enum Sender {
    Http(Option<BufReader<TcpStream>>),
    Grpc(Box<Caller>),
}

impl Sender {
    /// Whether a body was acknowledged; otherwise it may be sent again.
    fn send(&mut self, to: SocketAddr, body: &[u8]) -> Result<bool> {
        match self {
            Sender::Http(connection) => match post(connection, to, body) {
                Ok(200) => Ok(true),
                Ok(503 | 429) | Err(_) => {
                    *connection = None;
                    Ok(false)
                }
                Ok(status) => bail!("The answer was {status}."),
            },
            Sender::Grpc(caller) => caller.send(body),
        }
    }
}

/// A connection of tonic, with its runtime.
struct Caller {
    runtime: tokio::runtime::Runtime,
    grpc: tonic::client::Grpc<tonic::transport::Channel>,
}

impl Caller {
    fn new(to: SocketAddr) -> Result<Caller> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{to}"))?.timeout(Duration::from_secs(60));
        let channel = {
            let _inside = runtime.enter();
            endpoint.connect_lazy()
        };
        Ok(Caller { runtime, grpc: tonic::client::Grpc::new(channel) })
    }

    fn send(&mut self, body: &[u8]) -> Result<bool> {
        const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let Caller { runtime, grpc } = self;
        let request = tonic::Request::new(Bytes::copy_from_slice(body));
        let path = tonic::codegen::http::uri::PathAndQuery::from_static(EXPORT);
        let answer = runtime.block_on(async {
            if let Err(error) = grpc.ready().await {
                return Err(tonic::Status::unavailable(error.to_string()));
            }
            grpc.unary(request, path, AsBytes).await
        });
        match answer {
            Ok(_) => Ok(true),
            // A connection that breaks is `Unknown` or `Cancelled` in tonic, depending on where it breaks.
            Err(status) if matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::Unknown | Code::Cancelled) => {
                Ok(false)
            }
            Err(status) => bail!("The answer was {status}."),
        }
    }
}

/// Messages as bytes.
struct AsBytes;

impl tonic::codec::Codec for AsBytes {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = AsBytes;
    type Decoder = AsBytes;

    fn encoder(&mut self) -> AsBytes {
        AsBytes
    }

    fn decoder(&mut self) -> AsBytes {
        AsBytes
    }
}

impl tonic::codec::Encoder for AsBytes {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, message: Bytes, to: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), tonic::Status> {
        to.put(message);
        Ok(())
    }
}

impl tonic::codec::Decoder for AsBytes {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, from: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// Sends a body and returns the status.
fn post(connection: &mut Option<BufReader<TcpStream>>, to: SocketAddr, body: &[u8]) -> std::io::Result<u16> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            connection.insert(BufReader::new(stream))
        }
    };
    let head =
        format!("POST /v1/traces HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all(head.as_bytes())?;
    stream.get_mut().write_all(body)?;
    let broken = || std::io::Error::other("no answer");
    let (mut status, mut length) = (0, 0);
    for at in 0.. {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(broken());
        }
        let line = line.trim_end();
        if at == 0 {
            status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(broken)?;
        } else if line.is_empty() {
            break;
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(|_| broken())?;
        }
    }
    stream.read_exact(&mut vec![0; length])?;
    Ok(status)
}

/// The id of a span, unique for each request and position.
fn span_id(number: u64, at: usize) -> u64 {
    // A step of the generator is a bijection of its seed.
    Random::new(number << 16 | at as u64).next_u64()
}

/// An encoded request with the positions of its ids.
struct Body {
    bytes: Vec<u8>,
    /// Offset of each span's trace id; the span id starts two bytes after its end.
    ids: Vec<usize>,
}

impl Body {
    /// Spans with 600 bytes of JSON attributes and nanosecond times.
    fn new(spans: usize) -> Body {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        let resource = bytes(1, &[attribute(1, "service.name", "load"), attribute(1, "telemetry.sdk.language", "rust")].concat());
        let mut scope = bytes(1, &bytes(1, b"load"));
        let mut ids = Vec::new();
        for at in 0..spans as u64 {
            let mut span = [
                bytes(1, &[0; 16]),
                bytes(2, &[0; 8]),
                bytes(5, b"InferenceRouter.openai_chat_completion"),
                vec![6 << 3, 1],
            ]
            .concat();
            span.extend(fixed(7, now + at * 1_003));
            span.extend(fixed(8, now + at * 1_003 + 1_000_001));
            span.extend(bytes(9, &[bytes(1, b"__ttl__"), bytes(2, &[3 << 3, 0x80, 0xf5, 0x24])].concat()));
            for (key, value) in [
                ("__class__", "InferenceRouter".to_owned()),
                ("__method__", "openai_chat_completion".to_owned()),
                ("__type__", "async".to_owned()),
                ("__args__", format!("{{'model': 'fake/Llama-3.2-3B', 'messages': \"[{}]\"}}", "a word in a prompt ".repeat(12))),
                ("output", format!("An answer with \"quotes\" and a line break\n{}", "and many words ".repeat(8))),
            ] {
                span.extend(attribute(9, key, &value));
            }
            // A status that is OK.
            span.extend(bytes(15, &[3 << 3, 1]));
            let entry = bytes(2, &span);
            // The id is after its two-byte tag and length at the start of the span.
            ids.push(scope.len() + entry.len() - span.len() + 2);
            scope.extend(entry);
        }
        // Size of the headers before the spans: request, resource, scope.
        let content = scope.len();
        let resource_spans = [resource, bytes(2, &scope)].concat();
        let whole = bytes(1, &resource_spans);
        let before = whole.len() - content;
        Body { ids: ids.into_iter().map(|at| before + at).collect(), bytes: whole }
    }

    /// Sets the ids for the request with this number.
    fn number(&mut self, number: u64) {
        for (at, place) in self.ids.iter().enumerate() {
            let trace = span_id(number, at / TRACE).to_be_bytes();
            let span = span_id(number, at).to_be_bytes();
            self.bytes[*place..place + 8].copy_from_slice(&trace);
            self.bytes[place + 8..place + 16].copy_from_slice(&trace);
            self.bytes[place + 18..place + 26].copy_from_slice(&span);
        }
    }
}

/// A length-delimited field.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(content);
    field
}

fn fixed(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3 | 1], value.to_le_bytes().as_slice()].concat()
}

/// An attribute: field 9 in spans, 1 in resources.
fn attribute(field: u8, key: &str, value: &str) -> Vec<u8> {
    bytes(field, &[bytes(1, key.as_bytes()), bytes(2, &bytes(1, value.as_bytes()))].concat())
}
