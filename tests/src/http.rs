//! Answers of servers on this machine that are no part of the project.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

/// The body of an answer that is none of “unavailable”; errors have one, too.
///
/// # Errors
/// When nobody answers, or the server is starting.
pub fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    // HTTP 1.0, so that the body comes in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("An answer without a body.")?;
    ensure!(!head.contains(" 503 "), "It is starting.");
    Ok(body.to_owned())
}
