//! Runs correction plugins: WebAssembly components that speak `plugins/wit/correction.wit`.
//!
//! A plugin's way: [`Cache::install`] checks and compiles the bytes once, in a child process with
//! limits ([`limit_compile`]); [`Host::load`] maps the compiled code (0.1 ms); [`Plugin::open`]
//! makes a stage of the audio pipeline out of it.
//!
//! The sandbox holds memory, not time: interrupting WebAssembly costs DSP loops up to 2.6 times
//! their speed. So a plugin may loop for ever, and whoever runs one does so in a process that can be
//! killed at a deadline. Everything else (memory, stack, wild pointers, panics, wrong or non-finite
//! output) ends the stage with an error and leaves this process sound.

mod bindings;
mod cache;
mod cpu;
mod earlier;
mod engine;
mod error;
mod imports;
mod install;
mod instance;
mod limits;
mod manifest;
mod plugin;
mod record;
mod sandbox;
mod session;
mod stage;

pub use cache::{Cache, Installed, Turn};
pub use earlier::{EarlierStep, fitting, without};
pub use error::HostError;
pub use install::{check_imports, componentize};
pub use instance::{Instance, OpenSession, SessionSpec};
pub use limits::{LATENCY_S_MAX, LOG_BYTES_MAX, MEMORY_MIB_MAX, WASM_BYTES_MAX, limit_compile};
pub use plugin::{Host, Plugin};
pub use record::{Cut, LogLine, StageRecord};
pub use stage::Stream;
