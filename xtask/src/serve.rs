//! A small local web server over `std::net`: `cargo xtask run` and the end-to-end tests serve the page with it.
//!
//! One thread and one request per connection. No TLS, compression, ranges or caching; every response says `no-store`.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// The path, percent-decoded and without the query; starts with a slash.
    pub path: String,
    /// The part after the question mark, as sent.
    pub query: String,
}

/// A response.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers in addition to `Content-Length`, `Connection` and `Cache-Control`.
    pub headers: Vec<(&'static str, String)>,
    /// The body; not sent for `HEAD`.
    pub body: Body,
}

/// The body of a response.
pub enum Body {
    /// In memory.
    Bytes(Vec<u8>),
    /// A file and its length in bytes.
    File(File, u64),
}

impl Reply {
    /// A short text response.
    pub fn text(status: u16, text: &str) -> Reply {
        let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
        Reply { status, headers, body: Body::Bytes(text.as_bytes().to_vec()) }
    }
}

/// Handles requests; called from several threads.
pub type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// Binds a port on 127.0.0.1; 0 for any free one.
///
/// # Errors
/// If the port is in use; the message says how to choose another.
pub fn listen(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "Port {port} of 127.0.0.1 is taken by another program. Choose another one: cargo xtask run --port {}",
            port.checked_add(1).unwrap_or(8081)
        ),
        ErrorKind::PermissionDenied => {
            anyhow::anyhow!("Port {port} may not be used by this user. Choose one above 1023: cargo xtask run --port 8081")
        }
        _ => anyhow::Error::new(error).context(format!("Port {port} of 127.0.0.1 cannot be used.")),
    })
}

/// Handles connections until the process ends or the listener is closed.
pub fn serve(listener: &TcpListener, handler: &Handler) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let handler = Arc::clone(handler);
        // Errors of one client do not affect others.
        std::thread::spawn(move || drop(answer(stream, &handler)));
    }
}

/// Serves on a free port from a new thread, until the process ends.
///
/// # Errors
/// If no port is free.
pub fn spawn(handler: Handler) -> Result<SocketAddr> {
    let listener = listen(0)?;
    let address = listener.local_addr().context("The server has no address.")?;
    std::thread::spawn(move || serve(&listener, &handler));
    Ok(address)
}

/// Serves the files below `root` under `prefix` (`/`, or a path that starts and ends with a slash).
pub fn static_files(root: PathBuf, prefix: &str) -> Handler {
    let prefix = prefix.to_owned();
    Arc::new(move |request: &Request| {
        if request.method != "GET" && request.method != "HEAD" {
            return Reply::text(405, "This server only hands out files.\n");
        }
        let found = request.path.strip_prefix(&prefix).and_then(|path| locate(&root, path));
        let Some((path, file, len)) = found else { return Reply::text(404, "There is no such file.\n") };
        let headers = vec![("Content-Type", content_type(&path).to_owned()), ("X-Content-Type-Options", "nosniff".to_owned())];
        Reply { status: 200, headers, body: Body::File(file, len) }
    })
}

/// The file named by `path` (without its leading slash) below `root`; `index.html` for folders. `None` for paths that lead outside.
fn locate(root: &Path, path: &str) -> Option<(PathBuf, File, u64)> {
    let path = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
    if !path.split('/').all(plain) {
        return None;
    }
    // Symbolic links must not lead outside either.
    let full = root.join(&path).canonicalize().ok()?;
    if !full.starts_with(root.canonicalize().ok()?) || !full.is_file() {
        return None;
    }
    let file = File::open(&full).ok()?;
    let len = file.metadata().ok()?.len();
    Some((full, file, len))
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "webmanifest" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" | "md" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn answer(mut stream: TcpStream, handler: &Handler) -> io::Result<()> {
    // Browsers open connections in advance and leave them idle.
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    let Some(request) = read_request(&stream)? else {
        return write_reply(&mut stream, Reply::text(400, "This is no HTTP request.\n"), true);
    };
    let reply = handler(&request);
    write_reply(&mut stream, reply, request.method != "HEAD")
}

/// Reads the head of a request; `None` if it is invalid. A body is not read.
fn read_request(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream.take(64 * 1024));
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let mut line = String::new();
    loop {
        line.clear();
        // The headers are ignored.
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
    }
    Ok(parse_request_line(&first))
}

fn parse_request_line(line: &str) -> Option<Request> {
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    if !words.next()?.starts_with("HTTP/") || !target.starts_with('/') {
        return None;
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request { method: method.to_owned(), path: percent_decoded(path)?, query: query.to_owned() })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn write_reply(stream: &mut TcpStream, reply: Reply, with_body: bool) -> io::Result<()> {
    let len = match &reply.body {
        Body::Bytes(bytes) => bytes.len() as u64,
        Body::File(_, len) => *len,
    };
    let reason = match reply.status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Answer",
    };
    let mut head =
        format!("HTTP/1.1 {} {reason}\r\nContent-Length: {len}\r\nConnection: close\r\nCache-Control: no-store\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if with_body {
        match reply.body {
            Body::Bytes(bytes) => stream.write_all(&bytes)?,
            // Never more than announced if the file grows. On Linux the kernel copies.
            Body::File(file, len) => drop(io::copy(&mut file.take(len), stream)?),
        }
    }
    stream.flush()
}

#[cfg(test)]
mod tests;
