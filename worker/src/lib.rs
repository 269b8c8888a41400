//! Takes jobs and runs chains.

pub mod external;
mod handover;
