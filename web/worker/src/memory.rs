//! Memory limits: an index that would not fit is stopped while requests can still be answered. A failed allocation would end the worker
//! without a message.

use cap::Cap;
use js_sys::Reflect;
use quipu::model::number::truncated;
use std::alloc::System;

/// wasm32 can address 4 GiB. Counts all allocations of the worker, including those of SQLite.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Memory reserved for answers.
const MARGIN: usize = 64 << 20;

/// Sets the limit from the global `quipuMemoryLimit` in bytes, if there is one, for tests.
pub(crate) fn keep_limit() {
    let limit = Reflect::get(&js_sys::global(), &"quipuMemoryLimit".into()).ok().and_then(|limit| limit.as_f64());
    if let Some(limit) = limit {
        // A limit below the current allocation can't be set; the worker continues without it.
        let _ = MEMORY.set_limit(truncated(limit));
    }
}

/// Maximum size of a database in memory: its index and the data being read need memory, too.
pub(crate) fn room() -> u64 {
    MEMORY.remaining() as u64 / 2
}

/// Whether memory is about to run out. A growing column of the index is copied to twice its size.
pub(crate) fn is_short() -> bool {
    MEMORY.remaining() < MARGIN.max(MEMORY.allocated() / 3)
}
