//! The page's files, as browsers get them.

mod addresses;
pub mod assets;
mod csp;
mod rebase;
