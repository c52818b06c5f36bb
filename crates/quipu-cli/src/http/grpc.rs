//! Calls of gRPC over hyper's HTTP/2: messages with their five bytes in front, and the status behind them.
//!
//! Messages stay bytes, because what reads OTLP takes bytes, and their memory is reserved as they arrive; tonic would reserve the length that
//! a client states. Not here: services and their methods (`collect`).

use super::body::{Limits, Stated, read_body};
use super::refusal::Refusal;
use super::room::{Held, Room};
use super::unpack::Packing;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE as CONTENT_TYPE_HEADER;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use prost::Message;
use std::convert::Infallible;

pub(super) const CONTENT_TYPE: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// Bytes in front of a message: whether it is compressed, and its length.
pub(crate) const PREFIX: usize = 5;
/// The longest message of a status; clients take about 8 KiB of headers.
const LONGEST: usize = 1_000;

/// Whether a Content-Type is that of gRPC with protobuf. `application/grpc-web` is another protocol.
pub(super) fn is_content_type(said: &str) -> bool {
    said.eq_ignore_ascii_case(CONTENT_TYPE) || said.eq_ignore_ascii_case("application/grpc+proto")
}

/// A message as it was sent.
pub(crate) struct Packed {
    pub(crate) packing: Packing,
    pub(crate) message: Vec<u8>,
    /// The memory of the message.
    pub(crate) held: Held,
}

/// Reads the only message of a unary call.
///
/// # Errors
/// Like [`read_body`]; if there is not exactly one message; if its compression is unknown.
pub(crate) async fn read_message(headers: HeaderMap, body: Body, limits: Limits, room: &Room) -> Result<Packed, Refusal> {
    let limits = Limits { sent: limits.sent + PREFIX, ..limits };
    let (stated, encoding) = (Stated::of(&headers, limits)?, Encoding::of(&headers));
    // Many calls may wait for their messages.
    drop(headers);
    let (mut bytes, held) = read_body(stated, body, limits, room).await?;
    let invalid = |words: &str| Refusal::new(StatusCode::BAD_REQUEST, words);
    let Some(([flag, length @ ..], message)) = bytes.split_first_chunk::<PREFIX>() else {
        return Err(invalid("The call has no message."));
    };
    if u32::from_be_bytes(*length) as usize != message.len() {
        return Err(invalid("The call must have exactly one message, and all of it."));
    }
    let packing = encoding.packing(*flag)?;
    bytes.drain(..PREFIX);
    Ok(Packed { packing, message: bytes, held })
}

/// How the messages of a call are compressed: what the header grpc-encoding says. `None` if that is unknown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding(Option<Packing>);

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Encoding {
        Encoding(match headers.get(ENCODING) {
            None => Some(Packing::Plain),
            Some(value) => value.to_str().ok().and_then(Packing::named),
        })
    }

    /// How a message with this flag is compressed.
    ///
    /// # Errors
    /// If the flag or the compression is unknown.
    pub(crate) fn packing(self, flag: u8) -> Result<Packing, Refusal> {
        match (flag, self.0) {
            (0, _) => Ok(Packing::Plain),
            (1, Some(Packing::Plain)) => {
                Err(Refusal::new(StatusCode::BAD_REQUEST, "The message is compressed, and grpc-encoding does not say how."))
            }
            (1, Some(packing)) => Ok(packing),
            (1, None) => {
                Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Messages may be compressed by one of {}.", Packing::NAMES)))
            }
            _ => Err(Refusal::new(StatusCode::BAD_REQUEST, "The message has unknown flags.")),
        }
    }
}

/// A message with its prefix.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    // Messages of answers are short.
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    Bytes::from([[0].as_slice(), &length, message].concat())
}

/// The response to a call that succeeded.
pub(crate) fn answered(message: &[u8]) -> Response<Body> {
    let trailers = async { Some(Ok::<_, Infallible>(ok())) };
    head(Body::new(Full::new(framed(message)).with_trailers(trailers)))
}

