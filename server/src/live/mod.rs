//! News to those who watch.

pub mod completions;
pub mod telling;
pub mod watchers;
