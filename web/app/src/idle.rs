//! The idle mark on `<html>`: whether every requested answer is drawn.

use crate::browser::{on_next_frame, set_root_attribute};
use std::cell::Cell;
use std::rc::Rc;

/// Counts operations in progress: requests, opening a file, fetching a sample. Indexing is not counted.
#[derive(Clone, Default)]
pub(crate) struct Idle {
    under_way: Rc<Cell<u32>>,
}

/// One operation in progress; it ends when this is dropped.
pub(crate) struct Busy {
    idle: Idle,
}

impl Idle {
    /// An operation begins.
    pub(crate) fn begin(&self) -> Busy {
        self.under_way.set(self.under_way.get() + 1);
        set_root_attribute("data-quipu-idle", "false");
        Busy { idle: self.clone() }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let idle = self.idle.clone();
        idle.under_way.set(idle.under_way.get().saturating_sub(1));
        // Signals reach the document in microtasks, before the next frame, and their follow-up requests are counted by then. The second
        // frame comes after the first was drawn.
        on_next_frame(move || {
            on_next_frame(move || {
                if idle.under_way.get() == 0 {
                    set_root_attribute("data-quipu-idle", "true");
                }
            });
        });
    }
}
