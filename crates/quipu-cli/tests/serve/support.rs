//! A server process, and a client that sends requests exactly as a test specifies.

use quipu_tests::Scratch;
use quipu_tests::fixtures::Fixture;
use rusqlite::Connection;
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Timeout for all waiting.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a free port, killed on drop.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
    pub(crate) file: PathBuf,
    _scratch: Scratch,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header; empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Server {
    /// Serves a copy of a fixture.
    pub(crate) fn of(fixture: Fixture, words: &[&str]) -> Server {
        let scratch = Scratch::new().expect("a folder");
        let file = scratch.path().join("telemetry.db");
        std::fs::copy(fixture.path(), &file).expect("a copy");
        Server::start(scratch, file, words, None)
    }

    /// Serves a file that metric points were imported to.
    pub(crate) fn of_points(body: &[u8]) -> Server {
        let scratch = Scratch::new().expect("a folder");
        let (sent, file) = (scratch.path().join("metrics.binpb.gz"), scratch.path().join("telemetry.db"));
        std::fs::write(&sent, body).expect("a file");
        let imported = Command::new(env!("CARGO_BIN_EXE_quipu")).arg("import").arg(&sent).arg("--db").arg(&file).output().expect("it runs");
        assert!(imported.status.success(), "{imported:?}");
        Server::start(scratch, file, &[], None)
    }

    /// Serves a file that does not exist yet.
    pub(crate) fn of_nothing(words: &[&str]) -> Server {
        let scratch = Scratch::new().expect("a folder");
        let file = scratch.path().join("new.db");
        Server::start(scratch, file, words, None)
    }

    /// Serves a copy of a fixture, protected by a token.
    pub(crate) fn with_token(fixture: Fixture, token: &str) -> Server {
        let scratch = Scratch::new().expect("a folder");
        let file = scratch.path().join("telemetry.db");
        std::fs::copy(fixture.path(), &file).expect("a copy");
        Server::start(scratch, file, &[], Some(token))
    }

    fn start(scratch: Scratch, file: PathBuf, words: &[&str], token: Option<&str>) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
        command.arg("serve").arg(&file).args(["--listen", "127.0.0.1:0"]).args(words).stderr(Stdio::piped()).env_remove("QUIPU_TOKEN");
        if let Some(token) = token {
            command.env("QUIPU_TOKEN", token);
        }
        let mut process = command.spawn().expect("the command runs");
        let mut said = String::new();
        let mut errors = BufReader::new(process.stderr.take().expect("a pipe"));
        errors.read_line(&mut said).expect("a line");
        let address = said.trim().rsplit("http://").next().and_then(|rest| rest.strip_suffix('/')).map(str::to_owned);
        // Discard further output.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Server { process, address: address.unwrap_or_else(|| panic!("it says where it listens: {said}")), file, _scratch: scratch }
    }

    /// A plain SQL connection to the served file.
    pub(crate) fn sql(&self) -> Connection {
        let connection = Connection::open(&self.file).expect("SQLite opens the file");
        connection.busy_timeout(PATIENCE).expect("a timeout");
        connection
    }

    /// Sends a request with exactly these headers, and reads the whole response.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.address);
        }
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        stream.write_all(format!("{head}\r\n").as_bytes()).expect("it takes the head");
        stream.write_all(body).expect("it takes the body");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Reply { status, head, body: bytes.split_off(end + 4) }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], &[])
    }

    pub(crate) fn post(&self, path: &str, body: &Json) -> Reply {
        self.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    /// Polls until `found` returns a value.
    pub(crate) fn wait<T>(&self, what: &str, mut found: impl FnMut(&Server) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "{what} did not come within {} s", PATIENCE.as_secs());
            std::thread::yield_now();
        }
    }

    /// Asks the process to stop twice. Returns the exit code, and how long it took from the second time.
    #[cfg(unix)]
    pub(crate) fn end_at_once(mut self) -> (Option<i32>, Duration) {
        let signal = || Command::new("kill").args(["-s", "TERM", &self.process.id().to_string()]).status().expect("kill runs");
        assert!(signal().success());
        std::thread::sleep(Duration::from_millis(500));
        assert!(signal().success());
        let began = Instant::now();
        (self.process.wait().expect("it ends").code(), began.elapsed())
    }

    /// Asks the process to stop, and waits for it.
    #[cfg(unix)]
    pub(crate) fn end(mut self) -> ExitStatus {
        let killed = Command::new("kill").args(["-s", "TERM", &self.process.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        self.process.wait().expect("it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `quipu serve` in a case where it fails. Returns the exit code and the message.
pub(crate) fn refused(file: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quipu"));
    let output = command.arg("serve").arg(file).args(words).env_remove("QUIPU_TOKEN").output().expect("the command runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
