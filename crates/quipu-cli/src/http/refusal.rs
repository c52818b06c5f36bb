//! Error responses: one sentence, as the `google.rpc.Status` that OTLP requires, in the encoding of the request; over gRPC as its status.

use super::grpc;
use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;

/// The encoding of a request and its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Protobuf,
    /// Protobuf in messages of gRPC.
    Grpc,
}

impl Encoding {
    /// The encoding given by the header Content-Type; JSON if it is not protobuf.
    pub(crate) fn of(headers: &HeaderMap) -> Encoding {
        match super::body::content_type(headers) {
            Some(said) if said.eq_ignore_ascii_case(Encoding::Protobuf.label()) => Encoding::Protobuf,
            Some(said) if grpc::is_content_type(said) => Encoding::Grpc,
            _ => Encoding::Json,
        }
    }

    /// The value of the Content-Type header.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Encoding::Json => "application/json",
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Grpc => grpc::CONTENT_TYPE,
        }
    }
}

/// An error response.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    words: String,
    encoding: Encoding,
    retry_after: Option<u16>,
    allow: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, words: impl Into<String>) -> Refusal {
        Refusal { status, words: words.into(), encoding: Encoding::Json, retry_after: None, allow: None }
    }

    /// Method not allowed; `allow` lists the allowed methods.
    pub(crate) fn method(allow: &'static str) -> Refusal {
        Refusal { allow: Some(allow), ..Refusal::new(StatusCode::METHOD_NOT_ALLOWED, format!("Only {allow} is allowed here.")) }
    }

    pub(crate) fn in_encoding(self, encoding: Encoding) -> Refusal {
        Refusal { encoding, ..self }
    }

    /// Adds a Retry-After header: the same request may be sent again after this many seconds.
    pub(crate) fn retry_after(self, seconds: u16) -> Refusal {
        Refusal { retry_after: Some(seconds), ..self }
    }

    /// The message, for responses in another format.
    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// The response with another JSON body.
    pub(crate) fn with_body(&self, json: String) -> Response<Body> {
        let plain = Refusal {
            status: self.status,
            words: String::new(),
            encoding: Encoding::Json,
            retry_after: self.retry_after,
            allow: self.allow,
        };
        plain.into_response().map(|_| Body::from(json))
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The trailers of a stream of gRPC that ends with it.
    pub(crate) fn trailers(&self) -> HeaderMap {
        grpc::status(self.code(), &self.words, self.retry_after)
    }

    /// The matching code of `google.rpc.Code`.
    fn code(&self) -> u8 {
        match self.status {
            StatusCode::UNAUTHORIZED => 16,
            StatusCode::FORBIDDEN => 7,
            StatusCode::NOT_FOUND => 5,
            StatusCode::METHOD_NOT_ALLOWED => 12,
            StatusCode::REQUEST_TIMEOUT => 4,
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => 8,
            StatusCode::NOT_IMPLEMENTED => 12,
            // gRPC has this code for compression that a server lacks.
            StatusCode::UNSUPPORTED_MEDIA_TYPE if self.encoding == Encoding::Grpc => 12,
            StatusCode::SERVICE_UNAVAILABLE => 14,
            status if status.is_server_error() => 13,
            _ => 3,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a varint: seven bits at a time")]
    fn bytes(&self) -> Vec<u8> {
        match self.encoding {
            Encoding::Json => serde_json::json!({ "code": self.code(), "message": self.words }).to_string().into_bytes(),
            Encoding::Protobuf | Encoding::Grpc => {
                // Status is { int32 code = 1; string message = 2; }. Codes are below 128.
                let mut bytes = vec![0x08, self.code(), 0x12];
                let mut length = self.words.len();
                while length >= 0x80 {
                    bytes.push(length as u8 | 0x80);
                    length >>= 7;
                }
                bytes.push(length as u8);
                bytes.extend_from_slice(self.words.as_bytes());
                bytes
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        if self.encoding == Encoding::Grpc {
            return grpc::refused(self.code(), &self.words, self.retry_after);
        }
        let mut response = Response::new(Body::from(self.bytes()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.encoding.label()));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            // Browsers then ask for a password, which is the token.
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"quipu\""));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_written_in_both_encodings() {
        let refusal = |encoding| Refusal::new(StatusCode::FORBIDDEN, "x".repeat(200)).in_encoding(encoding).bytes();
        // The encoding by Google's library of Status(code=7, message="x" * 200).
        assert_eq!(refusal(Encoding::Protobuf), [&[0x08, 7, 0x12, 0xc8, 0x01], "x".repeat(200).as_bytes()].concat());
        let json: serde_json::Value = serde_json::from_slice(&refusal(Encoding::Json)).expect("JSON");
        assert_eq!(json, serde_json::json!({ "code": 7, "message": "x".repeat(200) }));
    }
}
