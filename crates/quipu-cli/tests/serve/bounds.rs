//! Expensive questions: each ends, by its limits or with its client, and none holds up others.

use super::support::Server;
use quipu::protocol::{Opened, Request, RunSql, SERVED_TYPE};
use quipu_tests::fixtures::SMALL;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A query that takes as long as it may: a million samples are sorted at each step.
const SLOW: &str =
    "/api/v1/query_range?query=quantile_over_time(0.5,vector(time()%25997)[1000s:1ms])&start=1700000000&end=1700000050&step=1";

/// Sends a request and does not wait for the answer.
fn begin(server: &Server, method: &str, path: &str, content_type: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("it is taken");
    stream
}

#[test]
fn a_query_that_grows_labels_ends_at_a_limit_and_the_server_goes_on() {
    let server = Server::of(SMALL, &[]);
    let mut query = r#"label_replace(vector(1),"x","aaaaaaaa","","")"#.to_owned();
    for _ in 0..9 {
        query = format!(r#"label_join({query},"x","","x","x","x","x","x","x","x","x","x")"#);
    }
    let body: String = form_urlencoded::Serializer::new(String::new()).append_pair("query", &query).finish();
    let reply = server.send("POST", "/api/v1/query", &[("Content-Type", "application/x-www-form-urlencoded")], body.as_bytes());
    assert_eq!((reply.status, &reply.json()["error"]), (422, &json!("The label \"x\" would be longer than 64.0 KB.")));
    let many = "match[]=m&".repeat(20_000);
    let reply = server.send("POST", "/api/v1/series", &[("Content-Type", "application/x-www-form-urlencoded")], many.as_bytes());
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("at most 100"), "{}", reply.text());
    let names: Vec<String> = (0..100_000).map(|number| format!("name_{number}")).collect();
    let reply = server.post("/v1/telemetry/spans", &json!({ "attribute_filters": [], "attributes_to_return": names }));
    assert_eq!(reply.status, 200);
    assert_eq!(server.get("/api/v1/labels").status, 200);
}

#[test]
fn slow_questions_hold_up_nobody_and_end_when_their_clients_leave() {
    let server = Server::of(SMALL, &[]);
    assert_eq!(server.get("/api/v1/labels").status, 200);
    // All places are taken, and the queue is full: more come than fit, so that none is free for what is asked next.
    let slow: Vec<TcpStream> = (0..80).map(|_| begin(&server, "GET", SLOW, "text/plain", b"")).collect();
    let refused = server.wait("a refusal", |server| Some(server.get("/api/v1/labels")).filter(|reply| reply.status == 503));
    assert_eq!(refused.header("retry-after"), "2");
    assert_eq!(refused.json()["errorType"], "unavailable");
    let reply = server.post("/v1/telemetry/traces", &json!({ "limit": 1 }));
    assert_eq!((reply.status, reply.header("retry-after")), (503, "2"));
    // What the page asks is answered meanwhile.
    let began = Instant::now();
    let reply = server.send("POST", "/quipu/open", &[("Content-Type", SERVED_TYPE)], &[]);
    assert_eq!(reply.status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // The clients leave, and their questions with them: they would take minutes one after the other.
    drop(slow);
    let began = Instant::now();
    server.wait("an answer", |server| Some(server.get("/api/v1/labels")).filter(|reply| reply.status == 200));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_statement_ends_when_its_page_leaves() {
    let server = Server::of(SMALL, &[]);
    let post = |path: &str, body: &[u8]| server.send("POST", path, &[("Content-Type", SERVED_TYPE)], body);
    let opened: Opened = postcard::from_bytes(&post("/quipu/open?for=sql", &[]).body).expect("the wire's form");
    let path = format!("/quipu/ask?generation={}", opened.generation);
    let run = |query: &str| postcard::to_allocvec(&Request::from(RunSql(query.into()))).expect("bytes");
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let page = begin(&server, "POST", &path, SERVED_TYPE, &run(endless));
    std::thread::sleep(Duration::from_millis(500));
    drop(page);
    let began = Instant::now();
    let reply = post(&path, &run("SELECT count(*) FROM spans"));
    assert_eq!(reply.status, 200);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn what_a_page_of_another_origin_causes_is_refused() {
    let server = Server::of(SMALL, &["--accept-events"]);
    let from = |site: &'static str, mode: &'static str, dest: &'static str| {
        [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)]
    };
    for path in ["/api/v1/query?query=up", "/v1/telemetry/traces/x", "/index.html", "/"] {
        assert_eq!(server.send("GET", path, &from("cross-site", "no-cors", "image"), &[]).status, 403, "{path}");
        assert_eq!(server.send("GET", path, &from("same-site", "no-cors", "image"), &[]).status, 403, "{path}");
    }
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "navigate"),
    ];
    assert_eq!(server.send("POST", "/api/v1/query", &form, b"query=up").status, 403);
    assert_eq!(server.send("GET", "/api/v1/query?query=up", &from("same-origin", "cors", "empty"), &[]).status, 200);
    assert_eq!(server.send("GET", "/", &from("none", "navigate", "document"), &[]).status, 200);
    assert_eq!(server.send("GET", "/", &from("cross-site", "navigate", "document"), &[]).status, 200);
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    let head = format!("GET /api/v1/labels HTTP/1.0\r\nHost: {}\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n", server.address);
    stream.write_all(head.as_bytes()).expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains(" 200 "), "{answer}");
}

#[test]
fn a_long_statement_keeps_its_lock_while_it_reads_and_then_lets_others_write() {
    let server = Server::of(SMALL, &[]);
    let opened: Opened = {
        let reply = server.send("POST", "/quipu/open?for=sql", &[("Content-Type", SERVED_TYPE)], &[]);
        postcard::from_bytes(&reply.body).expect("the wire's form")
    };
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM spans, n";
    let body = postcard::to_allocvec(&Request::from(RunSql(endless.into()))).expect("bytes");
    let _page = begin(&server, "POST", &format!("/quipu/ask?generation={}", opened.generation), SERVED_TYPE, &body);
    // Meanwhile the server looks at the file several times. That must not cost the statement its lock: it would read a mixture.
    std::thread::sleep(Duration::from_millis(1_000));
    let other = server.sql();
    other.busy_timeout(Duration::ZERO).expect("a timeout");
    assert!(other.execute_batch("BEGIN EXCLUSIVE; ROLLBACK").is_err(), "the statement reads the file");
    other.busy_timeout(Duration::from_secs(5)).expect("a timeout");
    other.execute_batch("BEGIN EXCLUSIVE; ROLLBACK").expect("others can write before they give up");
}

#[test]
fn pages_that_wait_for_news_leave_connections_for_others() {
    let server = Server::of(SMALL, &[]);
    let opened: Opened = {
        let reply = server.send("POST", "/quipu/open", &[("Content-Type", SERVED_TYPE)], &[]);
        postcard::from_bytes(&reply.body).expect("the wire's form")
    };
    // The index is complete, and its events are known.
    let path = format!("/quipu/news?generation={0}&after=1000000&known={0}", opened.generation);
    let mut tabs: Vec<TcpStream> = (0..8)
        .map(|_| {
            let tab = begin(&server, "POST", &path, SERVED_TYPE, b"");
            std::thread::sleep(Duration::from_millis(100));
            tab
        })
        .collect();
    let is_answered = |tab: &mut TcpStream| {
        tab.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        tab.read(&mut [0; 64]).is_ok_and(|length| length > 0)
    };
    let answered: Vec<bool> = tabs.iter_mut().map(is_answered).collect();
    assert_eq!(answered, [true, true, true, true, true, false, false, false]);
}
