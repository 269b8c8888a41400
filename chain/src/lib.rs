//! The language of chains: what a recording is to go through, and what is said about how it went.
//!
//! Whoever asks for a chain, checks one or runs one speaks it: the server, the worker, the command
//! line. Nothing here knows who asks, or what becomes of the answer.

// What is asked for.
mod chain;
pub mod format;
mod parse;
mod plugin;
pub mod preset;
mod recommend;
mod rendition;
mod vocabulary;

// What is said about it.
pub mod problem;
pub mod report;

pub use chain::{Chain, OnFailure, Pins, Spare, Step, StepKind};
pub use plugin::InstalledPlugin;
pub use recommend::{RECOMMENDED_CHAIN, Recommendation};
pub use rendition::{Bits, NotARendition, Rendition, limits as rendition_limits};
pub use vocabulary::{NotAPlugin, ShortNames, Vocabulary, find_plugin, version_rank};
