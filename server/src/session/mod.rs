//! Whose request it is.

pub mod auth;
pub mod cookie;
pub mod origin;
pub mod token;