/// The trailers of a call that succeeded.
pub(crate) fn ok() -> HeaderMap {
    HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))])
}

/// A response whose status follows its body.
pub(crate) fn head(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE_HEADER, HeaderValue::from_static(CONTENT_TYPE));
    response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(Packing::NAMES));
    response
}

/// The response to a call that failed: headers alone, which have the status.
pub(super) fn refused(code: u8, words: &str, retry_after: Option<u16>) -> Response<Body> {
    let mut response = head(Body::empty());
    response.headers_mut().extend(status(code, words, retry_after));
    response
}

/// The headers or trailers of a call that failed.
pub(super) fn status(code: u8, words: &str, retry_after: Option<u16>) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(STATUS, HeaderValue::from(u16::from(code)))]);
    if let Ok(words) = HeaderValue::try_from(percent_encoded(words)) {
        headers.insert(MESSAGE, words);
    }
    if let Some(seconds) = retry_after {
        let retry = RetryInfo { retry_delay: Some(Delay { seconds: seconds.into(), nanos: 0 }) };
        let detail = Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".into(), value: retry.encode_to_vec() };
        let status = Status { code: code.into(), message: words.chars().take(LONGEST).collect(), details: vec![detail] };
        if let Ok(details) = HeaderValue::try_from(STANDARD_NO_PAD.encode(status.encode_to_vec())) {
            headers.insert(DETAILS, details);
        }
    }
    headers
}

/// A message in the form of the header grpc-message.
fn percent_encoded(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for byte in words.chars().take(LONGEST).collect::<String>().bytes() {
        match byte {
            b'%' | 0..0x20 | 0x7f.. => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_status_are_ascii() {
        assert_eq!(percent_encoded("100 % “fine”\n"), "100 %25 %E2%80%9Cfine%E2%80%9D%0A");
        assert_eq!(percent_encoded(&"x".repeat(5_000)).len(), LONGEST);
    }

    #[test]
    fn a_call_has_one_whole_message() {
        let read = |bytes: &[u8], encoding: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(encoding) = encoding {
                headers.insert(ENCODING, encoding.parse().expect("a value"));
            }
            let limits = Limits { sent: 10, unpacked: 10, time: std::time::Duration::from_secs(60) };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let read = runtime.block_on(read_message(headers, Body::from(bytes.to_vec()), limits, &Room::new(1 << 10)));
            read.map(|read| (read.packing, read.message)).map_err(|refusal| refusal.status().as_u16())
        };
        assert_eq!(read(b"\0\0\0\0\x02ab", None), Ok((Packing::Plain, b"ab".to_vec())));
        assert_eq!(read(b"\0\0\0\0\0", Some("gzip")), Ok((Packing::Plain, Vec::new())));
        assert_eq!(read(b"\x01\0\0\0\x02ab", Some("zstd")), Ok((Packing::Zstd, b"ab".to_vec())));
        assert_eq!(read(b"\0\0\0\0\x0a0123456789", None), Ok((Packing::Plain, b"0123456789".to_vec())), "as much as may be sent");
        for (bytes, encoding, status) in [
            (&b""[..], None, 400),
            (b"\0\0\0\0", None, 400),
            (b"\0\0\0\0\x03ab", None, 400),
            (b"\0\0\0\0\x01ab", None, 400),
            (b"\0\xff\xff\xff\xffab", None, 400),
            (b"\x01\0\0\0\x02ab", None, 400),
            (b"\x02\0\0\0\x02ab", None, 400),
            (b"\x01\0\0\0\x02ab", Some("snappy"), 415),
            (b"\0\0\0\0\x0b0123456789a", None, 413),
        ] {
            assert_eq!(read(bytes, encoding), Err(status), "{bytes:?} {encoding:?}");
        }
    }
}
