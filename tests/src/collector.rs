//! A local HTTP collector for tests: records requests and gives configured answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// A received request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `POST /v1/traces`
    pub target: String,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, decompressed if necessary.
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::new();
        match self.header("content-encoding") {
            Some("gzip") => flate2::read::GzDecoder::new(self.body.as_slice()).read_to_end(&mut message).expect("gzip"),
            Some(other) => panic!("packed with {other}"),
            None => return self.body.clone(),
        };
        message
    }
}

/// An answer: status line and headers, each with its line break, and a body.
#[derive(Clone, Debug)]
pub struct Answer(pub &'static str, pub &'static [u8]);

/// Success.
pub const TAKEN: Answer = Answer("200 OK\r\ncontent-type: application/x-protobuf\r\n", b"");

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    came: Condvar,
    stop: AtomicBool,
}

/// Listens until it is dropped.
pub struct Collector {
    /// The address it listens on.
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

impl Collector {
    /// Gives these answers first, then accepts everything.
    pub fn start(answers: Vec<Answer>) -> Collector {
        Collector::listen(TcpListener::bind("127.0.0.1:0").expect("a port"), answers)
    }

    /// The same, at an address that was in use before.
    pub fn start_at(address: SocketAddr) -> Collector {
        Collector::listen(TcpListener::bind(address).expect("the port"), Vec::new())
    }

    fn listen(listener: TcpListener, answers: Vec<Answer>) -> Collector {
        let address = listener.local_addr().expect("bound");
        let seen = Arc::new(Seen::default());
        let theirs = seen.clone();
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                if theirs.stop.load(Ordering::SeqCst) {
                    return;
                }
                // Ignore clients that disconnect.
                let _ = serve(stream.expect("a connection"), &theirs, &mut answers);
            }
        });
        Collector { address, seen }
    }

    /// Base URL for exporters.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests received so far.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().expect("whole").clone()
    }

    /// Waits until `count` requests have been received.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        let mut requests = self.seen.requests.lock().expect("whole");
        while requests.len() < count {
            requests = self.seen.came.wait(requests).expect("whole");
        }
        requests.clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.seen.stop.store(true, Ordering::SeqCst);
        // Wakes the thread, which then ends.
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves one request per connection.
fn serve(stream: TcpStream, seen: &Seen, answers: &mut impl Iterator<Item = Answer>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut request = Request { target: line.trim_end().trim_end_matches(" HTTP/1.1").to_owned(), ..Request::default() };
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    if request.header("expect").is_some() {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = request.header("content-length").expect("a length").parse().expect("a number");
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    let Answer(head, body) = answers.next().unwrap_or(TAKEN);
    seen.requests.lock().expect("whole").push(request);
    seen.came.notify_all();
    let stream = reader.get_mut();
    write!(stream, "HTTP/1.1 {head}connection: close\r\ncontent-length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}
