//! Access control: web pages opened in a browser on this machine must not reach the server.
//!
//! Such a page can send requests to 127.0.0.1, and could read the answers if its own host name resolves to 127.0.0.1 (DNS rebinding).
//! It need not even read them: an image whose address is an expensive query keeps the server busy. Therefore the Host header must be a name
//! that always means this machine, requests that a browser makes for a page of another origin are refused whatever they are
//! ([`is_caused_elsewhere`]), and preflight requests are not answered. `--allow-origin` makes exceptions (`origins`). Bodies are only taken in content types that need a preflight
//! request, except the form that Prometheus's API prescribes, which browsers send with an Origin. If other machines may connect, no such host name exists; a token is required instead.

use super::origins::Origins;
use super::refusal::{Encoding, Refusal};
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;

/// Minimum token length; shorter ones could be guessed.
const SHORTEST: usize = 16;

/// The secret a client must send.
pub(super) struct Token(Vec<u8>);

impl Token {
    /// Checks a token. `from` names its source in the error message.
    pub(super) fn new(text: &str, from: &str) -> Result<Token, String> {
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let words =
                "must hold a token of at least 16 letters, digits and punctuation without spaces, for example from `openssl rand -hex 32`";
            return Err(format!("{from} {words}."));
        }
        Ok(Token(text.as_bytes().to_vec()))
    }

    /// Whether an Authorization header contains the token: as a bearer token, or as the password of basic authentication with any user
    /// name.
    fn is_presented_in(&self, value: &str) -> bool {
        let Some((scheme, value)) = value.split_once(' ') else { return false };
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.is(value.trim().as_bytes());
        }
        let pair = STANDARD.decode(value.trim()).unwrap_or_default();
        let password = pair.iter().position(|byte| *byte == b':').and_then(|colon| pair.get(colon + 1..));
        scheme.eq_ignore_ascii_case("basic") && password.is_some_and(|password| self.is(password))
    }

    /// Compares in constant time for a given length.
    fn is(&self, value: &[u8]) -> bool {
        let differs = self.0.iter().zip(value).fold(0_u8, |differs, (a, b)| std::hint::black_box(differs | (a ^ b)));
        differs == 0 && self.0.len() == value.len()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Checks every request before it is routed.
#[derive(Debug)]
pub(crate) struct Guard {
    loopback: bool,
    token: Option<Token>,
    /// Pages of these origins may send.
    origins: Origins,
}

impl Guard {
    pub(super) fn new(loopback: bool, token: Option<Token>) -> Guard {
        Guard { loopback, token, origins: Origins::default() }
    }

    /// Lets pages of these origins send.
    pub(super) fn with_origins(self, origins: Origins) -> Guard {
        Guard { origins, ..self }
    }

    /// The answer to a browser that asks whether a page of an origin that may send may send; `None` for every other request.
    pub(crate) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let is_here = host_of(request).is_ok_and(|host| !self.loopback || is_this_machine(host));
        if is_here { self.origins.preflight(request) } else { None }
    }

    /// Lets the page that sent a request read the response, if it may send.
    pub(crate) fn open_to_page(&self, origin: Option<&HeaderValue>, response: &mut Response<Body>) {
        self.origins.open(origin, response);
    }

    /// Why a request is refused; `None` if it is allowed.
    pub(crate) fn refusal<B>(&self, request: &Request<B>) -> Option<Refusal> {
        let headers = request.headers();
        let refuse = |status, words: &str| Some(Refusal::new(status, words).in_encoding(Encoding::of(headers)));
        let host = match host_of(request) {
            Ok(host) => host,
            Err(words) => return refuse(StatusCode::BAD_REQUEST, words),
        };
        if self.loopback && !is_this_machine(host) {
            let words =
                "Host must be 127.0.0.1, [::1], localhost or a name that ends in .localhost; this server only answers this machine.";
            return refuse(StatusCode::FORBIDDEN, words);
        }
        if is_caused_elsewhere(request, host) && !self.origins.may_send(request) {
            return refuse(StatusCode::FORBIDDEN, "Requests from pages of other origins are refused.");
        }
        if let Some(token) = &self.token
            && !only(headers, AUTHORIZATION).is_some_and(|value| token.is_presented_in(value))
        {
            return refuse(StatusCode::UNAUTHORIZED, "This server requires the header “Authorization: Bearer TOKEN”.");
        }
        // A preflight request: the browser asks whether a page of another origin may send a request.
        if request.method() == Method::OPTIONS {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "OPTIONS is refused: pages of other origins have no access.");
        }
        None
    }
}

/// The value of a header that occurs exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The host the request is addressed to: `name:port`. HTTP/2 has it as `:authority`, and may lack the header.
fn host_of<B>(request: &Request<B>) -> Result<&str, &'static str> {
    if request.version() == Version::HTTP_2
        && !request.headers().contains_key(HOST)
        && let Some(authority) = request.uri().authority()
    {
        return Ok(authority.as_str());
    }
    let value = only(request.headers(), HOST).ok_or("The request must have exactly one Host header.")?;
    match request.uri().authority() {
        Some(authority) if authority.as_str() != value => Err("The request target and the Host header differ."),
        _ => Ok(value),
    }
}

