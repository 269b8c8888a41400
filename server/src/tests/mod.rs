//! The HTTP contract: every claim is made against the whole front door, in memory, or over real
//! sockets where the claim is about connections.

#![allow(clippy::unwrap_used)]

mod connections;
mod contract;
mod crowds;
mod derivatives;
mod direct;
mod downloads;
mod finished;
pub mod house;
mod http2;
mod ids;
mod openapi;
mod publishing;
mod site;
mod streams;
mod trace;
mod uploads;
mod wire;
