//! The kit with real guests: our own, which must pass, and guests made to fail one check each.
//!
//! They are built by `make plugins`; without them every test here fails and says so.

#![allow(clippy::unwrap_used)]

mod file;
mod misbehaves;
mod ours;
mod page;
mod rig;
