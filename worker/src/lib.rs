//! Takes jobs and runs chains.
//!
//! From the outside in: [`run`] is the loop that claims jobs and settles them; [`chain`] runs one
//! chain on one file, for the loop as for the command line; [`child`] is the process in which
//! decoders and plugins run; [`external`] speaks to the external audio service; [`install`] compiles
//! plugins.

mod work;

pub mod chain;
pub mod child;
mod config;
mod deadline;
pub mod external;
mod handover;
pub mod install;
mod words;

pub use config::{Config, Limits};
pub use deadline::DeadlineTerms;
pub use work::{Parts, WorkerError, run};
