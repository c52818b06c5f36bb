//! Numbers that no other program has.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 random bits: the standard library seeds its hash tables from the system, each one differently.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// As many hex digits as so many bytes have; never only zeros, which W3C's context has for none.
pub(crate) fn random_id(bytes: usize) -> String {
    loop {
        let id: String = (0..bytes.div_ceil(8)).map(|_| format!("{:016x}", random())).collect();
        if id.bytes().any(|digit| digit != b'0') {
            return id;
        }
    }
}
