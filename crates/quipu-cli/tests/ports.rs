//! What comes to the ports of `quipu collect` beside OTLP: other protocols, other paths, pages of other origins, HTTP/2, Zipkin's spans.

use crate::support::{Collecting, GZIP, JSON, PROTOBUF, count, fresh, gzip, quipu, read, rows};
use crate::surroundings::span;
use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

/// A ClientHello as OpenSSL begins it.
const TLS: &[u8] = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";
/// `submitBatches` of Jaeger's Thrift.
const THRIFT: &[u8] = b"\x80\x01\x00\x01\x00\x00\x00\x0dsubmitBatches\x00\x00\x00\x01";

#[test]
fn what_is_no_otlp_is_told_once_with_what_to_set() {
    let (_folder, db) = fresh();
    let mut collecting = Collecting::start(&db, &[]);
    let to = collecting.address;
    let send = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(to).expect("it listens");
        stream.write_all(bytes).expect("sent");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("set");
        let _ = stream.read_to_end(&mut Vec::new());
    };
    for (bytes, words) in [
        (TLS, format!("127.0.0.1 speaks TLS to {to}, which is not encrypted: set the endpoint to http://{to}")),
        (THRIFT, format!("127.0.0.1 speaks Thrift to {to}")),
        (b"\x00\x01\x02\x03\r\n\r\n", format!("127.0.0.1 sent bytes to {to} that are neither HTTP nor gRPC")),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense and more of it", format!("127.0.0.1 speaks HTTP/2 to {to}, and what followed")),
    ] {
        for _ in 0..3 {
            send(bytes);
        }
        assert!(collecting.says().starts_with(&words), "{words}");
    }
    for (path, words) in [
        ("/v1/trace", "127.0.0.1 sends POST /v1/trace to "),
        ("/v1/traces/v1/traces", "127.0.0.1 sends POST /v1/traces/v1/traces to "),
        ("/api/traces", "127.0.0.1 sends POST /api/traces to "),
    ] {
        for _ in 0..3 {
            assert_eq!(collecting.post(path, &[PROTOBUF], b"").status, 404);
        }
        let said = collecting.says();
        assert!(said.starts_with(words), "{said}");
        assert_eq!(said.contains("Set the exporter to OTLP"), path == "/api/traces", "{said}");
    }
    // Each was said once, and too many are not said at all.
    for at in 0..50 {
        assert_eq!(collecting.post(&format!("/nothing/{at}"), &[PROTOBUF], b"").status, 404);
    }
    let rest = collecting.end();
    assert_eq!(rest.lines().filter(|line| line.contains("/nothing/")).count(), 3, "{rest}");
    assert!(rest.contains("Nothing further of this kind is reported."), "{rest}");
}

#[test]
fn several_addresses_take_both_protocols_and_one_that_is_taken_is_an_error_if_it_was_asked_for() {
    let (_folder, db) = fresh();
    let mut command = quipu();
    command.args(["collect", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--db"]).arg(&db).stderr(Stdio::piped());
    let mut process = command.spawn().expect("it starts");
    let mut line = String::new();
    std::io::BufReader::new(process.stderr.take().expect("piped")).read_line(&mut line).expect("a line");
    let addresses: Vec<&str> = line.split(' ').filter_map(|word| word.strip_prefix("http://")).collect();
    assert!(addresses.len() == 2 && addresses[0] != addresses[1], "{line}");
    for (at, address) in addresses.iter().enumerate() {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let body = span(at as u32, "a step");
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).expect("sent");
        assert_eq!(crate::support::answer(stream).status, 200);
    }
    process.kill().and_then(|()| process.wait()).expect("it ends");
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 2);

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("bound").to_string();
    let output = quipu().args(["collect", "--listen", "127.0.0.1:0", "--listen", &listen, "--db"]).arg(&db).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains(&format!("Another program listens on {listen}")), "{said}");
}

#[test]
fn otlp_over_http_comes_by_http2_as_well() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let body = read("tests/fixtures/otlp/small_0.2.15_traces.binpb");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(collecting.address).await.expect("it listens");
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io).await.expect("HTTP/2");
        tokio::spawn(connection);
        for (path, headers, body, status) in [
            ("/v1/traces", vec![PROTOBUF], body.clone(), 200),
            ("/v1/traces", vec![PROTOBUF, GZIP], gzip(&body), 200),
            ("/v1/traces", vec![JSON], b"nonsense".to_vec(), 400),
            ("/v1/traces", vec![PROTOBUF, ("origin", "http://example.org")], body.clone(), 403),
            ("/v1/nothing", vec![PROTOBUF], Vec::new(), 404),
        ] {
            let mut request = hyper::Request::post(format!("http://{}{path}", collecting.address));
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let request = request.body(http_body_util::Full::new(hyper::body::Bytes::from(body))).expect("a request");
            assert_eq!(sender.send_request(request).await.expect("an answer").status(), status, "{path} {headers:?}");
        }
    });
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 136);
    collecting.end();
}

