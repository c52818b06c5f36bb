//! Access control and accepted requests of the server.

use super::support::{Server, refused};
use quipu_tests::fixtures::SMALL;
use serde_json::json;

#[test]
fn only_names_of_this_machine_and_only_its_own_pages_are_answered() {
    let server = Server::of(SMALL, &[]);
    let with = |name, value| server.send("GET", "/api/v1/labels", &[(name, value)], &[]).status;
    assert_eq!(server.get("/api/v1/labels").status, 200);
    assert_eq!(with("Host", "localhost:1234"), 200);
    assert_eq!(with("Host", "quipu.example.org"), 403);
    assert_eq!(with("Origin", "https://example.org"), 403);
    let reply = server.send("OPTIONS", "/v1/telemetry/events", &[("Access-Control-Request-Method", "POST")], &[]);
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (405, ""));
}

#[test]
fn no_answer_lets_pages_of_other_addresses_read_it() {
    let server = Server::of(SMALL, &[]);
    for path in ["/", "/api/v1/labels", "/v1/telemetry/traces/x", "/nowhere"] {
        let reply = server.get(path);
        assert_eq!(reply.header("access-control-allow-origin"), "", "{path}");
        assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[test]
fn a_command_that_was_built_without_the_page_says_so() {
    let reply = Server::of(SMALL, &[]).get("/");
    // The end-to-end tests build it with the page.
    let is_page = reply.text().contains("quipu-served");
    assert!(is_page || reply.text().contains("cargo xtask build"), "{}", reply.text());
    assert_eq!(reply.status, 200);
}

#[test]
fn bodies_are_taken_in_their_content_type_only() {
    let server = Server::of(SMALL, &["--accept-events"]);
    // Content types that HTML forms can send.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        for path in ["/v1/telemetry/events", "/v1/telemetry/traces", "/quipu/ask", "/quipu/open"] {
            let reply = server.send("POST", path, &[("Content-Type", kind)], b"{\"limit\": 1}");
            assert_eq!(reply.status, 415, "{path} {kind}: {}", reply.text());
        }
    }
    let reply = server.send("POST", "/api/v1/query", &[("Content-Type", "application/json")], b"{}");
    assert_eq!((reply.status, &reply.json()["status"]), (415, &json!("error")));
    let reply = server.send("POST", "/v1/telemetry/traces", &[("Content-Type", "application/json; charset=utf-8")], b"{\"limit\": 1}");
    assert_eq!(reply.status, 200);
}

#[test]
fn who_has_the_token_is_answered_also_a_browser_that_asks_for_a_password() {
    let server = Server::with_token(SMALL, "0123456789abcdef");
    let reply = server.get("/");
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer"));
    let with = |value| server.send("GET", "/api/v1/labels", &[("Authorization", value)], &[]).status;
    assert_eq!(with("Bearer 0123456789abcdef"), 200);
    // anybody:0123456789abcdef
    assert_eq!(with("Basic YW55Ym9keTowMTIzNDU2Nzg5YWJjZGVm"), 200);
    assert_eq!(with("Bearer 0123456789abcdeF"), 401);
}

#[test]
fn other_machines_need_a_flag_and_a_token_and_a_file_must_be_there() {
    let (code, words) = refused(&SMALL.path(), &["--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("--allow-remote and a token"), "{words}");
    let missing = std::env::temp_dir().join("quipu-serve-no-such-file.db");
    let (code, words) = refused(&missing, &["--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("There is no file") && words.contains("--accept-events"), "{words}");
    assert!(!missing.exists());
}

#[cfg(unix)]
#[test]
fn it_ends_when_it_is_asked_to() {
    let server = Server::of(SMALL, &[]);
    assert_eq!(server.get("/api/v1/labels").status, 200);
    assert!(server.end().success());
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_it_at_once() {
    use std::io::{Read, Write};
    let server = Server::of_nothing(&["--accept-events"]);
    // A request whose body does not come is waited for.
    let mut stream = std::net::TcpStream::connect(&server.address).expect("it listens");
    let head = format!(
        "POST /v1/telemetry/events HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).expect("sent");
    // It has begun with the request when it asks for the body.
    stream.read_exact(&mut [0; 25]).expect("an answer");
    // A locked file, so that its writer waits, too.
    let other = server.sql();
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let (code, took) = server.end_at_once();
    assert!(code == Some(143) && took < std::time::Duration::from_secs(3), "{code:?} {took:?}");
}
