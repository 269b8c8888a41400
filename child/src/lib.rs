//! Processes of our own that do what is not safe to do in a process that serves: decoding, running
//! plugins, compiling them.
//!
//! The parent starts a [`ChildProgram`], which goes out without anything of the parent's environment,
//! and hears what it says within limits ([`conversation`]) and how it ended ([`ended`]). The child puts
//! itself behind the [`wall`] before it looks at anything from outside. What they say to each other is
//! their own; a deadline is the parent's to keep.

mod program;

pub mod conversation;
pub mod ended;
pub mod wall;

pub use program::ChildProgram;
