//! The HTTP contract: every claim is made against the whole front door, in memory, or over real
//! sockets where the claim is about connections.

#![allow(clippy::unwrap_used)]

mod connections;
mod contract;
mod downloads;
pub mod house;
mod openapi;
mod publishing;
mod streams;
mod uploads;
mod wire;
