//! What several corrections need and each would otherwise write again: filters, levels over time,
//! and gains that come before what they are for. Plain arithmetic: it knows no plugin and no host.

pub mod band;
pub mod gate;
pub mod halves;
pub mod hops;
pub mod k_weighting;
pub mod lanes;
pub mod line;
pub mod meter;
pub mod reducer;
pub mod section;
pub mod steps;
pub mod transform;
pub mod voicing;
pub mod weights;