#[test]
fn pages_of_named_origins_may_send_and_no_others() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &["--allow-origin", "http://localhost:3000", "--allow-origin", "https://shop.example.org"]);
    // What browsers send before and with a request of another origin.
    let wants = ("access-control-request-method", "POST");
    let ask = ("access-control-request-headers", "content-type");
    let site = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
    for origin in ["http://localhost:3000", "https://shop.example.org"] {
        let answer = collecting.ask("OPTIONS", "/v1/traces", &[&[("origin", origin), wants, ask][..], &site].concat(), b"");
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some(origin)));
        assert_eq!(
            (answer.header("access-control-allow-methods"), answer.header("access-control-allow-headers")),
            (Some("POST"), Some("content-type"))
        );
        let answer = collecting.post("/v1/traces", &[&[("origin", origin), JSON][..], &site].concat(), &span(1, "in a page"));
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(origin)));
        // A page learns why something was refused, and gets to read nothing.
        let answer = collecting.post("/v1/traces", &[&[("origin", origin), JSON][..], &site].concat(), b"nonsense");
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (400, Some(origin)));
        assert_eq!(collecting.ask("GET", "/metrics", &[("origin", origin)], b"").status, 403);
    }
    for origin in ["http://localhost:3001", "http://example.org", "null"] {
        let answer = collecting.ask("OPTIONS", "/v1/traces", &[("origin", origin), wants, ask], b"");
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None), "{origin}");
        let answer = collecting.post("/v1/traces", &[("origin", origin), JSON], &span(2, "in a page"));
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None), "{origin}");
    }
    // The name of the receiver is checked all the same.
    let answer = collecting.ask("OPTIONS", "/v1/traces", &[("origin", "http://localhost:3000"), ("host", "example.org"), wants], b"");
    assert_eq!((answer.status, answer.header("access-control-allow-origin").is_some()), (403, true));
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 1);
    let output = quipu().args(["collect", "--db", "x.db", "--allow-origin", "*"]).output().expect("it runs");
    assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("is not an origin"));
}

/// As Zipkin's API documentation shows it, with a tag of every kind that reporters write, and a span without an id.
const ZIPKIN: &str = r#"[
  {"traceId":"5af7183fb1d4cf5f","parentId":"6b221d5bc9e6496c","id":"352bff9a74ca9ad2","kind":"CLIENT","name":"get /api",
   "timestamp":1556604172355737,"duration":1431,"localEndpoint":{"serviceName":"backend","ipv4":"192.168.99.1","port":3306},
   "remoteEndpoint":{"serviceName":"db","ipv4":"172.19.0.2","port":58648},
   "annotations":[{"timestamp":1556604172355999,"value":"wire send"}],
   "tags":{"http.method":"GET","error":"timed out","otel.scope.name":"io.http","otel.library.version":"1.2","w3c.tracestate":"a=b"}},
  {"traceId":"5af7183fb1d4cf5f","id":"6b221d5bc9e6496c","name":"get","timestamp":1556604172355000,"duration":5000,"kind":"SERVER",
   "localEndpoint":{"serviceName":"front"},"tags":{"otel.status_code":"OK"}},
  {"traceId":"86154a4ba6e91385","id":"4d1e00c0db9010db","kind":"CLIENT","name":"both","timestamp":1472470996199000,"duration":207000},
  {"traceId":"86154a4ba6e91385","id":"4d1e00c0db9010db","kind":"SERVER","name":"both","timestamp":1472470996200000,"shared":true}]"#;

#[test]
fn spans_of_zipkins_clients_are_those_of_an_import() {
    let (folder, imported) = fresh();
    let file = folder.write("zipkin.json", ZIPKIN).expect("a file");
    let done = quipu().arg("import").arg(file).arg("--db").arg(&imported).stdout(Stdio::null()).status().expect("it runs");
    assert!(done.success());
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    for (headers, body) in [(vec![JSON], ZIPKIN.as_bytes().to_vec()), (vec![JSON, GZIP], gzip(ZIPKIN.as_bytes()))] {
        let answer = collecting.post("/api/v2/spans", &headers, &body);
        assert_eq!((answer.status, answer.body.len()), (202, 0), "{}", answer.text());
    }
    for (expected, headers, body) in [
        (415, vec![PROTOBUF], &b""[..]),
        (400, vec![JSON], b"{}"),
        (400, vec![JSON], b"[1]"),
        (400, vec![JSON], b""),
    ] {
        assert_eq!(collecting.post("/api/v2/spans", &headers, body).status, expected);
    }
    let spaces = gzip(&vec![b' '; 17 << 20]);
    assert_eq!(collecting.post("/api/v2/spans", &[JSON, GZIP], &spaces).status, 413);
    let left_out = collecting.post("/api/v2/spans", &[JSON], br#"[{"traceId":"1","name":"no id"}]"#);
    assert_eq!(left_out.status, 202);
    assert!(left_out.header("x-quipu-left-out").is_some_and(|words| words.contains("has no id")), "{left_out:?}");
    assert_eq!(collecting.ask("GET", "/api/v2/spans", &[], b"").status, 405);
    collecting.end();
    for table in [
        "SELECT * FROM traces",
        "SELECT * FROM spans",
        "SELECT * FROM span_events",
        "SELECT * FROM quipu_sources",
        "SELECT * FROM quipu_span_extra",
    ] {
        assert_eq!(rows(&db, table), rows(&imported, table), "{table}");
    }
}
