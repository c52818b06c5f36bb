//! Whom a server answers. A page of the internet that is open in a browser on this machine must reach nothing here.
//!
//! Such a page can send requests to 127.0.0.1, and by a name of its own that suddenly means 127.0.0.1 (DNS rebinding) it could read the
//! answers. So the name in the header Host must be one that means this machine to everybody, a request that says it comes from another
//! page is refused, and no answer allows what browsers ask for in advance. Where other machines may come in there is no such name to
//! hold on to; a token takes its place.

use super::refusal::{Encoding, Refusal};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;

/// The shortest token: what is shorter can be tried out.
const SHORTEST: usize = 16;

/// What whoever asks has to know.
pub(super) struct Token(Vec<u8>);

impl Token {
    /// Takes a token; `from` says where it came from in the sentence that refuses it.
    pub(super) fn new(text: &str, from: &str) -> Result<Token, String> {
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let words = "must hold a token of at least 16 letters, digits and signs without blanks, such as `openssl rand -hex 32` makes";
            return Err(format!("{from} {words}."));
        }
        Ok(Token(text.as_bytes().to_vec()))
    }

    /// Whether a header Authorization brings it: as it is, or as the password that a browser asks for, whatever the name beside it.
    fn is_brought_by(&self, said: &str) -> bool {
        let Some((scheme, said)) = said.split_once(' ') else { return false };
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.is(said.trim().as_bytes());
        }
        let pair = STANDARD.decode(said.trim()).unwrap_or_default();
        let password = pair.iter().position(|byte| *byte == b':').and_then(|colon| pair.get(colon + 1..));
        scheme.eq_ignore_ascii_case("basic") && password.is_some_and(|password| self.is(password))
    }

    /// Whether this is the token, in a time that tells nothing but its length.
    fn is(&self, said: &[u8]) -> bool {
        let differs = self.0.iter().zip(said).fold(0_u8, |differs, (a, b)| std::hint::black_box(differs | (a ^ b)));
        differs == 0 && self.0.len() == said.len()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Decides of every request, before anything else looks at it.
#[derive(Debug)]
pub(crate) struct Guard {
    loopback: bool,
    token: Option<Token>,
}

impl Guard {
    pub(super) fn new(loopback: bool, token: Option<Token>) -> Guard {
        Guard { loopback, token }
    }

    /// Why a request is not answered; `None` where it is.
    pub(crate) fn refusal<B>(&self, request: &Request<B>) -> Option<Refusal> {
        let headers = request.headers();
        let refuse = |status, words: &str| Some(Refusal::new(status, words).in_encoding(Encoding::of(headers)));
        let host = match host_of(request) {
            Ok(host) => host,
            Err(words) => return refuse(StatusCode::BAD_REQUEST, words),
        };
        if self.loopback && !is_this_machine(host) {
            let words =
                "Host must be 127.0.0.1, [::1], localhost or a name that ends in .localhost; this server answers this machine only.";
            return refuse(StatusCode::FORBIDDEN, words);
        }
        if comes_from_elsewhere(headers, host) {
            return refuse(StatusCode::FORBIDDEN, "Pages of other addresses are not answered.");
        }
        if let Some(token) = &self.token
            && !only(headers, AUTHORIZATION).is_some_and(|said| token.is_brought_by(said))
        {
            return refuse(StatusCode::UNAUTHORIZED, "This server wants the header “Authorization: Bearer TOKEN” with its token.");
        }
        // Browsers ask so whether a page of another address may; it may not.
        if request.method() == Method::OPTIONS {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "OPTIONS is not answered: pages of other addresses have no access.");
        }
        None
    }
}

/// The value of a header that stands there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whom the request is for: `name:port`.
fn host_of<B>(request: &Request<B>) -> Result<&str, &'static str> {
    let said = only(request.headers(), HOST).ok_or("A request needs one header Host.")?;
    match request.uri().authority() {
        Some(authority) if authority.as_str() != said => Err("The address of the request and its header Host are not the same."),
        _ => Ok(said),
    }
}

