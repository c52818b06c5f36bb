//! A minimal HTTP client for local servers that are not part of the project.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

/// The body of a response; errors have one, too.
///
/// # Errors
/// If nobody answers, or the server is still starting (503).
pub fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    // HTTP 1.0, so that the body is not chunked.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("An answer without a body.")?;
    ensure!(!head.contains(" 503 "), "It is starting.");
    Ok(body.to_owned())
}
