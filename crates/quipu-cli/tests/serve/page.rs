//! The endpoints that the page uses instead of its worker.

use super::live::write_trace;
use super::support::Server;
use quipu::protocol::{
    Failure, FailureKind, FileQuestions, FileSummary, GetFile, ListTraces, News, Notification, Opened, Packed, Question, Request,
    SERVED_TYPE, TraceQuery,
};
use quipu_tests::fixtures::{SMALL, number};
use serde::de::DeserializeOwned;

fn post<T: DeserializeOwned>(server: &Server, path: &str, body: &[u8]) -> T {
    let reply = server.send("POST", path, &[("Content-Type", SERVED_TYPE)], body);
    assert_eq!((reply.status, reply.header("content-type")), (200, SERVED_TYPE), "{}", reply.text());
    postcard::from_bytes(&reply.body).expect("the wire's form")
}

fn open(server: &Server) -> (u64, FileSummary) {
    let opened: Opened = post(server, "/quipu/open", &[]);
    (opened.generation, opened.answer.expect("it opens"))
}

fn ask<Q: Question<List = FileQuestions>>(server: &Server, generation: u64, question: Q) -> Result<Q::Answer, Failure> {
    let request: Request = question.into();
    Q::read(post(server, &format!("/quipu/ask?generation={generation}"), &postcard::to_allocvec(&request).expect("bytes")))
}

fn traces(server: &Server, generation: u64) -> Option<u32> {
    let list = |server: &Server| ask(server, generation, ListTraces(TraceQuery::default())).expect("an answer");
    server.wait("the index", |server| list(server).total.map(Some))
}

#[test]
fn a_page_stays_with_its_edition_until_it_opens_the_next() {
    let server = Server::of(SMALL, &[]);
    let count = number(&server.sql(), "SELECT count(*) FROM traces").expect("a count") as u32;
    let (generation, file) = open(&server);
    assert_eq!(file.name, "telemetry.db");
    assert_eq!(traces(&server, generation), Some(count));
    write_trace(&server, &"e".repeat(32));
    let mut after = 0;
    let grown = server.wait("news of the growth", |server| {
        let news: News = post(server, &format!("/quipu/news?generation={generation}&after={after}&known={generation}"), &[]);
        after = news.number;
        news.events.into_iter().find_map(|event| if let Notification::Grown(grown) = event { Some(grown) } else { None })
    });
    assert_ne!(grown.generation, generation);
    assert_eq!(grown.spans, number(&server.sql(), "SELECT count(*) FROM spans").expect("a count") as u64);
    assert_eq!(traces(&server, generation), Some(count), "The list under the page does not move.");
    let (newest, file) = open(&server);
    assert_eq!((newest, file.spans), (grown.generation, Some(grown.spans)));
    assert_eq!(traces(&server, newest), Some(count + 1));
}

#[test]
fn the_index_and_searches_are_told_of_and_an_unknown_edition_is_a_changed_file() {
    let server = Server::of(SMALL, &[]);
    let (generation, _) = open(&server);
    let mut after = 0;
    let mut news = |server: &Server| {
        let news: News = post(server, &format!("/quipu/news?generation={generation}&after={after}&known={generation}"), &[]);
        after = news.number;
        news.events
    };
    server.wait("the end of the index", |server| {
        news(server).iter().any(|event| matches!(event, Notification::Progress(progress) if progress.done)).then_some(())
    });
    let query = TraceQuery { filter: "\"Llama\"".into(), ..TraceQuery::default() };
    ask(&server, generation, ListTraces(query)).expect("an answer");
    server.wait("the end of the search", |server| {
        let is_end = |event: &Notification| matches!(event, Notification::Searching(progress) if progress.state == quipu::protocol::SearchState::Done);
        news(server).iter().any(is_end).then_some(())
    });
    let failure = ask(&server, generation + 1_000, GetFile).expect_err("there is no such generation");
    assert_eq!(failure.kind, FailureKind::FileChanged);
}

#[test]
fn the_metrics_input_is_handed_to_the_page() {
    let server = Server::of(SMALL, &[]);
    let (generation, _) = open(&server);
    let bytes: Result<Packed<u8>, Failure> = post(&server, &format!("/quipu/metrics-input?generation={generation}"), &[]);
    let input = quipu::metrics::MetricsInput::from_bytes(&bytes.expect("bytes")).expect("metrics input");
    let query = quipu::metrics::PromqlQuery {
        query: "sum(quipu_span_duration_seconds_count)".into(),
        start: None,
        end: None,
        step: None,
        options: Default::default(),
    };
    let answer = quipu::metrics::Metrics::new(input).query(&query, &Default::default()).expect("an answer");
    let spans = number(&server.sql(), "SELECT count(*) FROM spans").expect("a count");
    assert_eq!(answer.series()[0].points[0].value, spans as f64);
}

#[test]
fn questions_in_sql_have_an_edition_of_their_own() {
    let server = Server::of(SMALL, &[]);
    let opened: Opened = post(&server, "/quipu/open?for=sql", &[]);
    assert!(!opened.answer.expect("it opens").indexed);
    assert_ne!(opened.generation, open(&server).0);
    assert_eq!(ask(&server, opened.generation, GetFile).map(|file| file.indexed), Ok(false));
}

#[cfg(unix)]
#[test]
fn a_page_that_waits_for_news_does_not_hold_up_the_end() {
    let server = Server::of(SMALL, &[]);
    let (generation, _) = open(&server);
    traces(&server, generation);
    let mut after = 0;
    server.wait("the end of the index", |server| {
        let news: News = post(server, &format!("/quipu/news?generation={generation}&after={after}&known={generation}"), &[]);
        after = news.number;
        news.events.iter().any(|event| matches!(event, Notification::Progress(progress) if progress.done)).then_some(())
    });
    let mut waiting = std::net::TcpStream::connect(&server.address).expect("a connection");
    let head = format!(
        "POST /quipu/news?generation={generation}&after={after}&known={generation} HTTP/1.1\r\nHost: {}\r\nContent-Type: {SERVED_TYPE}\r\nContent-Length: 0\r\n\r\n",
        server.address
    );
    std::io::Write::write_all(&mut waiting, head.as_bytes()).expect("it takes the request");
    // After two further requests, the first one is being processed.
    open(&server);
    assert!(server.end().success());
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut waiting, &mut answer).expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
