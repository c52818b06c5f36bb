//! Decompresses bodies and messages: gzip, deflate and zstd, as HTTP and gRPC name them.
//!
//! Not here: reading bodies from the network (`body`).

use super::body::Limits;
use super::refusal::Refusal;
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::Read;

/// Bytes that later blocks of zstd may refer back to, at most: what RFC 9659 allows in HTTP. So much is allocated before anything is decoded.
const WINDOW: u64 = 8 << 20;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    /// In zlib's envelope, as HTTP and gRPC define it.
    Deflate,
    Zstd,
}

impl Packing {
    /// All names, for messages and headers.
    pub(crate) const NAMES: &str = "identity, gzip, deflate, zstd";

    /// The packing with this name, in any case.
    pub(crate) fn named(name: &str) -> Option<Packing> {
        const NAMES: [(&str, Packing); 5] = [
            ("identity", Packing::Plain),
            ("gzip", Packing::Gzip),
            ("x-gzip", Packing::Gzip),
            ("deflate", Packing::Deflate),
            ("zstd", Packing::Zstd),
        ];
        NAMES.iter().find(|(known, _)| name.trim().eq_ignore_ascii_case(known)).map(|(_, packing)| *packing)
    }

    /// The packing of a body, by the header Content-Encoding.
    ///
    /// # Errors
    /// If it is unknown, or more than one.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Packing, Refusal> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let packing = match (values.next(), values.next()) {
            (None, _) => Some(Packing::Plain),
            (Some(value), None) => value.to_str().ok().and_then(Packing::named),
            (Some(_), Some(_)) => None,
        };
        packing.ok_or_else(|| {
            let words = format!("Content-Encoding must be one of {}.", Packing::NAMES);
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words)
        })
    }

    fn label(self) -> &'static str {
        match self {
            Packing::Plain => "identity",
            Packing::Gzip => "gzip",
            Packing::Deflate => "deflate",
            Packing::Zstd => "zstd",
        }
    }

    /// Decompresses a body. CPU-bound: do not call it on an async thread.
    ///
    /// # Errors
    /// If the data is damaged, or the decompressed body is too long.
    pub(crate) fn unpack(self, body: Vec<u8>, limits: Limits) -> Result<Vec<u8>, Refusal> {
        if self == Packing::Plain {
            return Ok(body);
        }
        let mut bytes = Vec::with_capacity((body.len() * 4).min(limits.unpacked));
        let most = limits.unpacked as u64 + 1;
        let read = match self {
            Packing::Gzip => MultiGzDecoder::new(body.as_slice()).take(most).read_to_end(&mut bytes).map(|_| ()),
            Packing::Deflate => ZlibDecoder::new(body.as_slice()).take(most).read_to_end(&mut bytes).map(|_| ()),
            Packing::Zstd => unpack_zstd(&body, most, &mut bytes),
            Packing::Plain => Ok(()),
        };
        if bytes.len() > limits.unpacked {
            let words =
                format!("The decompressed body is larger than {}. Send it in smaller parts.", quipu::format::bytes(limits.unpacked as u64));
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words));
        }
        read.map(|()| bytes).map_err(|_| {
            let words = format!("The {} body can't be decompressed: it is damaged or incomplete.", self.label());
            Refusal::new(StatusCode::BAD_REQUEST, words)
        })
    }
}

/// Appends the content of all frames to `bytes`, until it has `most` bytes.
fn unpack_zstd(mut body: &[u8], most: u64, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    loop {
        let left = most.saturating_sub(bytes.len() as u64);
        let frame = StreamingDecoder::new_with_decoder(&mut body, &mut decoder).map_err(std::io::Error::other)?;
        frame.take(left).read_to_end(bytes)?;
        if bytes.len() as u64 >= most {
            return Ok(());
        }
        let said = decoder.get_checksum_from_data();
        if said.is_some() && said != decoder.get_calculated_checksum() {
            return Err(std::io::Error::other("its checksum differs"));
        }
        if body.is_empty() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;
    use std::time::Duration;

    const LIMITS: Limits = Limits { sent: 1_000, unpacked: 10_000, time: Duration::from_secs(60) };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    /// By the library of zstd's authors.
    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("memory")
    }

    fn unpack(encoding: &str, body: Vec<u8>) -> Result<Vec<u8>, StatusCode> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().expect("a value"));
        Packing::of(&headers).and_then(|packing| packing.unpack(body, LIMITS)).map_err(|refusal| refusal.status())
    }

    #[test]
    fn bodies_are_unpacked_up_to_the_limit() {
        let most = vec![7; 10_000];
        for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("deflate", deflate), ("zstd", zstd)] {
            assert_eq!(unpack(name, pack(&most)), Ok(most.clone()), "{name}");
            assert_eq!(unpack(&name.to_uppercase(), pack(b"")), Ok(Vec::new()), "{name}");
            // 100 MB of zeros in 100 KB or less.
            assert_eq!(unpack(name, pack(&vec![0; 100_000_000])), Err(StatusCode::PAYLOAD_TOO_LARGE), "{name}");
        }
        assert_eq!(unpack("identity", b"as it is".to_vec()), Ok(b"as it is".to_vec()));
        for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
            assert_eq!(unpack(name, [pack(b"in "), pack(b"two")].concat()), Ok(b"in two".to_vec()), "{name}");
            assert_eq!(unpack(name, [pack(&most), pack(b"x")].concat()), Err(StatusCode::PAYLOAD_TOO_LARGE), "{name}");
        }
    }

    #[test]
    fn damage_and_other_packings_are_refused() {
        let text = b"a body that is long enough to be cut";
        for (name, whole) in [("gzip", gzip(text)), ("deflate", deflate(text)), ("zstd", zstd(text))] {
            assert_eq!(unpack(name, whole[..whole.len() - 1].to_vec()), Err(StatusCode::BAD_REQUEST), "{name}");
            assert_eq!(unpack(name, b"not packed".to_vec()), Err(StatusCode::BAD_REQUEST), "{name}");
        }
        let raw = DeflateEncoder::new(text.as_slice().to_vec(), Compression::best()).finish().expect("memory");
        assert_eq!(unpack("deflate", raw), Err(StatusCode::BAD_REQUEST), "without zlib's envelope");
        for encoding in ["br", "gzip, gzip", "compress", ""] {
            assert_eq!(unpack(encoding, gzip(text)), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{encoding}");
        }
    }

    #[test]
    fn a_window_that_is_too_wide_is_refused_before_it_is_allocated() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
        encoder.window_log(27).expect("set");
        encoder.long_distance_matching(true).expect("set");
        encoder.write_all(b"short").expect("memory");
        assert_eq!(unpack("zstd", encoder.finish().expect("memory")), Err(StatusCode::BAD_REQUEST));
    }
}
