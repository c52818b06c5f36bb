//! Reads request bodies within limits on stated length, received bytes and time. Not here: decompression (`unpack`).

use super::refusal::Refusal;
use super::room::{Held, Room};
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame};
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

/// The length that a request states for its body, in bytes; 0 if none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stated(usize);

impl Stated {
    /// # Errors
    /// If it is above the limit.
    pub(crate) fn of(headers: &HeaderMap, limits: Limits) -> Result<Stated, Refusal> {
        let stated = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
        if stated > limits.sent { Err(too_large(limits)) } else { Ok(Stated(stated)) }
    }
}

fn too_large(limits: Limits) -> Refusal {
    let words = format!("The body is larger than {}. Send it in smaller parts.", quipu::format::bytes(limits.sent as u64));
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words)
}

/// Reads a body as it was sent, without decompressing it. Its memory is reserved in `room` as it arrives. The head need not be kept meanwhile.
///
/// # Errors
/// If it is too long, too slow, or incomplete, or there is no room.
pub(crate) async fn read_body(Stated(stated): Stated, mut body: Body, limits: Limits, room: &Room) -> Result<(Vec<u8>, Held), Refusal> {
    let mut held = room.hold(0)?;
    let mut reserved = 0;
    let read = async {
        // The stated length can be wrong, so memory is allocated as bytes arrive.
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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { sent: 1_000, unpacked: 10_000, time: Duration::from_secs(60) };

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
            let read = Stated::of(&headers, LIMITS).and_then(|stated| runtime.block_on(read_body(stated, body, LIMITS, &room)));
            read.map(|(bytes, _)| bytes.len()).map_err(|refusal| refusal.status())
        };
        assert_eq!(read(None, 1_000), Ok(1_000));
        assert_eq!(read(None, 1_001), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(read(Some("5"), 1_001), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(read(Some("1001"), 0), Err(StatusCode::PAYLOAD_TOO_LARGE));
    }
}
