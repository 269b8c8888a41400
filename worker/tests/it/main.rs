//! The worker as those meet it who use it: the external client against the simulated service, chains
//! through real and false children, and the loop on memory backends.
#![allow(clippy::unwrap_used)]

mod chains;
mod external;
mod harm;
mod jobs;
mod segments;
mod support;
mod walls;
