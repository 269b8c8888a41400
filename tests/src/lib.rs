//! The harness of the system tests: the real program in processes of its own, a client, and means to
//! look at audio. Everything listens on port 0, lives in a temporary folder, and ends with its owner.

pub mod broker;
pub mod client;
pub mod listen;
pub mod process;
pub mod signal;
pub mod syncs;

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root")
        .to_owned()
}

pub fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/recordings").join(name)
}