/// Whether a name means the machine that asks, whatever a name server says: addresses of the loopback, and names that browsers and
/// resolvers never look up.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((name, port))) if is_port(port) => return name.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback()),
        Some(_) => return false,
        None => match host.split_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            Some(_) => return false,
            None => host,
        },
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(|address: std::net::Ipv4Addr| address.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a browser says that a page of another address asks. It says so of everything that changes something and of all that the page
/// wants to read; following a link it does not count.
fn comes_from_elsewhere(headers: &HeaderMap, host: &str) -> bool {
    headers.get_all(ORIGIN).iter().any(|origin| {
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        authority.is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(guard: &Guard, method: &str, headers: &[(&str, &str)]) -> Option<StatusCode> {
        let mut request = Request::builder().method(method).uri("/v1/traces");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.refusal(&request.body(()).expect("a request")).map(|refusal| refusal.status())
    }

    #[test]
    fn only_names_that_mean_this_machine_to_everybody_are_answered() {
        let guard = Guard::new(true, None);
        for host in [
            "127.0.0.1",
            "127.0.0.1:4318",
            "127.1.2.3:1",
            "localhost",
            "LocalHost:4318",
            "localhost.",
            "quipu.localhost:80",
            "[::1]:4318",
            "[::1]",
        ] {
            assert_eq!(refused(&guard, "POST", &[("host", host)]), None, "{host}");
        }
        for host in [
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "192.168.0.7:4318",
            "0.0.0.0:4318",
            "[::]:4318",
            "[::1",
            "[::1]x",
            "::1",
            "2130706433",
            "localhost:80@example.org",
            "xlocalhost",
            "",
        ] {
            assert_eq!(refused(&guard, "POST", &[("host", host)]), Some(StatusCode::FORBIDDEN), "{host}");
        }
        assert_eq!(refused(&guard, "GET", &[]), Some(StatusCode::BAD_REQUEST));
        assert_eq!(refused(&guard, "GET", &[("host", "localhost"), ("host", "example.org")]), Some(StatusCode::BAD_REQUEST));
        let request = Request::builder().uri("http://example.org/").header("host", "localhost").body(()).expect("a request");
        assert_eq!(guard.refusal(&request).map(|refusal| refusal.status()), Some(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn pages_of_other_addresses_and_their_questions_in_advance_are_refused() {
        let guard = Guard::new(true, None);
        let from = |origin: &'static str| [("host", "127.0.0.1:8080"), ("origin", origin)];
        assert_eq!(refused(&guard, "POST", &from("http://127.0.0.1:8080")), None);
        for origin in ["http://example.org", "http://127.0.0.1:9090", "null", "http://localhost:8080", ""] {
            assert_eq!(refused(&guard, "POST", &from(origin)), Some(StatusCode::FORBIDDEN), "{origin}");
        }
        assert_eq!(refused(&guard, "OPTIONS", &[("host", "localhost")]), Some(StatusCode::METHOD_NOT_ALLOWED));
    }

    #[test]
    fn a_token_is_asked_for_whatever_the_name() {
        let token = || Token::new("0123456789abcdef", "").expect("a token");
        for (loopback, host) in [(true, "localhost"), (false, "collector.example.org:4318")] {
            let guard = Guard::new(loopback, Some(token()));
            let with = |value: &str| refused(&guard, "POST", &[("host", host), ("authorization", value)]);
            assert_eq!(with("Bearer 0123456789abcdef"), None);
            assert_eq!(with("bearer 0123456789abcdef"), None);
            // As a browser sends name:password.
            assert_eq!(with("Basic OjAxMjM0NTY3ODlhYmNkZWY="), None);
            assert_eq!(with("basic cXVpcHU6MDEyMzQ1Njc4OWFiY2RlZg=="), None);
            for value in [
                "",
                "Bearer",
                "Bearer ",
                "Basic 0123456789abcdef",
                "Basic MDEyMzQ1Njc4OWFiY2RlZg==",
                "Basic OjAxMjM0NTY3ODlhYmNkZQ==",
                "Bearer 0123456789abcde",
                "Bearer 0123456789abcdeff",
                "Bearer 0123456789abcdeF",
            ] {
                assert_eq!(with(value), Some(StatusCode::UNAUTHORIZED), "{value}");
            }
            assert_eq!(refused(&guard, "POST", &[("host", host)]), Some(StatusCode::UNAUTHORIZED));
        }
        assert_eq!(format!("{:?}", token()), "Token(…)");
    }
}
