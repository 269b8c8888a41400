//! Connections: who gets one, which protocol is spoken on it, and how it ends.

pub mod connection;
pub mod direct;
pub mod ebb;
pub mod event_requests;
pub mod http2;
pub mod idle;
pub mod listen;
pub mod wire;
pub mod worker_health;
