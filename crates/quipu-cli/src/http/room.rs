//! Memory for bodies of requests: reserved as bytes arrive, not as a client announces them.

use super::refusal::Refusal;
use axum::http::StatusCode;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory that all requests share.
pub(crate) struct Room {
    free: Arc<Semaphore>,
    /// The whole of it in KiB.
    kib: usize,
}

/// A part of it, given back on drop.
pub(crate) struct Held(OwnedSemaphorePermit);

impl Room {
    pub(crate) fn new(kib: usize) -> Room {
        Room { free: Arc::new(Semaphore::new(kib)), kib }
    }

    /// Reserves memory for so many bytes.
    ///
    /// # Errors
    /// If there is not enough: the client may try again.
    pub(crate) fn hold(&self, bytes: usize) -> Result<Held, Refusal> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        self.free.clone().try_acquire_many_owned(kib).map(Held).map_err(|_| {
            let words = "The server is overloaded; nothing of this request was stored. Send it again later.";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words).retry_after(1)
        })
    }

    /// Whether less than half of it is free.
    pub(super) fn is_scarce(&self) -> bool {
        self.free.available_permits() < self.kib / 2
    }
}

impl Held {
    /// Joins two parts.
    pub(crate) fn add(&mut self, more: Held) {
        self.0.merge(more.0);
    }
}
