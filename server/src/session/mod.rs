//! Whose request it is.

pub mod api_key;
pub mod auth;
pub mod code;
pub mod cookie;
pub mod origin;
pub mod token;
