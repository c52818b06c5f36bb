//! Reads request bodies within limits on stated length, received bytes and decompressed size.

use super::refusal::Refusal;
use super::room::{Held, Room};
use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame};
use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;

/// Limits of a request body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Maximum bytes received.
    pub(crate) sent: usize,
    /// Maximum bytes after decompression.
    pub(crate) unpacked: usize,
    /// Maximum time from the first byte to the last.
    pub(crate) time: Duration,
}

/// The media type of the header Content-Type, without parameters.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

/// A body of which nothing comes for so long is given up; sooner if memory is scarce, because it may hold much of it.
const SILENT: Duration = Duration::from_secs(10);
const SILENT_IF_SCARCE: Duration = Duration::from_secs(1);
/// Memory is reserved in such steps, in bytes.
const STEP: usize = 64 << 10;

/// The length that a request states for its body, in bytes.
///
/// # Errors
/// If it is above the limit.
fn stated_length(headers: &HeaderMap, limits: Limits) -> Result<Option<usize>, Refusal> {
    let stated = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if stated.is_some_and(|length| length > limits.sent) { Err(too_large(limits)) } else { Ok(stated) }
}

fn too_large(limits: Limits) -> Refusal {
    let words = format!("The body is larger than {}. Send it in smaller parts.", quipu::format::bytes(limits.sent as u64));
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words)
}

/// Reads a body as it was sent, without decompressing it. Its memory is reserved in `room` as it arrives.
///
/// # Errors
/// If it is too long, too slow, or incomplete, or there is no room.
pub(crate) async fn read_body(headers: &HeaderMap, mut body: Body, limits: Limits, room: &Room) -> Result<(Vec<u8>, Held), Refusal> {
    // The stated length can be wrong, so memory is allocated as bytes arrive.
    let stated = stated_length(headers, limits)?.unwrap_or(0);
    let mut held = room.hold(0)?;
    let mut reserved = 0;
    let read = async {
        let mut bytes = Vec::with_capacity(stated.min(STEP));
        while let Some(frame) = next_frame(&mut body, room).await? {
            let frame = frame.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The body is incomplete."))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > limits.sent {
                return Err(too_large(limits));
            }
            if length > reserved {
                let more = (length - reserved).next_multiple_of(STEP);
                held.add(room.hold(more)?);
                reserved += more;
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(limits.time, read).await.map_err(|_| too_slow())??;
    Ok((bytes, held))
}

fn too_slow() -> Refusal {
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "The body was not received in time.")
}

/// The next part of a body, if one comes in time.
async fn next_frame(body: &mut Body, room: &Room) -> Result<Option<Result<Frame<Bytes>, axum::Error>>, Refusal> {
    let mut silent = Duration::ZERO;
    loop {
        match tokio::time::timeout(SILENT_IF_SCARCE, body.frame()).await {
            Ok(frame) => return Ok(frame),
            Err(_) => silent += SILENT_IF_SCARCE,
        }
        if silent >= SILENT || room.is_scarce() {
            return Err(too_slow());
        }
    }
}

/// Decompresses a body according to the header Content-Encoding. CPU-bound: do not call it on an async thread.
///
/// # Errors
/// If the encoding is not gzip, the data is damaged, or the decompressed body is too long.
pub(crate) fn unpacked<'b>(headers: &HeaderMap, body: &'b [u8], limits: Limits) -> Result<Cow<'b, [u8]>, Refusal> {
    let value = match headers.get(CONTENT_ENCODING).map(|value| value.to_str()) {
        None => return Ok(body.into()),
        Some(Ok(value)) => value.trim().to_ascii_lowercase(),
        Some(Err(_)) => String::new(),
    };
    match value.as_str() {
        "identity" => return Ok(body.into()),
        "gzip" | "x-gzip" => {}
        _ => {
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Encoding must be gzip or identity."));
        }
    }
    let mut bytes = Vec::with_capacity((body.len() * 4).min(limits.unpacked));
    let read = MultiGzDecoder::new(body).take(limits.unpacked as u64 + 1).read_to_end(&mut bytes);
    if bytes.len() > limits.unpacked {
        let words =
            format!("The decompressed body is larger than {}. Send it in smaller parts.", quipu::format::bytes(limits.unpacked as u64));
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words));
    }
    match read {
        Ok(_) => Ok(bytes.into()),
        Err(_) => Err(Refusal::new(StatusCode::BAD_REQUEST, "The gzip body can't be decompressed: it is damaged or incomplete.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    const LIMITS: Limits = Limits { sent: 1_000, unpacked: 10_000, time: Duration::from_secs(60) };

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn unpack(encoding: &str, body: Vec<u8>) -> Result<Vec<u8>, StatusCode> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().expect("a value"));
        unpacked(&headers, &body, LIMITS).map(Cow::into_owned).map_err(|refusal| refusal.status())
    }

    #[test]
    fn gzip_is_unpacked_up_to_the_limit() {
        let most = vec![7; 10_000];
        assert_eq!(unpack("gzip", packed(&most)), Ok(most.clone()));
        assert_eq!(unpack("GZIP", packed(b"")), Ok(Vec::new()));
        assert_eq!(unpack("identity", b"as it is".to_vec()), Ok(b"as it is".to_vec()));
        // 100 MB of zeros in 100 KB, and two members that together exceed the limit.
        assert_eq!(unpack("gzip", packed(&vec![0; 100_000_000])), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(unpack("gzip", [packed(&most), packed(b"x")].concat()), Err(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[test]
    fn damage_and_other_packings_are_refused() {
        let whole = packed(b"a body that is long enough to be cut");
        assert_eq!(unpack("gzip", whole[..whole.len() - 1].to_vec()), Err(StatusCode::BAD_REQUEST));
        assert_eq!(unpack("gzip", b"no gzip".to_vec()), Err(StatusCode::BAD_REQUEST));
        for encoding in ["zstd", "br", "gzip, gzip", "deflate"] {
            assert_eq!(unpack(encoding, whole.clone()), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{encoding}");
        }
    }

    #[test]
    fn a_body_is_read_up_to_the_limit_whatever_length_it_states() {
        let read = |stated: Option<&str>, length: usize| {
            let mut headers = HeaderMap::new();
            if let Some(stated) = stated {
                headers.insert(CONTENT_LENGTH, stated.parse().expect("a value"));
            }
            let body = Body::from(vec![1; length]);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let room = Room::new(1 << 10);
            runtime.block_on(read_body(&headers, body, LIMITS, &room)).map(|(bytes, _)| bytes.len()).map_err(|refusal| refusal.status())
        };
        assert_eq!(read(None, 1_000), Ok(1_000));
        assert_eq!(read(None, 1_001), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(read(Some("5"), 1_001), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(read(Some("1001"), 0), Err(StatusCode::PAYLOAD_TOO_LARGE));
    }
}
