//! The contract, version 0.1. A later version gets a module of its own beside this one.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "plugin",
});

pub use exports::retake::correction::corrector::GuestSession;
pub use retake::correction::types::*;
pub use retake::correction::{earlier_steps, host_log, stream_layout};
