//! The OTLP client against a local collector.

use quipu::transfer::ExportAnswer;
use quipu_telemetry::otlp::{Client, Retry, SendError, Settings, Signal};
use quipu_tests::collector::{Answer, Collector, TAKEN};
use std::time::Duration;

fn client(collector: &Collector, variables: &'static [(&str, &str)]) -> Client {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Client::new(Settings::to_endpoint(Signal::Traces, "endpoint", &collector.endpoint(), &lookup).expect("valid")).expect("usable")
}

/// Sends without waiting. Returns the outcome and the requested delays.
fn send(client: &Client, request: &[u8]) -> (Result<ExportAnswer, SendError>, Vec<Duration>) {
    let mut pauses = Vec::new();
    let outcome = client.send(request, &mut |pause, _| {
        pauses.push(pause);
        pauses.len() < 5
    });
    (outcome, pauses)
}

#[test]
fn a_request_arrives_as_protobuf_with_its_headers() {
    let collector = Collector::start(Vec::new());
    let client = client(&collector, &[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc,x-project=demo")]);
    assert_eq!(client.send_once(b"\x0a\x00").expect("taken"), ExportAnswer::default());
    let [request] = collector.requests().try_into().expect("one");
    assert_eq!(request.target, "POST /v1/traces");
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
    assert_eq!(request.header("x-project"), Some("demo"));
    assert_eq!(request.header("content-encoding"), None);
    assert!(request.header("user-agent").expect("told").starts_with("Quipu-OTLP-Exporter/"));
    assert_eq!(request.body, b"\x0a\x00");
}

#[test]
fn gzip_is_sent_where_it_is_asked_for() {
    let collector = Collector::start(Vec::new());
    let request = vec![7; 10_000];
    client(&collector, &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]).send_once(&request).expect("taken");
    let [arrived] = collector.requests().try_into().expect("one");
    assert_eq!(arrived.header("content-encoding"), Some("gzip"));
    assert!(arrived.body.len() < 1_000);
    assert_eq!(arrived.message(), request);
}

#[test]
fn what_may_be_taken_later_is_sent_again_and_the_server_says_when() {
    let answers = vec![
        Answer("503 Service Unavailable\r\nretry-after: 7\r\n", b""),
        Answer("429 Too Many Requests\r\n", b""),
        Answer("502 Bad Gateway\r\n", b""),
        Answer("504 Gateway Timeout\r\n", b""),
        TAKEN,
    ];
    let collector = Collector::start(answers);
    let (outcome, pauses) = send(&client(&collector, &[]), b"x");
    outcome.expect("taken in the end");
    assert_eq!(pauses.len(), 4);
    assert_eq!(pauses[0], Duration::from_secs(7));
    let bodies: Vec<_> = collector.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, vec![b"x".to_vec(); 5]);
}

#[test]
fn what_is_refused_for_good_is_not_sent_again_and_says_why_in_the_servers_words() {
    // google.rpc.Status { code: 3, message: "no such tenant" }
    let status = b"\x08\x03\x12\x0eno such tenant";
    let answers = vec![
        Answer("400 Bad Request\r\ncontent-type: application/x-protobuf\r\n", status),
        Answer("401 Unauthorized\r\ncontent-type: application/json\r\n", br#"{"code": 16, "message": "who are you?"}"#),
        Answer("413 Payload Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n", b"too\nlong.\n"),
        Answer("500 Internal Server Error\r\ncontent-type: text/html\r\n", b"<h1>oops</h1>"),
        Answer("307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n", b""),
    ];
    let collector = Collector::start(answers);
    let (client, url) = (client(&collector, &[]), format!("{}/v1/traces", collector.endpoint()));
    for words in [
        "400 Bad Request: no such tenant.",
        "401 Unauthorized: who are you?",
        "413 Payload Too Large: too long.",
        "500 Internal Server Error.",
        "307 Temporary Redirect.",
    ] {
        let (outcome, pauses) = send(&client, b"x");
        let expected = SendError { why: format!("{url} answered {words}"), retry: Retry::Never };
        assert_eq!((outcome, pauses), (Err(expected), Vec::new()));
    }
}

#[test]
fn refused_spans_are_told_of() {
    // partial_success { rejected_spans: 2, error_message: "no name" }
    let partial = Answer("200 OK\r\ncontent-type: application/x-protobuf\r\n", b"\x0a\x0b\x08\x02\x12\x07no name");
    let collector = Collector::start(vec![partial]);
    let answer = client(&collector, &[]).send_once(b"x").expect("taken");
    assert_eq!(answer, ExportAnswer { rejected: 2, message: Some("no name".into()) });
}

#[test]
fn a_collector_that_is_not_there_is_tried_again() {
    let collector = Collector::start(Vec::new());
    let client = client(&collector, &[]);
    let address = collector.address;
    drop(collector);
    let (outcome, pauses) = send(&client, b"x");
    let error = outcome.expect_err("nobody is there");
    assert!(error.why.starts_with(&format!("http://{address}/v1/traces can't be reached (")), "{error}");
    assert_eq!(pauses.len(), 5);
}

#[test]
fn a_server_that_gives_no_answer_is_left_after_the_timeout() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", silent.local_addr().expect("bound"));
    let lookup = |name: &str| (name == "OTEL_EXPORTER_OTLP_TIMEOUT").then(|| "50".to_owned());
    let settings = Settings::to_endpoint(Signal::Traces, "endpoint", &endpoint, &lookup).expect("valid");
    let error = Client::new(settings).expect("usable").send_once(b"x").expect_err("no answer comes");
    assert_eq!(error.why, format!("{endpoint}/v1/traces did not answer within 50ms."));
    assert_eq!(error.retry, Retry::After(None));
}

#[test]
fn certificates_that_cant_be_read_are_named() {
    let lookup = |name: &str| (name == "OTEL_EXPORTER_OTLP_CERTIFICATE").then(|| "/nowhere/ca.pem".to_owned());
    let settings = Settings::from_env(Signal::Traces, None, &lookup).expect("valid");
    let error = Client::new(settings).err().expect("there is none").to_string();
    assert!(error.starts_with("OTEL_EXPORTER_OTLP_CERTIFICATE names /nowhere/ca.pem, which can't be used ("), "{error}");
}
