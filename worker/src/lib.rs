//! Takes jobs and runs chains.

pub mod chain;
pub mod child;
mod config;
mod deadline;
pub mod external;
mod handover;
mod words;

pub use config::{Config, Limits};
pub use deadline::DeadlineTerms;
