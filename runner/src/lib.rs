//! Runs a chain on a file.
//!
//! From the outside in: [`chain`] walks through a chain's segments, for the worker's jobs as for the
//! command line; [`child`] is the process behind the wall, and [`audio_work`] what is done in it;
//! [`external`] speaks to the external audio service; [`install`] compiles plugins.
//!
//! Nothing here knows of jobs: files and a chain come in, a file and a report go out.

pub mod audio_work;
mod budget;
pub mod chain;
pub mod child;
mod deadline;
pub mod external;
mod handover;
pub mod install;
mod limits;

pub use deadline::DeadlineTerms;
pub use limits::Limits;
pub use retake_words as words;
