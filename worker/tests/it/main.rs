//! The worker as those meet it who use it: the loop on memory backends, with real and false children.
#![allow(clippy::unwrap_used)]

mod jobs;
#[path = "../../../runner/tests/stand_ins/mod.rs"]
mod stand_ins;
mod support;
