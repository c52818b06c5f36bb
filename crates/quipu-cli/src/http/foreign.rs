//! Which protocol a connection speaks that is not spoken here, by its first bytes, and what to set instead.

use std::net::SocketAddr;

/// How many bytes of a connection are looked at.
pub(super) const FIRST: usize = 24;

/// What HTTP/2 with prior knowledge begins with, as gRPC does.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What to say about a connection that began with these bytes and sent no request that could be read. The sentence has no subject.
/// `is_tls`: whether the socket has TLS.
pub(super) fn words(first: &[u8], local: SocketAddr, is_tls: bool) -> String {
    let endpoint = if is_tls { format!("https://{local}") } else { format!("http://{local}") };
    let starts = |with: &[u8]| first.starts_with(with);
    // Thrift in its strict binary form, also with a length before it, and in its compact form.
    let is_thrift = starts(&[0x80, 0x01]) || first.get(4..).is_some_and(|rest| rest.starts_with(&[0x80, 0x01])) || starts(&[0x82, 0x21]);
    match first {
        [0x16, 0x03, ..] if !is_tls => format!(
            "speaks TLS to {local}, which is not encrypted: set the endpoint to http://{local} instead of https (for gRPC without http:// also OTEL_EXPORTER_OTLP_INSECURE=true), or give this collector a certificate (--tls-cert, `quipu tls init`)."
        ),
        _ if is_thrift => format!(
            "speaks Thrift to {local}, as clients of Jaeger and of old Zipkin do, which is not understood: set its exporter to OTLP, with the endpoint {endpoint}."
        ),
        _ if starts(b"PROXY ") || starts(b"\r\n\r\n\0\r\nQUIT") => {
            format!("is a proxy that begins connections to {local} with a PROXY header, which is not understood: turn that off there.")
        }
        _ if starts(b"PRI ") => format!("speaks HTTP/2 to {local}, and what followed could not be read."),
        _ if first.iter().take_while(|byte| byte.is_ascii_uppercase()).count() >= 3 => {
            format!("sent a request to {local} that is not valid HTTP.")
        }
        _ => format!("sent bytes to {local} that are neither HTTP nor gRPC: set its exporter to OTLP, with the endpoint {endpoint}."),
    }
}

/// Whether these bytes may be the beginning of a request: then silence after them is not reported.
pub(super) fn may_be_http(first: &[u8]) -> bool {
    let method = first.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    method > 0 && first.get(method).is_none_or(|byte| *byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_by_their_first_bytes() {
        let local = "127.0.0.1:4318".parse().expect("an address");
        for (first, part) in [
            // A ClientHello of OpenSSL.
            (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], "speaks TLS"),
            // `submitBatches` of Jaeger's Thrift, and the same in a frame, and `emitBatch` in its compact form.
            (b"\x80\x01\x00\x01\x00\x00\x00\x0dsubmitBatches", "speaks Thrift"),
            (b"\x00\x00\x01\x20\x80\x01\x00\x01\x00\x00\x00\x0d", "speaks Thrift"),
            (b"\x82\x21\x01\x09emitBatch", "speaks Thrift"),
            (b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "a proxy"),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c", "a proxy"),
            (b"GET / HTTP/9.9\r\n\r\n", "not valid HTTP"),
            (PREFACE, "speaks HTTP/2"),
            (b"\x00\x01\x02", "neither HTTP nor gRPC"),
            (b"hello", "neither HTTP nor gRPC"),
        ] {
            assert!(words(first, local, false).contains(part), "{first:?}: {}", words(first, local, false));
        }
        assert!(words(b"hello", local, true).ends_with("with the endpoint https://127.0.0.1:4318."));
        for (first, may) in [
            (&b"GET"[..], true),
            (b"POST /v1", true),
            (b"", false),
            (b"hello", false),
            (b"\x16\x03", false),
            (b"GE\0", false),
        ] {
            assert_eq!(may_be_http(first), may, "{first:?}");
        }
    }
}