/// Whether a name always means this machine, whatever DNS says: loopback addresses, and names that browsers and resolvers never look up.
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

/// Whether a page of another origin caused the request. Browsers say so: with Sec-Fetch-Site for every request to this machine, images and
/// forms too, and with Origin for requests that send something. Other clients send neither, and neither does the user who types an address
/// (`none`). A link to the page itself may be followed from anywhere: that only opens it.
fn is_caused_elsewhere<B>(request: &Request<B>, host: &str) -> bool {
    const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let headers = request.headers();
    let says = |name: &'static str, value: &str| only(headers, HeaderName::from_static(name)) == Some(value);
    let is_own = match only(headers, SITE) {
        Some(site) => site == "same-origin" || site == "none",
        None => !headers.contains_key(SITE),
    };
    let opens_page = request.method() == Method::GET
        && request.uri().path() == "/"
        && says("sec-fetch-mode", "navigate")
        && says("sec-fetch-dest", "document")
        && headers.get_all(SITE).iter().count() == 1;
    is_cross_origin(headers, host) || !(is_own || opens_page)
}

/// Whether the header Origin names another origin.
fn is_cross_origin(headers: &HeaderMap, host: &str) -> bool {
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
        // HTTP/2 names it in the target.
        for (target, header, expected) in [
            ("http://127.0.0.1:4317/v1/traces", None, None),
            ("http://localhost/v1/traces", Some("localhost"), None),
            ("http://example.org/v1/traces", None, Some(StatusCode::FORBIDDEN)),
            ("http://localhost:80@example.org/v1/traces", None, Some(StatusCode::FORBIDDEN)),
            ("http://localhost/v1/traces", Some("example.org"), Some(StatusCode::BAD_REQUEST)),
            ("http://example.org/v1/traces", Some("localhost"), Some(StatusCode::BAD_REQUEST)),
            ("/v1/traces", None, Some(StatusCode::BAD_REQUEST)),
        ] {
            let mut request = Request::builder().version(Version::HTTP_2).uri(target);
            if let Some(header) = header {
                request = request.header("host", header);
            }
            let refusal = guard.refusal(&request.body(()).expect("a request"));
            assert_eq!(refusal.map(|refusal| refusal.status()), expected, "{target} {header:?}");
        }
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
    fn what_a_page_elsewhere_causes_is_refused_whatever_it_is() {
        let guard = Guard::new(true, None);
        let ask = |method: &str, uri: &str, more: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri(uri).header("host", "127.0.0.1:4242");
            for (name, value) in more {
                request = request.header(*name, *value);
            }
            guard.refusal(&request.body(()).expect("a request")).map(|refusal| refusal.status())
        };
        let site = |site: &'static str, mode: &'static str, dest: &'static str| {
            [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)]
        };
        let refused = Some(StatusCode::FORBIDDEN);
        for uri in ["/api/v1/query?query=bomb", "/metrics", "/v1/traces", "/", "/index.html"] {
            for other in ["cross-site", "same-site", "", "none, none", "SAME-ORIGIN"] {
                assert_eq!(ask("GET", uri, &site(other, "no-cors", "image")), refused, "an image at {uri}, {other}");
                assert_eq!(ask("GET", uri, &site(other, "navigate", "iframe")), refused, "a frame of {uri}, {other}");
                assert_eq!(ask("POST", uri, &site(other, "navigate", "document")), refused, "a form to {uri}, {other}");
                assert_eq!(ask("POST", uri, &site(other, "no-cors", "empty")), refused, "fetch of {uri}, {other}");
            }
            assert_eq!(ask("GET", uri, &[("sec-fetch-site", "none"), ("sec-fetch-site", "none")]), refused);
            // The page itself, the user, and programs.
            assert_eq!(ask("GET", uri, &site("same-origin", "cors", "empty")), None);
            assert_eq!(ask("GET", uri, &site("none", "navigate", "document")), None);
            assert_eq!(ask("POST", uri, &[]), None);
        }
        assert_eq!(ask("GET", "/", &site("cross-site", "navigate", "document")), None, "a link to the page");
        assert_eq!(ask("GET", "/api/v1/query?query=bomb", &site("cross-site", "navigate", "document")), refused, "a link to a query");
    }

    #[test]
    fn a_token_is_asked_for_whatever_the_name() {
        let token = || Token::new("0123456789abcdef", "").expect("a token");
        for (loopback, host) in [(true, "localhost"), (false, "collector.example.org:4318")] {
            let guard = Guard::new(loopback, Some(token()));
            let with = |value: &str| refused(&guard, "POST", &[("host", host), ("authorization", value)]);
            assert_eq!(with("Bearer 0123456789abcdef"), None);
            assert_eq!(with("bearer 0123456789abcdef"), None);
            // The way browsers send name:password.
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
