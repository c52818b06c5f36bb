//! Random ids without a dependency.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 random bits. The standard library seeds its hash maps randomly.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A random id of `bytes` bytes in hexadecimal; never all zeros, which W3C's trace context does not allow.
pub(crate) fn random_id(bytes: usize) -> String {
    loop {
        let id: String = (0..bytes.div_ceil(8)).map(|_| format!("{:016x}", random())).collect();
        if id.bytes().any(|digit| digit != b'0') {
            return id;
        }
    }
}
