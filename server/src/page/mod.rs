//! The page's files, as browsers get them.

pub mod assets;
mod csp;
mod rebase;
