//! A small web server over `std::net`, for one machine: `cargo xtask run` and the end-to-end tests serve the page with it.
//!
//! One thread and one request a connection. What is not here: TLS, compression, ranges, caching; every answer says `no-store`.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// The path, percent-decoded, without the query; begins with a slash.
    pub path: String,
    /// What follows the question mark, as sent.
    pub query: String,
}

/// An answer.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside `Content-Length`, `Connection` and `Cache-Control`, which are always sent.
    pub headers: Vec<(&'static str, String)>,
    /// The content; not sent to `HEAD`.
    pub body: Body,
}

/// The content of an answer.
pub enum Body {
    /// In memory.
    Bytes(Vec<u8>),
    /// A file of this length in bytes.
    File(File, u64),
}

impl Reply {
    /// A short text.
    pub fn text(status: u16, text: &str) -> Reply {
        let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
        Reply { status, headers, body: Body::Bytes(text.as_bytes().to_vec()) }
    }
}

/// Answers requests; called from several threads.
pub type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// Takes a port on 127.0.0.1; 0 takes any free one.
///
/// # Errors
/// A sentence that says how to choose another port when this one is taken.
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

/// Answers connections with `handler` until the process ends or the listener is closed.
pub fn serve(listener: &TcpListener, handler: &Handler) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let handler = Arc::clone(handler);
        // A client that goes away in the middle concerns nobody else.
        std::thread::spawn(move || drop(answer(stream, &handler)));
    }
}

/// Serves on a free port from a thread of its own, until the process ends.
///
/// # Errors
/// When no port is free.
pub fn spawn(handler: Handler) -> Result<SocketAddr> {
    let listener = listen(0)?;
    let address = listener.local_addr().context("The server has no address.")?;
    std::thread::spawn(move || serve(&listener, &handler));
    Ok(address)
}

/// The files below `root`, at the address `prefix` (`/`, or a path that begins and ends with a slash).
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

/// The file that `path` (without its first slash) names below `root`; `index.html` for a folder. `None` for whatever leads outside.
fn locate(root: &Path, path: &str) -> Option<(PathBuf, File, u64)> {
    let path = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
    if !path.split('/').all(plain) {
        return None;
    }
    // A symbolic link may not lead outside either.
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
    // Browsers open connections ahead of need and leave them idle.
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    let Some(request) = read_request(&stream)? else {
        return write_reply(&mut stream, Reply::text(400, "This is no HTTP request.\n"), true);
    };
    let reply = handler(&request);
    write_reply(&mut stream, reply, request.method != "HEAD")
}

/// Reads the head of a request; `None` when it is none. A body is left unread.
fn read_request(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream.take(64 * 1024));
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let mut line = String::new();
    loop {
        line.clear();
        // The headers themselves mean nothing to us.
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
            // Never more than announced, should the file grow meanwhile. On Linux the kernel copies.
            Body::File(file, len) => drop(io::copy(&mut file.take(len), stream)?),
        }
    }
    stream.flush()
}

#[cfg(test)]
mod tests;
