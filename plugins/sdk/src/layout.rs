//! What the channels of the stream are for. In a sandbox the host says it; natively the test does, see
//! [`crate::testing::correct_placed`].

use std::cell::RefCell;

use crate::bindings::retake::correction::stream_layout;

thread_local! {
    static PLACED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn positions() -> Vec<u32> {
    if cfg!(target_arch = "wasm32") {
        stream_layout::positions()
    } else {
        PLACED.with_borrow(Vec::clone)
    }
}

/// What [`positions`] says on this thread from now on, where there is no host.
pub(crate) fn place(positions: &[u32]) {
    PLACED.with_borrow_mut(|placed| {
        placed.clear();
        placed.extend_from_slice(positions);
    });
}
