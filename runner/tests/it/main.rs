//! The runner as those meet it who use it: the external client against the simulated service, and
//! chains through real and false children.
#![allow(clippy::unwrap_used)]

mod chains;
mod external;
mod harm;
mod hears;
mod looks;
mod renditions;
mod secrets;
mod segments;
#[path = "../stand_ins/mod.rs"]
mod stand_ins;
mod support;
mod tls;
mod walls;
