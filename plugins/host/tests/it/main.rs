//! The host with real guests: the four plugins we ship, and guests made to misbehave.
//!
//! They are built by `make plugins`; without them every test here fails and says so.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod alignment;
mod cache;
mod hostile_files;
mod hostile_installs;
mod hostile_plugins;
mod instance;
mod ours;
mod rig;
mod weights;
