//! The HTTP contract: every claim is made against the whole front door, in memory, or over real
//! sockets where the claim is about connections.

#![allow(clippy::unwrap_used)]

mod conformity;
mod connections;
mod contract;
mod cors;
mod credentials;
mod crowds;
mod derivatives;
mod direct;
mod downloads;
mod egress;
mod fetched;
mod finished;
mod fixtures;
pub mod house;
mod http2;
mod ids;
mod library;
mod once;
mod openapi;
mod presets;
mod publishing;
mod quotas;
mod receiver;
mod shares;
mod site;
mod streams;
mod trace;
mod uploads;
mod uploads_in_pieces;
mod waiting;
mod webhooks;
mod wire;
