//! A running `quipu collect`, and raw HTTP requests.

use quipu_tests::Scratch;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

/// The process, killed on drop.
pub(crate) struct Collecting {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    stderr: BufReader<ChildStderr>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const GZIP: (&str, &str) = ("content-encoding", "gzip");

pub(crate) fn quipu() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
    command.env_remove("QUIPU_TOKEN").env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
    command
}

impl Collecting {
    /// Starts on a free local port.
    pub(crate) fn start(db: &Path, more: &[&str]) -> Collecting {
        let mut command = quipu();
        command.arg("collect").arg("--db").arg(db).args(["--listen", "127.0.0.1:0"]).args(more);
        Collecting::run(command)
    }

    pub(crate) fn run(mut command: Command) -> Collecting {
        let mut process = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().expect("the command starts");
        let mut stderr = BufReader::new(process.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let rest = line.strip_prefix("Collecting on http://").or_else(|| line.strip_prefix("Collecting on https://"));
        let address = rest.and_then(|rest| rest.split(' ').next()).and_then(|it| it.parse().ok());
        Collecting { process, address: address.unwrap_or_else(|| panic!("no address: {line}")), stderr }
    }

    /// The next line of standard error.
    pub(crate) fn says(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("a line");
        line
    }

    pub(crate) fn stderr(&mut self) -> &mut impl BufRead {
        &mut self.stderr
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("it listens")
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("host: {}\r\n", self.address);
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            head += &format!("content-length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all((head + "\r\n").as_bytes()).expect("sent");
        // A server that rejects a body need not read it.
        let _ = stream.write_all(body);
        answer(stream)
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.ask("POST", path, headers, body)
    }

    /// The status of a request, if it is answered at all.
    pub(crate) fn try_post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<u16> {
        let mut stream = self.connect();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).ok()?;
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n", self.address, body.len());
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        stream.write_all((head + "\r\n").as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        line.split(' ').nth(1)?.parse().ok()
    }

    /// The value of one of the collector's own counters.
    pub(crate) fn counter(&self, line: &str) -> u64 {
        let page = self.ask("GET", "/metrics", &[], b"").text();
        let found = page.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
        found.unwrap_or_else(|| panic!("no {line} in {page}"))
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Stops it and returns its remaining output; it must succeed.
    #[cfg(unix)]
    pub(crate) fn end(mut self) -> String {
        self.signal("TERM");
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).expect("text");
        assert!(self.process.wait().expect("it ends").success(), "{rest}");
        rest
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        // It has already ended if the test succeeded.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads a response to the end of the connection.
pub(crate) fn answer(stream: TcpStream) -> Answer {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a status");
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no status: {line:?}"));
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut body = Vec::new();
    // Some servers reset the connection after the response if they did not read the whole body.
    let _ = reader.read_to_end(&mut body);
    Answer { status, headers, body }
}

/// The contents of a file of the repository.
pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(quipu_tests::fixtures::repository().join(name)).expect("the fixture is there")
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A folder, and the path of a file that does not exist yet.
pub(crate) fn fresh() -> (Scratch, PathBuf) {
    let folder = Scratch::new().expect("a folder");
    let path = folder.path().join("telemetry.db");
    (folder, path)
}

/// Rows as strings, from plain SQL.
pub(crate) fn rows(db: &Path, sql: &str) -> Vec<Vec<String>> {
    let connection = rusqlite::Connection::open_with_flags(db, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it opens");
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = statement.column_count();
    let show = |value: rusqlite::types::Value| match value {
        rusqlite::types::Value::Null => "NULL".to_owned(),
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Real(number) => format!("{number:?}"),
        rusqlite::types::Value::Text(text) => text,
        rusqlite::types::Value::Blob(bytes) => format!("{bytes:?}"),
    };
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| Ok(show(row.get(at)?))).collect();
    statement.query_map([], read).expect("rows").collect::<Result<_, _>>().expect("rows")
}

/// The single number returned by a query.
pub(crate) fn count(db: &Path, sql: &str) -> u64 {
    rows(db, sql)[0][0].parse().expect("a number")
}
