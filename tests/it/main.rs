//! The system as a whole. Each module is a promise; each test starts what it needs, on free ports.
#![allow(clippy::unwrap_used)]

mod authors;
mod commands;
mod contains;
mod contract;
mod corrects;
mod derives;
mod describes;
mod external;
mod hears;
mod hides;
mod hooks;
mod integrates;
mod keeps;
mod lasts;
mod libraries;
mod owns;
mod page;
mod program;
mod publishes;
mod refuses;
mod resumes;
mod rules;
mod scales;
mod services;
