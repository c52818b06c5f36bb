//! Pages of other origins that may send, as the user named them: the answers of CORS.
//!
//! They may only send (`POST`), and read the answer to that. Not here: what else is checked of a request (`guard`).

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

/// How long browsers may remember an answer, in seconds.
const AGE: u16 = 600;
/// Asked by Chromium before a public page reaches this machine.
const REQUEST_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Origins as browsers write them, such as `http://localhost:3000`.
#[derive(Debug, Default)]
pub(super) struct Origins(Vec<String>);

impl Origins {
    /// Checks origins.
    ///
    /// # Errors
    /// A sentence about the first that is none.
    pub(super) fn new(origins: &[String]) -> Result<Origins, String> {
        let checked = origins.iter().map(|origin| {
            normal(origin).ok_or_else(|| {
                format!("--allow-origin {origin} is not an origin; give one as browsers send it, such as http://localhost:3000.")
            })
        });
        checked.collect::<Result<_, _>>().map(Origins)
    }

    /// The origin of a request, if it is one of these and the only one.
    fn known<'v>(&self, mut values: impl Iterator<Item = &'v HeaderValue>) -> Option<&'v HeaderValue> {
        let value = values.next().filter(|value| value.to_str().is_ok_and(|text| self.0.iter().any(|known| known == text)))?;
        values.next().is_none().then_some(value)
    }

    /// Whether a request is one that a page of these origins may cause.
    pub(super) fn may_send<B>(&self, request: &Request<B>) -> bool {
        request.method() == Method::POST && self.known(request.headers().get_all(ORIGIN).iter()).is_some()
    }

    /// The answer to a preflight request of such a page; `None` for every other request.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let headers = request.headers();
        let wants = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        if request.method() != Method::OPTIONS || wants != Method::POST.as_str() {
            return None;
        }
        let origin = self.known(headers.get_all(ORIGIN).iter())?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        self.open(Some(origin), &mut response);
        let out = response.headers_mut();
        out.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        out.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(AGE));
        // Exporters can be told to send any header.
        if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            out.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        if headers.get(REQUEST_PRIVATE).is_some_and(|value| value == "true") {
            out.insert(ALLOW_PRIVATE, HeaderValue::from_static("true"));
        }
        Some(response)
    }

    /// Lets the page of an origin read a response.
    pub(super) fn open(&self, origin: Option<&HeaderValue>, response: &mut Response<Body>) {
        let Some(origin) = self.known(origin.into_iter()) else { return };
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        // `sendBeacon` always sends with credentials.
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}

/// An origin as browsers write it: in lower case, without the port that its scheme has anyway.
fn normal(origin: &str) -> Option<String> {
    let uri: Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let has_more = uri.query().is_some() || uri.path() != "/" || origin.contains('#') || authority.as_str().contains(['@', '*']);
    if has_more || authority.host().is_empty() {
        return None;
    }
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = authority.as_str().to_ascii_lowercase();
    let authority = if usual.is_empty() { &authority } else { authority.strip_suffix(usual).unwrap_or(&authority) };
    Some(format!("{scheme}://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(given: &[&str]) -> Result<Origins, String> {
        Origins::new(&given.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (given, written) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://Example.org", "https://example.org"),
            ("https://example.org:443/", "https://example.org"),
            ("http://[::1]:80", "http://[::1]"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            assert_eq!(normal(given).as_deref(), Some(written), "{given}");
        }
        for wrong in [
            "*",
            "",
            "null",
            "localhost:3000",
            "http://",
            "http://a/b",
            "http://a?b",
            "http://a#b",
            "http://*.a",
            "http://u@a",
        ] {
            let words = origins(&[wrong]).expect_err(wrong);
            assert!(words.contains("http://localhost:3000"), "{words}");
        }
    }

    #[test]
    fn only_named_origins_may_ask_and_only_for_sending() {
        let origins = origins(&["http://localhost:3000"]).expect("an origin");
        let ask = |method: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri("/v1/traces");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            request.body(()).expect("a request")
        };
        let own = ("origin", "http://localhost:3000");
        let wants = |method: &'static str| ("access-control-request-method", method);
        let answer = origins.preflight(&ask("OPTIONS", &[own, wants("POST"), ("access-control-request-headers", "content-type,x-a")]));
        let answer = answer.expect("an answer");
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("access-control-allow-origin"), Some("http://localhost:3000"));
        assert_eq!(header("access-control-allow-headers"), Some("content-type,x-a"));
        assert_eq!(header("access-control-allow-methods"), Some("POST"));
        assert_eq!(header("vary"), Some("origin"));
        for (method, headers) in [
            ("OPTIONS", vec![("origin", "http://localhost:3001"), wants("POST")]),
            ("OPTIONS", vec![("origin", "http://LOCALHOST:3000"), wants("POST")]),
            ("OPTIONS", vec![own, own, wants("POST")]),
            ("OPTIONS", vec![own, wants("GET")]),
            ("OPTIONS", vec![own]),
            ("POST", vec![own, wants("POST")]),
        ] {
            assert!(origins.preflight(&ask(method, &headers)).is_none(), "{method} {headers:?}");
        }
        assert!(origins.may_send(&ask("POST", &[own])));
        for (method, headers) in [
            ("GET", vec![own]),
            ("POST", vec![]),
            ("POST", vec![("origin", "null")]),
            ("POST", vec![("origin", "http://localhost:3001")]),
        ] {
            assert!(!origins.may_send(&ask(method, &headers)), "{method} {headers:?}");
        }
    }
}
