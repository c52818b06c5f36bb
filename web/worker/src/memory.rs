//! How much memory is left: an index that would not fit is stopped while questions can still be answered. An allocation that finds no
//! memory ends the worker on the spot, without a word.

use cap::Cap;
use js_sys::Reflect;
use std::alloc::System;

/// wasm32 addresses 4 GiB; everything the worker allocates, SQLite's memory among it, is counted.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// What has to be left for answers.
const MARGIN: usize = 64 << 20;

/// Keeps to the limit in the global scope's `quipuMemoryLimit`, in bytes, where there is one: for trying out what happens then.
pub(crate) fn keep_limit() {
    let limit = Reflect::get(&js_sys::global(), &"quipuMemoryLimit".into()).ok().and_then(|limit| limit.as_f64());
    if let Some(limit) = limit {
        // A limit below what is allocated already can't be kept; the worker goes on without.
        let _ = MEMORY.set_limit(limit as usize);
    }
}

/// Bytes that a database in memory may have: its index, and what is read of a file at a time, need room beside it.
pub(crate) fn room() -> u64 {
    MEMORY.remaining() as u64 / 2
}

/// Whether going on would risk that memory runs out. A column of the index that grows is copied into twice its room while it stands.
pub(crate) fn is_short() -> bool {
    MEMORY.remaining() < MARGIN.max(MEMORY.allocated() / 3)
}
